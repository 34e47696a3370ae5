//! Compares transactions with those that they rest on: a rebate with its deposit, a reversal with what it undoes, a refusal
//! with the wallet that refused, a mark with what made it.

use wallet_domain::{Kind, Mark, MarkName, Outcome, Transaction, believed_until};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::Key;

use crate::finding::{Check, Finding};
use crate::known::Known;
use crate::matching::twice;
use crate::reader::Reader;
use crate::rebate::{self, capped, uncounted};
use crate::reversal::{self, Undone};

/// Checks `transactions` that rest on others, and `marks`.
pub(crate) async fn check(
    reader: &Reader,
    transactions: &[Transaction],
    marks: &[Mark],
) -> Result<Vec<Finding>, Fault> {
    let resting = transactions.iter().filter(|transaction| rests_on_another(transaction)).collect::<Vec<_>>();
    if resting.is_empty() && marks.is_empty() {
        return Ok(vec![]);
    }
    twice(|| look(reader, &resting, marks)).await
}

fn rests_on_another(transaction: &Transaction) -> bool {
    matches!(transaction.outcome, Outcome::Failed { .. })
        || transaction.kind == Kind::REBATE
        || is_reversal(transaction)
}

/// A reversal that was refused moved nothing and rests on nothing but the wallet that refused.
fn is_reversal(transaction: &Transaction) -> bool {
    transaction.kind == Kind::REVERSAL && !transaction.legs().is_empty()
}

async fn look(reader: &Reader, resting: &[&Transaction], marks: &[Mark]) -> Result<Vec<Finding>, Fault> {
    let mut known = Known::default();
    let (mut keys, mut undone) = (vec![], vec![]);
    for transaction in resting {
        let (rebate, reversal) = (transaction.kind == Kind::REBATE, is_reversal(transaction));
        if let Some(parent) = transaction.parent.filter(|_| rebate || reversal) {
            keys.push(Key::Transaction(parent));
            if reversal || barred(transaction) {
                keys.push(Key::Mark(parent, MarkName::REVERSAL));
            }
            undone.extend(reversal.then_some(parent));
        }
        if let Outcome::Failed { refusal, .. } = &transaction.outcome {
            keys.extend(refusal.refused_by().map(Key::Wallet));
        }
    }
    keys.extend(marks.iter().map(|mark| Key::Transaction(mark.by)));
    known.read(reader, keys).await?;
    let mut keys: Vec<Key> =
        undone.into_iter().filter_map(|parent| known.transaction(parent)?.rebate()).map(Key::Transaction).collect();
    let counted = |rebate: &&&Transaction| {
        let deposit = rebate.parent.and_then(|id| known.transaction(id));
        rebate.kind == Kind::REBATE && !rebate.legs().is_empty() && deposit.and_then(capped).is_some()
    };
    keys.extend(resting.iter().filter(counted).map(|rebate| Key::Wallet(rebate.wallet)));
    known.read(reader, keys).await?;
    // The latest time that a function may have decided by, now that its wallet was read: the audit may have begun long before.
    let now = believed_until(reader.ledger().now());

    let mut findings = vec![];
    for transaction in resting {
        let parent = transaction.parent.and_then(|parent| known.transaction(parent));
        let marked = transaction.parent.and_then(|parent| known.mark(parent, MarkName::REVERSAL));
        if transaction.kind == Kind::REBATE {
            findings.extend(rebate::check(transaction, parent, marked));
            let counts = parent.zip(known.wallet(transaction.wallet));
            findings.extend(counts.and_then(|(deposit, wallet)| uncounted(transaction, deposit, wallet, now)));
        } else if is_reversal(transaction) {
            let rebate = parent.and_then(Transaction::rebate).and_then(|id| known.transaction(id));
            findings.extend(reversal::check(transaction, &Undone { parent, marked, rebate }));
        }
        findings.extend(refused(transaction, &known));
    }
    findings.extend(marks.iter().filter_map(|mark| reversal::mark(mark, known.transaction(mark.by))));
    Ok(findings)
}

/// Whether it is a rebate that the reversal of its deposit has barred.
fn barred(transaction: &Transaction) -> bool {
    matches!(&transaction.outcome, Outcome::Failed { refusal: wallet_domain::Refusal::DepositReversed { .. }, .. })
}

/// A finding if the wallet that refused does not exist, or is of another owner than the record says; where no wallet refused,
/// if the record names another than its caller.
fn refused(transaction: &Transaction, known: &Known) -> Option<Finding> {
    let Outcome::Failed { refusal, owner } = &transaction.outcome else { return None };
    let difference = match refusal.refused_by().map(|id| (id, known.wallet(id))) {
        None if *owner != transaction.caller => {
            format!("no wallet refused it, and its owner is {owner}, not its caller {}", transaction.caller)
        }
        Some((id, Some(wallet))) if wallet.owner != *owner => {
            format!("{id}, which refused it, is of {}, not of {owner}", wallet.owner)
        }
        Some((id, None)) if known.lacks_wallet(id) => format!("{id}, which refused it, is missing"),
        _ => return None,
    };
    Some(Finding::transaction(transaction.id, Check::Refusal, difference))
}
