//! The mistakes that real wallet projects make, each shown losing money (or blocking, or paying twice) on a real
//! table when it is written the wrong way, and the same steps against this ledger beside it.
//!
//! For whoever chooses a wallet library: look for these in the code that you are about to trust. Every interleaving here
//! is written out step by step or held together by barriers; nothing depends on luck or on sleeping long enough.

mod balance_alone;
mod failure_rolled_back;
mod locked_flag;
mod mixed_strategies;
mod read_check_write;
mod rebate_per_delivery;
mod unsorted_locks;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use wallet_domain::{Outcome, Timestamp, Transaction, WalletId};
use wallet_dynamodb::{Clock, Done, ExecuteError};

use crate::ledger::Bench;

/// Wallets as a first draft would keep them on the same table: an item with whole numbers, and the raw SDK.
#[derive(Clone)]
struct Raw {
    client: Client,
    table: String,
}

impl Raw {
    fn of(bench: &Bench) -> Raw {
        Raw { client: bench.database.client(), table: bench.database.table().to_owned() }
    }

    async fn put(&self, id: &str, numbers: &[(&str, i64)]) {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item(id, numbers)));
        put.send().await.expect("a put without a condition");
    }

    /// `None` when there is no such item.
    async fn find(&self, id: &str, name: &str) -> Option<i64> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(item(id, &[]))).consistent_read(true);
        let found = get.send().await.expect("the table answers").item?;
        let number = found.get(name)?.as_n().expect("a number");
        Some(number.parse().expect("a whole number"))
    }

    async fn get(&self, id: &str, name: &str) -> i64 {
        self.find(id, name).await.expect("the item has this attribute")
    }

    /// Whether the condition held and the change was made. Values are `:name` in the expressions.
    async fn update(&self, id: &str, change: &str, condition: Option<&str>, values: &[(&str, i64)]) -> bool {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item(id, &[])))
            .update_expression(change)
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values(Some(placeholders(values)))
            .send()
            .await;
        match sent {
            Ok(_) => true,
            Err(error) => {
                let failed =
                    error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception());
                assert!(failed, "{error:?}");
                false
            }
        }
    }

    /// Puts one item and updates another in one transaction: whether both were done.
    async fn put_and_update(&self, put: (&str, &[(&str, i64)]), update: (&str, &str, &str, &[(&str, i64)])) -> bool {
        let put = Put::builder().table_name(&self.table).set_item(Some(item(put.0, put.1)));
        let (id, change, condition, values) = update;
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item(id, &[])))
            .update_expression(change)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(placeholders(values)));
        let actions = [
            TransactWriteItem::builder().put(put.build().expect("table and item are set")).build(),
            TransactWriteItem::builder().update(update.build().expect("key and change are set")).build(),
        ];
        let sent = self.client.transact_write_items().set_transact_items(Some(actions.into())).send().await;
        match sent {
            Ok(_) => true,
            Err(error) => {
                let cancelled = error.as_service_error().is_some_and(|error| error.is_transaction_canceled_exception());
                assert!(cancelled, "{error:?}");
                false
            }
        }
    }
}

type Item = std::collections::HashMap<String, AttributeValue>;

fn item(id: &str, numbers: &[(&str, i64)]) -> Item {
    let key = ["PK", "SK"].map(|name| (name.to_owned(), AttributeValue::S(format!("RAW#{id}"))));
    let numbers = numbers.iter().map(|(name, number)| ((*name).to_owned(), AttributeValue::N(number.to_string())));
    key.into_iter().chain(numbers).collect()
}

fn placeholders(values: &[(&str, i64)]) -> Item {
    values.iter().map(|(name, value)| (format!(":{name}"), AttributeValue::N(value.to_string()))).collect()
}

async fn balance(bench: &Bench, wallet: WalletId) -> String {
    bench.wallet(wallet).await.balance.to_string()
}

/// The code of a refusal that is on record.
#[track_caller]
fn refused(done: Result<Done, ExecuteError>) -> (String, Transaction) {
    match done.expect("the command ends on record") {
        Done::Executed(transaction) | Done::Replayed(transaction) => match &transaction.outcome {
            Outcome::Failed { refusal, .. } => (refusal.code().to_owned(), transaction.clone()),
            posted => panic!("not refused: {posted:?}"),
        },
    }
}

/// A clock that stands still at `now`.
fn at(now: Timestamp) -> Clock {
    Arc::new(move || now)
}

/// A clock whose reader dies when it asks for the time once more than `readings` times: a function that is killed, at the
/// same step each time. A pessimistic request asks once to decide, once to lease, once for each wallet it commits.
fn dies_after(readings: u32, now: Timestamp) -> Clock {
    let asked = AtomicU32::new(0);
    Arc::new(move || {
        assert!(asked.fetch_add(1, Ordering::SeqCst) < readings, "killed, on purpose");
        now
    })
}
