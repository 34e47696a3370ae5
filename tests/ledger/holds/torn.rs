//! Releases that come between, indexes that are behind, and steps that are seen half applied: no refusal rests on them.
//!
//! In paused time on the table in memory, as [`crate::ledger::torn`].

use std::time::Duration;

use tokio::time::sleep;
use wallet_domain::{Authorise, Capture, Command, Refusal, SignedDuration, Transaction, Void, WalletId};
use wallet_dynamodb::{DryRun, ExecuteError, Strategy, Swept, Usage};

use crate::faults::{Call, Fault, LONG, Order, Treatment, Weather, World, first, slow};
use crate::ledger::torn::{check, check_each, deposit, patiently, short_of, transfer, withdraw};
use crate::ledger::{caller, order, posted, run, until_done};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

fn authorise(key: &str, source: WalletId, amount: &str) -> Command {
    let order = order("a", key.parse().expect("a printable key"), amount);
    Command::Authorise(Authorise { order, source, destination: None, expires_in: MINUTE, fee: None })
}

async fn hold(world: &World, key: &str, source: WalletId, amount: &str) -> Transaction {
    world.post(&authorise(key, source, amount)).await
}

fn capture(key: &str, hold: &Transaction) -> Command {
    let (caller, key) = (caller("a"), key.parse().expect("a printable key"));
    Command::Capture(Capture { caller, key, hold: Box::new(hold.clone()), amount: None, is_final: true })
}

async fn sweep(world: &World) -> Swept {
    world.plain().sweep(&mut Usage::default()).await.expect("the index answers")
}

/// The first look at what is held takes long to arrive.
fn late_look() -> Weather {
    first(1, |call| call.operation == "Query", Treatment { there: LONG, ..Treatment::default() })
}

/// The wallet is seen, then its hold is released, then its holds are looked through: none is overdue any more.
#[test]
fn a_debit_is_not_refused_for_money_that_was_released_while_it_looked() {
    check_each(async |world, wallet, strategy| {
        hold(world, "held", wallet, "60").await;
        sleep(Duration::from_secs(61)).await;
        world.network.set(late_look());
        let (ledger, out) = (world.ledger(0, 10), withdraw("out", wallet, "70", None));
        let (done, swept) = tokio::join!(run(&ledger, &out, strategy), async {
            sleep(LONG / 2).await;
            sweep(world).await
        });
        assert_eq!(swept.released, 1);
        posted(done.0);
    });
}

#[test]
fn a_dry_run_is_not_refused_for_money_that_was_released_while_it_looked() {
    check(async |world, wallet| {
        hold(world, "held", wallet, "60").await;
        sleep(Duration::from_secs(61)).await;
        world.network.set(late_look());
        let (ledger, out, mut usage) = (world.ledger(0, 10), withdraw("out", wallet, "70", None), Usage::default());
        let (told, swept) = tokio::join!(ledger.dry_run(&out, &mut usage), async {
            sleep(LONG / 2).await;
            sweep(world).await
        });
        assert_eq!(swept.released, 1);
        assert!(matches!(told, Ok(DryRun::Decided(_))), "{told:?}");
    });
}

/// The index has heard of no hold for hours.
#[test]
fn an_index_that_is_behind_hides_no_overdue_hold() {
    check_each(async |world, wallet, strategy| {
        world.table.set_lag(Duration::from_secs(7_200));
        hold(world, "held", wallet, "60").await;
        sleep(Duration::from_secs(61)).await;
        let (ledger, out) = (world.ledger(0, 10), withdraw("out", wallet, "70", None));
        let told = ledger.dry_run(&out, &mut Usage::default()).await;
        assert!(matches!(told, Ok(DryRun::Decided(_))), "{told:?}");
        posted(run(&ledger, &out, strategy).await.0);
        world.table.set_lag(Duration::ZERO);
    });
}

/// The commit learns that money of the source is held, and of the destination nothing but that others are at work on it.
#[test]
fn a_refusal_for_held_money_is_not_recorded_on_an_old_snapshot_of_the_other() {
    for seed in 0..64 {
        check(async |world, source| {
            let destination = world.open("b", "0", None).await;
            let stale = world.ledger(0, 10);
            for wallet in [source, destination] {
                posted(run(&stale, &deposit(world, wallet, "1", None), Strategy::Optimistic).await.0);
            }
            world.post(&withdraw("empty", destination, "1", None)).await;
            let close = wallet_domain::Change { status: Some(wallet_domain::Status::Closed), ..Default::default() };
            world.amend(destination, 2, close).await;
            hold(world, "held", source, "30").await;
            let lost = Treatment { order: Order::Any(seed), ..Fault::Conflict.into() };
            world.network.set(first(1, Call::is_commit, lost));
            let short = transfer("short", source, destination, "75");
            let told = run(&stale, &short, Strategy::Optimistic).await.0.expect("on record");
            assert_eq!(crate::ledger::refusal(&told), Some("wallet_closed"), "it was closed all the time");
        });
    }
}

