//! Deposits, withdrawals and transfers: who may, whether bounds and limits hold, and what is written.
//!
//! Checks run in one order for all: existence and ownership, pinned version, currency, status, limits, funds, room.

use jiff::Timestamp;

use crate::command::{Caller, Command, Deposit, Order, Transfer, Withdraw};
use crate::decide::{Guard, Plan, Posting, Snapshots, posting};
use crate::money::Money;
use crate::refusal::{Limit, Refusal};
use crate::transaction::{Account, Kind, Leg, Outcome, Transaction};
use crate::wallet::{Counters, Status, Wallet};

const SAME: &str = "the currencies were compared before any arithmetic";

pub(super) fn deposit(
    snapshots: &Snapshots,
    deposit: &Deposit,
    command: &Command,
    now: Timestamp,
) -> Result<Plan, Refusal> {
    let Deposit { order, wallet, rules } = deposit;
    let (wallet, amount) = (snapshots.wallet(*wallet)?, order.amount.money());
    pinned(wallet, order)?;
    accepts(wallet, amount)?;
    within_largest_movement(wallet, amount, Some(&order.caller))?;
    let mut transaction = record(order, command, posted(vec![]), now);
    transaction.rule = rules.iter().find_map(|terms| terms.pinned(amount, now));
    let credit = credit(wallet, amount, Account::External, &transaction, Some(&order.caller))?;
    let outside = Leg::System { account: Account::External, amount: amount.negated() };
    transaction.outcome = posted(vec![outside, credit.leg()]);
    Ok(Plan::new(transaction, vec![credit]))
}

pub(super) fn withdraw(
    snapshots: &Snapshots,
    withdraw: &Withdraw,
    command: &Command,
    now: Timestamp,
) -> Result<Plan, Refusal> {
    let Withdraw { order, wallet } = withdraw;
    let (wallet, amount) = (owned(snapshots, *wallet, &order.caller)?, order.amount.money());
    pinned(wallet, order)?;
    accepts(wallet, amount)?;
    let mut transaction = record(order, command, posted(vec![]), now);
    let debit = debit(wallet, Account::External, &transaction)?;
    let outside = Leg::System { account: Account::External, amount };
    transaction.outcome = posted(vec![debit.leg(), outside]);
    Ok(Plan::new(transaction, vec![debit]))
}

pub(super) fn transfer(
    snapshots: &Snapshots,
    transfer: &Transfer,
    command: &Command,
    now: Timestamp,
) -> Result<Plan, Refusal> {
    let Transfer { order, source, destination, fee } = transfer;
    if source == destination {
        return Err(Refusal::SameWallet);
    }
    let source = owned(snapshots, *source, &order.caller)?;
    let (destination, amount) = (snapshots.wallet(*destination)?, order.amount.money());
    pinned(source, order)?;
    accepts(source, amount)?;
    accepts(destination, amount)?;
    let mut transaction = record(order, command, posted(vec![]), now);
    let fee = fee.as_ref().map_or(transaction.fee, |schedule| schedule.fee_on(amount));
    transaction.fee = fee;
    let debit = debit(source, Account::Wallet(destination.id), &transaction)?;
    let credit = credit(destination, amount, Account::Wallet(source.id), &transaction, Some(&order.caller))?;
    let mut legs = vec![debit.leg(), credit.leg()];
    if !fee.is_zero() {
        legs.push(Leg::System { account: Account::Fees, amount: fee });
    }
    transaction.outcome = posted(legs);
    Ok(Plan::new(transaction, vec![debit, credit]))
}

/// The record of an order with the outcome given.
pub(super) fn record(order: &Order, command: &Command, outcome: Outcome, now: Timestamp) -> Transaction {
    Transaction {
        id: command.transaction(),
        kind: command.kind(),
        wallet: command.wallet(),
        destination: match command {
            Command::Transfer(transfer) => Some(transfer.destination),
            _ => None,
        },
        amount: order.amount.money(),
        fee: Money::zero(order.amount.money().currency()),
        outcome,
        principal: order.caller.subject.clone(),
        reference: order.reference.clone(),
        metadata: order.metadata.clone(),
        parent: None,
        rule: None,
        fingerprint: command.fingerprint(),
        created_at: now,
    }
}

pub(super) fn posted(legs: Vec<Leg>) -> Outcome {
    Outcome::Posted { legs, wallet: None }
}

/// Adds `amount` to `wallet`. `caller` is who will read the refusal; `None` may read everything.
pub(super) fn credit(
    wallet: &Wallet,
    amount: Money,
    from: Account,
    transaction: &Transaction,
    caller: Option<&Caller>,
) -> Result<Posting, Refusal> {
    let highest_before = wallet.highest_balance().minus(amount);
    match (wallet.balance.plus(amount), highest_before) {
        (Ok(balance), Ok(highest)) if !highest.is_less_than(wallet.balance).expect(SAME) => {
            Ok(posting(wallet, transaction, Some(from), Guard::AtMost(highest), |after| after.balance = balance))
        }
        _ => {
            let available = shown(room(wallet), wallet, caller);
            Err(Refusal::MaxBalanceExceeded { wallet: wallet.id, available, requested: amount })
        }
    }
}

/// `amount`, if the `caller` may know it: a wallet's figures are for its owner. `None` may read everything.
fn shown(amount: Money, wallet: &Wallet, caller: Option<&Caller>) -> Option<Money> {
    caller.is_none_or(|caller| caller.owns(wallet)).then_some(amount)
}

