//! Rebates below HTTP: the monthly cap under contention, and what a batch that shares its read may cost.

use std::sync::Arc;

use wallet_domain::{
    BasisPoints, Bounds, Command, Deposit, Money, Month, Outcome, PayRebate, RebateTerms, Timestamp, Transaction,
    WalletId,
};
use wallet_dynamodb::aws_sdk_dynamodb::types::AttributeValue;
use wallet_dynamodb::{Clock, Done, Ledger, Strategy, Usage};

use super::{Bench, all_at_once, order, posted, refusal, run};

fn eur(text: &str) -> Money {
    Money::parse(text, "EUR".parse().expect("a currency")).expect("an amount")
}

fn at(time: &str) -> Clock {
    let time: Timestamp = time.parse().expect("a time as RFC 3339 writes it");
    Arc::new(move || time)
}

/// One percent, within a month no more than `monthly_cap`.
fn rule(monthly_cap: Option<&str>) -> RebateTerms {
    let share = BasisPoints::new(100).expect("a share");
    let monthly_cap = Bounds::new(monthly_cap.map(eur)).expect("one bound");
    RebateTerms { monthly_cap, ..RebateTerms::new("standard".parse().expect("a rule's name"), share) }
}

impl Bench {
    /// The rebate of a deposit of 100.00 that was made at `time`, not paid yet.
    async fn earned(&self, wallet: WalletId, rule: &RebateTerms, time: &str) -> Command {
        let order = order("bank", self.key(), "100");
        let deposit = Command::Deposit(Deposit { order, wallet, rules: [rule.clone()].into() });
        let ledger = self.another().with_clock(at(time));
        let deposit = posted(run(&ledger, &deposit, Strategy::Optimistic).await.0);
        Command::PayRebate(PayRebate { deposit: deposit.id, wallet, rule: rule.id.clone() })
    }

    /// Changes the record of the deposit that `rebate` is for, as no function can.
    async fn unset(&self, rebate: &Command, update: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let deposit = rebate.parent().expect("a rebate's deposit");
        let client = self.database.client();
        let changed = client.update_item().table_name(self.database.table()).update_expression(update);
        let changed = changed.key("PK", text(&format!("TXN#{deposit}"))).key("SK", text("TXN"));
        let names = update.contains("#rule").then(|| [("#rule".to_owned(), "rule".to_owned())].into());
        changed.set_expression_attribute_names(names).send().await.expect("the deposit is there");
    }

    async fn counted(&self, wallet: WalletId, month: &str) -> Option<String> {
        let month: Month = month.parse().expect("a month");
        let wallet = self.wallet(wallet).await;
        wallet.rebated.all().find(|(counted, ..)| *counted == month).map(|(.., sum)| sum.to_string())
    }
}

fn paid(done: &Done) -> i128 {
    let (Done::Executed(rebate) | Done::Replayed(rebate)) = done;
    if rebate.legs().is_empty() { 0 } else { rebate.amount.minor_units() }
}

#[tokio::test]
async fn rebates_at_once_come_to_the_cap_to_the_cent_and_never_past_it() {
    let bench = Bench::start().await;
    for strategy in [Strategy::Optimistic, Strategy::Pessimistic] {
        let wallet = bench.open("alice", "0").await;
        let mut rebates = vec![];
        for _ in 0..12 {
            rebates.push(bench.earned(wallet, &rule(Some("7.50")), "2026-11-30T23:59:59Z").await);
        }
        // Each delivered twice, all at once, and paid in December.
        let twice = rebates.iter().chain(&rebates).map(|rebate| (rebate.clone(), strategy));
        let ended = all_at_once(&bench, Some(at("2026-12-01T00:00:01Z")), twice).await;
        let ended: Vec<_> = ended.into_iter().map(|done| done.expect("on record")).collect();
        let executed: Vec<_> = ended.iter().filter(|done| matches!(done, Done::Executed(_))).collect();
        assert_eq!(executed.len(), 12, "each is worked on once");
        assert_eq!(executed.iter().map(|done| paid(done)).sum::<i128>(), 750);
        let mut amounts: Vec<_> = executed.iter().map(|done| paid(done)).collect();
        amounts.sort_unstable();
        assert_eq!(amounts, [0, 0, 0, 0, 50, 100, 100, 100, 100, 100, 100, 100]);
        let reasons: Vec<_> = executed.iter().filter_map(|done| refusal(done)).collect();
        assert_eq!(reasons, ["rebate_cap_reached"; 4]);
        assert_eq!(bench.counted(wallet, "2026-11").await.as_deref(), Some("7.50"));
        assert_eq!(bench.counted(wallet, "2026-12").await, None, "the month is the deposit's");
        assert_eq!(bench.recomputed(&[wallet]).await, 120_000 + 750);
        // Once more, however late: the first answers again, and nothing moves.
        for rebate in &rebates {
            let (again, usage) = run(&bench.another(), rebate, strategy).await;
            assert!(matches!(again, Ok(Done::Replayed(_))) && usage.calls == 1, "{again:?}");
        }
        assert_eq!(bench.wallet(wallet).await.balance, eur("1207.50"));
    }
}

