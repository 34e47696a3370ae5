//! Checks credits of wallets that batch them: what waits in inboxes, and that each credit is in exactly one of inbox and
//! statement.
//!
//! A credit takes two steps, into the inbox and from there into the statement. Each is one write, and a read may fall into
//! the middle of it. So a credit that looks wrong is looked at up to three times: no credit takes three steps.

use std::collections::HashMap;
use std::time::Duration;

use wallet_domain::{Credit, Timestamp, Transaction, TransactionId, Wallet, WalletId};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Part, Scanned};

use crate::finding::{Check, Finding};
use crate::known::Known;
use crate::matching::{SECOND_LOOK, differ};
use crate::reader::Reader;
use crate::row::Row;

/// How long a credit may wait: folds follow within seconds, and wake-ups that are not delivered ring long before.
pub(crate) const OVERDUE: Duration = Duration::from_secs(15 * 60);
/// How often a credit is looked at before it is a finding.
const LOOKS: u32 = 3;
/// How much older than its transaction the row of a credit may be where clocks are right: one may be 5 minutes late, another
/// 5 minutes early, and a wallet's times as far ahead again. A row that is not found within it is looked for among all rows.
const CLOCKS_APART: Duration = Duration::from_secs(15 * 60);

/// What is wrong with credits that wait, of which those posted before `due` have waited too long.
pub(crate) async fn waiting(reader: &Reader, credits: Vec<Credit>, due: Timestamp) -> Result<Vec<Finding>, Fault> {
    let mut doubtful: Vec<(Credit, Vec<Finding>)> = credits.into_iter().map(|credit| (credit, vec![])).collect();
    for look in 0..LOOKS {
        if doubtful.is_empty() {
            break;
        }
        if look > 0 {
            tokio::time::sleep(SECOND_LOOK).await;
        }
        let mut known = Known::default();
        let keys =
            doubtful.iter().flat_map(|(credit, _)| [Key::Wallet(credit.wallet), Key::Transaction(credit.transaction)]);
        known.read(reader, keys).await?;
        doubtful.iter_mut().for_each(|(credit, findings)| *findings = wrong(credit, &known, due));
        doubtful.retain(|(_, findings)| !findings.is_empty());
        // A credit that was settled meanwhile is in the balance that was read, and no finding.
        let mut still = Known::default();
        still.read(reader, doubtful.iter().map(|(credit, _)| Key::Credit(credit.wallet, credit.transaction))).await?;
        doubtful.retain(|(credit, _)| still.waits(credit.wallet, credit.transaction));
    }
    Ok(doubtful.into_iter().flat_map(|(_, findings)| findings).collect())
}

fn wrong(credit: &Credit, known: &Known, due: Timestamp) -> Vec<Finding> {
    let finding = |check, difference| Finding::credit(credit.wallet, credit.transaction, check, difference);
    let matching = match known.transaction(credit.transaction) {
        Some(transaction) => unlike(credit, transaction),
        None if known.lacks(credit.transaction) => Some("the credit's transaction is missing".to_owned()),
        None => Some("the credit's transaction cannot be read".to_owned()),
    };
    let inbox = match known.wallet(credit.wallet) {
        Some(wallet) => beyond(credit, wallet),
        None if known.lacks_wallet(credit.wallet) => Some("the credit waits for a wallet that is not there".to_owned()),
        None => None,
    };
    let overdue = (credit.created_at < due).then(|| {
        format!(
            "a credit of {:?} is overdue: it was posted at {:.3} and is not settled",
            credit.amount, credit.created_at
        )
    });
    let matching = matching.map(|difference| finding(Check::Matching, difference));
    let inbox = inbox.map(|difference| finding(Check::Inbox, difference));
    let overdue = overdue.map(|difference| finding(Check::Overdue, difference));
    matching.into_iter().chain(inbox).chain(overdue).collect()
}

