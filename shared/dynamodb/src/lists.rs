//! Lists, a page at a time: statements, and what the indexes lead to.
//!
//! A statement is read strongly consistent. The indexes are not: a new wallet or transaction may take a moment to be listed.
//! All but that of attempts have keys alone. Of wallets by owner and transactions by reference the items themselves are then
//! read, consistently.
//!
//! Round trips: one; two for wallets by owner and transactions by reference.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_domain::{Entry, MAX_FOLD, Owner, Reference, Timestamp, Transaction, Wallet, WalletId};

use crate::fault::Fault;
use crate::item::{Builder, Fields, Item};
use crate::items::{entries_from_item, transaction_from_item, wallet_from_item};
use crate::ledger::Ledger;
use crate::names::{
    ATTEMPT_WALLET, ATTEMPTS_INDEX, CALLER_REFERENCE, CREATED_AT, DUE, DUE_AT, DUE_INDEX, LAST_VERSION, OWNER,
    OWNER_INDEX, PK, REFERENCE_INDEX, SK, TXN, WALLET, caller_reference, entry_sk, wallet_pk,
};
use crate::read::key;
use crate::usage::Usage;

/// The most rows of one entries item.
const LONGEST_RUN: u64 = MAX_FOLD as u64;

/// Part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<C>,
}

/// Where an item is in an index: its time, and its id where times are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The range key.
    pub created_at: Timestamp,
    /// A wallet's or transaction's id.
    pub id: String,
}

/// An index by time.
struct Index {
    name: &'static str,
    /// The attribute that is its hash key.
    hash: &'static str,
    /// What the items' partition keys begin with; their ids follow.
    pk: &'static str,
    sk: &'static str,
    oldest_first: bool,
}

const WALLETS: Index = Index { name: OWNER_INDEX, hash: OWNER, pk: "WALLET#", sk: WALLET, oldest_first: true };
const ATTEMPTS: Index = Index { name: ATTEMPTS_INDEX, hash: ATTEMPT_WALLET, pk: "TXN#", sk: TXN, oldest_first: false };
const REFERRED: Index =
    Index { name: REFERENCE_INDEX, hash: CALLER_REFERENCE, pk: "TXN#", sk: TXN, oldest_first: false };

impl<C> Page<Item, C> {
    fn read<T>(self, read: fn(&Item) -> Result<T, Fault>) -> Result<Page<T, C>, Fault> {
        Ok(Page { items: self.items.iter().map(read).collect::<Result<_, _>>()?, next: self.next })
    }
}

impl<T, C> Page<T, C> {
    /// Cuts a list that was read one item further than asked for.
    pub(crate) fn cut(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> C) -> Page<T, C> {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(place) } else { None };
        Page { items, next }
    }
}

impl Ledger {
    /// A wallet's entries, newest first, of versions below `before`. Strongly consistent.
    ///
    /// One `Query`. With `before`, however long the statement is, it reads no more than the page can need: `limit` rows and
    /// one, and the rest of the runs (rows that share an item) that the first and the last of them are in.
    ///
    /// # Errors
    /// [`Fault`] of the database or of the stored items.
    pub async fn entries(
        &self,
        wallet: WalletId,
        before: Option<u64>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Entry, u64>, Fault> {
        // Versions have no gap, so the lowest version of the page is known, and how far below it its run may begin.
        let (oldest, newest) = match before {
            Some(0) => return Ok(Page { items: vec![], next: None }),
            Some(before) => {
                let newest = (before - 1).min(LAST_VERSION);
                (newest.saturating_sub(u64::from(limit) + LONGEST_RUN - 1), newest)
            }
            None => (0, LAST_VERSION),
        };
        let rows = self.rows_between(wallet, oldest..=newest, one_more(limit), usage).await?;
        Ok(Page::cut(rows, limit, |row: &Entry| row.version))
    }

    /// The rows of one commit, from that of `version` down to its first, newest first. Where there is no such row they are of
    /// another commit, or there are none. Strongly consistent; one `Query` of one item.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub async fn run_up_to(&self, wallet: WalletId, version: u64, usage: &mut Usage) -> Result<Vec<Entry>, Fault> {
        let version = version.min(LAST_VERSION);
        self.rows_between(wallet, version.saturating_sub(LONGEST_RUN - 1)..=version, 1, usage).await
    }

