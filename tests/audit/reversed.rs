//! Reversals beside what they undo: whole ones add up, and each way to disagree is found.

use wallet_audit::Check;
use wallet_domain::{BasisPoints, Command, Deposit, RebateTerms, Transaction, TransactionId};
use wallet_dynamodb::Strategy;

use super::table::{Item, Table, n, s, with, with_leg};
use super::{audited, audited_alone, clean, finds_in};
use crate::ledger::{order, posted, run};

impl Table {
    async fn reverse(&self, original: &Transaction, return_fee: bool) -> Transaction {
        let Command::Reverse(mut reverse) = self.bench.reversal(original) else { panic!("a reversal") };
        reverse.return_fee = return_fee;
        posted(run(&self.bench.another(), &Command::Reverse(reverse), Strategy::Optimistic).await.0)
    }

    /// A deposit of 10.00 to alice whose rebate has not been paid yet.
    async fn unpaid(&self) -> Transaction {
        let order = order("bank", self.bench.key(), "10");
        let rule = RebateTerms::new("welcome".parse().expect("a name"), BasisPoints::new(100).expect("a share"));
        let deposit = Deposit { order, wallet: self.alice, rules: [rule].into() };
        posted(run(&self.bench.another(), &Command::Deposit(deposit), Strategy::Optimistic).await.0)
    }

    async fn mark(&self, original: TransactionId) -> Item {
        self.item(&format!("TXN#{original}"), "REVERSAL").await
    }
}

#[tokio::test]
async fn reversals_with_fee_and_rebate_add_up() {
    let table = Table::start().await;
    table.reverse(&table.transfer, true).await;
    table.reverse(&table.deposit, true).await;
    let unpaid = table.unpaid().await;
    table.reverse(&unpaid, true).await;
    let report = audited(&table.bench).await;
    clean(&report);
    assert_eq!(report.sums["EUR"].lines()[1], ("fees", "0.00".to_owned()));
    assert_eq!(report.sums["EUR"].lines()[2], ("rebates", "0.00".to_owned()));
    for wallet in [table.alice, table.bob] {
        clean(&audited_alone(&table.bench, wallet).await);
    }
}

#[tokio::test]
async fn a_reversal_that_keeps_the_fee_adds_up() {
    let table = Table::start().await;
    table.reverse(&table.transfer, false).await;
    let report = audited(&table.bench).await;
    clean(&report);
    assert_eq!(report.sums["EUR"].lines()[1], ("fees", "0.50".to_owned()));
}

/// Adds to the amounts of a record's legs, in their order.
async fn shift<const N: usize>(table: &Table, id: TransactionId, shifts: [(&str, &str); N]) {
    let record = table.record(id).await;
    table.put(shifts.into_iter().fold(record, |record, (from, to)| with_leg(record, from, to))).await;
}

#[tokio::test]
async fn a_reversal_that_gives_back_something_else() {
    let table = Table::start().await;
    let reversal = table.reverse(&table.transfer, true).await;
    // The legs still sum to zero: bob gives 24 of his 25, alice gets 24.50 of her 25.50.
    shift(&table, reversal.id, [("-25", "-24"), ("25.5", "24.5")]).await;
    finds_in(
        &table,
        reversal.id,
        Check::Reversal,
        &format!("for {}, what it says makes 25.50: off by -1.00", table.alice),
    )
    .await;
    finds_in(
        &table,
        reversal.id,
        Check::Reversal,
        &format!("for {}, what it says makes -25.00: off by 1.00", table.bob),
    )
    .await;
}

#[tokio::test]
async fn a_reversal_that_gives_back_half_of_the_fee() {
    let table = Table::start().await;
    let reversal = table.reverse(&table.transfer, true).await;
    shift(&table, reversal.id, [("-0.5", "-0.25"), ("25.5", "25.25")]).await;
    finds_in(&table, reversal.id, Check::Reversal, "-0.25 EUR for fees, what it says makes -0.50: off by 0.25").await;
}

#[tokio::test]
async fn a_reversal_that_leaves_the_rebate() {
    let table = Table::start().await;
    table.reverse(&table.transfer, true).await;
    let reversal = table.reverse(&table.deposit, true).await;
    shift(&table, reversal.id, [("-101", "-100"), ("1", "0")]).await;
    finds_in(&table, reversal.id, Check::Reversal, "0.00 EUR for rebates, what it says makes 1.00: off by -1.00").await;
}

#[tokio::test]
async fn a_rebate_that_was_barred_and_is_not_any_more() {
    let table = Table::start().await;
    let unpaid = table.unpaid().await;
    let reversal = table.reverse(&unpaid, true).await;
    let rebate = unpaid.rebate().expect("it earns one");
    table.delete(table.record(rebate).await).await;
    finds_in(&table, reversal.id, Check::Reversal, "neither paid nor barred").await;
}

#[tokio::test]
async fn a_reversal_of_another_amount() {
    let table = Table::start().await;
    let reversal = table.reverse(&table.transfer, true).await;
    table.put(with(table.record(reversal.id).await, [("amount", n(20))])).await;
    finds_in(&table, reversal.id, Check::Reversal, "it undoes 20.00 EUR").await;
}

#[tokio::test]
async fn a_mark_that_is_missing_or_names_another() {
    let table = Table::start().await;
    let reversal = table.reverse(&table.transfer, true).await;
    let mark = table.mark(table.transfer.id).await;
    table.delete(mark.clone()).await;
    finds_in(&table, reversal.id, Check::Reversal, "is not marked as reversed").await;
    table.put(with(mark.clone(), [("transaction_id", s(table.deposit.id))])).await;
    finds_in(&table, reversal.id, Check::Reversal, "this is a second one").await;
    finds_in(&table, table.transfer.id, Check::Reversal, "which does not reverse it").await;
    table.put(with(mark, [("transaction_id", n(1))])).await;
    finds_in(&table, table.transfer.id, Check::Readable, "\"transaction_id\"").await;
}

#[tokio::test]
async fn a_second_reversal() {
    let table = Table::start().await;
    let reversal = table.reverse(&table.transfer, true).await;
    let other = format!("txn_{:032}", 7);
    let changes = [("PK", s(format!("TXN#{other}"))), ("id", s(&other))];
    table.put(with(table.record(reversal.id).await, changes)).await;
    finds_in(&table, other.parse().expect("an id"), Check::Reversal, "second one").await;
}

#[tokio::test]
async fn a_reversal_or_its_parent_missing() {
    let table = Table::start().await;
    let reversal = table.reverse(&table.transfer, true).await;
    let record = table.record(reversal.id).await;
    table.delete(record.clone()).await;
    finds_in(&table, table.transfer.id, Check::Reversal, "missing or cannot be read").await;
    let one = audited_alone(&table.bench, table.bob).await;
    let named = |finding: &wallet_audit::Finding| finding.transaction == Some(table.transfer.id);
    assert!(one.findings.iter().any(named), "the wallet's own audit sees it too");
    table.put(record).await;
    table.delete(table.record(table.transfer.id).await).await;
    finds_in(&table, reversal.id, Check::Reversal, "what it reverses is missing").await;
    table.put(with(table.record(reversal.id).await, [("parent_id", s(table.rebate.id))])).await;
    finds_in(&table, reversal.id, Check::Reversal, "no posted transaction of a kind that can be reversed").await;
}