/// Of the release the wallet can be seen first, or its hold.
#[test]
fn a_debit_beside_half_a_release_sees_the_money_once() {
    for order in [Order::Sent, Order::Backwards, Order::Any(3), Order::Any(5)] {
        for (amount, at) in [("70", 55), ("70", 80), ("100.01", 55), ("100.01", 80)] {
            check_each(async |world, wallet, strategy| {
                hold(world, "held", wallet, "60").await;
                sleep(Duration::from_secs(61)).await;
                world.network.set(slow(|call| call.is_commit_of("expiry"), order));
                let (sweeper, mut usage) = (world.ledger(0, 10), Usage::default());
                let (swept, debited) = tokio::join!(sweeper.sweep(&mut usage), async {
                    sleep(Duration::from_millis(at)).await;
                    patiently(world, &withdraw("out", wallet, amount, None), strategy).await
                });
                swept.expect("the index answers");
                match amount {
                    "70" => drop(posted(debited)),
                    _ => assert_eq!(short_of(debited), "100.00", "{order:?}, {strategy}, at {at} ms"),
                }
            });
        }
    }
}

/// A capture is told of an end that is on record, whatever happens to the commit of the release that it makes.
#[test]
fn whatever_happens_to_its_release_a_late_capture_is_told_of_the_end() {
    let faults = [
        Fault::Throttled,
        Fault::Conflict,
        Fault::ServerErrorAfter,
        Fault::ReplyLost,
        Fault::RequestLost,
        Fault::Late(Duration::from_millis(400)),
        Fault::Late(Duration::from_secs(10)),
    ];
    for fault in faults {
        check_each(async |world, wallet, strategy| {
            let held = hold(world, "held", wallet, "60").await;
            sleep(Duration::from_secs(61)).await;
            world.network.set(first(1, Call::is_commit, fault));
            let (done, _) = run(&world.ledger(0, 6), &capture("late", &held), strategy).await;
            let told = matches!(done, Err(ExecuteError::Refused(Refusal::HoldExpired { .. })));
            assert!(told, "{fault:?}, {strategy}: {done:?}");
            let found = world.wallet(wallet).await;
            assert_eq!((found.balance.to_string(), found.held.minor_units()), ("100.00".to_owned(), 0));
        });
    }
}

/// The reply to a capture is lost, and its time is over before it is asked again: it was captured.
#[test]
fn a_capture_whose_reply_was_lost_is_told_although_its_time_is_over_since() {
    for fault in [Fault::ReplyLost, Fault::Late(Duration::from_millis(250))] {
        check_each(async |world, wallet, strategy| {
            let held = hold(world, "held", wallet, "60").await;
            sleep(Duration::from_millis(59_900)).await;
            world.network.set(first(1, Call::is_commit, fault));
            let (done, _) = run(&world.ledger(0, 6), &capture("once", &held), strategy).await;
            posted(done);
            sleep(Duration::from_secs(60)).await;
            assert_eq!(sweep(world).await.released, 0);
        });
    }
}

/// Of a void the wallet can be seen before the hold, or after it: no moment at which the two add up.
#[test]
fn a_capture_or_a_sweep_beside_half_a_void_finds_no_fault() {
    for order in [Order::Sent, Order::Backwards, Order::Any(3), Order::Any(5)] {
        for at in [55, 65, 75, 85, 95] {
            check_each(async |world, wallet, strategy| {
                let held = hold(world, "held", wallet, "60").await;
                hold(world, "long over", wallet, "7").await;
                sleep(Duration::from_millis(59_800)).await;
                world.network.set(slow(|call| call.is_commit_of("void"), order));
                let key = "void".parse().expect("a printable key");
                let void = Command::Void(Void { caller: caller("a"), key, hold: Box::new(held.clone()) });
                let (voider, capturer, capture) = (world.ledger(0, 10), world.ledger(0, 10), capture("late", &held));
                let (sweeper, mut usage) = (world.ledger(1, 10), Usage::default());
                let (voided, captured, swept) = tokio::join!(
                    run(&voider, &void, Strategy::Optimistic),
                    async {
                        sleep(Duration::from_millis(at)).await;
                        until_done(&capturer, &capture, strategy).await.0
                    },
                    async {
                        sleep(Duration::from_millis(at)).await;
                        sweeper.sweep(&mut usage).await
                    }
                );
                posted(voided.0);
                let told = matches!(captured, Err(ExecuteError::Refused(Refusal::HoldNotActive { .. })));
                assert!(told, "{order:?}, {strategy}, at {at} ms: {captured:?}");
                assert_eq!(swept.expect("the index answers").left, 0, "{order:?}, at {at} ms");
            });
        }
    }
}
