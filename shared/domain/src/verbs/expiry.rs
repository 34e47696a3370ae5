//! Expiry: holds whose time is over are released, up to [`MAX_RELEASED`] of one wallet at once, whatever the wallet's status.
//!
//! No caller asks for it: the sweep does, and a request that is short of the money or about such a hold. Its id comes from
//! the wallet and its version, so that of two that try at once one fails and looks again.

use crate::clock::Moment;
use crate::hash::Hasher;
use crate::hold::{Hold, HoldChange, HoldKey, MAX_RELEASED};
use crate::hold_terms::{HoldStatus, Release};
use crate::id::{TransactionId, WalletId};
use crate::money::Money;
use crate::movement::posted;
use crate::plan::{Draft, Guard, NoPlan, Step};
use crate::refusal::Refusal;
use crate::shape::{Legs, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::text::Metadata;
use crate::transaction::Kind;
use crate::verb::{Asked, Verb, record};
use crate::verbs::capture::released;

/// Releases holds whose time is over.
#[derive(Debug, Clone)]
pub struct Expire {
    /// Whose money they keep back.
    pub wallet: WalletId,
    /// At which version of it.
    pub version: u64,
    /// The holds; those that are not to be released are left as they are.
    pub holds: Vec<HoldKey>,
}

impl Kind {
    /// Holds are released after their time.
    pub const EXPIRY: Kind = Kind::new("expiry");
}

pub(crate) const SHAPE: Shape = Shape::of(Kind::EXPIRY, Legs::Held);

impl Verb for Expire {
    fn transaction(&self) -> TransactionId {
        TransactionId::expiry_of(self.wallet, self.version)
    }

    fn wallet(&self) -> WalletId {
        self.wallet
    }

    fn reads(&self) -> Reads {
        Reads { wallets: vec![self.wallet], holds: self.holds.clone(), ..Reads::default() }
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        self.holds.iter().fold(hasher, |hasher, key| hasher.shown(key.id))
    }

    /// It is recorded on behalf of the wallet's owner.
    fn asked(&self, snapshots: &Snapshots) -> Option<Asked> {
        let wallet = snapshots.wallets.get(&self.wallet)?;
        let (caller, amount) = (wallet.owner.clone(), Money::zero(wallet.currency()));
        Some(Asked { caller, amount, reference: None, metadata: Metadata::default() })
    }

    fn keeps_refusals(&self) -> bool {
        false
    }

    /// Another expiry has released holds at this version.
    fn taken(&self) -> Refusal {
        Refusal::VersionMismatch { wallet: self.wallet, expected: self.version }
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        let wallet = snapshots.wallet(self.wallet)?;
        if wallet.version != self.version {
            return Err(self.taken().into());
        }
        let overdue = |key: &&HoldKey| {
            let hold = snapshots.holds.get(&key.id);
            hold.is_some_and(|hold| hold.source == wallet.id && hold.is_overdue(moment.now))
        };
        let mut asked = self.asked(snapshots).ok_or_else(|| self.taken())?;
        let (mut after, mut holds, mut releases) = (wallet.clone(), vec![], vec![]);
        for key in self.holds.iter().filter(overdue).take(MAX_RELEASED) {
            let hold: &Hold = &snapshots.holds[&key.id];
            let held = hold.held()?;
            after = released(after, hold, held, held)?;
            asked.amount = asked.amount.plus(hold.remaining())?;
            releases.push(Release { hold: hold.id, amount: held });
            holds.push(HoldChange { before: Some(hold.clone()), after: hold.ended(HoldStatus::Expired) });
        }
        if holds.is_empty() {
            return Err(Refusal::HoldNotFound.into());
        }
        let step = Step::holding(wallet, after, None, Guard::None);
        let mut transaction = record(self, asked, posted(vec![step.leg()]), moment);
        transaction.released = releases;
        Ok(Draft { holds, ..Draft::new(transaction, vec![step.into()]) })
    }
}
