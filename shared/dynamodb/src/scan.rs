//! Everything on the table, read and decoded: what an audit goes through.
//!
//! Reads only, strongly consistent. An item that cannot be read is a value here and no fault, since it is what an audit
//! looks for. A scan is not one moment in time: what it reads late may be newer than what it read early.
//!
//! Round trips: one per page of up to 1,000 items, and one per 100 keys looked up.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use wallet_domain::{Entry, Transaction, TransactionId, Wallet, WalletId};

use crate::fault::Fault;
use crate::items::{
    Builder, Fields, Item, entry_from_item, reversal_from_item, transaction_from_item, wallet_from_item,
};
use crate::ledger::Ledger;
use crate::names::{ENTRY, PK, REVERSAL, SK, TXN, WALLET, entry_sk, transaction_pk, wallet_pk};
use crate::read::Page;
use crate::usage::Usage;

/// Keys of one `BatchGetItem`.
pub(crate) const KEYS_PER_CALL: usize = 100;
/// Items of one page: at under 1 KB each a little less than the megabyte at which DynamoDB ends a page by itself. The
/// embedded database reads all that is left of the table for a page without this bound.
const ITEMS_PER_PAGE: i32 = 1_000;

/// An item of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// A wallet.
    Wallet(Box<Wallet>),
    /// A line of a wallet's statement.
    Entry(Box<Entry>),
    /// The record of a request.
    Transaction(Box<Transaction>),
    /// The mark beside a transaction that was reversed.
    Reversed(Reversed),
    /// What the ledger cannot have written.
    Unreadable(Unreadable),
}

/// A transaction that was reversed, and by which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reversed {
    /// What was undone.
    pub original: TransactionId,
    /// What undid it.
    pub reversal: TransactionId,
}

/// An item that cannot be read, by what its key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The wallet of its key.
    pub wallet: Option<WalletId>,
    /// The version of its key.
    pub version: Option<u64>,
    /// The transaction of its key.
    pub transaction: Option<TransactionId>,
    /// Which attribute is wrong.
    pub reason: String,
}

/// An item to look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A wallet.
    Wallet(WalletId),
    /// A wallet's entry of one version.
    Entry(WalletId, u64),
    /// A transaction.
    Transaction(TransactionId),
    /// The mark of a transaction's reversal.
    Reversal(TransactionId),
}

/// Where a scan goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor(Item);

impl Ledger {
    /// A page of one of `segments` parts of the table, which may be scanned side by side.
    ///
    /// Items of one wallet usually come one after the other, entries first and oldest first, then the wallet.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn scan(
        &self,
        segment: u32,
        segments: u32,
        from: Option<Cursor>,
        usage: &mut Usage,
    ) -> Result<Page<Scanned, Cursor>, Fault> {
        usage.calls += 1;
        let number = |value| i32::try_from(value).unwrap_or(i32::MAX);
        let sent = self.client.scan().table_name(&*self.table).consistent_read(true);
        let sent = sent.segment(number(segment)).total_segments(number(segments)).limit(ITEMS_PER_PAGE);
        let sent = sent.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let sent = sent.set_exclusive_start_key(from.map(|cursor| cursor.0)).send().await;
        let output = sent.map_err(|error| Fault::from_sdk("Scan", error))?;
        usage.read(output.consumed_capacity());
        Ok(page(output.items.unwrap_or_default(), output.last_evaluated_key))
    }

    /// A page of a wallet's entries, oldest or newest first, whatever its item says.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn history(
        &self,
        wallet: WalletId,
        oldest_first: bool,
        from: Option<Cursor>,
        usage: &mut Usage,
    ) -> Result<Page<Scanned, Cursor>, Fault> {
        usage.calls += 1;
        let sent = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :entry)")
            .expression_attribute_values(":pk", AttributeValue::S(wallet_pk(wallet)))
            .expression_attribute_values(":entry", AttributeValue::S(ENTRY.to_owned()))
            .scan_index_forward(oldest_first)
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .consistent_read(true)
            .limit(ITEMS_PER_PAGE)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let output = sent.map_err(|error| Fault::from_sdk("Query", error))?;
        usage.read(output.consumed_capacity());
        Ok(page(output.items.unwrap_or_default(), output.last_evaluated_key))
    }

    /// The items that exist under distinct `keys`, in no order.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn look_up(&self, keys: &[Key], usage: &mut Usage) -> Result<Vec<Scanned>, Fault> {
        let mut found = vec![];
        for keys in keys.chunks(KEYS_PER_CALL) {
            let keys = keys.iter().map(|key| match key {
                Key::Wallet(id) => (wallet_pk(*id), WALLET.to_owned()),
                Key::Entry(id, version) => (wallet_pk(*id), entry_sk(*version)),
                Key::Transaction(id) => (transaction_pk(*id), TXN.to_owned()),
                Key::Reversal(id) => (transaction_pk(*id), REVERSAL.to_owned()),
            });
            let keys = keys.map(|(pk, sk)| Builder::default().text(PK, pk).text(SK, sk).build()).collect();
            found.extend(self.get(keys, usage).await?.iter().map(scanned));
        }
        Ok(found)
    }
}

fn page(items: Vec<Item>, last: Option<Item>) -> Page<Scanned, Cursor> {
    Page { items: items.iter().map(scanned).collect(), next: last.filter(|key| !key.is_empty()).map(Cursor) }
}

fn scanned(item: &Item) -> Scanned {
    let text = |name| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
    let (pk, sk) = (text(PK), text(SK));
    decoded(item, pk, sk).unwrap_or_else(|fault| {
        let id = pk.strip_prefix("WALLET#").and_then(|id| id.parse().ok());
        Scanned::Unreadable(Unreadable {
            wallet: id,
            version: sk.strip_prefix(ENTRY).and_then(|version| version.parse().ok()),
            transaction: pk.strip_prefix("TXN#").and_then(|id| id.parse().ok()),
            reason: fault.to_string(),
        })
    })
}

fn decoded(item: &Item, pk: &str, sk: &str) -> Result<Scanned, Fault> {
    let wrong = |name| Err(Fields(item).wrong(name));
    match sk {
        WALLET => Ok(Scanned::Wallet(Box::new(wallet_from_item(item)?))),
        TXN => {
            let transaction = transaction_from_item(item)?;
            if transaction_pk(transaction.id) != pk {
                return wrong(PK);
            }
            Ok(Scanned::Transaction(Box::new(transaction)))
        }
        REVERSAL => {
            let (original, reversal) = reversal_from_item(item)?;
            Ok(Scanned::Reversed(Reversed { original, reversal }))
        }
        _ if sk.starts_with(ENTRY) => {
            let entry = entry_from_item(item)?;
            if entry_sk(entry.version) != sk {
                return wrong(SK);
            }
            Ok(Scanned::Entry(Box::new(entry)))
        }
        _ => Err(Fault::damaged(format!("item {pk} / {sk} is none of the ledger's"))),
    }
}
