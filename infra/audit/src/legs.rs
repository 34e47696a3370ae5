//! A transaction by itself: its legs, and what its kind says of them.

use wallet_domain::{Kind, Leg, Outcome, Transaction};

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
        // It mirrors the legs of its parent, a rebate taken back included; more than the sum is said beside the parent.
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
