//! Reads and decodes everything in the table, for the audit.
//!
//! Reads only, strongly consistent. An item that cannot be read is a value here and no fault, since it is what an audit
//! looks for. A scan is not one moment in time: what it reads late may be newer than what it read early.
//!
//! Round trips: one per page of up to 1,000 items, and one per 100 keys looked up.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use rust_decimal::Decimal;
use wallet_domain::{Credit, Entry, Hold, Mark, MarkName, Transaction, TransactionId, Wallet, WalletId};

use crate::fault::Fault;
use crate::item::{Fields, Item};
use crate::items::{
    Queued, Record, credit_from_item, credit_item, entries_from_item, entries_item, hold_from_item, hold_item,
    item_of_queued, mark_from_item, mark_item, record_from_item, transaction_item, wallet_from_item, wallet_item,
};
use crate::ledger::Ledger;
use crate::lists::Page;
use crate::names::{
    ENTRY, HOLD, INBOX, LEASE_HOLDER, LEASE_UNTIL, PK, SK, TXN, WALLET, entry_sk, inbox_pk, transaction_pk, wallet_pk,
};
use crate::read::key;
use crate::usage::Usage;

/// Keys of one `BatchGetItem`.
const KEYS_PER_CALL: usize = 100;
/// Items of one page: at under 1 KB each a little less than the megabyte at which DynamoDB ends a page by itself. The
/// embedded database reads all that is left of the table for a page without this bound.
const ITEMS_PER_PAGE: i32 = 1_000;

/// An item of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// A wallet.
    Wallet(Box<Wallet>),
    /// Rows of a wallet's statement, one or a run of them.
    Entries(Vec<Entry>),
    /// The record of a request.
    Transaction(Box<Transaction>),
    /// A request that waits, in the place of its transaction.
    Queued(Box<Queued>),
    /// A thing that happened to a transaction.
    Mark(Mark),
    /// A credit that waits in an inbox.
    Credit(Box<Credit>),
    /// A hold, whatever has become of it.
    Hold(Box<Hold>),
    /// What the ledger cannot have written.
    Unreadable(Unreadable),
}

impl Scanned {
    /// The rows of a wallet's statement; none of any other item.
    #[must_use]
    pub fn into_rows(self) -> Vec<Entry> {
        if let Scanned::Entries(rows) = self { rows } else { vec![] }
    }
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
    /// The rows of a wallet that begin with one version.
    Entries(WalletId, u64),
    /// A transaction.
    Transaction(TransactionId),
    /// A mark of a transaction.
    Mark(TransactionId, MarkName),
    /// The credit of a transaction in the inbox of a wallet.
    Credit(WalletId, TransactionId),
}

