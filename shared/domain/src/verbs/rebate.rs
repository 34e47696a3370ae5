//! Paying a rebate: the pinned rule's share of the deposit, clipped to its caps and to the wallet's room.

use crate::clock::Moment;
use crate::hash::Hasher;
use crate::id::{TransactionId, WalletId};
use crate::money::{Money, MoneyError};
use crate::movement::{accepts, credit, posted, receive, room};
use crate::plan::{Draft, NoPlan};
use crate::rebate::{RebateRule, RuleId};
use crate::rebated::Month;
use crate::refusal::Refusal;
use crate::shape::{Legs, Place, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::text::{Metadata, Owner};
use crate::transaction::{Account, Kind, Leg, Outcome, Transaction};
use crate::verb::{Asked, Verb, record};

/// Pays the rebate that a deposit has earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayRebate {
    /// The deposit.
    pub deposit: TransactionId,
    /// The wallet it went to.
    pub wallet: WalletId,
    /// The rule that the deposit pinned.
    pub rule: RuleId,
}

impl Kind {
    /// A share of a deposit comes back.
    pub const REBATE: Kind = Kind::new("rebate");
}

pub(crate) const SHAPE: Shape =
    Shape::of(Kind::REBATE, Legs::Movement(Place::Account(Account::Rebates), Place::Wallet));

impl Verb for PayRebate {
    fn transaction(&self) -> TransactionId {
        TransactionId::rebate_of(self.deposit, &self.rule)
    }

    fn wallet(&self) -> WalletId {
        self.wallet
    }

    fn parent(&self) -> Option<TransactionId> {
        Some(self.deposit)
    }

    fn reads(&self) -> Reads {
        Reads { wallets: vec![self.wallet], transactions: vec![self.deposit], ..Reads::default() }
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        hasher.field(&self.deposit.to_string()).field(self.rule.as_str())
    }

    /// It is recorded on behalf of the wallet's owner; its amount is all that was earned.
    fn asked(&self, snapshots: &Snapshots) -> Option<Asked> {
        let (deposit, rule) = self.earned(snapshots).ok()?;
        let owner = snapshots.wallets.get(&self.wallet)?.owner.clone();
        Some(asked(owner, rule.rebate_on(deposit.amount).ok()?))
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        let (deposit, rule) = self.earned(snapshots)?;
        let wallet = snapshots.wallet(self.wallet)?;
        let earned = rule.rebate_on(deposit.amount)?;
        let too_small = |amount| Refusal::RebateBelowMinimum { wallet: wallet.id, requested: amount };
        if earned.is_zero() {
            return Err(too_small(earned).into());
        }
        accepts(wallet, earned)?;
        let month = Month::of(deposit.created_at);
        let left = match rule.monthly_cap {
            Some(cap) => wallet
                .rebated
                .left(month, &rule.id, cap, moment.now)?
                .ok_or(Refusal::RebateTooLate { wallet: wallet.id, requested: earned })?,
            None => earned,
        };
        if left.is_zero() {
            return Err(Refusal::RebateCapReached { wallet: wallet.id, requested: earned }.into());
        }
        // A reversal takes deposit and rebate back together: their sum must not pass the largest value.
        let with_deposit = Money::largest(earned.currency()).minus(deposit.amount)?;
        let room = room(wallet)?;
        if room.is_zero() {
            let available = Some(room);
            return Err(Refusal::MaxBalanceExceeded { wallet: wallet.id, available, requested: earned }.into());
        }
        let amount = earned.at_most(left)?.at_most(room)?.at_most(with_deposit)?;
        if amount.is_zero() || rule.minimum.map_or(Ok(false), |minimum| amount.is_less_than(minimum))? {
            return Err(too_small(amount).into());
        }
        let credit = if rule.monthly_cap.is_some() {
            // The month's sum is in the wallet and moves with its version, so the credit cannot wait in the inbox.
            let mut step = credit(wallet, amount, Account::Rebates, None)?;
            step.after.rebated = step.after.rebated.plus(month, &rule.id, amount, moment.now)?;
            step.into()
        } else {
            receive(wallet, amount, Account::Rebates, None)?
        };
        let cost = Leg::System { account: Account::Rebates, amount: amount.negated() };
        let asked = asked(wallet.owner.clone(), amount);
        let transaction = record(self, asked, posted(vec![cost, credit.leg()]), moment);
        Ok(Draft::new(transaction, vec![credit]))
    }
}

impl PayRebate {
    /// The payment of the rebate that `deposit` has earned, if it has pinned a rule.
    pub(crate) fn of(deposit: &Transaction) -> Option<PayRebate> {
        let rule = deposit.rule.as_ref()?.id.clone();
        Some(PayRebate { deposit: deposit.id, wallet: deposit.wallet, rule })
    }

    /// The record that keeps the rebate of `deposit`, which is being reversed, from ever being paid. It answers the
    /// message that asks for the rebate like any other outcome.
    pub(crate) fn barred(
        &self,
        deposit: &Transaction,
        owner: Owner,
        moment: Moment,
    ) -> Result<Transaction, MoneyError> {
        let earned = deposit.rule.as_ref().map(|rule| rule.rebate_on(deposit.amount)).transpose()?;
        let asked = asked(owner.clone(), earned.unwrap_or_else(|| Money::zero(deposit.amount.currency())));
        let refusal = Refusal::DepositReversed { wallet: self.wallet };
        Ok(record(self, asked, Outcome::Failed { refusal, owner }, moment))
    }

    /// The deposit and the rule that it pinned, if they are as the message says.
    fn earned<'a>(&self, snapshots: &'a Snapshots) -> Result<(&'a Transaction, &'a RebateRule), Refusal> {
        let deposit = snapshots.transactions.get(&self.deposit).ok_or(Refusal::TransactionNotFound)?;
        let posted = deposit.kind == Kind::DEPOSIT && !deposit.legs().is_empty() && deposit.wallet == self.wallet;
        match &deposit.rule {
            Some(rule) if posted && rule.id == self.rule => Ok((deposit, rule)),
            _ => Err(Refusal::TransactionNotFound),
        }
    }
}

fn asked(caller: Owner, amount: Money) -> Asked {
    Asked { caller, amount, reference: None, metadata: Metadata::default() }
}