#[tokio::test]
async fn a_deposit_from_before_the_rules_had_more_to_say_is_paid_as_it_was() {
    let bench = Bench::start().await;
    let wallet = bench.open("alice", "0").await;
    let rebate = bench.earned(wallet, &rule(None), "2026-11-30T12:00:00Z").await;
    bench.unset(&rebate, "REMOVE #rule.rounding, #rule.monthly_cap").await;
    let done = run(&bench.another(), &rebate, Strategy::Optimistic).await.0.expect("on record");
    assert_eq!(paid(&done), 100);
}

/// Runs `commands` one after the other after a shared read, as a batch of the queue does. What each has cost comes with
/// how it ended, and the read's cost before all.
async fn batch(ledger: &Ledger, commands: &[Command]) -> (Usage, Vec<(Transaction, Usage)>) {
    let mut shared = Usage::default();
    let mut preloaded = ledger.preload(commands, &mut shared).await;
    let mut ended = vec![];
    for command in commands {
        let mut usage = Usage::default();
        let done = ledger.execute_preloaded(&mut preloaded, command, Strategy::Optimistic, &mut usage).await;
        let (Done::Executed(rebate) | Done::Replayed(rebate)) = done.expect("on record");
        ended.push((rebate, usage));
    }
    (shared, ended)
}

/// The calls of a batch: of the shared read, and of all its commands.
async fn calls(ledger: &Ledger, commands: &[Command]) -> (u32, u32) {
    let (shared, ended) = batch(ledger, commands).await;
    (shared.calls, ended.iter().map(|(_, usage)| usage.calls).sum())
}

const NOVEMBER: &str = "2026-11-30T12:00:00Z";

#[tokio::test]
async fn a_batch_costs_one_read_and_a_commit_for_each_rebate_that_is_not_paid_yet() {
    let bench = Bench::start().await;
    let rule = rule(Some("1000"));
    let mut apart = vec![];
    for _ in 0..10 {
        let wallet = bench.open("alice", "0").await;
        apart.push(bench.earned(wallet, &rule, NOVEMBER).await);
    }
    let wallet = bench.open("alice", "0").await;
    let mut together = vec![];
    for _ in 0..10 {
        together.push(bench.earned(wallet, &rule, NOVEMBER).await);
    }
    let alone = bench.earned(wallet, &rule, NOVEMBER).await;
    let alone = std::slice::from_ref(&alone);
    let (shared, ended) = batch(&bench.another(), alone).await;
    let usage = ended[0].1;
    assert_eq!((shared.calls, usage.calls, usage.write_half_units()), (1, 1, 12));
    assert_eq!(calls(&bench.another(), alone).await, (1, 0), "paid before");
    assert_eq!(calls(&bench.another(), &apart).await, (1, 10));
    assert_eq!(calls(&bench.another(), &apart).await, (1, 0), "paid before");
    // Each begins with the wallet as the one before has left it.
    let (shared, ended) = batch(&bench.another(), &together).await;
    assert_eq!((shared.calls, ended.iter().map(|(_, usage)| usage.calls).sum::<u32>()), (1, 10));
    assert!(ended.iter().all(|(_, usage)| usage.conflicts == 0), "{ended:?}");
    assert_eq!(bench.wallet(wallet).await.balance, eur("1111.00"));
    assert_eq!(calls(&bench.another(), &[]).await, (0, 0), "nothing to read, no call");
}

