//! A reversal beside what it undoes: the same legs with their signs turned, the rebate among them, and both know of it.

use std::collections::HashMap;

use wallet_domain::{Account, Kind, Leg, Transaction, TransactionId};
use wallet_dynamodb::scan::Reversed;

use crate::finding::{Check, Finding, decimal};

/// What a reversal is held against; what is missing or cannot be read is `None`.
pub(crate) struct Undone<'a> {
    /// What it reverses.
    pub(crate) parent: Option<&'a Transaction>,
    /// The reversal that the mark beside the parent names.
    pub(crate) marked: Option<TransactionId>,
    /// The rebate of the parent.
    pub(crate) rebate: Option<&'a Transaction>,
}

/// A posted reversal against its parent.
pub(crate) fn check(reversal: &Transaction, undone: &Undone<'_>) -> Vec<Finding> {
    let finding = |difference: String| Finding::transaction(reversal.id, Check::Reversal, difference);
    let Some(parent) = undone.parent else {
        return vec![finding("what it reverses is missing or cannot be read".to_owned())];
    };
    let reversible = matches!(parent.kind, Kind::Deposit | Kind::Withdrawal | Kind::Transfer);
    if !reversible || parent.legs().is_empty() {
        return vec![finding(format!("{} is no posted deposit, withdrawal or transfer", parent.id))];
    }
    let mut findings = vec![];
    match undone.marked {
        None => findings.push(finding(format!("{} is not marked as reversed", parent.id))),
        Some(other) if other != reversal.id => {
            findings.push(finding(format!("{} is marked as reversed by {other}: this is a second one", parent.id)));
        }
        Some(_) => {}
    }
    if (reversal.amount, reversal.wallet) != (parent.amount, parent.wallet) {
        let [mine, theirs] = [reversal, parent].map(|of| format!("{:?} of {}", of.amount, of.wallet));
        findings.push(finding(format!("it undoes {mine}, {} moved {theirs}", parent.id)));
    }
    if parent.rebate().is_some() && undone.rebate.is_none() {
        findings.push(finding(format!("the rebate of {} is neither paid nor barred", parent.id)));
    }
    findings.extend(legs(reversal, parent, undone.rebate).into_iter().map(finding));
    findings
}

/// What is off by account. The fee is given back or it is not, as the deployment was set at the time.
fn legs(reversal: &Transaction, parent: &Transaction, rebate: Option<&Transaction>) -> Vec<String> {
    let mut differences = Sums::default();
    let all = reversal.legs().iter().chain(parent.legs()).chain(rebate.map_or(&[][..], Transaction::legs));
    all.for_each(|leg| differences.add(leg));
    let gave_fee_back = reversal.legs().iter().any(|leg| account(leg) == Account::Fees);
    if !gave_fee_back {
        // The fee that was kept is missing from whoever paid it.
        let fee = parent.fee.minor_units();
        let payer = parent.legs().iter().find(|leg| leg.wallet().is_some() && leg.amount().is_negative());
        if let Some(payer) = payer {
            *differences.0.entry(Account::Fees).or_default() -= fee;
            *differences.0.entry(account(payer)).or_default() += fee;
        }
    }
    let currency = parent.amount.currency();
    let off = differences.0.into_iter().filter(|(_, sum)| *sum != 0);
    let mut off: Vec<String> =
        off.map(|(account, sum)| format!("it leaves {account} off by {} {currency}", decimal(sum, currency))).collect();
    off.sort_unstable();
    off
}

/// What a transaction, its rebate and its reversal leave behind, by account: nothing.
#[derive(Default)]
struct Sums(HashMap<Account, i128>);

impl Sums {
    fn add(&mut self, leg: &Leg) {
        *self.0.entry(account(leg)).or_default() += leg.amount().minor_units();
    }
}

fn account(leg: &Leg) -> Account {
    match leg {
        Leg::Wallet { wallet, .. } => Account::Wallet(*wallet),
        Leg::System { account, .. } => *account,
    }
}

/// A mark against the reversal that it names.
pub(crate) fn mark(mark: &Reversed, reversal: Option<&Transaction>) -> Option<Finding> {
    let Reversed { original, reversal: named } = *mark;
    let difference = match reversal {
        None => format!("it is marked as reversed by {named}, which is missing or cannot be read"),
        Some(found) if found.kind != Kind::Reversal || found.legs().is_empty() || found.parent != Some(original) => {
            format!("it is marked as reversed by {named}, which does not reverse it")
        }
        Some(_) => return None,
    };
    Some(Finding::transaction(original, Check::Reversal, difference))
}