/// How a credit differs from what its transaction says of it.
fn unlike(credit: &Credit, transaction: &Transaction) -> Option<String> {
    let legs = Row::of_transaction(transaction);
    let Some(leg) = legs.iter().find(|leg| leg.wallet == credit.wallet && leg.place.is_none()) else {
        return Some("the credit's transaction has no such leg".to_owned());
    };
    let later = credit.created_at != transaction.created_at;
    let times =
        || format!("the credit is of {:.3}, its transaction of {:.3}", credit.created_at, transaction.created_at);
    differ("the credit", &Row::of_credit(credit), leg).or_else(|| later.then(times))
}

/// Why the wallet can never settle it, as it is now.
fn beyond(credit: &Credit, wallet: &Wallet) -> Option<String> {
    let (amount, balance) = (credit.amount, wallet.balance);
    balance.plus(amount).is_err().then(|| format!("the wallet holds {balance:?} and cannot hold {amount:?} more"))
}

/// A leg that put a credit into an inbox: it says no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Credited {
    pub(crate) wallet: WalletId,
    pub(crate) transaction: TransactionId,
    pub(crate) created_at: Timestamp,
}

impl Credited {
    pub(crate) fn by(transaction: &Transaction) -> impl Iterator<Item = Credited> {
        let (id, created_at) = (transaction.id, transaction.created_at);
        transaction.credited().map(move |wallet| Credited { wallet, transaction: id, created_at })
    }
}

/// Checks that each of `credited` is in exactly one of inbox and statement.
pub(crate) async fn settled(reader: &Reader, mut credited: Vec<Credited>) -> Result<Vec<Finding>, Fault> {
    let mut findings = vec![];
    for look in 0..LOOKS {
        findings.clear();
        if credited.is_empty() {
            break;
        }
        if look > 0 {
            tokio::time::sleep(SECOND_LOOK).await;
        }
        credited.sort_unstable();
        let keys = |credited: &[Credited]| -> Vec<Key> {
            credited.iter().map(|credit| Key::Credit(credit.wallet, credit.transaction)).collect()
        };
        let mut known = Known::default();
        known.read(reader, keys(&credited)).await?;
        let mut doubtful = vec![];
        for of_wallet in credited.chunk_by(|one, other| one.wallet == other.wallet) {
            let rows = rows_of(reader, of_wallet, look == 0).await?;
            for credit in of_wallet {
                let rows = rows.get(&credit.transaction).map_or(&[][..], Vec::as_slice);
                if rows.len() + usize::from(known.waits(credit.wallet, credit.transaction)) != 1 {
                    findings.push(misplaced(credit, rows));
                    doubtful.push(*credit);
                }
            }
        }
        credited = doubtful;
    }
    Ok(findings)
}

/// The versions of the rows that settle each of `credited`, all of one wallet. With `since`, only rows are read that are not
/// older than [`CLOCKS_APART`] allows.
async fn rows_of(
    reader: &Reader,
    credited: &[Credited],
    since: bool,
) -> Result<HashMap<TransactionId, Vec<u64>>, Fault> {
    let mut rows: HashMap<_, _> = credited.iter().map(|credit| (credit.transaction, vec![])).collect();
    let oldest = credited.iter().map(|credit| credit.created_at).min().filter(|_| since);
    let since = oldest.and_then(|oldest| oldest.saturating_sub(CLOCKS_APART).ok()).unwrap_or(Timestamp::MIN);
    let Some(Credited { wallet, .. }) = credited.first() else { return Ok(rows) };
    let (mut pages, mut begun) = (reader.pages(Part::Newest, *wallet), false);
    while !begun && let Some(items) = pages.next().await? {
        for row in items.into_iter().flat_map(Scanned::into_rows) {
            begun |= row.created_at < since;
            if let Some(versions) = rows.get_mut(&row.transaction) {
                versions.push(row.version);
            }
        }
    }
    Ok(rows)
}

fn misplaced(credit: &Credited, rows: &[u64]) -> Finding {
    let difference = match rows {
        [] => "its credit is neither in the inbox nor among the rows that can be read".to_owned(),
        [_] => "its credit is settled and waits in the inbox still".to_owned(),
        more => format!("its credit is settled {} times, at versions {more:?}", more.len()),
    };
    let finding = Finding::credit(credit.wallet, credit.transaction, Check::Matching, difference);
    Finding { version: rows.first().copied(), ..finding }
}
