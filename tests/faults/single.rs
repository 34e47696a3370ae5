//! One fault at a time, and what the caller sees of it.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use wallet_domain::{Command, Deposit, Transaction, Transfer, WalletId, Withdraw};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy, Usage};

use super::call::Call;
use super::check::audit;
use super::fault::{Fault, Treatment};
use super::weather::{always, cut_off, fair, first};
use super::world::{World, runtime};
use crate::ledger::{caller, order};

const BOTH: [Strategy; 2] = [Strategy::Optimistic, Strategy::Pessimistic];
/// As [`World::ledger`] sets them.
const LEASE: Duration = Duration::from_secs(1);
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Runs `test` in a world of its own with two wallets of 100.00, and audits the table afterwards.
fn check(test: impl AsyncFn(&World, WalletId, WalletId)) {
    fastrand::seed(1);
    runtime().block_on(async {
        let world = World::new();
        let (a, b) = (world.open("a", "0", None).await, world.open("b", "0", None).await);
        for wallet in [a, b] {
            posted(run(&world.plain(), &deposit("fund", wallet), Strategy::Optimistic).await);
        }
        test(&world, a, b).await;
        sleep(Duration::from_secs(60)).await;
        audit(&world.table, &world.plain()).await.expect("the books add up");
    });
}

fn deposit(key: &str, wallet: WalletId) -> Command {
    let key = format!("{key} {wallet}").parse().expect("a printable key");
    Command::Deposit(Deposit { order: order("bank", key, "100.00"), wallet, rules: [].into() })
}

fn transfer(source: WalletId, destination: WalletId) -> Command {
    let order = order("a", "transfer".parse().expect("a printable key"), "10.00");
    Command::Transfer(Transfer { order, source, destination, fee: None })
}

/// A withdrawal by the owner of the second wallet.
fn withdraw(key: &str, wallet: WalletId) -> Command {
    let mut order = order("b", key.parse().expect("a printable key"), "1.00");
    order.caller = caller("b");
    Command::Withdraw(Withdraw { order, wallet })
}

async fn run(ledger: &Ledger, command: &Command, strategy: Strategy) -> Result<Done, ExecuteError> {
    ledger.execute(command, strategy, &mut Usage::default()).await
}

#[track_caller]
fn posted(done: Result<Done, ExecuteError>) -> Transaction {
    match done {
        Ok(Done::Executed(transaction)) if !transaction.legs().is_empty() => transaction,
        other => panic!("not posted: {other:?}"),
    }
}

async fn balances(world: &World, wallets: [WalletId; 2]) -> [String; 2] {
    [world.balance(wallets[0]).await, world.balance(wallets[1]).await]
}

#[test]
fn whatever_happens_to_one_commit_the_transfer_is_done_once() {
    for fault in [
        Fault::Throttled,
        Fault::OverThroughput,
        Fault::ThrottledWithin,
        Fault::Conflict,
        Fault::ServerError,
        Fault::ServerErrorAfter,
        Fault::Unconnected,
        Fault::RequestLost,
        Fault::ReplyLost,
        Fault::BrokenOff,
        Fault::Late(Duration::from_millis(400)),
        Fault::Late(Duration::from_secs(10)),
    ] {
        for strategy in BOTH {
            check(async |world, a, b| {
                world.network.set(first(1, Call::is_commit, fault));
                let done = posted(run(&world.ledger(0, 6), &transfer(a, b), strategy).await);
                assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"], "{fault:?}, {strategy}");
                // The second commit of a late first one finds it on record, or the other way round.
                sleep(Duration::from_secs(20)).await;
                assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"], "{fault:?}, {strategy}");
                let again = run(&world.ledger(0, 6), &transfer(a, b), strategy).await.expect("on record");
                assert_eq!(again, Done::Replayed(done));
            });
        }
    }
}

#[test]
fn whatever_happens_to_the_call_that_takes_the_leases_the_transfer_is_done_once() {
    for fault in [Fault::Throttled, Fault::Conflict, Fault::ServerErrorAfter, Fault::ReplyLost, Fault::RequestLost] {
        check(async |world, a, b| {
            world.network.set(first(1, Call::is_lease, fault));
            posted(run(&world.ledger(0, 6), &transfer(a, b), Strategy::Pessimistic).await);
            assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"], "{fault:?}");
        });
    }
}

#[test]
fn a_lost_reply_is_read_back_and_not_sent_again() {
    for fault in [Fault::ReplyLost, Fault::BrokenOff, Fault::ServerErrorAfter] {
        check(async |world, a, b| {
            world.network.set(first(1, Call::is_commit, fault));
            let mut usage = Usage::default();
            let done = world.ledger(0, 6).execute(&transfer(a, b), Strategy::Optimistic, &mut usage).await;
            posted(done);
            assert_eq!(usage.calls, 3, "read, commit, read back: {usage:?}");
        });
    }
}

