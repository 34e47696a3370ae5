//! Folders: they settle what waits in inboxes, twice at once, late, by any clock, and die at any time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use wallet_domain::WalletId;
use wallet_dynamodb::{ExecuteError, Usage};

use super::processes::Processes;

pub(super) struct Folder {
    pub(super) processes: Arc<Processes>,
    pub(super) wallets: Vec<WalletId>,
    pub(super) rng: Rng,
}

impl Folder {
    /// So many passes, each over some wallet's inbox. What came of them, by name.
    pub(super) async fn work(mut self, passes: usize) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for _ in 0..passes {
            tokio::time::sleep(Duration::from_millis(self.rng.u64(0..300))).await;
            let process = self.rng.usize(..self.processes.traits.len());
            let wallet = self.wallets[self.rng.usize(..self.wallets.len())];
            let (ledger, mut usage) = (self.processes.ledger(process), Usage::default());
            let forever = Duration::from_secs(100_000_000);
            let dies = if self.rng.u8(..4) == 0 { Duration::from_millis(self.rng.u64(0..100)) } else { forever };
            let name = match tokio::time::timeout(dies, ledger.settle(wallet, &mut usage)).await {
                Err(_) => {
                    self.processes.killed(process);
                    "folder killed"
                }
                Ok(Ok(settled)) if settled.folded > 0 => "folded",
                Ok(Ok(_)) => "nothing to fold",
                Ok(Err(ExecuteError::ClockSkew { .. })) => "folder with a wrong clock",
                Ok(Err(ExecuteError::Conflict { .. } | ExecuteError::Throttled { .. })) => "folder gave up",
                Ok(Err(other)) => panic!("no folder is told so: {other:?}"),
            };
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        counts
    }
}
