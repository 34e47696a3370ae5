//! What all movements share: who may, whether bounds and limits hold, and the step that a wallet makes.
//!
//! Checks run in one order for all: existence and ownership, pinned version, currency, status, limits, funds, room.

use crate::caller::{Caller, Order};
use crate::clock::Moment;
use crate::credit::Arrival;
use crate::id::WalletId;
use crate::money::{Money, MoneyError};
use crate::plan::{Guard, NoPlan, Side, Step};
use crate::refusal::{Limit, Refusal};
use crate::snapshots::Snapshots;
use crate::transaction::{Account, Leg, Outcome};
use crate::wallet::{Counters, Credits, Status, Wallet};

pub(crate) fn posted(legs: Vec<Leg>) -> Outcome {
    Outcome::Posted { legs, wallet: None }
}

/// Lets `amount` come to `wallet` in the way that its credits come: at once, or into its inbox. `caller` is who will read
/// the refusal; `None` may read everything.
pub(crate) fn receive(wallet: &Wallet, amount: Money, from: Account, caller: Option<&Caller>) -> Result<Side, NoPlan> {
    match wallet.credits {
        Credits::Immediate => credit(wallet, amount, from, caller).map(Side::from),
        Credits::Batched => Ok(Side::Credit(Arrival::new(wallet, amount, from))),
    }
}

/// Adds `amount` to `wallet` at once. `caller` is who will read the refusal; `None` may read everything.
pub(crate) fn credit(
    wallet: &Wallet,
    amount: Money,
    from: impl Into<Option<Account>>,
    caller: Option<&Caller>,
) -> Result<Step, NoPlan> {
    let highest = wallet.highest_balance().minus(amount);
    match highest {
        Ok(highest) if !highest.is_less_than(wallet.balance)? => {
            Ok(Step::movement(wallet, amount, from, Guard::AtMost(highest))?)
        }
        Ok(_) | Err(MoneyError::OutOfRange) => {
            let available = shown(room(wallet)?, wallet, caller);
            Err(Refusal::MaxBalanceExceeded { wallet: wallet.id, available, requested: amount }.into())
        }
        Err(mismatch) => Err(mismatch.into()),
    }
}

/// `amount`, if the `caller` may know it: a wallet's figures are for its owner. Without a caller, always.
pub(crate) fn shown(amount: Money, wallet: &Wallet, caller: Option<&Caller>) -> Option<Money> {
    caller.is_none_or(|caller| caller.owns(wallet)).then_some(amount)
}

/// What could still come in.
pub(crate) fn room(wallet: &Wallet) -> Result<Money, MoneyError> {
    // A balance far below zero leaves more room than the largest value; no single credit can be larger than that.
    let room = wallet.highest_balance().minus(wallet.balance).unwrap_or_else(|_| Money::largest(wallet.currency()));
    room.at_least(Money::zero(wallet.currency()))
}

/// What leaves a wallet, and how its limits count it.
pub(crate) struct Outflow {
    /// What was asked to move.
    pub(crate) amount: Money,
    /// What it costs on top.
    pub(crate) fee: Money,
    /// How many transfers it counts as.
    pub(crate) transfers: u32,
}

/// What a wallet lets go, and what must hold for it.
pub(crate) struct Going {
    /// Fee included.
    pub(crate) leaving: Money,
    /// The limits' counters, with this counted.
    pub(crate) counters: Counters,
    pub(crate) guard: Guard,
}

/// Takes `outflow` out of `wallet`, whose owner or an administrator asks for it.
pub(crate) fn debit(
    snapshots: &Snapshots,
    wallet: &Wallet,
    outflow: &Outflow,
    to: impl Into<Option<Account>>,
    moment: Moment,
) -> Result<Side, NoPlan> {
    let Going { leaving, counters, guard } = let_go(snapshots, wallet, outflow, moment)?;
    let mut step = Step::movement(wallet, leaving.negated(), to, guard)?;
    step.after.counters = counters;
    Ok(step.into())
}

