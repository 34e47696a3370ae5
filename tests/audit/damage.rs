//! Kinds of damage, and which check finds each. Alice's versions: 0 opened, 1 deposit, 2 rebate, 3 transfer, 4 amended.

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_audit::Check;
use wallet_domain::{Digest, GENESIS};
use wallet_dynamodb::Usage;
use wallet_dynamodb::scan::{Key, Scanned};

use super::table::{Item, Table, b, n, s, with, with_leg, with_row};
use super::{audited, finds, finds_in};

#[tokio::test]
async fn a_changed_balance() {
    let table = Table::start().await;
    table.put(with(table.wallet_item().await, [("balance", n("75.51"))])).await;
    finds(&table, Check::Wallet, 4).await;
}

#[tokio::test]
async fn a_changed_version_and_head_of_a_wallet() {
    let table = Table::start().await;
    table.put(with(table.wallet_item().await, [("version", n(5))])).await;
    finds(&table, Check::Versions, 5).await;
    table.put(with(table.wallet_item().await, [("version", n(3))])).await;
    finds(&table, Check::Versions, 4).await;
    table.put(with(table.wallet_item().await, [("version", n(4)), ("head_hash", b(GENESIS))])).await;
    finds(&table, Check::Wallet, 4).await;
}

#[tokio::test]
async fn a_changed_amount_of_an_entry() {
    let table = Table::start().await;
    table.put(with_row(table.entry(1).await, [("amount", n(101))])).await;
    finds(&table, Check::Hash, 1).await;
    finds(&table, Check::RunningBalance, 1).await;
    finds(&table, Check::Matching, 1).await;
}

#[tokio::test]
async fn a_missing_entry() {
    let table = Table::start().await;
    table.delete(table.entry(2).await).await;
    finds(&table, Check::Versions, 2).await;
    let report = audited(&table.bench).await;
    let unmatched = report.findings.iter().find(|finding| finding.check == Check::Matching).expect("a leg is alone");
    assert_eq!((unmatched.version, unmatched.transaction), (Some(2), Some(table.rebate.id)));
}

#[tokio::test]
async fn the_newest_entry_missing() {
    let table = Table::start().await;
    table.delete(table.entry(4).await).await;
    finds(&table, Check::Versions, 4).await;
}

#[tokio::test]
async fn an_added_entry() {
    let table = Table::start().await;
    table.put(with(table.entry(4).await, [("SK", s(format!("ENTRY#{:016}", 5)))])).await;
    finds(&table, Check::Versions, 5).await;
    finds(&table, Check::Matching, 5).await;
}

#[tokio::test]
async fn a_forged_chain() {
    let table = Table::start().await;
    rewrite(&table, with_row(table.entry(1).await, [("reference", s("forged"))]), None).await;
    finds(&table, Check::Chain, 2).await;
}

#[tokio::test]
async fn a_whole_chain_rewritten() {
    let table = Table::start().await;
    let deposit = with(with_row(table.entry(1).await, [("amount", n(200))]), [("balance_after", n(200))]);
    let mut previous = rewrite(&table, deposit, None).await;
    for (version, balance) in [(2, "201"), (3, "175.50"), (4, "175.50")] {
        let entry = with(table.entry(version).await, [("balance_after", n(balance))]);
        previous = rewrite(&table, entry, Some(previous)).await;
    }
    let wallet = table.wallet_item().await;
    table.put(with(wallet, [("balance", n("175.50")), ("head_hash", b(previous))])).await;
    finds(&table, Check::Matching, 1).await;
    finds(&table, Check::Matching, 4).await;
    let report = audited(&table.bench).await;
    assert!(report.findings.iter().all(|finding| finding.check == Check::Matching), "{:#?}", report.findings);
}

#[tokio::test]
async fn unbalanced_legs() {
    let table = Table::start().await;
    table.put(with_leg(table.record(table.deposit.id).await, "-100", "-99")).await;
    finds_in(&table, table.deposit.id, Check::Legs, "sum to 1.00 EUR").await;
}

