//! What a round decides on, and how it comes to be known: guessed, read, or brought along by a lost race. Writes nothing.

use std::collections::BTreeSet;

use wallet_domain::{Command, Credit, Hold, Incoming, Money, Snapshots, Wallet, WalletId};

use super::{Lost, Run};
use crate::fault::{Class, Fault};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::outcome::ExecuteError;
use crate::read::Read;
use crate::transact::Moved;

/// What a round decides on.
pub(super) struct Known {
    pub(super) snapshots: Snapshots,
    pub(super) basis: Basis,
    /// The wallets of which another held the lease: a commit on one of them would be rejected.
    pub(super) busy: BTreeSet<WalletId>,
    /// Whether another request waits under its key.
    pub(super) taken: bool,
}

impl Known {
    pub(super) fn is_guess(&self) -> bool {
        matches!(self.basis, Basis::Guess)
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
        Some(Known { snapshots, basis: Basis::Guess, busy: BTreeSet::new(), taken: false })
    }
}

impl Run<'_> {
    /// True once what is known shows that the refusal held at one moment since the request began. `recorded` says whether it
    /// is going to be recorded.
    pub(super) fn was_true(&self, known: &Known, recorded: bool) -> bool {
        match &known.basis {
            Basis::Guess => false,
            Basis::Moment => true,
            // The wallet that refused was seen, and so was the other, which by an old snapshot might have let through what
            // it refuses itself. That there is no record yet is shown by putting it only if absent. Nothing else had a say,
            // if the command reads no other transaction, no mark, no hold and no inbox, and nothing held is overdue.
            Basis::Items(seen) => {
                let reads = self.command.reads();
                let Snapshots { incoming, overdue, .. } = &known.snapshots;
                let wallets_alone = reads.are_of_wallets_alone()
                    && incoming.is_empty()
                    && overdue.values().all(|overdue| overdue.is_zero());
                recorded && wallets_alone && reads.wallets.iter().all(|wallet| seen.contains(wallet))
            }
        }
    }

    /// Takes over what failed conditions have returned: the next round needs no read, unless it has to wait for a lease.
    pub(super) fn refreshed(&mut self, moved: Moved) -> Lost {
        let bars = |lease: &&Lease| lease.bars(&self.holder, self.ledger.now());
        let busy = self.waits.are_for(moved.wallets.iter().filter_map(|found| found.lease.as_ref()).filter(bars));
        for found in &moved.wallets {
            if !found.lease.as_ref().is_some_and(|lease| lease.is_of(&self.holder)) {
                // It expired, and was taken over.
                self.held.remove(&found.wallet.id);
            }
            self.ledger.cache.keep(&found.wallet);
        }
        // Another has to go first, and will have changed the wallet: read then.
        let Some(known) = self.known.as_mut().filter(|_| !busy) else {
            self.known = None;
            return if busy { Lost::Lease } else { Lost::Race };
        };
        known.saw(moved.wallets.iter().map(|found| found.wallet.id));
        let Snapshots { wallets, transactions, marks, incoming, holds, overdue } = &mut known.snapshots;
        let stays = |wallet: &WalletId| moved.wallets.iter().all(|found| found.wallet.id != *wallet);
        incoming.retain(|wallet, _| stays(wallet));
        overdue.retain(|wallet, _| stays(wallet));
        wallets.extend(moved.wallets.into_iter().map(|found| (found.wallet.id, found.wallet)));
        transactions.extend(moved.transactions.into_iter().map(|found| (found.id, found)));
        holds.extend(moved.holds.into_iter().map(|found| (found.id, found)));
        marks.extend(moved.marks.into_iter().map(|mark| ((mark.of, mark.name), mark.by)));
        if self.held.is_empty() { Lost::Race } else { Lost::Behind }
    }

    /// What the command is decided on, each item by itself.
    pub(super) async fn read(&mut self) -> Result<Result<Known, Lost>, ExecuteError> {
        match self.ledger.load(self.command, self.usage).await {
            Ok(read) => {
                let wallets = self.command.reads().wallets;
                // Whether this read was needed.
                if let Some(kept) = self.ledger.cache.all(&wallets).filter(|kept| !kept.is_empty()) {
                    let version = |id| read.snapshots.wallets.get(&id).map(|wallet| wallet.version);
                    self.ledger.cache.proved(kept.iter().all(|kept| version(kept.id) == Some(kept.version)));
                }
                Ok(Ok(self.known(read, Basis::Items(wallets.into_iter().collect()))))
            }
            Err(fault) => self.unread(fault),
        }
    }

    /// What the command is decided on, all of it at one moment, and what was found in inboxes.
    pub(super) async fn read_at_once(&mut self) -> Result<Result<Known, Lost>, ExecuteError> {
        let credits = self.looked.values().flat_map(|looked| &looked.credits);
        match self.ledger.load_at_once(self.command, credits, self.usage).await {
            Ok(Some(read)) => {
                // What a fold had settled before its credits were seen to go.
                self.looked.retain(|_, looked| {
                    looked.credits.iter().all(|credit| read.waiting.contains(&(credit.wallet, credit.transaction)))
                });
                Ok(Ok(self.known(read, Basis::Moment)))
            }
            Ok(None) => {
                self.usage.conflicts += 1;
                Ok(Err(Lost::Race))
            }
            Err(fault) => self.unread(fault),
        }
    }

    fn known(&mut self, read: Read, basis: Basis) -> Known {
        let bars = |lease: &Lease| lease.bars(&self.holder, self.ledger.now());
        let barring: Vec<_> = read.leases.iter().filter(|(_, lease)| bars(lease)).collect();
        self.waits.are_for(barring.iter().map(|(_, lease)| lease));
        let busy = barring.into_iter().map(|(wallet, _)| *wallet).collect();
        let (id, fingerprint) = (self.command.transaction(), self.command.fingerprint());
        let mut its = read.queued.iter().map(|queued| &queued.request).filter(|request| request.id == id);
        let taken = its.any(|request| request.fingerprint != fingerprint);
        let mut snapshots = read.snapshots;
        for (id, looked) in &self.looked {
            if snapshots.wallets.get(id).is_some_and(|wallet| wallet.version == looked.version) {
                snapshots.incoming.insert(*id, looked.incoming);
            }
        }
        for (id, found) in &self.found {
            if snapshots.wallets.get(id).is_some_and(|wallet| wallet.version == found.version) {
                snapshots.overdue.insert(*id, found.sum);
            }
        }
        Known { snapshots, basis, busy, taken }
    }

    /// Takes over a step that this request has made beside its own: at the new version what was looked up is as it was.
    pub(super) fn moved_on(&mut self, known: &mut Known, after: &Wallet) {
        let before = known.snapshots.wallets.insert(after.id, after.clone()).map(|before| before.version);
        if let Some(looked) = self.looked.get_mut(&after.id).filter(|looked| Some(looked.version) == before) {
            looked.version = after.version;
        }
        if let Some(found) = self.found.get_mut(&after.id).filter(|found| Some(found.version) == before) {
            found.version = after.version;
        }
        known.saw([after.id].into_iter());
    }

    /// A read has no outcome to lose: it is only tried again.
    pub(super) fn unread(&self, fault: Fault) -> Result<Result<Known, Lost>, ExecuteError> {
        match fault.class() {
            Class::Throttled | Class::Unknown => Ok(Err(Lost::Busy)),
            Class::Final => Err(self.fault(fault)),
        }
    }
}
