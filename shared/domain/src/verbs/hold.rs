//! Authorising a hold: money of one of the caller's wallets is kept back, and no balance moves.
//!
//! It is checked and counted as the transfer that it may become, fee included: captures count nothing more.

use jiff::{SignedDuration, Timestamp};

use crate::caller::Order;
use crate::clock::Moment;
use crate::fee::FeeSchedule;
use crate::hash::Hasher;
use crate::hold::{Hold, HoldChange};
use crate::hold_terms::HoldTerms;
use crate::id::{TransactionId, WalletId};
use crate::movement::{Going, Outflow, accepts, let_go, owned, pinned, posted, too_little};
use crate::plan::{Draft, NoPlan, Step};
use crate::refusal::Refusal;
use crate::shape::{Legs, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::transaction::Kind;
use crate::verb::{Asked, Verb, record};
use crate::wallet::Wallet;

/// Keeps money back.
#[derive(Debug, Clone)]
pub struct Authorise {
    /// Who, how much, under which key.
    pub order: Order,
    /// Whose money; pays the fee.
    pub source: WalletId,
    /// Where captures go; `None` is out of the system.
    pub destination: Option<WalletId>,
    /// How long it lives.
    pub expires_in: SignedDuration,
    /// What captures will cost.
    pub fee: Option<FeeSchedule>,
}

impl Kind {
    /// Money is kept back.
    pub const HOLD: Kind = Kind::new("hold");
}

pub(crate) const SHAPE: Shape = Shape::of(Kind::HOLD, Legs::Held);

impl Verb for Authorise {
    fn transaction(&self) -> TransactionId {
        TransactionId::requested_by(&self.order.caller.subject, &self.order.key)
    }

    fn wallet(&self) -> WalletId {
        self.source
    }

    fn destination(&self) -> Option<WalletId> {
        self.destination
    }

    fn reads(&self) -> Reads {
        Reads { wallets: [self.source].into_iter().chain(self.destination).collect(), ..Reads::default() }
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        self.order.said(hasher).maybe(self.destination).shown(self.expires_in.as_secs())
    }

    fn asked(&self, _: &Snapshots) -> Option<Asked> {
        Some(self.order.asked())
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        if self.destination == Some(self.source) {
            return Err(Refusal::SameWallet.into());
        }
        let (order, amount) = (&self.order, self.order.amount.money());
        let source = owned(snapshots, self.source, &order.caller)?;
        let destination = self.destination.map(|id| snapshots.wallet(id)).transpose()?;
        pinned(source, order)?;
        accepts(source, amount)?;
        destination.map_or(Ok(()), |destination| accepts(destination, amount))?;
        let mut transaction = record(self, order.asked(), posted(vec![]), moment);
        let expires_at = moment.recorded.saturating_add(self.expires_in).unwrap_or(Timestamp::MAX);
        let fee = self.fee.as_ref().map(|fee| fee.within(amount.currency()));
        transaction.hold = Some(HoldTerms { expires_at, fee });
        let hold = Hold::made_by(&transaction).expect("it is a posted hold, with its terms");
        let outflow = Outflow { amount, fee: hold.fee_on(amount), transfers: 1 };
        let Going { leaving, counters, guard } = let_go(snapshots, source, &outflow, moment)?;
        // A wallet whose floor is far below zero could hold back more than the largest value.
        let Ok(held) = source.held.plus(leaving) else { return Err(too_little(snapshots, source, leaving)) };
        let after = Wallet { held, counters, ..source.clone() };
        let step = Step::holding(source, after, Some(hold.payee()), guard);
        transaction.outcome = posted(vec![step.leg()]);
        let holds = vec![HoldChange { before: None, after: hold }];
        Ok(Draft { holds, ..Draft::new(transaction, vec![step.into()]) })
    }
}
