//! Writing a plan: one `TransactWriteItems`, and what each failed condition of it means, by position.
//!
//! Round trips: one. Never retries by itself, never decides.

use aws_sdk_dynamodb::Config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use wallet_domain::{Guard, Plan, Posting, Timestamp, Transaction, TransactionId, Wallet, WalletId};

use crate::fault::Fault;
use crate::items::{
    Builder, Item, entry_item, lease_of, reversal_item, transaction_from_item, transaction_item, wallet_from_item,
    wallet_item,
};
use crate::lease::{Holder, Lease};
use crate::ledger::Ledger;
use crate::names::{BALANCE, LEASE_HOLDER, LEASE_UNTIL, PK, SK, VERSION};
use crate::usage::Usage;

/// Why nothing was written.
pub(crate) enum Rejected {
    /// The transaction exists already: the request was answered before.
    Exists(Box<Transaction>),
    /// What was to be reversed has been reversed already.
    Reversed(TransactionId),
    /// Wallets have moved on or are leased by another, or a transaction that was to be barred has been posted; here they
    /// are as they stand.
    Stale(Vec<Found>, Vec<Transaction>),
    /// Another transaction was in flight on one of the items.
    Conflict,
    /// The call failed: throttled, perhaps done, or for good.
    Failed(Fault),
}

/// A wallet as a failed condition returned it.
pub(crate) struct Found {
    pub(crate) wallet: Wallet,
    /// Who held it, and until when.
    pub(crate) lease: Option<Lease>,
}

impl Found {
    fn read(id: WalletId, reason: &CancellationReason) -> Result<Found, Fault> {
        let item = reason.item().ok_or_else(|| Fault::damaged(format!("{id}: the wallet's item is gone")))?;
        Ok(Found { wallet: wallet_from_item(item)?, lease: lease_of(item)? })
    }
}

/// What a failed condition on an action means.
pub(crate) enum Meaning {
    /// The record of the request exists.
    Transaction,
    /// The wallet is not as it was read.
    Wallet(WalletId),
    /// A transaction that was to be barred exists.
    Bar,
    /// What was to be reversed has been reversed.
    Reversal(TransactionId),
    /// The wallet's next entry exists, although its version says that it doesn't.
    Entry(WalletId),
}

impl Ledger {
    /// Writes all of `plan` or nothing. With a `holder`, only while it holds the leases, which it gives back.
    pub(crate) async fn commit(&self, plan: &Plan, holder: Option<&Holder>, usage: &mut Usage) -> Result<(), Rejected> {
        let mut actions = vec![(Meaning::Transaction, self.put(transaction_item(&plan.transaction)))];
        for posting in &plan.postings {
            let wallet = posting.after.id;
            let write = match &posting.before {
                None => self.put(wallet_item(&posting.after)),
                Some(before) => self.step(posting, before, holder),
            };
            actions.push((Meaning::Wallet(wallet), write));
            actions.push((Meaning::Entry(wallet), self.put(entry_item(&posting.entry))));
        }
        actions.extend(plan.bars.iter().map(|bar| (Meaning::Bar, self.put(transaction_item(bar)))));
        if let Some(original) = plan.reverses {
            actions.push((Meaning::Reversal(original), self.put(reversal_item(original, plan.transaction.id))));
        }
        self.transact(actions, usage).await
    }

    /// One `TransactWriteItems`, sent once.
    ///
    /// The SDK must not repeat it: a first try that timed out may still take effect when the second is throttled or
    /// cancelled, and the second's answer alone would say that nothing was done.
    pub(crate) async fn transact(
        &self,
        actions: Vec<(Meaning, TransactWriteItem)>,
        usage: &mut Usage,
    ) -> Result<(), Rejected> {
        let (meanings, actions): (Vec<_>, Vec<_>) = actions.into_iter().unzip();
        usage.calls += 1;
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        match sent {
            Ok(output) => {
                usage.wrote(output.consumed_capacity());
                Ok(())
            }
            Err(SdkError::ServiceError(service)) if service.err().is_transaction_canceled_exception() => {
                let TransactWriteItemsError::TransactionCanceledException(canceled) = service.into_err() else {
                    unreachable!("the guard has looked")
                };
                Err(self.rejection(&meanings, canceled.cancellation_reasons()))
            }
            Err(error) => Err(Rejected::Failed(Fault::from_sdk("TransactWriteItems", error))),
        }
    }