#[test]
fn throttled_and_conflicting_to_the_end_nothing_has_moved() {
    for strategy in BOTH {
        check(async |world, a, b| {
            let (ledger, transfer) = (world.ledger(0, 6), transfer(a, b));
            world.network.set(always(Call::is_write, Fault::Conflict));
            let ended = run(&ledger, &transfer, strategy).await;
            // What is in the way of a lease is waited for.
            let told = match strategy {
                Strategy::Optimistic => matches!(ended, Err(ExecuteError::Conflict { retry_after_seconds: 1.. })),
                Strategy::Pessimistic => matches!(ended, Err(ExecuteError::LockTimeout { retry_after_seconds: 1.. })),
            };
            assert!(told, "{ended:?}");
            for fault in [Fault::Throttled, Fault::OverThroughput, Fault::ThrottledWithin] {
                world.network.set(always(Call::is_write, fault));
                let ended = run(&ledger, &transfer, strategy).await;
                assert!(matches!(ended, Err(ExecuteError::Throttled { retry_after_seconds: 1.. })), "{ended:?}");
            }
            world.network.set(always(|call| !call.is_write(), Fault::Throttled));
            let ended = run(&world.ledger(0, 6), &transfer, strategy).await;
            assert!(matches!(ended, Err(ExecuteError::Throttled { .. })), "{ended:?}");
            assert_eq!(balances(world, [a, b]).await, ["100.00", "100.00"]);
            // The same key may try again.
            world.network.set(fair());
            posted(run(&ledger, &transfer, strategy).await);
            assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"]);
        });
    }
}

#[test]
fn a_time_out_then_throttling_is_unknown_and_never_a_promise_that_nothing_moved() {
    for fault in [Fault::ReplyLost, Fault::Late(Duration::from_secs(30))] {
        check(async |world, a, b| {
            let mut commits = 0;
            world.network.set(Box::new(move |call| match (call.is_commit(), commits) {
                (true, 0) => {
                    commits += 1;
                    Treatment::with(fault)
                }
                _ if commits > 0 => Treatment::with(Fault::Throttled),
                _ => Treatment::default(),
            }));
            let ended = run(&world.ledger(0, 6), &transfer(a, b), Strategy::Optimistic).await;
            assert!(matches!(ended, Err(ExecuteError::OutcomeUnknown)), "{ended:?}");
            sleep(Duration::from_secs(40)).await;
            assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"]);
        });
    }
}

#[test]
fn an_outcome_that_cannot_be_read_back_is_unknown_and_the_same_key_tells() {
    for (fault, replayed) in [(Fault::ReplyLost, true), (Fault::RequestLost, false)] {
        check(async |world, a, b| {
            world.network.set(cut_off(fault));
            let ended = run(&world.ledger(0, 6), &transfer(a, b), Strategy::Optimistic).await;
            assert!(matches!(ended, Err(ExecuteError::OutcomeUnknown)), "{ended:?}");
            world.network.set(fair());
            let told = run(&world.ledger(0, 6), &transfer(a, b), Strategy::Optimistic).await.expect("an outcome");
            assert_eq!(matches!(told, Done::Replayed(_)), replayed, "{told:?}");
            assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"]);
        });
    }
}

#[test]
fn the_same_request_from_many_at_once_moves_money_once() {
    for strategy in BOTH {
        check(async |world, a, b| {
            let slow = Treatment { work: Duration::from_millis(5), ..Treatment::default() };
            world.network.set(always(|_| true, slow));
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let (ledger, command) = (world.ledger(0, 10), transfer(a, b));
                tasks.spawn(async move { run(&ledger, &command, strategy).await });
            }
            let ended = tasks.join_all().await;
            let executed = ended.iter().filter(|ended| matches!(ended, Ok(Done::Executed(_)))).count();
            assert_eq!(executed, 1, "{ended:?}");
            assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"]);
        });
    }
}

#[test]
fn of_two_transactions_in_flight_on_one_item_one_is_cancelled_and_tries_again() {
    check(async |world, a, b| {
        let slow = Treatment { work: Duration::from_millis(5), ..Treatment::default() };
        world.network.set(always(|_| true, slow));
        let (first, second) = (world.ledger(0, 10), world.ledger(0, 10));
        let mut usage = [Usage::default(), Usage::default()];
        let [one, two] = &mut usage;
        let (there, out) = (transfer(a, b), withdraw("out", b));
        let ended = tokio::join!(
            first.execute(&there, Strategy::Optimistic, one),
            second.execute(&out, Strategy::Optimistic, two),
        );
        posted(ended.0);
        posted(ended.1);
        assert!(usage.iter().map(|usage| usage.conflicts).sum::<u32>() > 0, "{usage:?}");
        assert!(world.network.counts().contains_key("transactions in flight on one item"));
        assert_eq!(balances(world, [a, b]).await, ["90.00", "109.00"]);
    });
}

/// Takes the leases of both wallets and dies before the commit.
async fn dies_with_leases(world: &World, a: WalletId, b: WalletId) -> Instant {
    let ledger = world.ledger(0, 6);
    world.network.set(always(Call::is_commit, Fault::RequestLost));
    let dead = timeout(Duration::from_millis(50), run(&ledger, &transfer(a, b), Strategy::Pessimistic)).await;
    assert!(dead.is_err(), "{dead:?}");
    world.network.set(fair());
    Instant::now()
}