#[tokio::test]
async fn a_batch_that_names_a_rebate_twice_pays_it_once() {
    let bench = Bench::start().await;
    let wallet = bench.open("alice", "0").await;
    let rebate = bench.earned(wallet, &rule(None), NOVEMBER).await;
    let (_, ended) = batch(&bench.another(), &[rebate.clone(), rebate.clone(), rebate]).await;
    assert!(ended.iter().all(|(transaction, _)| *transaction == ended[0].0));
    assert_eq!(ended.iter().map(|(_, usage)| usage.calls).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(bench.wallet(wallet).await.balance, eur("101.00"));
}

#[tokio::test]
async fn more_than_a_hundred_items_are_read_by_the_hundred() {
    let bench = Bench::start().await;
    let wallet = bench.open("alice", "0").await;
    let mut rebates = vec![];
    for _ in 0..50 {
        rebates.push(bench.earned(wallet, &rule(None), NOVEMBER).await);
    }
    // 50 deposits, 50 rebates that are not there yet, one wallet.
    assert_eq!(calls(&bench.another(), &rebates).await, (2, 50));
    assert_eq!(bench.wallet(wallet).await.balance, eur("5050.00"));
}

/// A snapshot that this process wrote since the shared read is no ground for a refusal.
#[tokio::test]
async fn a_refusal_in_a_batch_rests_on_what_the_table_says() {
    let bench = Bench::start().await;
    let wallet = bench.open("alice", "0").await;
    let rule = rule(Some("1.50"));
    let mut rebates = vec![];
    for _ in 0..3 {
        rebates.push(bench.earned(wallet, &rule, NOVEMBER).await);
    }
    let ledger = bench.another();
    let (shared, ended) = batch(&ledger, &rebates).await;
    let told: Vec<_> = ended.iter().map(|(rebate, _)| told(rebate)).collect();
    assert_eq!(told, ["1.00", "0.50", "rebate_cap_reached"]);
    let calls: Vec<_> = ended.iter().map(|(_, usage)| usage.calls).collect();
    assert_eq!((shared.calls, calls), (1, vec![1, 1, 2]), "the refusal is read for, then recorded");
}

/// What a rebate came to, or why not.
fn told(rebate: &Transaction) -> String {
    match &rebate.outcome {
        Outcome::Failed(refusal) => refusal.code().to_owned(),
        Outcome::Posted { .. } => rebate.amount.to_string(),
    }
}

#[tokio::test]
async fn a_damaged_deposit_in_a_batch_harms_no_other() {
    let bench = Bench::start().await;
    let wallet = bench.open("alice", "0").await;
    let mut rebates = vec![];
    for _ in 0..3 {
        rebates.push(bench.earned(wallet, &rule(None), NOVEMBER).await);
    }
    bench.unset(&rebates[1], "REMOVE fingerprint").await;
    let ledger = bench.another();
    let mut preloaded = ledger.preload(&rebates, &mut Usage::default()).await;
    let mut paid = vec![];
    for rebate in &rebates {
        let done = ledger.execute_preloaded(&mut preloaded, rebate, Strategy::Optimistic, &mut Usage::default()).await;
        paid.push(done.is_ok());
    }
    assert_eq!((paid, bench.wallet(wallet).await.balance), (vec![true, false, true], eur("302.00")));
}

/// Others may move on between the shared read and the commit.
#[tokio::test]
async fn what_changed_since_the_shared_read_is_seen() {
    let bench = Bench::start().await;
    let rule = rule(Some("1.50"));
    let wallet = bench.open("alice", "0").await;
    let (first, second, third) = (
        bench.earned(wallet, &rule, NOVEMBER).await,
        bench.earned(wallet, &rule, NOVEMBER).await,
        bench.earned(wallet, &rule, NOVEMBER).await,
    );
    let (ledger, other) = (bench.another(), bench.another());
    let mut preloaded = ledger.preload([&first, &second, &third], &mut Usage::default()).await;
    let mut pay = async |rebate: &Command| {
        let done = ledger.execute_preloaded(&mut preloaded, rebate, Strategy::Optimistic, &mut Usage::default()).await;
        done.expect("on record")
    };
    // Another function pays the first, and a part of the second: the shared read knows of neither.
    for rebate in [&first, &second] {
        drop(run(&other, rebate, Strategy::Optimistic).await.0.expect("on record"));
    }
    assert!(matches!(pay(&first).await, Done::Replayed(rebate) if rebate.amount == eur("1.00")));
    assert!(matches!(pay(&second).await, Done::Replayed(rebate) if rebate.amount == eur("0.50")));
    let late = pay(&third).await;
    assert_eq!(refusal(&late), Some("rebate_cap_reached"));
    assert_eq!(bench.wallet(wallet).await.balance, eur("301.50"));
}
