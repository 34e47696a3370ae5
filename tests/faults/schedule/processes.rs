//! The processes of a schedule: each has a clock of its own and tries so often, and the one that dies leaves its place.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wallet_dynamodb::Ledger;

use crate::faults::truth::Window;
use crate::faults::world::World;

/// Where each process is, and who dies.
pub(super) struct Processes {
    pub(super) world: World,
    /// Skew in seconds and tries of each.
    pub(super) traits: Vec<(i64, u32)>,
    pub(super) ledgers: Mutex<Vec<Ledger>>,
}

impl Processes {
    pub(super) fn ledger(&self, index: usize) -> Ledger {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)[index].clone()
    }

    /// What a process comes to with `work`, and when that was; `None` if it dies before. The next one in its place has none of
    /// its snapshots.
    pub(super) async fn run<T>(
        &self,
        index: usize,
        dies: Option<Duration>,
        work: impl Future<Output = T>,
    ) -> (Option<T>, Window) {
        let ((skew, tries), begun) = (self.traits[index], Instant::now());
        let forever = Duration::from_secs(100_000_000);
        let done = tokio::time::timeout(dies.unwrap_or(forever), work).await.ok();
        if done.is_none() {
            let ledger = self.world.ledger(skew, tries);
            self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)[index] = ledger;
        }
        (done, Window { begun, ended: Instant::now(), skew_seconds: skew })
    }
}
