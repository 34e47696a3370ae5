//! Rebates under a rule with a minimum and a monthly cap: sound ones add up, and so must what the wallet counts of them.

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_audit::Check;
use wallet_domain::{BasisPoints, Bounds, Command, Deposit, Money, PayRebate, RebateTerms, Transaction};
use wallet_dynamodb::Strategy;

use super::table::{Item, Table, n};
use super::{audited, clean, finds, finds_in};
use crate::ledger::{order, posted, run};

/// Two deposits of 100.00 each: the first earned 1.00, the second what was left of the month's 1.50.
struct Months {
    table: Table,
    deposits: [Transaction; 2],
    rebates: [Transaction; 2],
    version: u64,
}

impl Months {
    async fn start() -> Months {
        let table = Table::start().await;
        let money = |text| Money::parse(text, "EUR".parse().expect("a currency")).expect("an amount");
        let mut terms = RebateTerms::new("monthly".parse().expect("a name"), BasisPoints::new(100).expect("a share"));
        terms.monthly_cap = Bounds::new([money("1.50")]).expect("one bound");
        let (ledger, mut deposits, mut rebates) = (table.bench.another(), vec![], vec![]);
        for _ in 0..2 {
            let order = order("bank", table.bench.key(), "100");
            let deposit = Deposit { order, wallet: table.alice, rules: [terms.clone()].into() };
            let deposit = posted(run(&ledger, &Command::Deposit(deposit), Strategy::Optimistic).await.0);
            let pay = PayRebate { deposit: deposit.id, wallet: table.alice, rule: terms.id.clone() };
            rebates.push(posted(run(&ledger, &Command::PayRebate(pay), Strategy::Optimistic).await.0));
            deposits.push(deposit);
        }
        let version = table.bench.wallet(table.alice).await.version;
        let two = "there were two";
        Months { table, deposits: deposits.try_into().expect(two), rebates: rebates.try_into().expect(two), version }
    }

    /// The wallet with another sum for each month.
    async fn counting(&self, sum: Option<&str>) {
        let mut wallet = self.table.wallet_item().await;
        let Some(AttributeValue::M(sums)) = wallet.remove("rebated") else { panic!("it counts") };
        let sums: Item = sums.into_keys().filter_map(|month| Some((month, n(sum?)))).collect();
        if !sums.is_empty() {
            wallet.insert("rebated".to_owned(), AttributeValue::M(sums));
        }
        self.table.put(wallet).await;
    }
}

#[tokio::test]
async fn months_add_up_before_and_after_a_reversal() {
    let months = Months::start().await;
    assert_eq!(months.rebates[1].amount.to_string(), "0.50");
    clean(&audited(&months.table.bench).await);
    let reverse = months.table.bench.reversal(&months.deposits[0]);
    posted(run(&months.table.bench.another(), &reverse, Strategy::Optimistic).await.0);
    clean(&audited(&months.table.bench).await);
}

#[tokio::test]
async fn a_changed_count_of_a_month() {
    let months = Months::start().await;
    months.counting(Some("0.50")).await;
    finds(&months.table, Check::Rebate, months.version).await;
}

#[tokio::test]
async fn a_count_that_was_taken_away() {
    let months = Months::start().await;
    months.counting(None).await;
    finds_in(&months.table, months.rebates[0].id, Check::Rebate, "does not count rule monthly").await;
}

#[tokio::test]
async fn a_month_that_passed_its_cap() {
    let months = Months::start().await;
    for deposit in &months.deposits {
        months.table.pinning(deposit, "monthly_cap", "1.20").await;
    }
    finds(&months.table, Check::Rebate, months.version).await;
    let report = audited(&months.table.bench).await;
    assert!(report.findings.iter().any(|finding| finding.difference.contains("0.30 more than its cap")));
}

#[tokio::test]
async fn a_rebate_below_its_minimum() {
    let months = Months::start().await;
    months.table.pinning(&months.deposits[0], "minimum", "2").await;
    finds_in(&months.table, months.rebates[0].id, Check::Rebate, "the rule pays nothing below 2.00").await;
}
