//! Paying a rebate: the pinned rule's share of the deposit, clipped to its caps and to the wallet's room.

use jiff::Timestamp;

use crate::command::{Command, PayRebate};
use crate::decide::movement::{accepts, credit, posted, room};
use crate::decide::{Plan, Snapshots};
use crate::money::Money;
use crate::rebate::RebateRule;
use crate::rebated::Month;
use crate::refusal::Refusal;
use crate::text::{Metadata, Owner};
use crate::transaction::{Account, Kind, Leg, Outcome, Transaction};

pub(super) fn pay(snapshots: &Snapshots, pay: &PayRebate, command: &Command, now: Timestamp) -> Result<Plan, Refusal> {
    let (deposit, rule) = earned(snapshots, pay)?;
    let wallet = snapshots.wallet(pay.wallet)?;
    let earned = rule.rebate_on(deposit.amount);
    let minimum = rule.minimum.unwrap_or_else(|| Money::zero(earned.currency()));
    let same = "a pinned rule is in its deposit's currency";
    if earned.is_zero() || earned.is_less_than(minimum).expect(same) {
        return Err(Refusal::RebateBelowMinimum { wallet: wallet.id, requested: earned });
    }
    accepts(wallet, earned)?;
    let month = Month::of(deposit.created_at);
    let left = match rule.monthly_cap {
        Some(cap) => wallet
            .rebated
            .left(month, &rule.id, cap)
            .ok_or(Refusal::RebateTooLate { wallet: wallet.id, requested: earned })?,
        None => earned,
    };
    if left.is_zero() {
        return Err(Refusal::RebateCapReached { wallet: wallet.id, requested: earned });
    }
    let amount = earned.at_most(left).and_then(|amount| amount.at_most(room(wallet)));
    let amount = amount.expect("the wallet was credited in this currency");
    if amount.is_zero() {
        let available = Some(amount);
        return Err(Refusal::MaxBalanceExceeded { wallet: wallet.id, available, requested: earned });
    }
    let mut transaction = record(pay, command, wallet.owner.clone(), amount, posted(vec![]), now);
    let mut credit = credit(wallet, amount, Account::Rebates, &transaction, None)?;
    if rule.monthly_cap.is_some() {
        credit.after.rebated = credit.after.rebated.plus(month, &rule.id, amount);
    }
    let cost = Leg::System { account: Account::Rebates, amount: amount.negated() };
    transaction.outcome = posted(vec![cost, credit.leg()]);
    Ok(Plan::new(transaction, vec![credit]))
}

/// The record of a rebate that is not paid; `None` where there is no such deposit to record it for.
pub(super) fn failed(
    snapshots: &Snapshots,
    pay: &PayRebate,
    command: &Command,
    outcome: Outcome,
    now: Timestamp,
) -> Option<Transaction> {
    let (deposit, rule) = earned(snapshots, pay).ok()?;
    let owner = snapshots.wallet(pay.wallet).ok()?.owner.clone();
    Some(record(pay, command, owner, rule.rebate_on(deposit.amount), outcome, now))
}

/// The record that keeps the rebate of `deposit`, which is being reversed, from ever being paid. It answers the message
/// that asks for the rebate like any other outcome.
pub(super) fn barred(deposit: &Transaction, pay: &PayRebate, owner: Owner, now: Timestamp) -> Transaction {
    let rule = deposit.rule.as_ref().expect("only a deposit with a rule has a rebate to bar");
    let outcome = Outcome::Failed(Refusal::DepositReversed { wallet: pay.wallet });
    let command = Command::PayRebate(pay.clone());
    record(pay, &command, owner, rule.rebate_on(deposit.amount), outcome, now)
}

/// The deposit and the rule that it pinned, if the message speaks the truth about them.
fn earned<'a>(snapshots: &'a Snapshots, pay: &PayRebate) -> Result<(&'a Transaction, &'a RebateRule), Refusal> {
    let deposit = snapshots.transactions.get(&pay.deposit).ok_or(Refusal::TransactionNotFound)?;
    let posted = deposit.kind == Kind::Deposit && !deposit.legs().is_empty() && deposit.wallet == pay.wallet;
    match &deposit.rule {
        Some(rule) if posted && rule.id == pay.rule => Ok((deposit, rule)),
        _ => Err(Refusal::TransactionNotFound),
    }
}

fn record(
    pay: &PayRebate,
    command: &Command,
    principal: Owner,
    amount: Money,
    outcome: Outcome,
    now: Timestamp,
) -> Transaction {
    Transaction {
        id: command.transaction(),
        kind: Kind::Rebate,
        wallet: pay.wallet,
        destination: None,
        amount,
        fee: Money::zero(amount.currency()),
        outcome,
        principal,
        reference: None,
        metadata: Metadata::default(),
        parent: Some(pay.deposit),
        rule: None,
        fingerprint: command.fingerprint(),
        created_at: now,
    }
}
