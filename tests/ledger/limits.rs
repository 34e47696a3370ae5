//! Limits, bounds and fees while sixteen callers press against them at once: exact to the cent, under either strategy.

use std::sync::Arc;
use std::time::Duration;

use wallet_domain::{
    Account, Amend, BasisPoints, Bounds, Change, Command, Expected, FeeSchedule, Leg, Refusal, Timestamp, Transfer,
    WalletId,
};
use wallet_dynamodb::{Clock, Done, ExecuteError, Strategy};

use super::{BOTH, Bench, all_at_once, caller, order, posted, run};

const CALLERS: usize = 16;

/// All callers at one moment, far from the end of a minute or a day.
fn noon() -> Clock {
    let noon: Timestamp = "2026-11-20T12:00:10Z".parse().expect("a time");
    Arc::new(move || noon)
}

/// Every second caller optimistically, the others pessimistically.
fn mixed(command: impl Fn() -> Command) -> Vec<(Command, Strategy)> {
    (0..CALLERS).map(|number| (command(), BOTH[number % 2])).collect()
}

/// How many were posted and how many refused, all of the latter with `code`.
#[track_caller]
fn count(done: &[Result<Done, ExecuteError>], code: &str) -> (usize, usize) {
    let (refused, posted): (Vec<_>, Vec<_>) = done.iter().map(super::code).partition(Option::is_some);
    assert!(refused.iter().all(|found| *found == Some(code)), "{refused:?}");
    (posted.len(), refused.len())
}

#[tokio::test]
async fn the_outflow_of_a_day_is_exact() {
    let (bench, wallet) = Bench::with_one("1000").await;
    bench.amend(wallet, Change { max_daily_outflow: Some(Some("50".to_owned())), ..Change::default() }).await;
    let done = all_at_once(&bench, Some(noon()), mixed(|| bench.withdraw(wallet, "5"))).await;
    assert_eq!(count(&done, "limit_exceeded"), (10, 6));
    assert_eq!(bench.wallet(wallet).await.counters.outflow.to_string(), "50.00");
    assert_eq!(bench.recomputed(&[wallet]).await, 95_000);
    // Each refused attempt is on record.
    let mut usage = Default::default();
    let attempts = bench.another().attempts(wallet, None, 100, &mut usage).await.expect("the table answers");
    assert_eq!(attempts.items.len(), 6);
}

#[tokio::test]
async fn the_transfers_of_a_minute_are_exact() {
    let (bench, wallet, other) = Bench::with_two("1000").await;
    bench.amend(wallet, Change { transfers_per_minute: Some(Some(5)), ..Change::default() }).await;
    let done = all_at_once(&bench, Some(noon()), mixed(|| bench.transfer(wallet, other, "1"))).await;
    assert_eq!(count(&done, "rate_limited"), (5, 11));
    let waits = done.iter().filter_map(|done| match done {
        Err(ExecuteError::Refused(Refusal::RateLimited { retry_after_seconds, .. })) => Some(*retry_after_seconds),
        _ => None,
    });
    assert!(waits.into_iter().all(|seconds| seconds == 50), "ten seconds of the minute are over");
    assert_eq!(bench.recomputed(&[wallet, other]).await, 100_000);

    // Being refused for the rate is not on record: the same key may try again, and the next minute takes it.
    let command = bench.transfer(wallet, other, "1");
    let ledger = bench.another();
    let refused = run(&ledger.clone().with_clock(noon()), &command, Strategy::Optimistic).await.0;
    assert!(matches!(refused, Err(ExecuteError::Refused(Refusal::RateLimited { .. }))), "{refused:?}");
    let next = noon()() + Duration::from_secs(50);
    posted(run(&ledger.with_clock(Arc::new(move || next)), &command, Strategy::Optimistic).await.0);
}

#[tokio::test]
async fn a_ceiling_is_exact() {
    let (bench, wallet) = Bench::with_one("0").await;
    bench.amend(wallet, Change { ceiling: Some(Some("50".to_owned())), ..Change::default() }).await;
    let done = all_at_once(&bench, None, mixed(|| bench.deposit(wallet, "5"))).await;
    assert_eq!(count(&done, "max_balance_exceeded"), (10, 6));
    assert_eq!(bench.recomputed(&[wallet]).await, 5_000);
}

#[tokio::test]
async fn a_floor_below_zero_is_an_administrators_to_give_and_exact() {
    let (bench, wallet) = Bench::with_one("10").await;
    let change = Change { floor: Some("-20".to_owned()), ..Change::default() };
    let own = Amend { caller: caller("alice"), wallet, expected: Expected::Version(1), change: change.clone() };
    let refused = run(&bench.another(), &Command::Amend(own), Strategy::Optimistic).await.0;
    assert!(matches!(refused, Err(ExecuteError::Refused(Refusal::MissingScope { .. }))), "{refused:?}");
    bench.amend(wallet, change).await;
    let done = all_at_once(&bench, None, mixed(|| bench.withdraw(wallet, "5"))).await;
    assert_eq!(count(&done, "insufficient_funds"), (6, 10));
    assert_eq!(bench.recomputed(&[wallet]).await, -2_000);
}

fn with_fee(bench: &Bench, source: WalletId, destination: WalletId, amount: &str) -> Command {
    // 1 % and at least 0.50.
    let minimum = order("alice", bench.key(), "0.50").amount.money();
    let bounds = Bounds::new([minimum]).expect("one bound");
    let points = BasisPoints::new(100).expect("a share");
    let fee = FeeSchedule::new(points, bounds, Bounds::default()).expect("a schedule");
    Command::Transfer(Transfer { order: order("alice", bench.key(), amount), source, destination, fee: Some(fee) })
}

#[tokio::test]
async fn a_fee_is_paid_by_the_source_as_a_leg_of_its_own() {
    let (bench, source, destination) = Bench::with_two("84").await;
    // 10.00 costs 10.50: eight of them fit into 84.00 to the cent.
    let done = all_at_once(&bench, None, mixed(|| with_fee(&bench, source, destination, "10"))).await;
    assert_eq!(count(&done, "insufficient_funds"), (8, 8));
    let mut fees = 0;
    for done in &done {
        let Ok(Done::Executed(transaction) | Done::Replayed(transaction)) = done else { panic!("{done:?}") };
        let (posted, legs) = (!transaction.legs().is_empty(), transaction.legs());
        let fee: Vec<_> = legs.iter().filter(|leg| matches!(leg, Leg::System { account: Account::Fees, .. })).collect();
        assert_eq!(fee.len(), usize::from(posted), "{legs:?}");
        fees += fee.iter().map(|leg| leg.amount().minor_units()).sum::<i128>();
    }
    assert_eq!((fees, bench.recomputed(&[source, destination]).await), (400, 8_000), "84.00 in all");
    assert_eq!(bench.wallet(source).await.counters.outflow.to_string(), "84.00");
}
