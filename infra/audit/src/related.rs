//! Transactions with those that they rest on: a rebate with its deposit, a reversal with what it undoes.

use std::collections::{HashMap, HashSet};

use wallet_domain::{Kind, Transaction, TransactionId, Wallet, WalletId};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Reversed, Scanned};

use crate::finding::Finding;
use crate::matching::twice;
use crate::months::{self, capped};
use crate::reader::Reader;
use crate::reversal::Undone;
use crate::{rebate, reversal};

/// Rebates among `transactions` with their rules, reversals with their parents, and marks with their reversals.
pub(crate) async fn check(
    reader: &Reader,
    transactions: &[Transaction],
    marks: &[Reversed],
) -> Result<Vec<Finding>, Fault> {
    let resting = transactions.iter().filter(|transaction| rests_on_another(transaction)).collect::<Vec<_>>();
    if resting.is_empty() && marks.is_empty() {
        return Ok(vec![]);
    }
    twice(|| look(reader, &resting, marks)).await
}

fn rests_on_another(transaction: &Transaction) -> bool {
    transaction.kind == Kind::Rebate || is_reversal(transaction)
}

/// A reversal that was refused moved nothing and rests on nothing.
fn is_reversal(transaction: &Transaction) -> bool {
    transaction.kind == Kind::Reversal && !transaction.legs().is_empty()
}

async fn look(reader: &Reader, resting: &[&Transaction], marks: &[Reversed]) -> Result<Vec<Finding>, Fault> {
    let mut known = Known::default();
    let parents = resting.iter().filter_map(|transaction| transaction.parent).map(Key::Transaction);
    let undone = resting.iter().filter(|transaction| is_reversal(transaction)).filter_map(|reversal| reversal.parent);
    let named = marks.iter().map(|mark| Key::Transaction(mark.reversal));
    known.read(reader, parents.chain(undone.clone().map(Key::Reversal)).chain(named)).await?;
    let rebates: Vec<Key> =
        undone.filter_map(|parent| known.transactions.get(&parent)?.rebate()).map(Key::Transaction).collect();
    known.read(reader, rebates).await?;
    let counting = resting.iter().filter(|rebate| rebate.kind == Kind::Rebate && !rebate.legs().is_empty());
    let counting =
        counting.filter(|rebate| rebate.parent.and_then(|id| capped(known.transactions.get(&id)?)).is_some());
    let wallets: Vec<Key> = counting.map(|rebate| Key::Wallet(rebate.wallet)).collect();
    known.read(reader, wallets).await?;

    let mut findings = vec![];
    for transaction in resting {
        let parent = transaction.parent.and_then(|parent| known.transactions.get(&parent));
        findings.extend(if transaction.kind == Kind::Rebate {
            let counts = parent.zip(known.wallets.get(&transaction.wallet));
            let uncounted = counts.and_then(|(deposit, wallet)| months::uncounted(transaction, deposit, wallet));
            rebate::check(transaction, parent).into_iter().chain(uncounted).collect()
        } else {
            let marked = transaction.parent.and_then(|parent| known.marks.get(&parent).copied());
            let rebate = parent.and_then(Transaction::rebate).and_then(|id| known.transactions.get(&id));
            reversal::check(transaction, &Undone { parent, marked, rebate })
        });
    }
    findings.extend(marks.iter().filter_map(|mark| reversal::mark(mark, known.transactions.get(&mark.reversal))));
    Ok(findings)
}

/// What was looked up.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) transactions: HashMap<TransactionId, Transaction>,
    /// The reversal of each transaction that is marked.
    marks: HashMap<TransactionId, TransactionId>,
    wallets: HashMap<WalletId, Wallet>,
}

impl Known {
    pub(crate) async fn read(&mut self, reader: &Reader, keys: impl IntoIterator<Item = Key>) -> Result<(), Fault> {
        // A key may be asked for once in a call.
        let keys: Vec<Key> = keys.into_iter().collect::<HashSet<_>>().into_iter().collect();
        for item in reader.look_up(&keys).await? {
            match item {
                Scanned::Transaction(found) => drop(self.transactions.insert(found.id, *found)),
                Scanned::Reversed(mark) => drop(self.marks.insert(mark.original, mark.reversal)),
                Scanned::Wallet(found) => drop(self.wallets.insert(found.id, *found)),
                Scanned::Entry(_) | Scanned::Unreadable(_) => {}
            }
        }
        Ok(())
    }
}