/// Whether `wallet`, whose owner or an administrator asks for it, can let `outflow` go: at once, or into a hold.
pub(crate) fn let_go(
    snapshots: &Snapshots,
    wallet: &Wallet,
    outflow: &Outflow,
    moment: Moment,
) -> Result<Going, NoPlan> {
    if wallet.status == Status::Frozen {
        return Err(Refusal::WalletFrozen { wallet: wallet.id }.into());
    }
    within_largest_movement(wallet, outflow.amount, None)?;
    let (zero, largest) = (Money::zero(wallet.currency()), Money::largest(wallet.currency()));
    // No movement passes the largest value: one that its fee takes beyond is refused below, naming that value.
    let leaving = outflow.amount.plus(outflow.fee);
    let requested = leaving.unwrap_or(largest);
    let mut counters = wallet.counters.at(moment.now);
    let today = leaving.and_then(|leaving| counters.outflow.plus(leaving));
    if let Some(limit) = wallet.limits.max_daily_outflow {
        let limit = limit.money();
        if !today.is_ok_and(|today| limit.is_less_than(today) == Ok(false)) {
            let available = Some(limit.minus(counters.outflow)?.at_least(zero)?);
            let limit = Limit::MaxDailyOutflow;
            return Err(Refusal::LimitExceeded { wallet: wallet.id, limit, available, requested }.into());
        }
    }
    // Without a limit the counter only informs; it stops at the largest value rather than refusing the movement.
    counters.outflow = today.unwrap_or(largest);
    if outflow.transfers > 0 {
        counters.transfers = counters.transfers.saturating_add(outflow.transfers);
        if let Some(limit) = wallet.limits.transfers_per_minute.filter(|limit| counters.transfers > *limit) {
            let retry_after_seconds = counters.seconds_to_next_minute(moment.clock);
            return Err(Refusal::RateLimited { wallet: wallet.id, limit, retry_after_seconds }.into());
        }
    }
    match leaving.and_then(|leaving| lowest(wallet, leaving)) {
        Ok(lowest) if !wallet.balance.is_less_than(lowest)? => {
            Ok(Going { leaving: requested, counters, guard: Guard::AtLeast(lowest) })
        }
        _ => Err(too_little(snapshots, wallet, requested)),
    }
}

/// The lowest balance from which `leaving` can go: the rest covers floor and holds.
pub(crate) fn lowest(wallet: &Wallet, leaving: Money) -> Result<Money, MoneyError> {
    wallet.floor.plus(leaving)?.plus(wallet.held)
}

/// Why `requested` cannot leave `wallet`, whose balance does not cover it.
pub(crate) fn too_little(snapshots: &Snapshots, wallet: &Wallet, requested: Money) -> NoPlan {
    uncovered(snapshots, wallet, Wallet::available, requested)
}

/// Why what is `available` of `wallet` is too little for `requested`. If it would be enough once expired holds are released
/// and the inbox is settled, they have to be: first the holds, then the inbox. If not even then, the request is refused.
/// Where the snapshots do not say what is overdue or waits, that has to be looked up first.
pub(crate) fn uncovered(
    snapshots: &Snapshots,
    wallet: &Wallet,
    available: impl Fn(&Wallet) -> Money,
    requested: Money,
) -> NoPlan {
    match snapshots.overdue(wallet) {
        Ok(overdue) => short(snapshots, wallet, available, overdue, requested),
        Err(not_yet) => not_yet,
    }
}

/// The same where expired holds keep back `overdue`, whatever the snapshots say of that.
pub(crate) fn short(
    snapshots: &Snapshots,
    wallet: &Wallet,
    available: impl Fn(&Wallet) -> Money,
    overdue: Money,
    requested: Money,
) -> NoPlan {
    let available = || {
        let incoming = snapshots.incoming(wallet)?;
        // What comes to a wallet that was overdrawn fills that up first.
        let available =
            available(&Wallet { balance: incoming.settled, held: wallet.held.minus(overdue)?, ..wallet.clone() });
        match available.is_less_than(requested)? {
            false if !overdue.is_zero() => Err(NoPlan::Unreleased(wallet.id)),
            false if !incoming.amount.is_zero() => Err(NoPlan::Unsettled(wallet.id)),
            _ => Ok(Some(available)),
        }
    };
    match available() {
        Ok(available) => Refusal::InsufficientFunds { wallet: wallet.id, available, requested }.into(),
        Err(not_yet) => not_yet,
    }
}

/// The wallet, if it exists and the caller may debit it. A stranger's wallet and a missing one give the same refusal.
pub(crate) fn owned<'a>(snapshots: &'a Snapshots, id: WalletId, caller: &Caller) -> Result<&'a Wallet, Refusal> {
    let wallet = snapshots.wallet(id)?;
    if caller.owns(wallet) { Ok(wallet) } else { Err(Refusal::WalletNotFound { wallet: id }) }
}

/// Whether the wallet is at the version that the order pins. A caller who may not read its version may not pin it:
/// else he could find it out by asking.
pub(crate) fn pinned(wallet: &Wallet, order: &Order) -> Result<(), Refusal> {
    match order.expected_version {
        Some(_) if !order.caller.owns(wallet) => Err(Refusal::VersionNotYours { wallet: wallet.id }),
        Some(expected) if expected != wallet.version => Err(Refusal::VersionMismatch { wallet: wallet.id, expected }),
        _ => Ok(()),
    }
}

/// Whether the wallet takes part in movements of this currency at all.
pub(crate) fn accepts(wallet: &Wallet, amount: Money) -> Result<(), Refusal> {
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
pub(crate) fn within_largest_movement(wallet: &Wallet, amount: Money, caller: Option<&Caller>) -> Result<(), NoPlan> {
    match wallet.limits.max_movement {
        Some(limit) if limit.money().is_less_than(amount)? => Err(NoPlan::Refused(Refusal::LimitExceeded {
            wallet: wallet.id,
            limit: Limit::MaxMovement,
            available: shown(limit.money(), wallet, caller),
            requested: amount,
        })),
        _ => Ok(()),
    }
}