/// Part of what a wallet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its entries, oldest first.
    History,
    /// Its entries, newest first.
    Newest,
    /// Its holds, oldest first.
    Holds,
    /// What waits in its inbox, in the order of its keys.
    Inbox,
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
        let sent = sent.set_exclusive_start_key(from.map(|cursor| cursor.0)).send();
        let output = usage.answer("Scan", sent).await?;
        usage.read(output.consumed_capacity());
        Ok(page(output.items.unwrap_or_default(), output.last_evaluated_key))
    }

    /// How many items the table says that it has; `None` where it doesn't say. DynamoDB counts them every six hours, and says 0 of a
    /// table that it has not counted yet.
    ///
    /// # Errors
    /// [`Fault`] of the database, also where the role lacks `dynamodb:DescribeTable`.
    pub async fn item_count(&self) -> Result<Option<u64>, Fault> {
        let sent = self.client.describe_table().table_name(&*self.table).send();
        let output = Usage::default().answer("DescribeTable", sent).await?;
        let count = output.table.and_then(|table| u64::try_from(table.item_count?).ok());
        Ok(count.filter(|count| *count > 0))
    }

    /// A page of this part of what a wallet has, whatever the wallet's own item says.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn page_of(
        &self,
        part: Part,
        wallet: WalletId,
        from: Option<Cursor>,
        usage: &mut Usage,
    ) -> Result<Page<Scanned, Cursor>, Fault> {
        let (pk, prefix) = match part {
            Part::History | Part::Newest => (wallet_pk(wallet), Some(ENTRY)),
            Part::Holds => (wallet_pk(wallet), Some(HOLD)),
            Part::Inbox => (inbox_pk(wallet), None),
        };
        let condition = if prefix.is_some() { "PK = :pk AND begins_with(SK, :prefix)" } else { "PK = :pk" };
        let prefix = prefix.map(|prefix| (":prefix".to_owned(), AttributeValue::S(prefix.to_owned())));
        let values = [(":pk".to_owned(), AttributeValue::S(pk))].into_iter().chain(prefix).collect();
        let query = self
            .client
            .query()
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .scan_index_forward(part != Part::Newest)
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .consistent_read(true)
            .limit(ITEMS_PER_PAGE);
        let output = self.query(query, usage).await?;
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
                Key::Entries(id, version) => (wallet_pk(*id), entry_sk(*version)),
                Key::Transaction(id) => (transaction_pk(*id), TXN.to_owned()),
                Key::Credit(wallet, id) => (inbox_pk(*wallet), id.to_string()),
                Key::Mark(id, name) => (transaction_pk(*id), name.as_str().to_owned()),
            });
            let keys = keys.map(|(pk, sk)| key(pk, &sk)).collect();
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
        let of_wallet = pk.strip_prefix("WALLET#");
        Scanned::Unreadable(Unreadable {
            wallet: of_wallet.or(pk.strip_prefix(INBOX)).and_then(|id| id.parse().ok()),
            version: of_wallet.and(sk.strip_prefix(ENTRY)).and_then(|version| version.parse().ok()),
            transaction: pk.strip_prefix("TXN#").unwrap_or(sk).parse().ok(),
            reason: fault.to_string(),
        })
    })
}

fn decoded(item: &Item, pk: &str, sk: &str) -> Result<Scanned, Fault> {
    let scanned = match sk {
        WALLET => Scanned::Wallet(Box::new(wallet_from_item(item)?)),
        TXN => match record_from_item(item)? {
            Record::Transaction(transaction) => Scanned::Transaction(transaction),
            Record::Queued(queued) => Scanned::Queued(queued),
        },
        _ if sk.starts_with(ENTRY) => Scanned::Entries(entries_from_item(item)?),
        _ if sk.starts_with(HOLD) => Scanned::Hold(Box::new(hold_from_item(item)?)),
        _ if pk.starts_with(INBOX) => Scanned::Credit(Box::new(credit_from_item(item)?)),
        _ if pk.starts_with("TXN#") => Scanned::Mark(mark_from_item(item)?),
        _ => return Err(Fault::damaged(format!("item {pk} / {sk} is none of the ledger's"))),
    };
    let rewritten = match &scanned {
        Scanned::Wallet(wallet) => wallet_item(wallet),
        Scanned::Transaction(transaction) => transaction_item(transaction),
        Scanned::Queued(queued) => item_of_queued(queued),
        Scanned::Entries(rows) => entries_item(rows),
        Scanned::Hold(hold) => hold_item(hold),
        Scanned::Credit(credit) => credit_item(credit),
        Scanned::Mark(mark) => mark_item(mark),
        Scanned::Unreadable(_) => return Ok(scanned),
    };
    as_written(item, &rewritten)?;
    Ok(scanned)
}

/// Checks that the item is what the ledger writes, attribute by attribute. A lease may be there or not.
fn as_written(item: &Item, rewritten: &Item) -> Result<(), Fault> {
    let lease = |name: &str| matches!(name, LEASE_HOLDER | LEASE_UNTIL);
    let differs = |name: &&String| !rewritten.get(*name).zip(item.get(*name)).is_some_and(|(a, b)| same(a, b));
    match item.keys().chain(rewritten.keys()).filter(|name| !lease(name)).find(differs) {
        Some(name) => Err(Fields(item).wrong(name)),
        None => Ok(()),
    }
}

/// Whether two values are the same. Databases write numbers in their own way.
fn same(a: &AttributeValue, b: &AttributeValue) -> bool {
    match (a, b) {
        (AttributeValue::N(a), AttributeValue::N(b)) => {
            let number = |text: &str| text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
            a == b || number(a).is_ok_and(|a| number(b) == Ok(a))
        }
        (AttributeValue::L(a), AttributeValue::L(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (AttributeValue::M(a), AttributeValue::M(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
