//! Reads of what a command is decided on, and of single items.
//!
//! All are strongly consistent. `BatchGetItem` shows each item as it was at some moment, and not all at the same; only
//! `TransactGetItems` is one moment.
//!
//! Round trips: one each, and one more each time that DynamoDB leaves out keys which are then asked for again.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::types::{Get, KeysAndAttributes, ReturnConsumedCapacity, TransactGetItem};
use wallet_domain::{Command, Credit, Mark, MarkName, Snapshots, Transaction, TransactionId, Wallet, WalletId};

use crate::fault::{Class, Fault};
use crate::item::{Builder, Fields, Item};
use crate::items::{
    Queued, Record, credit_key, credit_place, hold_from_item, lease_of, mark_from_item, record_from_item,
    wallet_from_item,
};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::names::{HOLD, SK, TXN, WALLET, hold_sk, transaction_pk, wallet_pk};
use crate::usage::Usage;

/// The most items of one `TransactGetItems`.
pub(crate) const MOST_READ: usize = 100;

impl Ledger {
    /// The wallet as it is now.
    ///
    /// # Errors
    /// [`Fault`] of the database or of the stored item.
    pub async fn wallet(&self, id: WalletId, usage: &mut Usage) -> Result<Option<Wallet>, Fault> {
        let items = self.get(vec![key(wallet_pk(id), WALLET)], usage).await?;
        items.first().map(wallet_from_item).transpose()
    }

    /// The transaction, posted or failed; `None` while its request waits.
    ///
    /// # Errors
    /// As [`Ledger::wallet`].
    pub async fn transaction(&self, id: TransactionId, usage: &mut Usage) -> Result<Option<Transaction>, Fault> {
        Ok(match self.record(id, usage).await? {
            Some(Record::Transaction(transaction)) => Some(*transaction),
            Some(Record::Queued(_)) | None => None,
        })
    }

    /// What is under the id of a transaction, if anything.
    ///
    /// # Errors
    /// As [`Ledger::wallet`].
    pub async fn record(&self, id: TransactionId, usage: &mut Usage) -> Result<Option<Record>, Fault> {
        let items = self.get(vec![key(transaction_pk(id), TXN)], usage).await?;
        items.first().map(record_from_item).transpose()
    }

    /// What is under the id of a transaction, and by which transaction the mark `name` was put on it, if it was. One call.
    ///
    /// # Errors
    /// As [`Ledger::wallet`].
    pub async fn transaction_and(
        &self,
        name: MarkName,
        id: TransactionId,
        usage: &mut Usage,
    ) -> Result<Option<(Record, Option<TransactionId>)>, Fault> {
        let keys = [TXN, name.as_str()].map(|sk| key(transaction_pk(id), sk));
        let Read { snapshots, queued, .. } = Read::of(&self.get(keys.into(), usage).await?)?;
        let by = snapshots.marks.get(&(id, name)).copied();
        let posted = snapshots.transactions.into_values().map(Box::new).map(Record::Transaction);
        let waits = queued.into_iter().map(Box::new).map(Record::Queued);
        Ok(posted.chain(waits).next().map(|record| (record, by)))
    }

    /// Reads what `command` is decided on, each item at a moment of its own.
    pub(crate) async fn load(&self, command: &Command, usage: &mut Usage) -> Result<Read, Fault> {
        let keys = places(command).into_iter().map(|(pk, sk)| key(pk, &sk)).collect();
        Read::of(&self.part(keys, usage).await.and_then(whole)?)
    }

    /// Reads the same and `credits`, all at one moment; `None` when a transaction was in flight on one of the items.
    pub(crate) async fn load_at_once(
        &self,
        command: &Command,
        credits: impl Iterator<Item = &Credit>,
        usage: &mut Usage,
    ) -> Result<Option<Read>, Fault> {
        let keys = places(command).into_iter().map(|(pk, sk)| key(pk, &sk));
        let keys = keys.chain(credits.map(|credit| credit_key(credit.wallet, credit.transaction).build())).collect();
        self.get_at_once(keys, usage).await?.map(|items| Read::of(&items)).transpose()
    }

