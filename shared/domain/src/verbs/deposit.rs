//! Deposit: money comes in from outside, and pins the rebate rule in force.

use std::sync::Arc;

use crate::caller::Order;
use crate::clock::Moment;
use crate::id::WalletId;
use crate::movement::{accepts, credit, pinned, posted, receive, within_largest_movement};
use crate::plan::{Draft, NoPlan};
use crate::rebate::RebateTerms;
use crate::request::{Request, Terms};
use crate::shape::{Legs, Place, Shape};
use crate::snapshots::Snapshots;
use crate::transaction::{Account, Kind, Leg};
use crate::verb::{Verb, record};

/// Brings money in.
#[derive(Debug, Clone)]
pub struct Deposit {
    /// Who, how much, under which key.
    pub order: Order,
    /// Where to.
    pub wallet: WalletId,
    /// The deployment's rebate rules: the deposit pins the first that is for it.
    pub rules: Arc<[RebateTerms]>,
}

impl Kind {
    /// Money comes in.
    pub const DEPOSIT: Kind = Kind::new("deposit");
}

pub(crate) const SHAPE: Shape =
    Shape::of(Kind::DEPOSIT, Legs::Movement(Place::Account(Account::External), Place::Wallet)).reversible();

impl Verb for Deposit {
    fn wallet(&self) -> WalletId {
        self.wallet
    }

    fn order(&self) -> Option<&Order> {
        Some(&self.order)
    }

    fn requested(request: &Request, terms: &Terms) -> Option<Deposit> {
        let rules = Arc::clone(&terms.rules);
        (request.kind == Kind::DEPOSIT).then(|| Deposit { order: request.order(), wallet: request.wallet, rules })
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        let (order, amount) = (&self.order, self.order.amount.money());
        let wallet = snapshots.wallet(self.wallet)?;
        pinned(wallet, order)?;
        accepts(wallet, amount)?;
        within_largest_movement(wallet, amount, Some(&order.caller))?;
        // With `If-Match` the credit makes the wallet's next version, and does not wait in the inbox.
        let (from, caller) = (Account::External, Some(&order.caller));
        let credit = match order.expected_version {
            Some(_) => credit(wallet, amount, from, caller)?.into(),
            None => receive(wallet, amount, from, caller)?,
        };
        let mut transaction = record(self, order.asked(), posted(vec![]), moment);
        transaction.rule = self.rules.iter().find_map(|terms| terms.pinned(amount, moment.now));
        let outside = Leg::System { account: Account::External, amount: amount.negated() };
        transaction.outcome = posted(vec![outside, credit.leg()]);
        Ok(Draft::new(transaction, vec![credit]))
    }
}
