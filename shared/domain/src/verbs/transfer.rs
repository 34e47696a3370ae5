//! Transfer: money moves from one of the caller's wallets to any other.

use crate::caller::Order;
use crate::clock::Moment;
use crate::fee::FeeSchedule;
use crate::hash::Hasher;
use crate::id::WalletId;
use crate::money::Money;
use crate::movement::{Outflow, accepts, debit, owned, pinned, posted, receive};
use crate::plan::{Draft, NoPlan};
use crate::refusal::Refusal;
use crate::request::{Request, Terms};
use crate::shape::{Legs, Place, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::transaction::{Account, Kind, Leg};
use crate::verb::{Verb, record};

/// Moves money between two wallets.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Who, how much, under which key.
    pub order: Order,
    /// Where from; pays the fee.
    pub source: WalletId,
    /// Where to.
    pub destination: WalletId,
    /// What it costs.
    pub fee: Option<FeeSchedule>,
}

impl Kind {
    /// Money moves between wallets.
    pub const TRANSFER: Kind = Kind::new("transfer");
}

pub(crate) const SHAPE: Shape =
    Shape::of(Kind::TRANSFER, Legs::Movement(Place::Wallet, Place::Destination)).with_fee().reversible();

impl Verb for Transfer {
    fn wallet(&self) -> WalletId {
        self.source
    }

    fn destination(&self) -> Option<WalletId> {
        Some(self.destination)
    }

    fn reads(&self) -> Reads {
        Reads { wallets: vec![self.source, self.destination], ..Reads::default() }
    }

    fn order(&self) -> Option<&Order> {
        Some(&self.order)
    }

    fn requested(request: &Request, terms: &Terms) -> Option<Transfer> {
        let destination = request.destination.filter(|_| request.kind == Kind::TRANSFER)?;
        Some(Transfer { order: request.order(), source: request.wallet, destination, fee: terms.fee.clone() })
    }

    fn admissible(&self) -> Result<(), Refusal> {
        if self.source == self.destination { Err(Refusal::SameWallet) } else { Ok(()) }
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        self.order.said(hasher).field(&self.destination.to_string())
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        self.admissible()?;
        let (order, amount) = (&self.order, self.order.amount.money());
        let source = owned(snapshots, self.source, &order.caller)?;
        let destination = snapshots.wallet(self.destination)?;
        pinned(source, order)?;
        accepts(source, amount)?;
        accepts(destination, amount)?;
        let fee = self.fee.as_ref().map_or(Money::zero(amount.currency()), |schedule| schedule.fee_on(amount));
        let outflow = Outflow { amount, fee, transfers: 1 };
        let debit = debit(snapshots, source, &outflow, Account::Wallet(destination.id), moment)?;
        let credit = receive(destination, amount, Account::Wallet(source.id), Some(&order.caller))?;
        let mut legs = vec![debit.leg(), credit.leg()];
        if !fee.is_zero() {
            legs.push(Leg::System { account: Account::Fees, amount: fee });
        }
        let mut transaction = record(self, order.asked(), posted(legs), moment);
        transaction.fee = fee;
        Ok(Draft::new(transaction, vec![debit, credit]))
    }
}
