//! Voiding a hold: all that it still keeps back is released. Also of a frozen wallet, as no money leaves.

use crate::caller::Caller;
use crate::clock::Moment;
use crate::hash::Hasher;
use crate::hold::HoldChange;
use crate::hold_terms::HoldStatus;
use crate::id::{TransactionId, WalletId};
use crate::movement::posted;
use crate::plan::{Draft, Guard, NoPlan, Step};
use crate::refusal::Refusal;
use crate::shape::{Legs, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::text::IdempotencyKey;
use crate::transaction::{Kind, Transaction};
use crate::verb::{Asked, Verb, record};
use crate::verbs::capture::{asked, live, reads, released};

/// Gives a hold up.
#[derive(Debug, Clone)]
pub struct Void {
    /// Who asks: as for a capture.
    pub caller: Caller,
    /// Names this request for ever.
    pub key: IdempotencyKey,
    /// The transaction that made the hold.
    pub hold: Box<Transaction>,
}

impl Kind {
    /// A hold is given up.
    pub const VOID: Kind = Kind::new("void");
}

pub(crate) const SHAPE: Shape = Shape::of(Kind::VOID, Legs::Held);

impl Verb for Void {
    fn transaction(&self) -> TransactionId {
        TransactionId::requested_by(&self.caller.subject, &self.key)
    }

    fn wallet(&self) -> WalletId {
        self.hold.wallet
    }

    fn destination(&self) -> Option<WalletId> {
        self.hold.destination
    }

    fn parent(&self) -> Option<TransactionId> {
        Some(self.hold.id)
    }

    fn reads(&self) -> Reads {
        reads(&self.hold)
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        hasher.field(&self.hold.id.to_string())
    }

    fn asked(&self, snapshots: &Snapshots) -> Option<Asked> {
        asked(snapshots, &self.hold, &self.caller, None)
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        let (hold, source) = live(snapshots, &self.hold, &self.caller, moment)?;
        let held = hold.held()?;
        let after = released(source.clone(), hold, held, held)?;
        let step = Step::holding(source, after, Some(hold.payee()), Guard::None);
        let asked = self.asked(snapshots).ok_or(Refusal::HoldNotFound)?;
        let transaction = record(self, asked, posted(vec![step.leg()]), moment);
        let holds = vec![HoldChange { before: Some(hold.clone()), after: hold.ended(HoldStatus::Voided) }];
        Ok(Draft { holds, ..Draft::new(transaction, vec![step.into()]) })
    }
}
