//! Withdrawal: money goes out.

use crate::caller::Order;
use crate::clock::Moment;
use crate::id::WalletId;
use crate::money::Money;
use crate::movement::{Outflow, accepts, debit, owned, pinned, posted};
use crate::plan::{Draft, NoPlan};
use crate::request::{Request, Terms};
use crate::shape::{Legs, Place, Shape};
use crate::snapshots::Snapshots;
use crate::transaction::{Account, Kind, Leg};
use crate::verb::{Verb, record};

/// Takes money out.
#[derive(Debug, Clone)]
pub struct Withdraw {
    /// Who, how much, under which key.
    pub order: Order,
    /// Where from.
    pub wallet: WalletId,
}

impl Kind {
    /// Money goes out.
    pub const WITHDRAWAL: Kind = Kind::new("withdrawal");
}

pub(crate) const SHAPE: Shape =
    Shape::of(Kind::WITHDRAWAL, Legs::Movement(Place::Wallet, Place::Account(Account::External))).reversible();

impl Verb for Withdraw {
    fn wallet(&self) -> WalletId {
        self.wallet
    }

    fn order(&self) -> Option<&Order> {
        Some(&self.order)
    }

    fn requested(request: &Request, _: &Terms) -> Option<Withdraw> {
        (request.kind == Kind::WITHDRAWAL).then(|| Withdraw { order: request.order(), wallet: request.wallet })
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        let (order, amount) = (&self.order, self.order.amount.money());
        let wallet = owned(snapshots, self.wallet, &order.caller)?;
        pinned(wallet, order)?;
        accepts(wallet, amount)?;
        let outflow = Outflow { amount, fee: Money::zero(amount.currency()), transfers: 0 };
        let debit = debit(snapshots, wallet, &outflow, Account::External, moment)?;
        let outside = Leg::System { account: Account::External, amount };
        let transaction = record(self, order.asked(), posted(vec![debit.leg(), outside]), moment);
        Ok(Draft::new(transaction, vec![debit]))
    }
}
