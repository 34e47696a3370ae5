//! How a round comes to know what it decides on: it reads, or takes over what a failed condition returned. Writes nothing.

use wallet_domain::{Snapshots, Wallet, WalletId};

use super::Run;
use super::known::{Basis, Known, Lost};
use crate::fault::{Class, Fault};
use crate::lease::Lease;
use crate::outcome::ExecuteError;
use crate::read::Read;
use crate::transact::Moved;

impl Run<'_> {
    /// Takes over the items that failed conditions have returned: the next round needs no read, unless it has to wait for a
    /// lease.
    pub(super) fn refreshed(&mut self, moved: Moved) -> Lost {
        let bars = |lease: &&Lease| lease.bars(&self.holder, self.ledger.now());
        let busy = self.waits.are_for(moved.wallets.iter().filter_map(|found| found.lease.as_ref()).filter(bars));
        for found in &moved.wallets {
            if !found.lease.as_ref().is_some_and(|lease| lease.is_of(&self.holder)) {
                // A lease that this request had has expired, and another has taken it over.
                self.held.remove(&found.wallet.id);
            }
            self.ledger.cache.keep(&found.wallet);
        }
        // Another request holds the lease and will change the wallet first: read after waiting.
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

    /// Reads what the command is decided on, each item at a moment of its own.
    pub(super) async fn read(&mut self) -> Result<Result<Known, Lost>, ExecuteError> {
        match self.ledger.load(self.command, self.usage).await {
            Ok(read) => {
                let wallets = self.command.reads().wallets;
                // This read was needed only if one of the kept snapshots is stale.
                if let Some(kept) = self.ledger.cache.all(&wallets).filter(|kept| !kept.is_empty()) {
                    let version = |id| read.snapshots.wallets.get(&id).map(|wallet| wallet.version);
                    self.ledger.cache.proved(kept.iter().all(|kept| version(kept.id) == Some(kept.version)));
                }
                Ok(Ok(self.known(read, Basis::Items(wallets.into_iter().collect()))))
            }
            Err(fault) => self.unread(fault),
        }
    }

    /// Reads what the command is decided on and the credits found in inboxes, all at one moment.
    pub(super) async fn read_at_once(&mut self) -> Result<Result<Known, Lost>, ExecuteError> {
        let credits = self.looked.values().flat_map(|looked| &looked.credits);
        match self.ledger.load_at_once(self.command, credits, self.usage).await {
            Ok(Some(read)) => {
                // Forget an inbox of which a credit is gone: a fold has settled it.
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
        let waits = read.queued.iter().map(|queued| &queued.request).find(|request| request.id == id);
        let taken = waits.is_some_and(|request| request.fingerprint != fingerprint);
        let expired = waits.is_some_and(|request| request.has_expired(self.ledger.now()));
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
        Known { snapshots, basis, busy, taken, expired }
    }

    /// Takes over the wallet as a release by this request has left it. What was looked up at the version before is the same
    /// at the new one.
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

    /// A failed read has changed nothing: it is tried again, unless its fault is final.
    pub(super) fn unread(&self, fault: Fault) -> Result<Result<Known, Lost>, ExecuteError> {
        match fault.class() {
            Class::Throttled | Class::Unknown => Ok(Err(Lost::Busy)),
            Class::Final => Err(self.fault(fault)),
        }
    }
}
