//! Amending a wallet: status, bounds and limits, as an entry of amount zero that says what changed and by whom.

use jiff::Timestamp;

use crate::command::{Amend, Change, Command};
use crate::decide::open::bounds;
use crate::decide::{Guard, Plan, Snapshots, posting};
use crate::money::{Amount, AmountError, Money};
use crate::refusal::Refusal;
use crate::transaction::{Kind, Outcome, Transaction};
use crate::wallet::{Status, Wallet};

pub(super) fn amend(snapshots: &Snapshots, amend: &Amend, command: &Command, now: Timestamp) -> Result<Plan, Refusal> {
    if !amend.caller.admin {
        return Err(Refusal::MissingScope { scope: "wallets:admin" });
    }
    let before = snapshots.wallet(amend.wallet)?;
    if before.version != amend.expected_version {
        return Err(Refusal::VersionMismatch { wallet: before.id, expected: amend.expected_version });
    }
    let wallet = before.id;
    if before.status == Status::Closed {
        return Err(Refusal::WalletClosed { wallet });
    }
    let after = changed(before, &amend.change)?;
    if after.status == Status::Closed && !before.balance.is_zero() {
        return Err(Refusal::WalletNotEmpty { wallet, balance: before.balance });
    }
    let (balance, same) = (before.balance, "the change was parsed in the wallet's currency");
    // A reversal may have taken the balance below the floor: the wallet can still be frozen.
    if after.floor != before.floor && balance.is_less_than(after.floor).expect(same) {
        return Err(Refusal::InsufficientFunds { wallet, available: Some(balance), requested: after.floor });
    }
    if after.highest_balance().is_less_than(balance).expect(same) {
        let requested = balance;
        return Err(Refusal::MaxBalanceExceeded { wallet, available: Some(after.highest_balance()), requested });
    }

    let zero = Money::zero(before.currency());
    let mut transaction = Transaction {
        id: command.transaction(),
        kind: Kind::Amendment,
        wallet,
        destination: None,
        amount: zero,
        fee: zero,
        outcome: Outcome::Posted { legs: vec![], wallet: None },
        principal: amend.caller.subject.clone(),
        reference: None,
        metadata: crate::Metadata::default(),
        parent: None,
        rule: None,
        fingerprint: command.fingerprint(),
        created_at: now,
    };
    let mut posting = posting(before, &transaction, None, Guard::None, |wallet| *wallet = after);
    let at_scale =
        |text: &str| Money::parse(text, before.currency()).map_or(text.to_owned(), |money| money.to_string());
    posting.entry.changes = amend.change.rewritten(at_scale).described();
    posting.entry = posting.entry.sealed();
    posting.after.head = posting.entry.hash;
    transaction.outcome = Outcome::Posted { legs: vec![], wallet: Some(Box::new(posting.after.clone())) };
    Ok(Plan::new(transaction, vec![posting]))
}

fn changed(before: &Wallet, change: &Change) -> Result<Wallet, Refusal> {
    let currency = before.currency();
    let invalid = |field| move |error: AmountError| Refusal::InvalidAmount { field, error };
    let mut after = before.clone();
    if let Some(status) = change.status {
        after.status = status;
    }
    if let Some(floor) = &change.floor {
        after.floor = Money::parse(floor, currency).map_err(invalid("floor"))?;
    }
    if let Some(ceiling) = &change.ceiling {
        let parsed = ceiling.as_ref().map(|text| Money::parse(text, currency)).transpose();
        after.ceiling = parsed.map_err(invalid("ceiling"))?;
    }
    let amount = |text: &Option<String>| text.as_ref().map(|text| Amount::parse(text, currency)).transpose();
    if let Some(limit) = &change.max_movement {
        after.limits.max_movement = amount(limit).map_err(invalid("max_movement"))?;
    }
    if let Some(limit) = &change.max_daily_outflow {
        after.limits.max_daily_outflow = amount(limit).map_err(invalid("max_daily_outflow"))?;
    }
    if let Some(limit) = change.transfers_per_minute {
        after.limits.transfers_per_minute = limit;
    }
    bounds(after.floor, after.ceiling)?;
    Ok(after)
}
