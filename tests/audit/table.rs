//! A small table with every kind of transaction, and the means to damage it.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use wallet_domain::{
    BasisPoints, Bounds, Change, Command, Deposit, Digest, FeeSchedule, Money, PayRebate, RebateTerms, Transaction,
    TransactionId, Transfer, WalletId,
};
use wallet_dynamodb::{Done, Strategy};

use crate::ledger::{Bench, order, posted, run};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Alice: opened, 100.00 in, 1.00 rebate, 25.50 out to bob with its fee, amended. Bob: opened, 40.00 in, 25.00 from
/// alice. A withdrawal of 900.00 was refused: on record, and no entry.
pub(crate) struct Table {
    pub(crate) bench: Bench,
    pub(crate) alice: WalletId,
    pub(crate) bob: WalletId,
    pub(crate) deposit: Transaction,
    pub(crate) rebate: Transaction,
    pub(crate) transfer: Transaction,
}

impl Table {
    pub(crate) async fn start() -> Table {
        let bench = Bench::start().await;
        let (alice, bob) = (bench.open("alice", "0").await, bench.open("bob", "40").await);
        let ledger = bench.another();
        let share = BasisPoints::new(100).expect("a share");
        let rule = RebateTerms::new("welcome".parse().expect("a name"), share);
        let rule_id = rule.id.clone();
        let order_of = |subject, amount| order(subject, bench.key(), amount);
        let deposit = Command::Deposit(Deposit { order: order_of("bank", "100"), wallet: alice, rules: [rule].into() });
        let deposit = posted(run(&ledger, &deposit, Strategy::Optimistic).await.0);
        let pay = Command::PayRebate(PayRebate { deposit: deposit.id, wallet: alice, rule: rule_id });
        let rebate = posted(run(&ledger, &pay, Strategy::Optimistic).await.0);
        let half = Money::parse("0.50", "EUR".parse().expect("a currency")).expect("an amount");
        let minimum = Bounds::new([half]).expect("one bound");
        let fee = FeeSchedule::new(BasisPoints::new(0).expect("a share"), minimum, Bounds::default());
        let fee = Some(fee.expect("one bound contradicts nothing"));
        let transfer = Transfer { order: order_of("alice", "25"), source: alice, destination: bob, fee };
        let transfer = posted(run(&ledger, &Command::Transfer(transfer), Strategy::Optimistic).await.0);
        bench.amend(alice, Change { ceiling: Some(Some("500".to_owned())), ..Change::default() }).await;
        let refused = run(&ledger, &bench.withdraw(alice, "900"), Strategy::Optimistic).await.0;
        assert!(matches!(refused, Ok(Done::Executed(refused)) if refused.legs().is_empty()));
        Table { bench, alice, bob, deposit, rebate, transfer }
    }

    pub(crate) async fn wallet_item(&self) -> Item {
        self.item(&format!("WALLET#{}", self.alice), "WALLET").await
    }

    pub(crate) async fn entry(&self, version: u64) -> Item {
        self.item(&format!("WALLET#{}", self.alice), &format!("ENTRY#{version:016}")).await
    }

    pub(crate) async fn record(&self, id: TransactionId) -> Item {
        self.item(&format!("TXN#{id}"), "TXN").await
    }

    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Item {
        self.bench.database.item(pk, sk).await
    }

    /// A deposit that had pinned other terms.
    pub(crate) async fn pinning(&self, deposit: &Transaction, name: &str, value: &str) {
        let mut record = self.record(deposit.id).await;
        let Some(AttributeValue::M(rule)) = record.remove("rule") else { panic!("it pins a rule") };
        self.put(with(record, [("rule", AttributeValue::M(with(rule, [(name, n(value))])))])).await;
    }

    pub(crate) async fn put(&self, item: Item) {
        let client = self.bench.database.client();
        let put = client.put_item().table_name(self.bench.database.table()).set_item(Some(item)).send().await;
        put.expect("the table takes it");
    }

    pub(crate) async fn delete(&self, item: Item) {
        let client = self.bench.database.client();
        let [pk, sk] = ["PK", "SK"].map(|name| item[name].clone());
        let gone =
            client.delete_item().table_name(self.bench.database.table()).key("PK", pk).key("SK", sk).send().await;
        gone.expect("the table takes it");
    }
}

pub(crate) fn s(text: impl ToString) -> AttributeValue {
    AttributeValue::S(text.to_string())
}

pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn b(digest: Digest) -> AttributeValue {
    AttributeValue::B(Blob::new(*digest.as_bytes()))
}

/// The item of one entry with some attributes of its row changed.
pub(crate) fn with_row<const N: usize>(mut item: Item, changes: [(&str, AttributeValue); N]) -> Item {
    let Some(AttributeValue::L(rows)) = item.get_mut("rows") else { panic!("entries have rows") };
    let Some(AttributeValue::M(row)) = rows.first_mut() else { panic!("a row is a map") };
    *row = with(std::mem::take(row), changes);
    item
}

/// The record with another amount in the leg that moves `from`.
pub(crate) fn with_leg(mut record: Item, from: &str, to: &str) -> Item {
    let Some(AttributeValue::L(legs)) = record.get_mut("legs") else { panic!("it has legs") };
    let leg = legs.iter_mut().find_map(|leg| match leg {
        AttributeValue::M(leg) if leg["amount"] == n(from) => Some(leg),
        _ => None,
    });
    leg.unwrap_or_else(|| panic!("no leg moves {from}")).insert("amount".to_owned(), n(to));
    record
}

/// The item with some of its attributes changed.
pub(crate) fn with<const N: usize>(mut item: Item, changes: [(&str, AttributeValue); N]) -> Item {
    item.extend(changes.map(|(name, value)| (name.to_owned(), value)));
    item
}
