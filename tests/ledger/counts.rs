//! What each request costs, in calls and capacity units as DynamoDB reports them. These are the numbers of the README.

use wallet_domain::{Command, Deposit, Outcome, Transfer, Withdraw};
use wallet_dynamodb::{Done, Ledger, Strategy, Usage};

use super::{BOTH, Bench, posted, run};

#[track_caller]
fn check(usage: Usage, calls: u32, write_units: u64) {
    assert_eq!((usage.calls, usage.write_half_units()), (calls, write_units * 2), "{usage:?}");
}

async fn cost(ledger: &Ledger, command: &Command, strategy: Strategy) -> Usage {
    let (done, usage) = run(ledger, command, strategy).await;
    posted(done);
    usage
}

#[tokio::test]
async fn optimistic_is_two_calls_cold_and_one_on_wallets_written_last() {
    let (bench, a, b) = Bench::with_two("100").await;
    let cold = || bench.another();
    check(cost(&cold(), &bench.deposit(a, "1"), Strategy::Optimistic).await, 2, 6);
    check(cost(&cold(), &bench.withdraw(a, "1"), Strategy::Optimistic).await, 2, 6);
    check(cost(&cold(), &bench.transfer(a, b, "1"), Strategy::Optimistic).await, 2, 10);
    let warm = cold();
    check(cost(&warm, &bench.transfer(a, b, "1"), Strategy::Optimistic).await, 2, 10);
    check(cost(&warm, &bench.transfer(a, b, "1"), Strategy::Optimistic).await, 1, 10);
    check(cost(&warm, &bench.deposit(b, "1"), Strategy::Optimistic).await, 1, 6);
}

#[tokio::test]
async fn pessimistic_is_three_calls_cold_and_two_on_wallets_written_last() {
    let (bench, a, b) = Bench::with_two("100").await;
    let ledger = bench.another();
    check(cost(&ledger, &bench.transfer(a, b, "1"), Strategy::Pessimistic).await, 3, 14);
    check(cost(&ledger, &bench.transfer(a, b, "1"), Strategy::Pessimistic).await, 2, 14);
    check(cost(&ledger, &bench.withdraw(a, "1"), Strategy::Pessimistic).await, 2, 8);
}

#[tokio::test]
async fn each_lost_race_is_one_call_more() {
    let (bench, a, b) = Bench::with_two("100").await;
    let (first, second) = (bench.another(), bench.another());
    cost(&first, &bench.transfer(a, b, "1"), Strategy::Optimistic).await;
    // The first process's snapshots are now one version behind: its next commit is lost, and brings the fresh ones.
    cost(&second, &bench.transfer(a, b, "1"), Strategy::Optimistic).await;
    let usage = cost(&first, &bench.transfer(a, b, "1"), Strategy::Optimistic).await;
    assert_eq!((usage.calls, usage.attempts, usage.conflicts), (2, 2, 1));
    // It has proved stale, so the next request reads; when that proves fresh again, the one after does not.
    let usage = cost(&first, &bench.transfer(a, b, "1"), Strategy::Optimistic).await;
    assert_eq!((usage.calls, usage.attempts, usage.conflicts), (2, 1, 0));
    cost(&second, &bench.transfer(a, b, "1"), Strategy::Optimistic).await;
    let usage = cost(&first, &bench.transfer(a, b, "1"), Strategy::Pessimistic).await;
    assert_eq!((usage.calls, usage.attempts, usage.conflicts), (3, 2, 1));
}

/// Two read units an item, since all are read at one moment, and the record too that isn't there.
#[tokio::test]
async fn a_dry_run_is_one_call_and_writes_nothing() {
    let (bench, a, b) = Bench::with_two("100").await;
    for (command, read_units) in
        [(bench.withdraw(a, "1"), 4), (bench.transfer(a, b, "1"), 6), (bench.withdraw(a, "101"), 4)]
    {
        let mut usage = Usage::default();
        let _ = bench.another().dry_run(&command, &mut usage).await;
        check(usage, 1, 0);
        assert_eq!(usage.read_half_units(), read_units * 2);
    }
}

/// The index of references takes a write unit of each transaction that has one, posted or refused.
#[tokio::test]
async fn a_reference_is_one_write_unit_more() {
    let (bench, a, b) = Bench::with_two("100").await;
    let referred = |mut command: Command| {
        let (Command::Deposit(Deposit { order, .. })
        | Command::Withdraw(Withdraw { order, .. })
        | Command::Transfer(Transfer { order, .. })) = &mut command
        else {
            unreachable!("{command:?}")
        };
        order.reference = Some("order 1".parse().expect("a reference"));
        command
    };
    let cold = || bench.another();
    check(cost(&cold(), &referred(bench.deposit(a, "1")), Strategy::Optimistic).await, 2, 7);
    check(cost(&cold(), &referred(bench.transfer(a, b, "1")), Strategy::Optimistic).await, 2, 11);
    let (refused, usage) = run(&cold(), &referred(bench.withdraw(a, "1000")), Strategy::Optimistic).await;
    assert!(matches!(refused, Ok(Done::Executed(_))), "{refused:?}");
    check(usage, 2, 4);
    let mut usage = Usage::default();
    let (alice, order) = ("alice".parse().expect("an owner"), "order 1".parse().expect("a reference"));
    let page = cold().referred(&alice, &order, None, 10, &mut usage).await.expect("the table answers");
    assert_eq!((page.items.len(), usage.calls, usage.write_half_units()), (2, 2, 0));
}

#[tokio::test]
async fn a_replay_is_one_call_and_a_refusal_two() {
    let (bench, a) = Bench::with_one("10").await;
    for (command, refused) in [(bench.withdraw(a, "10"), false), (bench.withdraw(a, "0.01"), true)] {
        let (done, usage) = run(&bench.another(), &command, Strategy::Optimistic).await;
        let Ok(Done::Executed(first)) = done else { panic!("{done:?}") };
        assert_eq!(matches!(first.outcome, Outcome::Failed { .. }), refused);
        assert_eq!(usage.calls, 2);
        for strategy in BOTH {
            let (again, usage) = run(&bench.another(), &command, strategy).await;
            assert_eq!(again.expect("on record"), Done::Replayed(first.clone()));
            check(usage, 1, 0);
        }
    }
}
