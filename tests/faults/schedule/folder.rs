//! Folders and sweeps: they settle what waits in inboxes and release holds whose time is over, twice at once, late, by any clock,
//! and die at any time.

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
            let (ledger, mut usage, sweeps) = (self.processes.ledger(process), Usage::default(), self.rng.u8(..3) == 0);
            let dies = (self.rng.u8(..4) == 0).then(|| Duration::from_millis(self.rng.u64(0..100)));
            let pass = async {
                match sweeps {
                    true => ledger.sweep(&mut usage).await.map(|swept| ("swept", swept.released)),
                    false => ledger.settle(wallet, &mut usage).await.map(|settled| ("folded", settled.folded)),
                }
            };
            let name = match self.processes.run(process, dies, pass).await.0 {
                None => "folder killed",
                Some(Ok((name, done))) if done > 0 => name,
                Some(Ok(_)) if sweeps => "nothing to sweep",
                Some(Ok(_)) => "nothing to fold",
                Some(Err(ExecuteError::ClockSkew { .. })) => "folder with a wrong clock",
                Some(Err(ExecuteError::Conflict { .. } | ExecuteError::Throttled { .. })) => "folder gave up",
                Some(Err(other)) => panic!("no folder is told so: {other:?}"),
            };
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        counts
    }
}
