//! Reads: what a command needs in one `BatchGetItem`, and the pages of statements and lists.
//!
//! Reads that a decision rests on are strongly consistent. The two indexes are not: a new wallet or attempt may take a
//! moment to be listed.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use wallet_domain::{Command, Entry, Owner, Snapshots, Timestamp, Transaction, TransactionId, Wallet, WalletId};

use crate::fault::Fault;
use crate::items::{Builder, Fields, Item, entry_from_item, lease_of, transaction_from_item, wallet_from_item};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::names::{
    ATTEMPT_WALLET, ATTEMPTS_INDEX, CREATED_AT, LAST_VERSION, OWNER, OWNER_INDEX, PK, REVERSAL, SK, TXN, WALLET,
    entry_sk, transaction_pk, wallet_pk,
};
use crate::usage::Usage;

/// Part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<C>,
}

/// The place of an item in an index: its time, and its id where times are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The range key.
    pub created_at: Timestamp,
    /// A wallet's or transaction's id.
    pub id: String,
}

impl<T, C> Page<T, C> {
    /// Cuts a list that was read one item further than asked for.
    fn cut(mut items: Vec<T>, limit: u32, mark: impl Fn(&T) -> C) -> Page<T, C> {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(mark) } else { None };
        Page { items, next }
    }
}

impl Ledger {
    /// The wallet as it is now.
    ///
    /// # Errors
    /// [`Fault`] of the database or of the stored item.
    pub async fn wallet(&self, id: WalletId, usage: &mut Usage) -> Result<Option<Wallet>, Fault> {
        let items = self.get(vec![key(wallet_pk(id), WALLET)], usage).await?;
        items.first().map(wallet_from_item).transpose()
    }

    /// The transaction, posted or failed.
    ///
    /// # Errors
    /// As [`Ledger::wallet`].
    pub async fn transaction(&self, id: TransactionId, usage: &mut Usage) -> Result<Option<Transaction>, Fault> {
        let items = self.get(vec![key(transaction_pk(id), TXN)], usage).await?;
        items.first().map(transaction_from_item).transpose()
    }

    /// A wallet's entries, newest first, of versions below `before`. Strongly consistent.
    ///
    /// # Errors
    /// As [`Ledger::wallet`].
    pub async fn entries(
        &self,
        wallet: WalletId,
        before: Option<u64>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Entry, u64>, Fault> {
        let newest = match before {
            Some(0) => return Ok(Page { items: vec![], next: None }),
            Some(before) => (before - 1).min(LAST_VERSION),
            None => LAST_VERSION,
        };
        usage.calls += 1;
        let output = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("PK = :pk AND SK BETWEEN :oldest AND :newest")
            .expression_attribute_values(":pk", AttributeValue::S(wallet_pk(wallet)))
            .expression_attribute_values(":oldest", AttributeValue::S(entry_sk(0)))
            .expression_attribute_values(":newest", AttributeValue::S(entry_sk(newest)))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(one_more(limit))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| Fault::from_sdk("Query", error))?;
        usage.read(output.consumed_capacity());
        let entries = output.items().iter().map(entry_from_item).collect::<Result<_, _>>()?;
        Ok(Page::cut(entries, limit, |entry: &Entry| entry.version))
    }

