//! Releases overdue holds for a command that is about such a hold, or that is short of the money they keep back.
//!
//! If the command itself reads the hold, it is released at once, so that whoever captures it too late is told that it has
//! expired. If the command is short of money, the wallet's overdue holds are looked up after the wallet was read: while the
//! wallet stays at that version none of them changes. Before a refusal rests on them the wallet is read once more, and must
//! be at that version still.

use wallet_domain::{Hold, HoldStatus, Wallet, WalletId};

use super::Run;
use super::known::{Found, Known, Lost};
use crate::holds::held_by;
use crate::outcome::ExecuteError;

impl Run<'_> {
    /// Looks up the overdue holds of the wallet `before`, or releases some of them, and returns what is known then.
    pub(super) async fn release(
        &mut self,
        mut known: Known,
        before: &Wallet,
    ) -> Result<Result<Known, Lost>, ExecuteError> {
        let Wallet { id: wallet, version, .. } = *before;
        let is_own = |hold: &&Hold| hold.source == wallet && hold.status == HoldStatus::Active;
        let own: Vec<_> = known.snapshots.holds.values().filter(is_own).cloned().collect();
        if !own.is_empty() {
            self.found.remove(&wallet);
            known.snapshots.overdue.remove(&wallet);
            return Ok(match self.let_go(&mut known, wallet, own).await? {
                // Still active: by this clock it is not overdue after all. Another round looks again.
                Ok(_) if known.snapshots.holds.values().any(|hold| is_own(&hold)) => Err(Lost::Race),
                Ok(_) => Ok(known),
                Err(lost) => Err(lost),
            });
        }
        if let Some(found) = self.found.remove(&wallet).filter(|found| found.version == version) {
            return Ok(match self.let_go(&mut known, wallet, found.holds).await? {
                Ok(holds) => {
                    self.find(&mut known, wallet, holds);
                    Ok(known)
                }
                Err(lost) => Err(lost),
            });
        }
        // Once a round: a wallet that changes all the time is looked at again after the wait.
        if !self.finds.insert(wallet) {
            self.usage.conflicts += 1;
            return Ok(Err(Lost::Race));
        }
        match self.ledger.overdue(before, self.usage).await {
            Ok(Some(holds)) => {
                self.find(&mut known, wallet, holds);
                Ok(Ok(known))
            }
            Ok(None) => {
                self.usage.conflicts += 1;
                Ok(Err(Lost::Race))
            }
            Err(fault) => self.unread(fault),
        }
    }

    /// Releases up to 49 of `holds`, and returns the others that are overdue.
    async fn let_go(
        &mut self,
        known: &mut Known,
        wallet: WalletId,
        mut holds: Vec<Hold>,
    ) -> Result<Result<Vec<Hold>, Lost>, ExecuteError> {
        if let Err(lost) = self.may_step_aside(known, wallet)? {
            return Ok(Err(lost));
        }
        let before = &known.snapshots.wallets[&wallet];
        let holder = self.held.contains(&wallet).then_some(&self.holder);
        match self.ledger.release_overdue(before, &holds, holder, self.usage).await {
            Ok(Some(plan)) => {
                for change in plan.holds() {
                    holds.retain(|hold| hold.id != change.after.id);
                    if let Some(known) = known.snapshots.holds.get_mut(&change.after.id) {
                        known.clone_from(&change.after);
                    }
                }
                for posting in plan.postings() {
                    self.moved_on(known, &posting.after);
                }
                Ok(Ok(holds))
            }
            // By this clock none is overdue any more.
            Ok(None) => Ok(Ok(vec![])),
            Err(rejected) => self.lost_aside(rejected).map(Err),
        }
    }

    /// Keeps the overdue `holds` of a wallet: none of them changes while the wallet stays at its version.
    fn find(&mut self, known: &mut Known, wallet: WalletId, holds: Vec<Hold>) {
        let before = &known.snapshots.wallets[&wallet];
        let sum = held_by(&holds, before);
        self.found.insert(wallet, Found { version: before.version, sum, holds });
        known.snapshots.overdue.insert(wallet, sum);
        // The holds were read at another moment than all else.
        known.saw([].into_iter());
    }
}