#[test]
fn a_process_that_dies_with_leases_blocks_nobody_for_longer_than_the_lease() {
    for strategy in BOTH {
        check(async |world, a, b| {
            let death = dies_with_leases(world, a, b).await;
            let others = world.ledger(0, 6);
            let mut tries = 0;
            let done = loop {
                tries += 1;
                match run(&others, &withdraw("after", b), strategy).await {
                    Err(ExecuteError::Conflict { .. }) => sleep(Duration::from_millis(20)).await,
                    ended => break ended,
                }
            };
            posted(done);
            let waited = death.elapsed() + Duration::from_millis(50);
            assert!(waited >= LEASE, "{waited:?}: taken while the lease was alive");
            assert!(waited < LEASE * 2, "{waited:?} in {tries} tries");
            // What the dead had begun is for its caller to repeat.
            posted(run(&others, &transfer(a, b), strategy).await);
            assert_eq!(balances(world, [a, b]).await, ["90.00", "109.00"]);
        });
    }
}

#[test]
fn a_waiter_gives_up_before_a_lease_that_outlives_its_patience() {
    check(async |world, a, b| {
        // A holder whose clock runs five minutes ahead: its lease ends five minutes late.
        let ahead = world.ledger(300, 6);
        world.network.set(always(Call::is_commit, Fault::RequestLost));
        let dead = timeout(Duration::from_millis(50), run(&ahead, &transfer(a, b), Strategy::Pessimistic)).await;
        assert!(dead.is_err(), "{dead:?}");
        world.network.set(fair());
        let start = Instant::now();
        let waits = run(&world.ledger(0, 6), &withdraw("waits", b), Strategy::Pessimistic).await;
        assert!(matches!(waits, Err(ExecuteError::LockTimeout { retry_after_seconds: 1.. })), "{waits:?}");
        let waited = start.elapsed();
        assert!((LOCK_WAIT..LOCK_WAIT + Duration::from_secs(1)).contains(&waited), "{waited:?}");
        let races = run(&world.ledger(0, 6), &withdraw("races", b), Strategy::Optimistic).await;
        assert!(matches!(races, Err(ExecuteError::Conflict { .. })), "{races:?}");
        sleep(Duration::from_secs(301)).await;
        posted(run(&world.ledger(0, 6), &withdraw("waits", b), Strategy::Pessimistic).await);
    });
}

#[test]
fn a_holder_that_comes_too_late_is_fenced_by_the_version() {
    check(async |world, a, b| {
        // The commit of the holder arrives two seconds after it was sent; its lease was for one.
        let late = Fault::Late(LEASE * 2);
        world.network.set(first(1, Call::is_commit, late));
        let (holder, other) = (world.ledger(0, 1), world.ledger(0, 10));
        let begun = run(&holder, &transfer(a, b), Strategy::Pessimistic).await;
        assert!(matches!(begun, Err(ExecuteError::OutcomeUnknown)), "{begun:?}");
        posted(run(&other, &withdraw("meanwhile", b), Strategy::Pessimistic).await);
        assert_eq!(balances(world, [a, b]).await, ["100.00", "99.00"]);
        sleep(Duration::from_secs(5)).await;
        assert_eq!(balances(world, [a, b]).await, ["100.00", "99.00"], "the late commit must not pass");
    });
}

#[test]
fn a_clock_that_is_minutes_off_breaks_a_lease_but_not_the_money() {
    for strategy in BOTH {
        check(async |world, a, b| {
            // The holder is between lease and commit when one comes whose clock says that the lease is over.
            let slow = Fault::Late(Duration::from_millis(200));
            world.network.set(first(1, Call::is_commit, slow));
            let (holder, ahead) = (world.ledger(-120, 10), world.ledger(180, 10));
            let (there, out) = (transfer(a, b), withdraw("ahead", b));
            let (first, second) = tokio::join!(run(&holder, &there, Strategy::Pessimistic), async {
                sleep(Duration::from_millis(100)).await;
                run(&ahead, &out, strategy).await
            });
            posted(first);
            posted(second);
            assert_eq!(balances(world, [a, b]).await, ["90.00", "109.00"]);
        });
    }
}

#[test]
fn an_answer_in_part_is_completed() {
    check(async |world, a, b| {
        world.network.set(first(2, |call| !call.is_write(), Fault::Partial));
        posted(run(&world.ledger(0, 6), &transfer(a, b), Strategy::Optimistic).await);
        assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"]);
    });
}

/// The reply to the last commit that it may try is lost, and the table is there to be asked.
#[test]
fn the_last_try_is_read_back_like_any_other() {
    for fault in [Fault::ReplyLost, Fault::BrokenOff, Fault::ServerErrorAfter] {
        for strategy in BOTH {
            check(async |world, a, b| {
                world.network.set(first(1, Call::is_commit, fault));
                posted(run(&world.ledger(0, 1), &transfer(a, b), strategy).await);
                assert_eq!(balances(world, [a, b]).await, ["90.00", "110.00"]);
            });
        }
    }
}