    /// The items that exist under up to 100 distinct keys as they were at one moment; `None` when a transaction was in
    /// flight on one of them.
    pub(crate) async fn get_at_once(&self, keys: Vec<Item>, usage: &mut Usage) -> Result<Option<Vec<Item>>, Fault> {
        let get = |key| {
            let get = Get::builder().table_name(&*self.table).set_key(Some(key)).build();
            TransactGetItem::builder().get(get.expect("table and key are set")).build()
        };
        usage.calls += 1;
        let output = self
            .client
            .transact_get_items()
            .set_transact_items(Some(keys.into_iter().map(get).collect()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let output = usage.in_time(output).await.ok_or_else(|| Fault::late("TransactGetItems", Class::Throttled))?;
        let output = match output {
            Ok(output) => output,
            Err(SdkError::ServiceError(service)) if in_flight(service.err()) => return Ok(None),
            Err(error) => return Err(Fault::from_sdk("TransactGetItems", error)),
        };
        usage.read(output.consumed_capacity());
        Ok(Some(output.responses.unwrap_or_default().into_iter().filter_map(|found| found.item).collect()))
    }

    /// The items that exist under up to 100 distinct keys, strongly consistent, in no order.
    pub(crate) async fn get(&self, keys: Vec<Item>, usage: &mut Usage) -> Result<Vec<Item>, Fault> {
        let (mut items, mut keys) = (vec![], keys);
        for round in 0..self.policy.max_attempts {
            if keys.is_empty() {
                break;
            }
            if round > 0 {
                usage.sleep(self.policy.delay(round)).await;
            }
            let part = self.part(keys, usage).await?;
            items.extend(part.items);
            keys = part.left_out;
        }
        whole(Part { items, left_out: keys })
    }

    /// One `BatchGetItem`. Under load DynamoDB answers in part and names the keys that it left out.
    async fn part(&self, keys: Vec<Item>, usage: &mut Usage) -> Result<Part, Fault> {
        let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        usage.calls += 1;
        let output = self
            .client
            .batch_get_item()
            .request_items(&*self.table, request.expect("keys are set"))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let output = usage.answer("BatchGetItem", output).await?;
        usage.read(output.consumed_capacity());
        let rest = output.unprocessed_keys.and_then(|mut tables| tables.remove(&*self.table));
        Ok(Part {
            items: output.responses.and_then(|mut tables| tables.remove(&*self.table)).unwrap_or_default(),
            left_out: rest.map(|rest| rest.keys).unwrap_or_default(),
        })
    }

    /// One `Query` of the table or of an index of it.
    pub(crate) async fn query(&self, query: QueryFluentBuilder, usage: &mut Usage) -> Result<QueryOutput, Fault> {
        usage.calls += 1;
        let query = query.table_name(&*self.table).return_consumed_capacity(ReturnConsumedCapacity::Total);
        let output = usage.answer("Query", query.send()).await?;
        usage.read(output.consumed_capacity());
        Ok(output)
    }
}

/// Whether another transaction was in flight on one of the items.
fn in_flight(error: &TransactGetItemsError) -> bool {
    let TransactGetItemsError::TransactionCanceledException(canceled) = error else { return false };
    canceled.cancellation_reasons().iter().any(|reason| reason.code() == Some("TransactionConflict"))
}

/// What a `BatchGetItem` found, and the keys that it left out.
struct Part {
    items: Vec<Item>,
    left_out: Vec<Item>,
}

fn whole(part: Part) -> Result<Vec<Item>, Fault> {
    match part.left_out.len() {
        0 => Ok(part.items),
        keys => Err(Fault::throttled(format!("BatchGetItem: {keys} keys left unprocessed"))),
    }
}

/// What was read for a command, and the leases on its wallets, live or expired.
pub(crate) struct Read {
    pub(crate) snapshots: Snapshots,
    pub(crate) leases: Vec<(WalletId, Lease)>,
    /// Requests that wait in the place of their transactions.
    pub(crate) queued: Vec<Queued>,
    /// Credits that waited in their inboxes.
    pub(crate) waiting: BTreeSet<(WalletId, TransactionId)>,
}

impl Read {
    pub(crate) fn of(items: &[Item]) -> Result<Read, Fault> {
        let (mut snapshots, mut leases, mut queued, mut waiting) =
            (Snapshots::default(), vec![], vec![], BTreeSet::new());
        for item in items {
            if let Some(place) = credit_place(item) {
                waiting.insert(place);
                continue;
            }
            match Fields(item).text(SK)? {
                WALLET => {
                    let wallet = wallet_from_item(item)?;
                    leases.extend(lease_of(item)?.map(|lease| (wallet.id, lease)));
                    snapshots.wallets.insert(wallet.id, wallet);
                }
                TXN => match record_from_item(item)? {
                    Record::Transaction(found) => drop(snapshots.transactions.insert(found.id, *found)),
                    Record::Queued(found) => queued.push(*found),
                },
                sk if sk.starts_with(HOLD) => {
                    let hold = hold_from_item(item)?;
                    snapshots.holds.insert(hold.id, hold);
                }
                _ => {
                    let Mark { of, name, by } = mark_from_item(item)?;
                    snapshots.marks.insert((of, name), by);
                }
            }
        }
        Ok(Read { snapshots, leases, queued, waiting })
    }
}

/// The keys of all that `command` is decided on and of its own record: partition and sort keys, each once.
pub(crate) fn places(command: &Command) -> Vec<(String, String)> {
    let reads = command.reads();
    let transactions = [command.transaction()].into_iter().chain(reads.transactions);
    let holds = reads.holds.iter().map(|key| (wallet_pk(key.wallet), hold_sk(key)));
    let mut places: Vec<_> = transactions
        .map(|id| (transaction_pk(id), TXN.to_owned()))
        .chain(reads.marks.into_iter().map(|(of, name)| (transaction_pk(of), name.as_str().to_owned())))
        .chain(holds)
        .chain(reads.wallets.into_iter().map(|id| (wallet_pk(id), WALLET.to_owned())))
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

pub(crate) fn key(pk: String, sk: &str) -> Item {
    Builder::at(pk, sk).build()
}
