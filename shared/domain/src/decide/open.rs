//! Opening a wallet: version 0, balance zero, the first entry of its chain.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::command::{Command, Open};
use crate::decide::{Guard, Plan, Posting};
use crate::entry::{Entry, GENESIS};
use crate::money::{AmountError, Money};
use crate::rebated::Rebated;
use crate::refusal::Refusal;
use crate::transaction::{Kind, Outcome, Transaction};
use crate::wallet::{Counters, Limits, Status, Wallet};

pub(super) fn open(open: &Open, command: &Command, now: Timestamp) -> Result<Plan, Refusal> {
    let for_admins = open.owner != open.caller.subject || !open.floor.is_zero() || open.limits != Limits::default();
    if for_admins && !open.caller.admin {
        return Err(Refusal::MissingScope { scope: "wallets:admin" });
    }
    in_its_currency(open)?;
    bounds(open.floor, open.ceiling)?;
    let zero = Money::zero(open.currency);
    let entry = Entry {
        wallet: open.wallet(),
        version: 0,
        transaction: command.transaction(),
        kind: Kind::Opening,
        amount: zero,
        balance_after: zero,
        counterparty: None,
        reference: None,
        changes: BTreeMap::new(),
        by: open.caller.subject.clone(),
        created_at: now,
        previous: GENESIS,
        hash: GENESIS,
    }
    .sealed();
    let wallet = Wallet {
        id: open.wallet(),
        owner: open.owner.clone(),
        balance: zero,
        version: 0,
        status: Status::Active,
        floor: open.floor,
        ceiling: open.ceiling,
        limits: open.limits,
        counters: Counters::new(open.currency),
        rebated: Rebated::default(),
        head: entry.hash,
        metadata: open.metadata.clone(),
        created_at: now,
        updated_at: now,
    };
    let transaction = Transaction {
        id: command.transaction(),
        kind: Kind::Opening,
        wallet: wallet.id,
        destination: None,
        amount: zero,
        fee: zero,
        outcome: Outcome::Posted { legs: vec![], wallet: Some(Box::new(wallet.clone())) },
        principal: open.caller.subject.clone(),
        reference: None,
        metadata: open.metadata.clone(),
        parent: None,
        rule: None,
        fingerprint: command.fingerprint(),
        created_at: now,
    };
    Ok(Plan::new(transaction, vec![Posting { before: None, after: wallet, entry, guard: Guard::None }]))
}

/// Every amount of a wallet's terms is in what the wallet holds.
fn in_its_currency(open: &Open) -> Result<(), Refusal> {
    let Limits { max_movement, max_daily_outflow, transfers_per_minute: _ } = open.limits;
    let limits = [max_movement, max_daily_outflow].into_iter().flatten().map(crate::Amount::money);
    match [open.floor].into_iter().chain(open.ceiling).chain(limits).find(|money| money.currency() != open.currency) {
        Some(money) => {
            Err(Refusal::CurrencyMismatch { wallet: open.wallet(), holds: open.currency, requested: money.currency() })
        }
        None => Ok(()),
    }
}

/// A floor is zero or less, a ceiling zero or more: a wallet at zero is always within its bounds.
pub(super) fn bounds(floor: Money, ceiling: Option<Money>) -> Result<(), Refusal> {
    if floor.minor_units() > 0 {
        let largest = Money::zero(floor.currency());
        return Err(Refusal::InvalidAmount { field: "floor", error: AmountError::TooLarge { largest } });
    }
    if ceiling.is_some_and(Money::is_negative) {
        return Err(Refusal::InvalidAmount { field: "ceiling", error: AmountError::NotPositive });
    }
    Ok(())
}
