//! What waits in an inbox, where a command can't be decided without it: looked up first, and settled where it covers what
//! the balance does not.
//!
//! A refusal for too little rests on balance and inbox together, which no single read shows. So the inbox is looked through
//! after the wallet was seen, and the wallet is read again after that: at the same version nothing was settled in between,
//! and balance and inbox were at one moment what they are taken for.

use std::collections::BTreeSet;

use wallet_domain::{Credit, Incoming, WalletId};

use super::{Basis, Known, Lost, Run};
use crate::fault::Class;
use crate::outcome::ExecuteError;
use crate::transact::Rejected;

/// Credits that are looked through before some of them are settled whether they are needed or not: ten folds.
const LOOKED_THROUGH: usize = 980;

/// All of an inbox, as it was looked through after its wallet was seen at `version`.
pub(super) struct Looked {
    pub(super) version: u64,
    pub(super) incoming: Incoming,
    credits: Vec<Credit>,
}

impl Run<'_> {
    /// Finds out what waits for `wallet`, or settles some of it, and comes back with what is known then.
    pub(super) async fn settle(
        &mut self,
        mut known: Known,
        wallet: WalletId,
    ) -> Result<Result<Known, Lost>, ExecuteError> {
        if matches!(known.basis, Basis::Guess) {
            return self.read().await;
        }
        let Some(before) = known.snapshots.wallets.get(&wallet).filter(|_| !self.usage.is_out_of_time()) else {
            return Ok(Err(Lost::Race));
        };
        if let Some(looked) = self.looked.remove(&wallet).filter(|looked| looked.version == before.version) {
            return Ok(match self.fold(&mut known, wallet, looked.credits).await? {
                Ok(credits) => {
                    self.keep(&mut known, wallet, credits);
                    Ok(known)
                }
                Err(lost) => Err(lost),
            });
        }
        // Once in each round: a wallet that moves on all the time is met again after a while.
        if !self.looks.insert(wallet) {
            self.usage.conflicts += 1;
            return Ok(Err(Lost::Race));
        }
        let waiting = match self.ledger.waiting(wallet, LOOKED_THROUGH, self.usage).await {
            Ok(waiting) => waiting,
            Err(fault) => return self.unread(fault),
        };
        if waiting.next.is_none() {
            let incoming = waiting.incoming(before);
            let looked = Looked { version: before.version, incoming, credits: waiting.credits };
            known.snapshots.incoming.insert(wallet, incoming);
            self.looked.insert(wallet, looked);
            // What was one moment before is not one moment with the inbox.
            known.basis = Basis::Items(known.snapshots.wallets.keys().copied().collect());
            return Ok(Ok(known));
        }
        let mut credits = waiting.credits;
        while !credits.is_empty() {
            let before = credits.len();
            credits = match self.fold(&mut known, wallet, credits).await? {
                Ok(credits) if credits.len() < before => credits,
                Ok(_) => break,
                Err(lost) => return Ok(Err(lost)),
            };
        }
        self.looks.remove(&wallet);
        Ok(Ok(known))
    }

    /// Settles some of `credits`, and answers the others.
    async fn fold(
        &mut self,
        known: &mut Known,
        wallet: WalletId,
        mut credits: Vec<Credit>,
    ) -> Result<Result<Vec<Credit>, Lost>, ExecuteError> {
        let before = &known.snapshots.wallets[&wallet];
        let holder = self.held.contains(&wallet).then_some(&self.holder);
        match self.ledger.fold(before, &credits, holder, self.usage).await {
            Ok(Some(fold)) => {
                let settled: BTreeSet<_> = fold.posting().rows.iter().map(|row| row.transaction).collect();
                credits.retain(|credit| !settled.contains(&credit.transaction));
                known.snapshots.incoming.remove(&wallet);
                known.snapshots.wallets.insert(wallet, fold.posting().after.clone());
                known.basis = Basis::Items(known.snapshots.wallets.keys().copied().collect());
                Ok(Ok(credits))
            }
            Ok(None) => Ok(Ok(credits)),
            Err(Rejected::Failed(fault)) => match fault.class() {
                // It has settled the credits, or left them: of the money of this request it says nothing.
                Class::Throttled | Class::Unknown => Ok(Err(Lost::Busy)),
                Class::Final => Err(self.fault(fault)),
            },
            Err(_) => {
                self.usage.conflicts += 1;
                Ok(Err(Lost::Race))
            }
        }
    }

    /// Keeps what of an inbox was not settled: nobody else settles while the wallet stays at its version.
    fn keep(&mut self, known: &mut Known, wallet: WalletId, credits: Vec<Credit>) {
        let now = &known.snapshots.wallets[&wallet];
        let incoming = Incoming::of(now, &credits);
        if credits.is_empty() || incoming.amount.is_zero() {
            return;
        }
        self.looked.insert(wallet, Looked { version: now.version, incoming, credits });
        known.snapshots.incoming.insert(wallet, incoming);
    }
}
