//! The processes of a schedule: each has a clock of its own and tries so often, and the one that dies leaves its place.

use std::sync::{Mutex, PoisonError};

use wallet_dynamodb::Ledger;

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

    /// The next one in its place has none of its snapshots.
    pub(super) fn killed(&self, index: usize) {
        let (skew, tries) = self.traits[index];
        let ledger = self.world.ledger(skew, tries);
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)[index] = ledger;
    }
}
