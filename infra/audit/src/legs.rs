//! A transaction by itself: its legs, what its kind says of them, and a rebate against its deposit.

use wallet_domain::{Account, Kind, Leg, Outcome, Transaction, TransactionId};

use crate::finding::{Check, Finding, decimal};

/// Whether the legs sum to zero and the wallets' side is what the transaction says that it moved.
pub(crate) fn check(transaction: &Transaction) -> Vec<Finding> {
    let Outcome::Posted { legs, .. } = &transaction.outcome else { return vec![] };
    let currency = transaction.amount.currency();
    let mut findings = vec![];
    let sum: i128 = legs.iter().map(|leg| leg.amount().minor_units()).sum();
    if sum != 0 {
        let difference = format!("the legs sum to {} {currency}, not to zero", decimal(sum, currency));
        findings.push(Finding::transaction(transaction.id, Check::Legs, difference));
    }
    let moved: i128 = wallets(legs).sum();
    let (amount, fee) = (transaction.amount.minor_units(), transaction.fee.minor_units());
    let expected = match transaction.kind {
        Kind::Opening | Kind::Amendment => 0,
        Kind::Deposit | Kind::Rebate => amount,
        Kind::Withdrawal => -amount - fee,
        Kind::Transfer => -fee,
        // It mirrors the legs of its parent, a rebate taken back included; the sum above is what can be said of it alone.
        Kind::Reversal => moved,
    };
    if moved != expected {
        let (moved, expected) = (decimal(moved, currency), decimal(expected, currency));
        let difference = format!("the wallets' legs move {moved} {currency}, the transaction says {expected}");
        findings.push(Finding::transaction(transaction.id, Check::Legs, difference));
    }
    findings
}

fn wallets(legs: &[Leg]) -> impl Iterator<Item = i128> {
    let of_a_wallet = |leg: &&Leg| matches!(leg, Leg::Wallet { .. });
    legs.iter().filter(of_a_wallet).map(|leg| leg.amount().minor_units())
}

/// The deposit that has to be read to check a rebate.
pub(crate) fn deposit_of(transaction: &Transaction) -> Option<TransactionId> {
    transaction.parent.filter(|_| transaction.kind == Kind::Rebate)
}

/// A rebate against the rule that its deposit pinned.
///
/// A rebate's id is made of deposit and rule, and ids are unique: one with any other id is a second one.
pub(crate) fn rebate(rebate: &Transaction, deposit: Option<&Transaction>) -> Vec<Finding> {
    let finding = |difference: String| Finding::transaction(rebate.id, Check::Rebate, difference);
    let Some(deposit) = deposit else {
        return vec![finding("the deposit that it is for is missing or cannot be read".to_owned())];
    };
    let posted = deposit.kind == Kind::Deposit && !deposit.legs().is_empty();
    let Some(rule) = deposit.rule.as_ref().filter(|_| posted) else {
        return vec![finding(format!("{} is no posted deposit with a rebate rule", deposit.id))];
    };
    let mut findings = vec![];
    if rebate.id != TransactionId::rebate_of(deposit.id, &rule.id) {
        let rule = rule.id.as_str();
        findings.push(finding(format!("{} and rule {rule} have another rebate: this is a second one", deposit.id)));
    }
    if rebate.wallet != deposit.wallet {
        findings.push(finding(format!("it is for {}, its deposit went to {}", rebate.wallet, deposit.wallet)));
    }
    if rebate.legs().is_empty() {
        return findings;
    }
    let earned = rule.rebate_on(deposit.amount);
    if rebate.amount.currency() != earned.currency() {
        findings.push(finding(format!("it pays {:?}, its deposit is in {}", rebate.amount, earned.currency())));
    } else if rebate.amount.minor_units() > earned.minor_units() {
        let over = decimal(rebate.amount.minor_units() - earned.minor_units(), earned.currency());
        findings.push(finding(format!("it pays {}, the rule gives at most {earned}: {over} too much", rebate.amount)));
    }
    let from_rebates = |leg: &Leg| matches!(leg, Leg::System { account: Account::Rebates, .. });
    if !rebate.legs().iter().all(|leg| from_rebates(leg) || matches!(leg, Leg::Wallet { .. })) {
        findings.push(finding("it is not paid out of the rebates account".to_owned()));
    }
    findings
}
