//! Entries and transactions, each read again with its counterpart.
//!
//! Both are written at once and never change, so what doesn't match is read a second time, a moment later, only because
//! a read may fall between the items of one write.

use std::collections::HashMap;
use std::time::Duration;

use wallet_domain::{Entry, Transaction, TransactionId, WalletId};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Scanned};

use crate::finding::{Check, Finding};
use crate::known::Known;
use crate::reader::Reader;
use crate::row::Row;

/// Longer than a write takes to be seen whole.
const SECOND_LOOK: Duration = Duration::from_millis(200);

/// Whether each entry is the leg of the transaction that it names.
pub(crate) async fn entries(reader: &Reader, entries: &[Entry]) -> Result<Vec<Finding>, Fault> {
    twice(|| match_entries(reader, entries)).await
}

/// Whether each leg of each transaction has its entry.
pub(crate) async fn transactions(reader: &Reader, transactions: &[Transaction]) -> Result<Vec<Finding>, Fault> {
    twice(|| match_transactions(reader, transactions)).await
}

/// Looks, and where it finds something looks again: only the second look counts.
pub(crate) async fn twice<F>(look: impl Fn() -> F) -> Result<Vec<Finding>, Fault>
where
    F: Future<Output = Result<Vec<Finding>, Fault>>,
{
    let findings = look().await?;
    if findings.is_empty() {
        return Ok(findings);
    }
    tokio::time::sleep(SECOND_LOOK).await;
    look().await
}

async fn match_entries(reader: &Reader, entries: &[Entry]) -> Result<Vec<Finding>, Fault> {
    let mut known = Known::default();
    known.read(reader, entries.iter().map(|entry| Key::Transaction(entry.transaction))).await?;
    let findings = entries.iter().filter_map(|entry| {
        let difference = match known.transaction(entry.transaction) {
            Some(transaction) => differs(entry, transaction)?,
            None if known.lacks(entry.transaction) => "the entry's transaction is missing".to_owned(),
            None => "the entry's transaction cannot be read".to_owned(),
        };
        let finding = Finding::wallet(entry.wallet, entry.version, Check::Matching, difference);
        Some(Finding { transaction: Some(entry.transaction), ..finding })
    });
    Ok(findings.collect())
}

fn differs(entry: &Entry, transaction: &Transaction) -> Option<String> {
    let (mine, legs) = (Row::of_entry(entry), Row::of_transaction(transaction));
    if legs.contains(&mine) {
        return None;
    }
    let Some(leg) = legs.iter().find(|leg| leg.wallet == mine.wallet && leg.version == mine.version) else {
        return Some("the entry's transaction has no such leg".to_owned());
    };
    let said = |row: &Row| format!("{} {:?}, balance after {}", row.kind.as_str(), row.amount, row.balance_after);
    let (says, leg_says) = (said(&mine), said(leg));
    Some(if says != leg_says {
        format!("the entry says {says}; its transaction says {leg_says}")
    } else if mine.seal != leg.seal {
        format!("the entry holds the seal {}, its transaction's is {}", mine.seal, leg.seal)
    } else {
        "the entry holds another hash or state of the wallet than the wallet that its transaction keeps".to_owned()
    })
}

async fn match_transactions(reader: &Reader, transactions: &[Transaction]) -> Result<Vec<Finding>, Fault> {
    let legs: Vec<Row> = transactions.iter().flat_map(Row::of_transaction).collect();
    let mut places: Vec<(WalletId, u64)> = legs.iter().map(|leg| (leg.wallet, leg.version)).collect();
    places.sort_unstable();
    places.dedup();
    let keys: Vec<Key> = places.into_iter().map(|(wallet, version)| Key::Entries(wallet, version)).collect();
    let mut found: HashMap<(WalletId, u64), Option<TransactionId>> = HashMap::new();
    for item in reader.look_up(&keys).await? {
        match item {
            Scanned::Entries(rows) => {
                found.extend(rows.iter().map(|row| ((row.wallet, row.version), Some(row.transaction))));
            }
            Scanned::Unreadable(item) => drop(item.wallet.zip(item.version).map(|place| found.insert(place, None))),
            Scanned::Wallet(_) | Scanned::Transaction(_) | Scanned::Mark(_) | Scanned::Credit(_) => {}
        }
    }
    let findings = legs.iter().filter_map(|leg| {
        let difference = match found.get(&(leg.wallet, leg.version)) {
            None => "the entry of this leg is missing".to_owned(),
            Some(None) => "the entry of this leg cannot be read".to_owned(),
            Some(Some(other)) if *other != leg.transaction => format!("the entry of this leg is of {other}"),
            // What else may differ is told from the entry's side.
            Some(Some(_)) => return None,
        };
        let finding = Finding::wallet(leg.wallet, leg.version, Check::Matching, difference);
        Some(Finding { transaction: Some(leg.transaction), ..finding })
    });
    Ok(findings.collect())
}
