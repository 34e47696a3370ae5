//! A transaction by itself: its seal, and the legs that its kind, amount and fee make.

use std::collections::{BTreeMap, BTreeSet};

use wallet_domain::{
    Account, Currency, Kind, Leg, Legs, MAX_PAYMENTS, Money, Outcome, Place, Shape, Transaction, TransactionId, Wallet,
    shape_of,
};

use crate::finding::{Check, Finding, decimal};
use crate::row::{keeps_the_wallet, may_wait};

/// Amounts in minor units, by account.
pub(crate) type Amounts = Vec<(Account, i128)>;

/// Checks that the seal is the hash of the record.
pub(crate) fn seal(transaction: &Transaction) -> Option<Finding> {
    let stored = transaction.seal;
    let difference = match transaction.computed_seal() {
        None => format!("format {} of its seal is not known to this audit", transaction.format),
        Some(computed) if computed != stored => format!("it hashes to {computed}, but its seal is {stored}"),
        Some(_) => return None,
    };
    Some(Finding::transaction(transaction.id, Check::Seal, difference))
}

/// Checks that the legs sum to zero and are those of its kind, as the kind's [`Shape`] says. A reversal's are compared with
/// its parent's in `reversal.rs`; of a kind that this audit does not know only the sum is checked.
pub(crate) fn check(transaction: &Transaction) -> Vec<Finding> {
    let Outcome::Posted { legs, wallet } = &transaction.outcome else { return vec![] };
    let currency = transaction.amount.currency();
    let mut differences = vec![];
    let sum: i128 = legs.iter().map(|leg| leg.amount().minor_units()).sum();
    if sum != 0 {
        differences.push(format!("the legs sum to {} {currency}, not to zero", decimal(sum, currency)));
    }
    let Some(shape) = shape_of(transaction.kind) else { return findings(transaction.id, differences) };
    let expected = match shape.legs {
        Legs::KeptWallet => {
            differences.extend(left(transaction, wallet.as_deref()));
            Some(vec![])
        }
        Legs::Movement(_, Place::Destination)
            if transaction.destination.is_none_or(|other| other == transaction.wallet) =>
        {
            differences.push("it names no wallet that the money goes to".to_owned());
            return findings(transaction.id, differences);
        }
        Legs::Movement(from, to) => {
            if to == Place::Payees {
                differences.extend(paid(transaction, legs));
            }
            Some(moved(transaction, shape, from, to))
        }
        Legs::Held => {
            let [Leg::Wallet { wallet, amount, .. }] = &legs[..] else {
                differences.push("it has other legs than one of its wallet".to_owned());
                return findings(transaction.id, differences);
            };
            if *wallet != transaction.wallet || !amount.is_zero() {
                differences.push(format!("it moves {amount} {currency} of {wallet}, and only holds back or releases"));
            }
            None
        }
        Legs::Mirrored => None,
    };
    if !shape.has_fee && !transaction.fee.is_zero() {
        differences.push(format!(
            "it costs {} {currency}, and no {} has a fee",
            transaction.fee,
            transaction.kind.as_str()
        ));
    }
    if wallet.is_some() && !keeps_the_wallet(transaction.kind) {
        differences.push(format!("it keeps a wallet, as no {} does", transaction.kind.as_str()));
    }
    let waits = |leg: &Leg| matches!(leg, Leg::Credit { .. }) && !may_wait(transaction.kind, leg.amount());
    if legs.iter().any(waits) {
        differences.push("a leg waits in an inbox that is no credit, or that of a reversal".to_owned());
    }
    if let Some(expected) = expected {
        differences.extend(off(expected, legs, currency));
    }
    findings(transaction.id, differences)
}

/// The legs that a movement's amount and fee make. Who several payees are only the legs themselves say: [`paid`] checks
/// those.
fn moved(transaction: &Transaction, shape: &Shape, from: Place, to: Place) -> Amounts {
    let amount = transaction.amount.minor_units();
    let fee = if shape.has_fee { transaction.fee.minor_units() } else { 0 };
    let account = |place| match place {
        Place::Wallet => Account::Wallet(transaction.wallet),
        Place::Account(account) => account,
        // Each of several payees is named by its own leg.
        Place::Destination | Place::DestinationOrOut | Place::Payees => {
            transaction.destination.map_or(Account::External, Account::Wallet)
        }
    };
    let mut expected = vec![(account(from), -amount - fee)];
    if shape.has_fee {
        expected.push((Account::Fees, fee));
    }
    match to {
        Place::Payees => {
            let payees = payments(transaction, transaction.legs());
            expected.extend(payees.map(|leg| (leg.account(), leg.amount().minor_units())));
        }
        to => expected.push((account(to), amount)),
    }
    expected
}

