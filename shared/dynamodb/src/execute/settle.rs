//! What waits in an inbox, where a command can't be decided without it: looked up first, and settled where it covers what
//! the balance does not.
//!
//! A refusal for too little rests on balance and inbox together. The inbox is looked through after the wallet was seen;
//! then the wallet, the credits that were found and the request's own record are read at one moment. At the same version
//! nothing was settled in between: so the credits are not in the balance yet, and what was there before the look is among
//! them. A credit that came during the look may be counted or not.

use wallet_domain::{Credit, Incoming, MAX_FOLD, Wallet, WalletId};

use super::Run;
use super::known::{Known, Looked, Lost};
use crate::outcome::ExecuteError;
use crate::read::{MOST_READ, places};

impl Run<'_> {
    /// Finds out what waits for the wallet that is `before`, or settles some of it, and comes back with what is known then.
    pub(super) async fn settle(
        &mut self,
        mut known: Known,
        before: &Wallet,
    ) -> Result<Result<Known, Lost>, ExecuteError> {
        let wallet = before.id;
        if let Some(looked) = self.looked.remove(&wallet).filter(|looked| looked.version == before.version) {
            return self.fold(known, wallet, &looked.credits).await;
        }
        // Once in each round: a wallet that moves on all the time is met again after a while.
        if !self.looks.insert(wallet) {
            self.usage.conflicts += 1;
            return Ok(Err(Lost::Race));
        }
        // A refusal rests on no more credits than there is room for beside all else that its command reads; where more wait,
        // some are settled whether they are needed or not.
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
                // What was one moment before is not one moment with the inbox.
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
                    // It got on: what is left may be looked through at once.
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