/// What could still come in.
pub(super) fn room(wallet: &Wallet) -> Money {
    let zero = Money::zero(wallet.currency());
    // A balance far below zero leaves more room than the largest value; no single credit can be larger than that.
    let room = wallet.highest_balance().minus(wallet.balance).unwrap_or_else(|_| Money::largest(wallet.currency()));
    room.at_least(zero).expect(SAME)
}

/// Takes the transaction's amount and fee out of `wallet`, whose owner or an administrator asks for it.
fn debit(wallet: &Wallet, to: Account, transaction: &Transaction) -> Result<Posting, Refusal> {
    if wallet.status == Status::Frozen {
        return Err(Refusal::WalletFrozen { wallet: wallet.id });
    }
    within_largest_movement(wallet, transaction.amount, None)?;
    // No movement passes the largest value: with a fee that would take it there it is refused below, naming that value.
    let outflow = transaction.amount.plus(transaction.fee);
    let requested = outflow.unwrap_or_else(|_| Money::largest(wallet.currency()));
    let mut counters = wallet.counters.at(transaction.created_at);
    let today = outflow.and_then(|outflow| counters.outflow.plus(outflow));
    if let Some(limit) = wallet.limits.max_daily_outflow {
        let limit = limit.money();
        if !today.is_ok_and(|today| !limit.is_less_than(today).expect(SAME)) {
            let left = limit.minus(counters.outflow).expect(SAME);
            let available = Some(left.at_least(Money::zero(wallet.currency())).expect(SAME));
            let limit = Limit::MaxDailyOutflow;
            return Err(Refusal::LimitExceeded { wallet: wallet.id, limit, available, requested });
        }
    }
    // Without a limit the counter only informs; it stops at the largest value rather than refusing the movement.
    counters.outflow = today.unwrap_or_else(|_| Money::largest(wallet.currency()));
    if transaction.kind == Kind::Transfer {
        counters.transfers = counters.transfers.saturating_add(1);
        within_transfer_rate(wallet, counters, transaction.created_at)?;
    }
    let balance_and_lowest =
        outflow.and_then(|outflow| Ok((wallet.balance.minus(outflow)?, wallet.floor.plus(outflow)?)));
    match balance_and_lowest {
        Ok((balance, lowest)) if !wallet.balance.is_less_than(lowest).expect(SAME) => {
            Ok(posting(wallet, transaction, Some(to), Guard::AtLeast(lowest), |after| {
                after.balance = balance;
                after.counters = counters;
            }))
        }
        _ => {
            let available = Some(spendable(wallet));
            Err(Refusal::InsufficientFunds { wallet: wallet.id, available, requested })
        }
    }
}

/// What could still leave.
pub(super) fn spendable(wallet: &Wallet) -> Money {
    // A reversal may have taken the balance below the floor; then nothing can leave.
    let zero = Money::zero(wallet.currency());
    let spendable = wallet.balance.minus(wallet.floor).unwrap_or_else(|_| Money::largest(wallet.currency()));
    spendable.at_least(zero).expect(SAME)
}

/// The wallet, if it exists and the caller may debit it. A stranger's wallet and a missing one give the same refusal.
fn owned<'a>(snapshots: &'a Snapshots, id: crate::WalletId, caller: &Caller) -> Result<&'a Wallet, Refusal> {
    let wallet = snapshots.wallet(id)?;
    if caller.owns(wallet) { Ok(wallet) } else { Err(Refusal::WalletNotFound { wallet: id }) }
}

/// Whether the wallet is at the version that the order pins. A caller who may not read its version may not pin it:
/// else he could find it out by asking.
fn pinned(wallet: &Wallet, order: &Order) -> Result<(), Refusal> {
    match order.expected_version {
        Some(_) if !order.caller.owns(wallet) => Err(Refusal::VersionNotYours { wallet: wallet.id }),
        Some(expected) if expected != wallet.version => Err(Refusal::VersionMismatch { wallet: wallet.id, expected }),
        _ => Ok(()),
    }
}

/// Whether the wallet takes part in movements of this currency at all.
pub(super) fn accepts(wallet: &Wallet, amount: Money) -> Result<(), Refusal> {
    if wallet.currency() != amount.currency() {
        let (holds, requested) = (wallet.currency(), amount.currency());
        return Err(Refusal::CurrencyMismatch { wallet: wallet.id, holds, requested });
    }
    if wallet.status == Status::Closed {
        return Err(Refusal::WalletClosed { wallet: wallet.id });
    }
    Ok(())
}

/// Whether the wallet moves so much at once. `caller` is who will read the refusal; `None` may read everything.
fn within_largest_movement(wallet: &Wallet, amount: Money, caller: Option<&Caller>) -> Result<(), Refusal> {
    match wallet.limits.max_movement {
        Some(limit) if limit.money().is_less_than(amount).expect(SAME) => Err(Refusal::LimitExceeded {
            wallet: wallet.id,
            limit: Limit::MaxMovement,
            available: shown(limit.money(), wallet, caller),
            requested: amount,
        }),
        _ => Ok(()),
    }
}

/// Whether the transfers that `counters` has counted, this one included, are within the wallet's rate.
fn within_transfer_rate(wallet: &Wallet, counters: Counters, now: Timestamp) -> Result<(), Refusal> {
    match wallet.limits.transfers_per_minute {
        Some(limit) if counters.transfers > limit => {
            let retry_after_seconds = counters.seconds_to_next_minute(now);
            Err(Refusal::RateLimited { wallet: wallet.id, limit, retry_after_seconds })
        }
        _ => Ok(()),
    }
}