    /// Reads the newest `items` items of a wallet's statement whose first row is one of `versions`. Their rows, newest first,
    /// none later than the last of `versions`.
    pub(crate) async fn rows_between(
        &self,
        wallet: WalletId,
        versions: RangeInclusive<u64>,
        items: i32,
        usage: &mut Usage,
    ) -> Result<Vec<Entry>, Fault> {
        let query = self
            .client
            .query()
            .key_condition_expression("PK = :pk AND SK BETWEEN :oldest AND :newest")
            .expression_attribute_values(":pk", AttributeValue::S(wallet_pk(wallet)))
            .expression_attribute_values(":oldest", AttributeValue::S(entry_sk(*versions.start())))
            .expression_attribute_values(":newest", AttributeValue::S(entry_sk(*versions.end())))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(items);
        let output = self.query(query, usage).await?;
        // An item is a run of rows; the run with the last of `versions` may have newer rows too.
        let mut rows = vec![];
        for item in output.items() {
            rows.extend(entries_from_item(item)?.into_iter().rev().filter(|row| row.version <= *versions.end()));
        }
        Ok(rows)
    }

    /// An owner's wallets, oldest first.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub async fn wallets_of(
        &self,
        owner: &Owner,
        after: Option<Place>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Wallet, Place>, Fault> {
        let page = self.listed(&WALLETS, owner.to_string(), after, limit, usage).await?;
        self.behind(page, usage).await?.read(wallet_from_item)
    }

    /// Requests about a wallet that were refused, newest first.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub async fn attempts(
        &self,
        wallet: WalletId,
        after: Option<Place>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Transaction, Place>, Fault> {
        self.listed(&ATTEMPTS, wallet.to_string(), after, limit, usage).await?.read(transaction_from_item)
    }

    /// What `caller` asked for under `reference`, posted and failed, newest first.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub async fn referred(
        &self,
        caller: &Owner,
        reference: &Reference,
        after: Option<Place>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Transaction, Place>, Fault> {
        let page = self.listed(&REFERRED, caller_reference(caller, reference), after, limit, usage).await?;
        self.behind(page, usage).await?.read(transaction_from_item)
    }

    /// The items of a share of the index that are due at `until` or before, the oldest first: `limit` at most, and only those
    /// of `wallet` if one is named.
    pub(crate) async fn due(
        &self,
        share: String,
        until: Timestamp,
        wallet: Option<WalletId>,
        from: Option<Item>,
        limit: i32,
        usage: &mut Usage,
    ) -> Result<Page<Item, Item>, Fault> {
        let query = self
            .client
            .query()
            .index_name(DUE_INDEX)
            .key_condition_expression("#due = :due AND #at <= :until")
            .expression_attribute_names("#due", DUE)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":due", AttributeValue::S(share))
            .expression_attribute_values(":until", AttributeValue::S(format!("{until:.3}")))
            .set_exclusive_start_key(from)
            .limit(limit);
        let query = match wallet {
            Some(wallet) => query
                .filter_expression("#pk = :pk")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":pk", AttributeValue::S(wallet_pk(wallet))),
            None => query,
        };
        let output = self.query(query, usage).await?;
        let next = output.last_evaluated_key.filter(|key| key.contains_key(SK));
        Ok(Page { items: output.items.unwrap_or_default(), next })
    }

    /// A page of `index`, with the attributes that the index has.
    async fn listed(
        &self,
        index: &Index,
        value: String,
        after: Option<Place>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Item, Place>, Fault> {
        let start = after.map(|Place { created_at, id }| {
            let keys = Builder::at(format!("{}{id}", index.pk), index.sk);
            keys.text(index.hash, &value).time(CREATED_AT, created_at).build()
        });
        let query = self
            .client
            .query()
            .index_name(index.name)
            .key_condition_expression("#hash = :hash")
            .expression_attribute_names("#hash", index.hash)
            .expression_attribute_values(":hash", AttributeValue::S(value))
            .scan_index_forward(index.oldest_first)
            .set_exclusive_start_key(start)
            .limit(one_more(limit));
        let items = self.query(query, usage).await?.items.unwrap_or_default();
        let place = |item: &Item| {
            let fields = Fields(item);
            let id = fields.named(PK, |pk| pk.strip_prefix(index.pk).map(str::to_owned))?;
            Ok(Place { created_at: fields.parsed(CREATED_AT)?, id })
        };
        let Page { items, next } = Page::cut(items, limit, place);
        Ok(Page { items, next: next.transpose()? })
    }

    /// Reads the items under a page of keys, in the page's order.
    async fn behind(&self, page: Page<Item, Place>, usage: &mut Usage) -> Result<Page<Item, Place>, Fault> {
        let place = |item: &Item| Ok((Fields(item).text(PK)?.to_owned(), Fields(item).text(SK)?.to_owned()));
        let order: Vec<(String, String)> = page.items.iter().map(place).collect::<Result<_, Fault>>()?;
        let keys = order.iter().map(|(pk, sk)| key(pk.clone(), sk)).collect();
        let mut found = HashMap::new();
        for item in self.get(keys, usage).await? {
            found.insert(place(&item)?, item);
        }
        Ok(Page { items: order.iter().filter_map(|place| found.remove(place)).collect(), next: page.next })
    }
}

/// One item more than the page has shows whether another page follows.
pub(crate) fn one_more(limit: u32) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX - 1) + 1
}