    /// What the reasons mean together. An existing record outranks everything: the request has its answer.
    fn rejection(&self, meanings: &[Meaning], reasons: &[CancellationReason]) -> Rejected {
        if reasons.len() != meanings.len() {
            let (got, want) = (reasons.len(), meanings.len());
            return Rejected::Failed(Fault::damaged(format!("TransactWriteItems: {got} reasons for {want} actions")));
        }
        let (mut found, mut barred, mut conflict, mut entry) = (vec![], vec![], false, None);
        for (meaning, reason) in meanings.iter().zip(reasons) {
            let code = reason.code().unwrap_or("None");
            match (code, meaning) {
                ("None", _) => {}
                ("ConditionalCheckFailed", Meaning::Transaction) => match existing(reason) {
                    Ok(transaction) => return Rejected::Exists(Box::new(transaction)),
                    Err(fault) => return Rejected::Failed(fault),
                },
                ("ConditionalCheckFailed", Meaning::Bar) => match existing(reason) {
                    Ok(transaction) => barred.push(transaction),
                    Err(fault) => return Rejected::Failed(fault),
                },
                ("ConditionalCheckFailed", Meaning::Reversal(original)) => return Rejected::Reversed(*original),
                ("ConditionalCheckFailed", Meaning::Wallet(wallet)) => match Found::read(*wallet, reason) {
                    Ok(wallet) => found.push(wallet),
                    Err(fault) => return Rejected::Failed(fault),
                },
                ("ConditionalCheckFailed", Meaning::Entry(wallet)) => entry = Some(wallet),
                ("TransactionConflict", _) => conflict = true,
                ("ThrottlingError" | "ProvisionedThroughputExceeded", _) => {
                    return Rejected::Failed(Fault::throttled(format!("TransactWriteItems: {code}")));
                }
                _ => {
                    let message = reason.message().unwrap_or_default();
                    return Rejected::Failed(Fault::damaged(format!("TransactWriteItems: {code}: {message}")));
                }
            }
        }
        match entry {
            _ if !found.is_empty() || !barred.is_empty() => Rejected::Stale(found, barred),
            _ if conflict => Rejected::Conflict,
            Some(wallet) => {
                Rejected::Failed(Fault::damaged(format!("{wallet}: an entry beyond the wallet's version exists")))
            }
            None => Rejected::Failed(Fault::damaged("TransactWriteItems: cancelled for no reason")),
        }
    }

    /// A put of an item that must not exist yet.
    fn put(&self, item: Item) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
    }

    /// A wallet's step from one version to the next: what differs is set, and the balance moves by arithmetic.
    fn step(&self, posting: &Posting, before: &Wallet, holder: Option<&Holder>) -> TransactWriteItem {
        let mut change = Expression::default();
        let (old, mut new) = (wallet_item(before), wallet_item(&posting.after));
        new.remove(BALANCE);
        for name in old.keys().filter(|name| name.as_str() != BALANCE && !new.contains_key(*name)) {
            let name = change.name(name);
            change.removed.push(name);
        }
        new.retain(|name, value| old.get(name) != Some(value));
        for (name, value) in new {
            change.set(&name, value);
        }
        if !posting.entry.amount.is_zero() {
            change.add(BALANCE, AttributeValue::N(posting.entry.amount.to_string()));
        }
        change.require(VERSION, "=", AttributeValue::N(before.version.to_string()));
        match posting.guard {
            Guard::None => {}
            Guard::AtLeast(lowest) => change.require(BALANCE, ">=", AttributeValue::N(lowest.to_string())),
            Guard::AtMost(highest) => change.require(BALANCE, "<=", AttributeValue::N(highest.to_string())),
        }
        change.require_lease(holder, self.now());
        change.release();
        self.update(before.id, change)
    }

    /// The update of a wallet's item.
    pub(crate) fn update(&self, wallet: WalletId, change: Expression) -> TransactWriteItem {
        let (update, condition) = change.texts();
        let key = wallet_key(wallet);
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().update(update.build().expect("table, key and expression are set")).build()
    }
}

fn existing(reason: &CancellationReason) -> Result<Transaction, Fault> {
    let item = reason.item().ok_or_else(|| Fault::damaged("TransactWriteItems: no item with the failed condition"))?;
    transaction_from_item(item)
}

fn wallet_key(wallet: WalletId) -> Item {
    Builder::default().text(PK, crate::names::wallet_pk(wallet)).text(SK, crate::names::WALLET).build()
}

