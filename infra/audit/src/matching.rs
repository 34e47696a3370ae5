//! Compares entries and transactions, each read again with its counterpart. Where the credit of a batched wallet is,
//! `inbox.rs` checks.
//!
//! Both are written at once and never change, so what doesn't match is read a second time, a moment later, only because
//! a read may fall between the items of one write.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::sleep;
use wallet_domain::{Entry, Transaction, TransactionId, WalletId};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Scanned};

use crate::finding::{Check, Finding};
use crate::known::Known;
use crate::reader::Reader;
use crate::row::Row;

/// Longer than a write takes to be seen whole.
pub(crate) const SECOND_LOOK: Duration = Duration::from_millis(200);

/// Checks that each entry is a leg of the transaction that it names.
pub(crate) async fn entries(reader: &Reader, entries: &[Entry]) -> Result<Vec<Finding>, Fault> {
    twice(|| match_entries(reader, entries)).await
}

/// Checks that each leg that says its version has its entry.
pub(crate) async fn transactions(reader: &Reader, transactions: &[Transaction]) -> Result<Vec<Finding>, Fault> {
    twice(|| match_transactions(reader, transactions)).await
}

/// Looks, and where it finds something looks again, a moment later: only the second look counts.
pub(crate) async fn twice<F>(look: impl Fn() -> F) -> Result<Vec<Finding>, Fault>
where
    F: Future<Output = Result<Vec<Finding>, Fault>>,
{
    twice_pausing(|pause| {
        let looked = look();
        async move {
            sleep(pause).await;
            looked.await
        }
    })
    .await
}

/// The same for what reads a wallet anew, which others go on writing: the second look is told for how long to pause between
/// its reads, so that each commit seen by one is whole for the next.
pub(crate) async fn twice_pausing<F>(look: impl Fn(Duration) -> F) -> Result<Vec<Finding>, Fault>
where
    F: Future<Output = Result<Vec<Finding>, Fault>>,
{
    let findings = look(Duration::ZERO).await?;
    if findings.is_empty() {
        return Ok(findings);
    }
    look(SECOND_LOOK).await
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
    let is_its =
        |leg: &&Row<'_>| leg.wallet == mine.wallet && leg.place.is_none_or(|(version, _)| version == entry.version);
    let Some(leg) = legs.iter().find(is_its) else {
        return Some("the entry's transaction has no such leg".to_owned());
    };
    // The leg of a credit that was settled says no version and balance: the fold gave them to the row.
    differ("the entry", &Row { place: mine.place.filter(|_| leg.place.is_some()), ..mine }, leg)
}

/// How what `who` says differs from what its transaction says.
pub(crate) fn differ(who: &str, mine: &Row<'_>, leg: &Row<'_>) -> Option<String> {
    if mine == leg {
        return None;
    }
    let said = |row: &Row<'_>| {
        let after = row.place.map(|(_, balance)| format!(", balance after {balance}"));
        format!("{} {:?}{}", row.kind.as_str(), row.amount, after.unwrap_or_default())
    };
    let (says, leg_says) = (said(mine), said(leg));
    Some(if says != leg_says {
        format!("{who} says {says}; its transaction says {leg_says}")
    } else if mine.seal != leg.seal {
        format!("{who} holds the seal {}, its transaction's is {}", mine.seal, leg.seal)
    } else if (mine.from, mine.reference, mine.caller) != (leg.from, leg.reference, leg.caller) {
        format!("{who} names another counterparty, reference or caller than its transaction")
    } else {
        format!("{who} holds another hash or state of the wallet than the wallet that its transaction keeps")
    })
}

async fn match_transactions(reader: &Reader, transactions: &[Transaction]) -> Result<Vec<Finding>, Fault> {
    let legs = transactions.iter().flat_map(Row::of_transaction);
    let legs: Vec<(Row<'_>, u64)> = legs.filter_map(|leg| Some((leg, leg.place?.0))).collect();
    // Most legs have the first row of an item, or the only one.
    let mut places: Vec<(WalletId, u64)> = legs.iter().map(|(leg, version)| (leg.wallet, *version)).collect();
    places.sort_unstable();
    places.dedup();
    let keys: Vec<Key> = places.iter().map(|(wallet, version)| Key::Entries(*wallet, *version)).collect();
    let mut found: HashMap<(WalletId, u64), Option<TransactionId>> = HashMap::new();
    for item in reader.look_up(&keys).await? {
        match item {
            Scanned::Entries(rows) => {
                found.extend(rows.iter().map(|row| ((row.wallet, row.version), Some(row.transaction))));
            }
            Scanned::Unreadable(item) => drop(item.wallet.zip(item.version).map(|place| found.insert(place, None))),
            // Nothing else was asked for.
            _ => {}
        }
    }
    // A commit of several transactions writes one item, under the version of its first row. The highest version comes first:
    // its read brings the other rows of its item along.
    for (wallet, version) in places.into_iter().rev() {
        if found.contains_key(&(wallet, version)) {
            continue;
        }
        match reader.run_up_to(wallet, version).await {
            Ok(rows) => found.extend(rows.iter().map(|row| ((row.wallet, row.version), Some(row.transaction)))),
            Err(fault) if fault.is_passing() => return Err(fault),
            Err(_unreadable) => drop(found.insert((wallet, version), None)),
        }
    }
    let findings = legs.iter().filter_map(|(leg, version)| {
        let difference = match found.get(&(leg.wallet, *version)) {
            None => "the entry of this leg is missing".to_owned(),
            Some(None) => "the entry of this leg cannot be read".to_owned(),
            Some(Some(other)) if *other != leg.transaction => format!("the entry of this leg is of {other}"),
            // What else may differ is found from the entry's side.
            Some(Some(_)) => return None,
        };
        let finding = Finding::wallet(leg.wallet, *version, Check::Matching, difference);
        Some(Finding { transaction: Some(leg.transaction), ..finding })
    });
    Ok(findings.collect())
}