#[tokio::test]
async fn a_missing_transaction() {
    let table = Table::start().await;
    table.delete(table.record(table.deposit.id).await).await;
    finds(&table, Check::Matching, 1).await;
    finds_in(&table, table.rebate.id, Check::Rebate, "the deposit that it is for is missing").await;
}

#[tokio::test]
async fn a_transaction_turned_into_a_failed_one() {
    let table = Table::start().await;
    let refusal = [("code", s("wallet_closed")), ("wallet_id", s(table.alice)), ("owner", s("alice"))];
    let refusal = AttributeValue::M(with(Item::new(), refusal));
    let changes = [("status", s("failed")), ("refusal", refusal), ("attempt_wallet", s(table.alice))];
    let mut failed = with(table.record(table.transfer.id).await, changes);
    failed.remove("legs");
    table.put(failed).await;
    finds_in(&table, table.transfer.id, Check::Matching, "no such leg").await;
}

#[tokio::test]
async fn a_doubled_rebate() {
    let table = Table::start().await;
    let other = format!("txn_{:032}", 7);
    let changes = [("PK", s(format!("TXN#{other}"))), ("id", s(&other))];
    table.put(with(table.record(table.rebate.id).await, changes)).await;
    finds_in(&table, other.parse().expect("an id"), Check::Rebate, "second one").await;
}

#[tokio::test]
async fn a_rebate_beyond_its_rule() {
    let table = Table::start().await;
    table.pinning(&table.deposit, "basis_points", "40").await;
    finds_in(&table, table.rebate.id, Check::Rebate, "0.60 too much").await;
}

#[tokio::test]
async fn a_balance_beyond_its_bounds() {
    let table = Table::start().await;
    table.put(with(table.wallet_item().await, [("ceiling", n(70))])).await;
    finds(&table, Check::Bounds, 4).await;
    table.put(with(table.wallet_item().await, [("ceiling", n(500)), ("floor", n(80))])).await;
    finds(&table, Check::Bounds, 4).await;
}

#[tokio::test]
async fn items_that_cannot_be_read() {
    let table = Table::start().await;
    table.put(with_row(table.entry(2).await, [("amount", s("1.00"))])).await;
    finds(&table, Check::Readable, 2).await;
    table.put(with(table.record(table.transfer.id).await, [("status", s("lost"))])).await;
    finds_in(&table, table.transfer.id, Check::Readable, "\"status\"").await;
    table.put(with(table.wallet_item().await, [("head_hash", n(1))])).await;
    let report = audited(&table.bench).await;
    let wallet = |finding: &&wallet_audit::Finding| finding.wallet == Some(table.alice) && finding.version.is_none();
    assert!(report.findings.iter().find(wallet).expect("the wallet is named").difference.contains("\"head_hash\""));
    table.put(with(table.wallet_item().await, [("SK", s("WALLETS"))])).await;
    let report = audited(&table.bench).await;
    assert!(report.findings.iter().any(|finding| finding.difference.contains("none of the ledger's")));
}

#[tokio::test]
async fn a_missing_wallet() {
    let table = Table::start().await;
    table.delete(table.wallet_item().await).await;
    finds(&table, Check::Versions, 4).await;
}

/// Puts an entry with the hash that it then has, which is returned.
async fn rewrite(table: &Table, mut item: Item, previous: Option<Digest>) -> Digest {
    item.extend(previous.map(|previous| ("previous_hash".to_owned(), b(previous))));
    table.put(item.clone()).await;
    let version = item["SK"].as_s().expect("a text").trim_start_matches("ENTRY#").parse().expect("a version");
    let keys = [Key::Entries(table.alice, version)];
    let found = table.bench.another().look_up(&keys, &mut Usage::default()).await.expect("the table answers");
    let [Scanned::Entries(rows)] = &found[..] else { panic!("not one item: {found:?}") };
    let hash = rows[0].computed_hash().expect("a known format");
    table.put(with(item, [("hash", b(hash))])).await;
    hash
}
