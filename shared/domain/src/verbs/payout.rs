//! Payout: money moves from one of the caller's wallets to up to 48 others, to all of them or to none.
//!
//! The payer's wallet is checked first. For it, a payout is one movement: one row of its statement, and to its limits one
//! movement and one transfer of the sum. Then the payments are checked in their order, and the first that is refused refuses
//! the payout.

use std::collections::BTreeSet;

use crate::caller::{Order, Payment};
use crate::clock::Moment;
use crate::fee::FeeSchedule;
use crate::hash::Hasher;
use crate::id::WalletId;
use crate::money::{Amount, AmountError, Money};
use crate::movement::{Outflow, accepts, debit, owned, pinned, posted, receive};
use crate::plan::{Draft, NoPlan, Side};
use crate::refusal::Refusal;
use crate::request::{Request, Terms};
use crate::shape::{Legs, Place, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::transaction::{Account, Kind, Leg};
use crate::verb::{Verb, record};

/// The most payments of a payout. DynamoDB takes 100 actions: one for the record, two for each wallet, the payer's included,
/// make 99; a reversal's mark makes its 100. Beyond, a payout could be made that cannot be undone.
pub const MAX_PAYMENTS: usize = 48;

/// Pays many wallets out of one.
#[derive(Debug, Clone)]
pub struct Payout {
    /// Who, how much in all, under which key.
    pub order: Order,
    /// Where from; pays the fees.
    pub source: WalletId,
    /// Where to, and how much each; the sum is the order's amount.
    pub payments: Vec<Payment>,
    /// What each payment costs.
    pub fee: Option<FeeSchedule>,
}

impl Kind {
    /// Money moves to many wallets.
    pub const PAYOUT: Kind = Kind::new("payout");
}

pub(crate) const SHAPE: Shape =
    Shape::of(Kind::PAYOUT, Legs::Movement(Place::Wallet, Place::Payees)).with_fee().reversible();

impl Payout {
    /// What `payments`, all of one currency, come to.
    ///
    /// # Errors
    /// [`AmountError`] for nothing, and for more than any wallet can hold.
    ///
    /// # Panics
    /// When the currencies differ.
    pub fn total(payments: &[Payment]) -> Result<Amount, AmountError> {
        let Some((first, rest)) = payments.split_first() else { return Err(AmountError::NotPositive) };
        let total = rest.iter().try_fold(first.amount.money(), |sum, payment| {
            assert_eq!(sum.currency(), payment.amount.money().currency(), "a payout has one currency");
            sum.plus(payment.amount.money())
        });
        let largest = Money::largest(first.amount.money().currency());
        total.map_err(|_| AmountError::TooLarge { largest }).and_then(Amount::new)
    }

    /// What all payments cost; if that passes the largest value, the largest value, which no wallet can pay on top.
    fn fees(&self) -> Money {
        let currency = self.order.amount.money().currency();
        let Some(schedule) = &self.fee else { return Money::zero(currency) };
        let fees = self.payments.iter().map(|payment| schedule.fee_on(payment.amount.money()));
        fees.into_iter()
            .try_fold(Money::zero(currency), |sum, fee| sum.plus(fee))
            .unwrap_or_else(|_| Money::largest(currency))
    }

    /// What the payment does to its payee's wallet.
    fn pay(&self, snapshots: &Snapshots, payment: &Payment) -> Result<Side, NoPlan> {
        let (destination, amount) = (snapshots.wallet(payment.destination)?, payment.amount.money());
        accepts(destination, amount)?;
        let side = receive(destination, amount, Account::Wallet(self.source), Some(&self.order.caller))?;
        Ok(side.named(payment.reference.clone()))
    }

    /// The refusal of the payout for that of one payment.
    fn refused(&self, payment: u32, refusal: Refusal) -> Refusal {
        let amount = self.payments[payment as usize].amount.money();
        Refusal::Payment { payment, amount, refusal: Box::new(refusal) }
    }
}

impl Verb for Payout {
    fn wallet(&self) -> WalletId {
        self.source
    }

    fn reads(&self) -> Reads {
        let payees = self.payments.iter().map(|payment| payment.destination);
        Reads { wallets: [self.source].into_iter().chain(payees).collect(), ..Reads::default() }
    }

    fn order(&self) -> Option<&Order> {
        Some(&self.order)
    }

    fn payments(&self) -> &[Payment] {
        &self.payments
    }

    fn requested(request: &Request, terms: &Terms) -> Option<Payout> {
        let (order, source, payments) = (request.order(), request.wallet, request.payments.clone());
        (request.kind == Kind::PAYOUT).then(|| Payout { order, source, payments, fee: terms.fee.clone() })
    }

    /// Each payment goes to a wallet of its own, and none back to the source.
    fn admissible(&self) -> Result<(), Refusal> {
        let mut paid = BTreeSet::new();
        for (payment, Payment { destination: wallet, .. }) in (0..).zip(&self.payments) {
            if *wallet == self.source {
                return Err(self.refused(payment, Refusal::SameWallet));
            }
            if !paid.insert(wallet) {
                return Err(self.refused(payment, Refusal::DuplicateDestination { wallet: *wallet }));
            }
        }
        Ok(())
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        self.payments.iter().fold(self.order.said(hasher), |hasher, payment| {
            hasher.shown(payment.destination).shown(payment.amount.money()).maybe(payment.reference.as_ref())
        })
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        self.admissible()?;
        let (order, amount, fee) = (&self.order, self.order.amount.money(), self.fees());
        let source = owned(snapshots, self.source, &order.caller)?;
        pinned(source, order)?;
        accepts(source, amount)?;
        let to = match &self.payments[..] {
            [only] => Some(Account::Wallet(only.destination)),
            _ => None,
        };
        let mut sides = vec![debit(snapshots, source, &Outflow { amount, fee, transfers: 1 }, to, moment)?];
        for (place, payment) in (0..).zip(&self.payments) {
            sides.push(self.pay(snapshots, payment).map_err(|no_plan| match no_plan {
                NoPlan::Refused(refusal) => self.refused(place, refusal).into(),
                other => other,
            })?);
        }
        let mut legs: Vec<_> = sides.iter().map(Side::leg).collect();
        if !fee.is_zero() {
            legs.push(Leg::System { account: Account::Fees, amount: fee });
        }
        let mut transaction = record(self, order.asked(), posted(legs), moment);
        transaction.fee = fee;
        Ok(Draft::new(transaction, sides))
    }
}