    /// An owner's wallets, oldest first.
    ///
    /// # Errors
    /// As [`Ledger::wallet`].
    pub async fn wallets_of(
        &self,
        owner: &Owner,
        after: Option<Mark>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Wallet, Mark>, Fault> {
        let start = after.map(|mark| (format!("WALLET#{}", mark.id), WALLET, mark.created_at));
        let found = self.index(OWNER_INDEX, OWNER, owner.to_string(), true, start, limit, usage).await?;
        let mut page = Page::cut(found, limit, mark);
        let order: Vec<&str> = page.items.iter().map(|item| Fields(item).text(PK)).collect::<Result<_, _>>()?;
        let keys = order.iter().map(|pk| key((*pk).to_owned(), WALLET)).collect();
        let mut wallets = HashMap::new();
        for item in self.get(keys, usage).await? {
            let wallet = wallet_from_item(&item)?;
            wallets.insert(wallet_pk(wallet.id), wallet);
        }
        let items = order.into_iter().filter_map(|pk| wallets.remove(pk)).collect();
        Ok(Page { items, next: page.next.take().transpose()? })
    }

    /// Requests about a wallet that were refused, newest first.
    ///
    /// # Errors
    /// As [`Ledger::wallet`].
    pub async fn attempts(
        &self,
        wallet: WalletId,
        after: Option<Mark>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Transaction, Mark>, Fault> {
        let start = after.map(|mark| (format!("TXN#{}", mark.id), TXN, mark.created_at));
        let found = self.index(ATTEMPTS_INDEX, ATTEMPT_WALLET, wallet.to_string(), false, start, limit, usage).await?;
        let attempts = found.iter().map(transaction_from_item).collect::<Result<_, _>>()?;
        let mark = |attempt: &Transaction| Mark { created_at: attempt.created_at, id: attempt.id.to_string() };
        Ok(Page::cut(attempts, limit, mark))
    }

    /// Everything that `command` has to be decided on, and its own transaction if it exists already; and the leases on
    /// its wallets, live or expired.
    pub(crate) async fn load(&self, command: &Command, usage: &mut Usage) -> Result<(Snapshots, Vec<Lease>), Fault> {
        let keys = places(command).into_iter().map(|(pk, sk)| key(pk, sk)).collect();
        understood(command, &self.get(keys, usage).await?)
    }

    /// The items that exist under up to 100 distinct keys, strongly consistent, in no order.
    pub(crate) async fn get(&self, mut keys: Vec<Item>, usage: &mut Usage) -> Result<Vec<Item>, Fault> {
        let mut items = vec![];
        for round in 0..self.policy.max_attempts {
            if keys.is_empty() {
                return Ok(items);
            }
            if round > 0 {
                tokio::time::sleep(self.policy.delay(round)).await;
            }
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            usage.calls += 1;
            let output = self
                .client
                .batch_get_item()
                .request_items(&*self.table, request.expect("keys are set"))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| Fault::from_sdk("BatchGetItem", error))?;
            usage.read(output.consumed_capacity());
            // Under load DynamoDB answers in part and names the keys that it left out.
            keys = output
                .unprocessed_keys
                .and_then(|mut tables| tables.remove(&*self.table))
                .map(|rest| rest.keys)
                .unwrap_or_default();
            items.extend(output.responses.and_then(|mut tables| tables.remove(&*self.table)).unwrap_or_default());
        }
        if keys.is_empty() {
            return Ok(items);
        }
        Err(Fault::throttled(format!("BatchGetItem: {} keys left unprocessed after all tries", keys.len())))
    }

    /// One item more than `limit` under one hash key of an index.
    #[expect(clippy::too_many_arguments, reason = "each names one part of the query")]
    async fn index(
        &self,
        index: &str,
        attribute: &str,
        value: String,
        forward: bool,
        start: Option<(String, &str, Timestamp)>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Vec<Item>, Fault> {
        let start = start.map(|(pk, sk, created_at)| {
            Builder::default().text(PK, pk).text(SK, sk).text(attribute, &value).time(CREATED_AT, created_at).build()
        });
        usage.calls += 1;
        let output = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name(index)
            .key_condition_expression("#hash = :hash")
            .expression_attribute_names("#hash", attribute)
            .expression_attribute_values(":hash", AttributeValue::S(value.clone()))
            .scan_index_forward(forward)
            .set_exclusive_start_key(start)
            .limit(one_more(limit))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| Fault::from_sdk("Query", error))?;
        usage.read(output.consumed_capacity());
        Ok(output.items.unwrap_or_default())
    }
}

/// Where everything is that `command` has to be decided on, and its own transaction: partition and sort keys, each once.
pub(crate) fn places(command: &Command) -> BTreeSet<(String, &'static str)> {
    let transactions = [command.transaction()].into_iter().chain(command.references());
    transactions
        .map(|id| (transaction_pk(id), TXN))
        .chain(command.reverses().map(|id| (transaction_pk(id), REVERSAL)))
        .chain(command.wallets().into_iter().map(|id| (wallet_pk(id), WALLET)))
        .collect()
}

/// What the items at the [`places`] of `command` say: snapshots, and leases, live or expired.
pub(crate) fn understood<'a>(
    command: &Command,
    items: impl IntoIterator<Item = &'a Item>,
) -> Result<(Snapshots, Vec<Lease>), Fault> {
    let (mut snapshots, mut leases) = (Snapshots::default(), vec![]);
    for item in items {
        match Fields(item).text(SK)? {
            WALLET => {
                let wallet = wallet_from_item(item)?;
                snapshots.wallets.insert(wallet.id, wallet);
                leases.extend(lease_of(item)?);
            }
            REVERSAL => snapshots.reversed.extend(command.reverses()),
            _ => {
                let transaction = transaction_from_item(item)?;
                snapshots.transactions.insert(transaction.id, transaction);
            }
        }
    }
    Ok((snapshots, leases))
}

pub(crate) fn key(pk: String, sk: &str) -> Item {
    Builder::default().text(PK, pk).text(SK, sk).build()
}

/// The place of a wallet's keys in the owner index.
fn mark(item: &Item) -> Result<Mark, Fault> {
    let fields = Fields(item);
    let id = fields.named(PK, |pk| pk.strip_prefix("WALLET#").map(str::to_owned))?;
    Ok(Mark { created_at: fields.parsed(CREATED_AT)?, id })
}

fn one_more(limit: u32) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX - 1) + 1
}
