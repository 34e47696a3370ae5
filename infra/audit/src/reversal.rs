//! A reversal beside what it undoes: the same legs with their signs turned, the rebate among them, and both know of it.

use wallet_domain::{
    Account, Caller, Command, Kind, Leg, Mark, MarkName, Reverse, Transaction, TransactionId, is_reversible,
};

use crate::finding::{Check, Finding};
use crate::legs::{Amounts, off};

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
    if !is_reversible(parent) {
        return vec![finding(format!("{} is no posted transaction of a kind that can be reversed", parent.id))];
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
    let expected = expected(reversal, parent, undone.rebate);
    findings.extend(off(expected, reversal.legs(), parent.amount.currency()).into_iter().map(finding));
    findings
}

/// What takes `parent` and its rebate back. The fee is given back or it is not, as the deployment was set at the time: a
/// reversal without a leg of the fees keeps it, and with it what its payer would get back.
fn expected(reversal: &Transaction, parent: &Transaction, rebate: Option<&Transaction>) -> Amounts {
    let keeps_fee = reversal.legs().iter().all(|leg| leg.account() != Account::Fees);
    let mut expected = Amounts::new();
    let mut add = |account, amount: i128| match expected.iter_mut().find(|(other, _)| *other == account) {
        Some((_, sum)) => *sum += amount,
        None => expected.push((account, amount)),
    };
    for leg in parent.legs().iter().chain(rebate.map_or(&[][..], Transaction::legs)) {
        add(leg.account(), -leg.amount().minor_units());
    }
    if keeps_fee {
        let fee = parent.fee.minor_units();
        let payer = parent.legs().iter().find(|leg| leg.wallet().is_some() && leg.amount().is_negative());
        if let Some(payer) = payer.map(Leg::account) {
            add(Account::Fees, fee);
            add(payer, -fee);
        }
    }
    expected
}

/// Whether `reversal` was asked for with `allow_overdraft`. Its record says so in its fingerprint only, and all else that
/// the fingerprint covers is on record.
pub(crate) fn may_overdraw(reversal: &Transaction, parent: &Transaction) -> bool {
    let reverse = Command::Reverse(Reverse {
        caller: Caller { subject: reversal.caller.clone(), admin: true },
        key: "audit".parse().expect("printable"),
        original: Box::new(parent.clone()),
        allow_overdraft: true,
        return_fee: true,
        reference: reversal.reference.clone(),
        metadata: reversal.metadata.clone(),
    });
    reversal.kind == Kind::REVERSAL
        && reversal.parent == Some(parent.id)
        && reversal.fingerprint == reverse.fingerprint()
}

/// A mark against the transaction that it names.
pub(crate) fn mark(mark: &Mark, by: Option<&Transaction>) -> Option<Finding> {
    let (of, name, named) = (mark.of, mark.name.as_str(), mark.by);
    let reverses =
        |found: &Transaction| found.kind == Kind::REVERSAL && !found.legs().is_empty() && found.parent == Some(mark.of);
    let difference = match by {
        None => format!("its mark {name} names {named}, which is missing or cannot be read"),
        Some(found) if mark.name == MarkName::REVERSAL && !reverses(found) => {
            format!("it is marked as reversed by {named}, which does not reverse it")
        }
        // What any other mark means is not known here.
        Some(_) => return None,
    };
    Some(Finding::transaction(of, Check::Reversal, difference))
}