/// The legs of a payout's payees.
fn payments<'a>(payout: &Transaction, legs: &'a [Leg]) -> impl Iterator<Item = &'a Leg> {
    legs.iter().filter(|leg| leg.wallet().is_some_and(|payee| payee != payout.wallet))
}

/// What is wrong with the payments of a payout, of which its record says only what they come to.
fn paid(payout: &Transaction, legs: &[Leg]) -> Option<String> {
    let sum: i128 = payments(payout, legs).map(|leg| leg.amount().minor_units()).sum();
    let each = payments(payout, legs).map(Leg::wallet).collect::<BTreeSet<_>>().len();
    let count = payments(payout, legs).count();
    if each != count
        || !(1..=MAX_PAYMENTS).contains(&count)
        || payments(payout, legs).any(|leg| leg.amount().minor_units() <= 0)
    {
        return Some(format!("it has {count} payments to {each} wallets, or one that pays nothing"));
    }
    let currency = payout.amount.currency();
    let said = payout.amount.minor_units();
    (sum != said).then(|| {
        format!("its payments come to {} {currency}, not to {}", decimal(sum, currency), decimal(said, currency))
    })
}

/// How `legs` differ from what each account, named once, should gain; told account by account. Each has one leg at most.
pub(crate) fn off(expected: Amounts, legs: &[Leg], currency: Currency) -> Vec<String> {
    let is = |leg: &Leg, (account, amount): (Account, i128)| {
        leg.account() == account && leg.amount().minor_units() == amount
    };
    let mut moving = expected.iter().copied().filter(|(_, amount)| *amount != 0);
    if moving.clone().count() == legs.len() && moving.all(|one| legs.iter().any(|leg| is(leg, one))) {
        return vec![];
    }
    // In the order of their names, and each with how many legs it has.
    let mut accounts: BTreeMap<String, (i128, i128, u32)> = BTreeMap::new();
    for (account, amount) in expected {
        accounts.entry(account.to_string()).or_default().0 += amount;
    }
    for leg in legs {
        let (_, gained, count) = accounts.entry(leg.account().to_string()).or_default();
        (*gained, *count) = (*gained + leg.amount().minor_units(), *count + 1);
    }
    let mut differences = vec![];
    for (account, (expected, gained, count)) in accounts {
        if gained != expected {
            let [gained, expected, off] = [gained, expected, gained - expected].map(|minor| decimal(minor, currency));
            differences.push(format!(
                "its legs move {gained} {currency} for {account}, what it says makes {expected}: off by {off}"
            ));
        }
        if count != u32::from(expected != 0) && gained == expected {
            differences.push(format!("{account} has {count} legs for {} {currency}", decimal(expected, currency)));
        }
    }
    differences
}

/// What is wrong with the wallet that an opening or amendment keeps as it left it.
fn left(transaction: &Transaction, wallet: Option<&Wallet>) -> Option<String> {
    let Some(wallet) = wallet.filter(|wallet| wallet.id == transaction.wallet) else {
        return Some("it does not keep the wallet as it left it".to_owned());
    };
    // What names an amendment is the version before it, or a key (`If-Match: *`), of which no record tells.
    let named = match wallet.version {
        0 => transaction.kind == Kind::OPENING && wallet.balance.is_zero(),
        _ => transaction.kind == Kind::AMENDMENT,
    };
    let zero = transaction.amount == Money::zero(wallet.currency());
    (!named || !zero).then(|| format!("it is not what takes {} to version {}", wallet.id, wallet.version))
}

fn findings(id: TransactionId, differences: Vec<String>) -> Vec<Finding> {
    differences.into_iter().map(|difference| Finding::transaction(id, Check::Legs, difference)).collect()
}
