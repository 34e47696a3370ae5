//! What a round decides on, and what it is lost to.

use std::collections::BTreeSet;

use wallet_domain::{Command, Credit, Hold, Incoming, Money, Snapshots, WalletId};

use crate::ledger::Ledger;

/// What a round decides on.
pub(super) struct Known {
    pub(super) snapshots: Snapshots,
    pub(super) basis: Basis,
    /// The wallets whose lease another request held: a commit on one of them would be rejected.
    pub(super) busy: BTreeSet<WalletId>,
    /// Whether a different request is queued under this request's key.
    pub(super) taken: bool,
    /// Whether this very request is queued, and has waited too long.
    pub(super) expired: bool,
}

impl Known {
    pub(super) fn is_guess(&self) -> bool {
        matches!(self.basis, Basis::Guess)
    }

    pub(super) fn is_moment(&self) -> bool {
        matches!(self.basis, Basis::Moment)
    }

    /// True if this proves that a refusal of `command` was true at one moment since the request began. `recorded` says
    /// whether the refusal is going to be recorded.
    pub(super) fn shows(&self, command: &Command, recorded: bool) -> bool {
        match &self.basis {
            Basis::Guess => false,
            Basis::Moment => true,
            // Each wallet was seen: the one that refused, and the other too, of which an old snapshot may have passed a check
            // that it fails now. The put of the record, on the condition that there is none, shows that there was none. And
            // the refusal rests on nothing else: on no other transaction, mark, hold or inbox, and no overdue holds.
            Basis::Items(seen) => {
                let reads = command.reads();
                let Snapshots { incoming, overdue, .. } = &self.snapshots;
                let wallets_alone = reads.are_of_wallets_alone() && incoming.is_empty() && overdue.is_empty();
                recorded && wallets_alone && reads.wallets.iter().all(|wallet| seen.contains(wallet))
            }
        }
    }

    /// Notes that `wallets` were seen in the table, each at a moment of its own: all that is known is then no longer of one
    /// moment.
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

/// At what moments the snapshots were true: the table in `execute.rs` says what follows from each.
pub(super) enum Basis {
    Guess,
    /// These wallets were seen in the table since the request began, each at a moment of its own.
    Items(BTreeSet<WalletId>),
    Moment,
}

/// A whole inbox, read through after its wallet was seen at `version`.
pub(super) struct Looked {
    pub(super) version: u64,
    pub(super) incoming: Incoming,
    /// The credits that the wallet can hold.
    pub(super) credits: Vec<Credit>,
}

/// All overdue holds of a wallet, looked up after the wallet was seen at `version`.
pub(super) struct Found {
    pub(super) version: u64,
    pub(super) sum: Money,
    pub(super) holds: Vec<Hold>,
}

/// Why a round ended without an outcome.
pub(super) enum Lost {
    Race,
    /// The snapshots were old, but this request holds the leases: nobody can come in between, so it decides again at once.
    Behind,
    /// Another request holds a lease, or is taking one.
    Lease,
    /// DynamoDB throttled a call or did not answer it. That call has moved nothing of this request's money.
    Busy,
    /// A commit was sent, and its outcome is unknown.
    Unknown,
}

impl Ledger {
    /// The wallets of `command` as this process wrote them last; `None` unless the command reads wallets alone and all are in
    /// the cache.
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
