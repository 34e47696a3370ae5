//! Rebates below HTTP: the monthly cap under contention, and what each may cost.

use std::sync::Arc;

use wallet_domain::{
    Bounds, Command, Deposit, Month, Outcome, PayRebate, RebateTerms, Timestamp, Transaction, WalletId,
};
use wallet_dynamodb::aws_sdk_dynamodb::types::AttributeValue;
use wallet_dynamodb::{Clock, Done, Ledger, Strategy, Usage};

use super::{BOTH, Bench, all_at_once, eur, in_turn, order, posted, refusal, run, torn};

fn at(time: &str) -> Clock {
    let time: Timestamp = time.parse().expect("a time as RFC 3339 writes it");
    Arc::new(move || time)
}

/// One percent, within a month no more than `monthly_cap`.
fn rule(monthly_cap: Option<&str>) -> RebateTerms {
    RebateTerms { monthly_cap: Bounds::new(monthly_cap.map(eur)).expect("one bound"), ..torn::rule() }
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
    for strategy in BOTH {
        let wallet = bench.open("alice", "0").await;
        let rebates =
            in_turn(0..12, async |_| bench.earned(wallet, &rule(Some("7.50")), "2026-11-30T23:59:59Z").await).await;
        // Each delivered twice, all at once, and paid in December.
        let twice = rebates.iter().chain(&rebates).map(|rebate| (rebate.clone(), strategy));
        let ended = all_at_once(&bench, Some(at("2026-12-01T00:00:01Z")), twice).await;
        let ended: Vec<_> = ended.into_iter().map(|done| done.expect("on record")).collect();
        let executed: Vec<_> = ended.iter().filter(|done| matches!(done, Done::Executed(_))).collect();
        let mut amounts: Vec<_> = executed.iter().map(|done| paid(done)).collect();
        amounts.sort_unstable();
        assert_eq!(amounts, [0, 0, 0, 0, 50, 100, 100, 100, 100, 100, 100, 100], "each is worked on once");
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

/// Runs `commands` one after the other, as a batch of the queue does.
async fn batch(ledger: &Ledger, commands: &[Command]) -> Vec<(Transaction, Usage)> {
    in_turn(commands, async |command| {
        let (done, usage) = run(ledger, command, Strategy::Optimistic).await;
        let (Done::Executed(rebate) | Done::Replayed(rebate)) = done.expect("on record");
        (rebate, usage)
    })
    .await
}

/// The calls of each.
async fn calls(ledger: &Ledger, commands: &[Command]) -> Vec<u32> {
    batch(ledger, commands).await.iter().map(|(_, usage)| usage.calls).collect()
}

const NOVEMBER: &str = "2026-11-30T12:00:00Z";

#[tokio::test]
async fn a_rebate_costs_a_read_and_a_commit_and_a_read_once_it_is_paid() {
    let (bench, wallet) = Bench::with_one("0").await;
    let together = in_turn(0..10, async |_| bench.earned(wallet, &rule(Some("1000")), NOVEMBER).await).await;
    let ended = batch(&bench.another(), &together).await;
    assert!(ended.iter().all(|(_, usage)| (usage.calls, usage.write_half_units(), usage.conflicts) == (2, 12, 0)));
    assert_eq!(calls(&bench.another(), &together).await, [1; 10], "paid before");
    assert_eq!(bench.wallet(wallet).await.balance, eur("1010.00"));
}

#[tokio::test]
async fn a_batch_that_names_a_rebate_twice_pays_it_once() {
    let (bench, wallet) = Bench::with_one("0").await;
    let rebate = bench.earned(wallet, &rule(None), NOVEMBER).await;
    let ended = batch(&bench.another(), &[rebate.clone(), rebate.clone(), rebate]).await;
    assert!(ended.iter().all(|(transaction, _)| *transaction == ended[0].0));
    assert_eq!(ended.iter().map(|(_, usage)| usage.calls).collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(bench.wallet(wallet).await.balance, eur("101.00"));
}

/// A rebate rests on its deposit and on the wallet: what refuses it is read at one moment, then recorded.
#[tokio::test]
async fn a_refused_rebate_costs_one_call_more() {
    let (bench, wallet) = Bench::with_one("0").await;
    let rule = rule(Some("1.50"));
    let rebates = in_turn(0..3, async |_| bench.earned(wallet, &rule, NOVEMBER).await).await;
    let ended = batch(&bench.another(), &rebates).await;
    let told: Vec<_> = ended.iter().map(|(rebate, _)| told(rebate)).collect();
    assert_eq!(told, ["1.00", "0.50", "rebate_cap_reached"]);
    assert_eq!(ended.iter().map(|(_, usage)| usage.calls).collect::<Vec<_>>(), [2, 2, 3]);
}

/// What a rebate came to, or why not.
fn told(rebate: &Transaction) -> String {
    match &rebate.outcome {
        Outcome::Failed { refusal, .. } => refusal.code().to_owned(),
        Outcome::Posted { .. } => rebate.amount.to_string(),
    }
}

#[tokio::test]
async fn a_damaged_deposit_in_a_batch_harms_no_other() {
    let (bench, wallet) = Bench::with_one("0").await;
    let rebates = in_turn(0..3, async |_| bench.earned(wallet, &rule(None), NOVEMBER).await).await;
    bench.unset(&rebates[1], "REMOVE fingerprint").await;
    let ledger = bench.another();
    let paid = in_turn(&rebates, async |rebate| run(&ledger, rebate, Strategy::Optimistic).await.0.is_ok()).await;
    assert_eq!((paid, bench.wallet(wallet).await.balance), (vec![true, false, true], eur("302.00")));
}
