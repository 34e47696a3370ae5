//! What a round decides on, and what it is lost to.

use std::collections::BTreeSet;

use wallet_domain::{Command, Credit, Hold, Incoming, Money, Snapshots, WalletId};

use crate::ledger::Ledger;

/// What a round decides on.
pub(super) struct Known {
    pub(super) snapshots: Snapshots,
    pub(super) basis: Basis,
    /// The wallets of which another held the lease: a commit on one of them would be rejected.
    pub(super) busy: BTreeSet<WalletId>,
    /// Whether another request waits under its key.
    pub(super) taken: bool,
    /// Whether the same request waits in a queue, and has waited too long.
    pub(super) expired: bool,
}

impl Known {
    pub(super) fn is_guess(&self) -> bool {
        matches!(self.basis, Basis::Guess)
    }

    pub(super) fn is_moment(&self) -> bool {
        matches!(self.basis, Basis::Moment)
    }

    /// True once it shows that a refusal of `command` held at one moment since the request began. `recorded` says whether it
    /// is going to be recorded.
    pub(super) fn shows(&self, command: &Command, recorded: bool) -> bool {
        match &self.basis {
            Basis::Guess => false,
            Basis::Moment => true,
            // The wallet that refused was seen, and so was the other, which by an old snapshot might have let through what
            // it refuses itself. That there is no record yet is shown by putting it only if absent. Nothing else had a say,
            // if the command reads no other transaction, no mark, no hold and no inbox, and no holds were looked up.
            Basis::Items(seen) => {
                let reads = command.reads();
                let Snapshots { incoming, overdue, .. } = &self.snapshots;
                let wallets_alone = reads.are_of_wallets_alone() && incoming.is_empty() && overdue.is_empty();
                recorded && wallets_alone && reads.wallets.iter().all(|wallet| seen.contains(wallet))
            }
        }
    }

    /// Notes that `wallets` are now as they were seen at moments of their own.
    pub(super) fn saw(&mut self, wallets: impl Iterator<Item = WalletId>) {
        let mut seen = match std::mem::replace(&mut self.basis, Basis::Guess) {
            Basis::Guess => BTreeSet::new(),
            Basis::Items(seen) => seen,
            Basis::Moment => self.snapshots.wallets.keys().copied().collect(),
        };
        seen.extend(wallets);
        self.basis = Basis::Items(seen);
    }
}

/// What is known of the snapshots.
pub(super) enum Basis {
    Guess,
    /// These wallets were seen in the table since the request began, each at a moment of its own.
    Items(BTreeSet<WalletId>),
    Moment,
}

/// All of an inbox, as it was looked through after its wallet was seen at `version`.
pub(super) struct Looked {
    pub(super) version: u64,
    pub(super) incoming: Incoming,
    /// Those that the wallet can hold.
    pub(super) credits: Vec<Credit>,
}

/// Overdue holds of a wallet, all of them, as they were after the wallet was seen at `version`.
pub(super) struct Found {
    pub(super) version: u64,
    pub(super) sum: Money,
    pub(super) holds: Vec<Hold>,
}

/// What ended a round without an end.
pub(super) enum Lost {
    Race,
    /// The snapshots were old, but the leases are ours: nobody can come in between.
    Behind,
    /// Another holds a lease, or is about to.
    Lease,
    /// The database did not answer, or not now. Nothing was written by this.
    Busy,
    /// A commit was sent and not answered.
    Unknown,
}

impl Ledger {
    /// The wallets that `command` concerns as this process wrote them last, where they are all that it is decided on.
    pub(super) fn guess(&self, command: &Command) -> Option<Known> {
        let reads = command.reads();
        if !reads.are_of_wallets_alone() {
            return None;
        }
        let wallets = self
            .cache
            .all(&reads.wallets)
            .filter(|wallets| wallets.is_empty() || self.cache.pays())?
            .into_iter()
            .map(|wallet| (wallet.id, wallet))
            .collect();
        let snapshots = Snapshots { wallets, ..Snapshots::default() };
        Some(Known { snapshots, basis: Basis::Guess, busy: BTreeSet::new(), taken: false, expired: false })
    }
}
