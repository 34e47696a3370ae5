//! Reads the inbox of a wallet for a command that cannot be decided without it, and settles the credits if they cover what
//! the balance does not.
//!
//! A refusal for funds rests on balance and inbox together. First the wallet is read, then its inbox is read through, then
//! the wallet, the credits that were found and the request's own record are read at one moment. If the wallet is at the same
//! version in both reads, nothing was settled in between: so the credits are not in the balance yet, and all that waited
//! before the inbox was read are among them. A credit that came while the inbox was read may be counted or not.

use wallet_domain::{Credit, Incoming, MAX_FOLD, Wallet, WalletId};

use super::Run;
use super::known::{Known, Looked, Lost};
use crate::outcome::ExecuteError;
use crate::read::{MOST_READ, places};

impl Run<'_> {
    /// Reads through the inbox of the wallet `before`, or settles some of what was found there, and returns what is known
    /// then.
    pub(super) async fn settle(
        &mut self,
        mut known: Known,
        before: &Wallet,
    ) -> Result<Result<Known, Lost>, ExecuteError> {
        let wallet = before.id;
        if let Some(looked) = self.looked.remove(&wallet).filter(|looked| looked.version == before.version) {
            return self.fold(known, wallet, &looked.credits).await;
        }
        // Once a round: a wallet that changes all the time is looked at again after the wait.
        if !self.looks.insert(wallet) {
            self.usage.conflicts += 1;
            return Ok(Err(Lost::Race));
        }
        // Before a refusal, one `TransactGetItems` of 100 items reads these credits and all else that the command reads.
        // Where more wait than it has room for, some are settled, whether they are needed or not.
        let room = MOST_READ.saturating_sub(places(self.command).len());
        let (mut found, mut count, mut from) = (vec![], 0, None);
        loop {
            let page = match self.ledger.page(wallet, from, MAX_FOLD, self.usage).await {
                Ok(page) => page,
                Err(fault) => return self.unread(fault),
            };
            count += page.credits.len() + page.unreadable;
            found.extend(page.credits);
            let credits = Credit::held_by(before, &found);
            if credits.len() > room {
                return self.fold(known, wallet, &credits).await;
            }
            from = page.next;
            if from.is_none() {
                let incoming = Incoming { count, ..Incoming::of(before, &credits) };
                self.looked.insert(wallet, Looked { version: before.version, incoming, credits });
                known.snapshots.incoming.insert(wallet, incoming);
                // The inbox was read at another moment than all else.
                known.saw([].into_iter());
                return Ok(Ok(known));
            }
        }
    }

    /// Settles some of `credits`.
    async fn fold(
        &mut self,
        mut known: Known,
        wallet: WalletId,
        credits: &[Credit],
    ) -> Result<Result<Known, Lost>, ExecuteError> {
        if let Err(lost) = self.may_step_aside(&known, wallet)? {
            return Ok(Err(lost));
        }
        let holder = self.held.contains(&wallet).then_some(&self.holder);
        match self.ledger.fold(&known.snapshots.wallets[&wallet], credits, holder, self.usage).await {
            Ok(fold) => {
                if let Some(fold) = fold {
                    known.snapshots.wallets.insert(wallet, fold.posting().after.clone());
                    // The fold made progress: what is left may be read in the same round.
                    self.looks.remove(&wallet);
                }
                known.snapshots.incoming.remove(&wallet);
                known.saw([wallet].into_iter());
                Ok(Ok(known))
            }
            Err(rejected) => self.lost_aside(rejected).map(Err),
        }
    }
}
