//! A rebate against the rule that its deposit pinned.

use wallet_domain::{Account, Kind, Leg, Transaction, TransactionId};

use crate::finding::{Check, Finding, decimal};

/// A rebate against the rule that its deposit pinned.
///
/// A rebate's id is made of deposit and rule, and ids are unique: one with any other id is a second one.
pub(crate) fn check(rebate: &Transaction, deposit: Option<&Transaction>) -> Vec<Finding> {
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
    if rule.minimum.is_some_and(|minimum| minimum.minor_units() > earned.minor_units()) {
        findings.push(finding(format!(
            "it pays {}, the rule pays nothing for {earned}: that is too little",
            rebate.amount
        )));
    }
    let from_rebates = |leg: &Leg| matches!(leg, Leg::System { account: Account::Rebates, .. });
    if !rebate.legs().iter().all(|leg| from_rebates(leg) || matches!(leg, Leg::Wallet { .. })) {
        findings.push(finding("it is not paid out of the rebates account".to_owned()));
    }
    findings
}
