//! A rebate against the rule that its deposit pinned.

use wallet_domain::{Kind, Money, Month, Outcome, Refusal, RuleId, Transaction, TransactionId, Wallet};

use crate::finding::{Check, Finding, decimal};

/// A rebate, paid or refused, against the rule that its deposit pinned. `reversal` is what the mark beside the deposit says.
///
/// A rebate's id is made of deposit and rule, and ids are unique: one with any other id is a second one.
pub(crate) fn check(
    rebate: &Transaction,
    deposit: Option<&Transaction>,
    reversal: Option<TransactionId>,
) -> Vec<Finding> {
    let finding = |difference: String| Finding::transaction(rebate.id, Check::Rebate, difference);
    let Some(deposit) = deposit else {
        return vec![finding("the deposit that it is for is missing or cannot be read".to_owned())];
    };
    let posted = deposit.kind == Kind::DEPOSIT && !deposit.legs().is_empty();
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
    if let Outcome::Failed { refusal, .. } = &rebate.outcome {
        if matches!(refusal, Refusal::DepositReversed { .. }) && reversal.is_none() {
            findings.push(finding(format!("it was barred, and {} is not marked as reversed", deposit.id)));
        }
        return findings;
    }
    let Ok(earned) = rule.rebate_on(deposit.amount) else {
        findings.push(finding(format!("the rule of {} is in another currency", deposit.id)));
        return findings;
    };
    let (pays, earns) = (rebate.amount.minor_units(), earned.minor_units());
    if rebate.amount.currency() != earned.currency() {
        findings.push(finding(format!("it pays {:?}, its deposit is in {}", rebate.amount, earned.currency())));
    } else if pays > earns {
        let over = decimal(pays - earns, earned.currency());
        findings.push(finding(format!("it pays {}, the rule gives at most {earned}: {over} too much", rebate.amount)));
    }
    if let Some(minimum) = rule.minimum.filter(|minimum| minimum.minor_units() > pays) {
        findings.push(finding(format!("it pays {}, the rule pays nothing below {minimum}", rebate.amount)));
    }
    findings
}

/// The month that a deposit's rebate counts in, its rule and the cap; `None` without a cap.
pub(crate) fn capped(deposit: &Transaction) -> Option<(Month, RuleId, Money)> {
    let rule = deposit.rule.as_ref()?;
    Some((Month::of(deposit.created_at), rule.id.clone(), rule.monthly_cap?))
}

/// A posted rebate that its wallet should count and has no sum for. `now` is the latest time that a function may have
/// decided by: months that were too old by then are counted no more.
pub(crate) fn uncounted(
    rebate: &Transaction,
    deposit: &Transaction,
    wallet: &Wallet,
    now: wallet_domain::Timestamp,
) -> Option<Finding> {
    let counts = |cap: Money| !rebate.legs().is_empty() && cap.currency() == wallet.currency();
    let (month, rule, cap) = capped(deposit).filter(|(.., cap)| counts(*cap))?;
    wallet.rebated.left(month, &rule, cap, now).ok()??;
    if wallet.rebated.all().any(|(counted, of, _)| (counted, of) == (month, &rule)) {
        return None;
    }
    let difference = format!("{} does not count rule {} in {month}", wallet.id, rule.as_str());
    Some(Finding::transaction(rebate.id, Check::Rebate, difference))
}