/// An update expression and its condition under construction. Every attribute goes in by placeholder, since many of
/// the names are reserved words.
#[derive(Default)]
pub(crate) struct Expression {
    names: std::collections::HashMap<String, String>,
    values: Item,
    set: Vec<String>,
    removed: Vec<String>,
    conditions: Vec<String>,
}

impl Expression {
    pub(crate) fn set(&mut self, name: &str, value: AttributeValue) {
        let set = format!("{} = {}", self.name(name), self.value(value));
        self.set.push(set);
    }

    fn add(&mut self, name: &str, amount: AttributeValue) {
        let (name, amount) = (self.name(name), self.value(amount));
        self.set.push(format!("{name} = {name} + {amount}"));
    }

    /// A placeholder that no expression uses is an error, so names and values only go in with their use.
    pub(crate) fn require(&mut self, name: &str, comparison: &str, value: AttributeValue) {
        let (name, value) = (self.name(name), self.value(value));
        self.conditions.push(format!("{name} {comparison} {value}"));
    }

    /// Holds the lease, or nobody else does at `now`.
    pub(crate) fn require_lease(&mut self, holder: Option<&Holder>, now: Timestamp) {
        match holder {
            Some(holder) => self.require(LEASE_HOLDER, "=", AttributeValue::S(holder.to_string())),
            None => {
                let free = self.free(now);
                self.conditions.push(free);
            }
        }
    }

    /// Free to take: nobody holds it at `now`, or `holder` does already.
    pub(crate) fn require_free_or(&mut self, holder: &Holder, now: Timestamp) {
        let name = self.name(LEASE_HOLDER);
        let mine = self.value(AttributeValue::S(holder.to_string()));
        let free = self.free(now);
        self.conditions.push(format!("({free} OR {name} = {mine})"));
    }

    pub(crate) fn release(&mut self) {
        let names = [self.name(LEASE_HOLDER), self.name(LEASE_UNTIL)];
        self.removed.extend(names);
    }

    fn free(&mut self, now: Timestamp) -> String {
        let until = self.name(LEASE_UNTIL);
        let now = self.value(AttributeValue::N(now.as_millisecond().to_string()));
        format!("(attribute_not_exists({until}) OR {until} <= {now})")
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    fn texts(&self) -> (String, String) {
        let mut update = vec![];
        if !self.set.is_empty() {
            update.push(format!("SET {}", self.set.join(", ")));
        }
        if !self.removed.is_empty() {
            update.push(format!("REMOVE {}", self.removed.join(", ")));
        }
        (update.join(" "), self.conditions.join(" AND "))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config};

    use super::*;

    fn wallet(number: u8) -> WalletId {
        format!("wal_{number:032}").parse().expect("an id")
    }

    /// What the reasons mean for a deposit: record, wallet, entry.
    fn meaning(codes: [&str; 3]) -> String {
        let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
        let ledger = Ledger::new(Client::from_conf(config), "wallets");
        let meanings = [Meaning::Transaction, Meaning::Wallet(wallet(1)), Meaning::Entry(wallet(1))];
        let reasons = codes.map(|code| CancellationReason::builder().code(code).build());
        match ledger.rejection(&meanings, &reasons) {
            Rejected::Exists(_) => "exists".to_owned(),
            Rejected::Reversed(_) => "reversed".to_owned(),
            Rejected::Stale(..) => "stale".to_owned(),
            Rejected::Conflict => "conflict".to_owned(),
            Rejected::Failed(fault) if fault.is_throttled() => "throttled".to_owned(),
            Rejected::Failed(fault) => fault.to_string(),
        }
    }

    #[test]
    fn reasons_are_read_by_position() {
        let failed = "ConditionalCheckFailed";
        assert_eq!(meaning(["None", "TransactionConflict", "None"]), "conflict");
        assert_eq!(meaning(["TransactionConflict", "None", "None"]), "conflict");
        assert_eq!(meaning(["None", "ThrottlingError", "None"]), "throttled");
        assert_eq!(meaning(["None", "ProvisionedThroughputExceeded", "None"]), "throttled");
        assert!(meaning([failed, "None", "None"]).contains("no item with the failed condition"));
        assert!(meaning(["None", failed, "None"]).contains("item is gone"));
        assert!(meaning(["None", "None", failed]).contains("an entry beyond the wallet's version"));
        assert!(meaning(["None", "None", "None"]).contains("for no reason"));
        assert!(meaning(["None", "ValidationError", "None"]).contains("ValidationError"));
    }
}
