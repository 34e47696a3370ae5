//! How a round comes to know what it decides on: read, or brought along by a lost race. Writes nothing.

use wallet_domain::{Snapshots, Wallet, WalletId};

use super::Run;
use super::known::{Basis, Known, Lost};
use crate::fault::{Class, Fault};
use crate::lease::Lease;
use crate::outcome::ExecuteError;
use crate::read::Read;
use crate::transact::Moved;

impl Run<'_> {
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
