//! Folds that are seen half applied, lost, late, beside each other and by wrong clocks.
//!
//! In paused time on the table in memory, as [`crate::ledger::torn`].

use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;
use wallet_domain::{Command, Credits, Deposit, Transaction, WalletId};
use wallet_dynamodb::{ExecuteError, Settled, Strategy, Usage};

use super::mode;
use crate::faults::{Call, Fault, LONG, Order, Treatment, World, always, first, slow};
use crate::ledger::torn::{both_post, check, patiently, short_of, withdraw};
use crate::ledger::{BOTH, order, posted, run};

/// Runs `test` in a world of its own with a wallet that holds nothing, whose credits are batched and three of 10.00 wait.
#[track_caller]
pub(super) fn check_shop(test: impl AsyncFn(&World, WalletId)) {
    check(async |world, _| {
        let shop = world.open("shop", "0", None).await;
        world.amend(shop, 0, mode(Credits::Batched)).await;
        for number in 0..3 {
            pay_in(world, shop, &format!("waits {number}"), "10").await;
        }
        test(world, shop).await;
    });
}

pub(super) fn credit(key: &str, wallet: WalletId, amount: &str) -> Command {
    let order = order("bank", key.parse().expect("a printable key"), amount);
    Command::Deposit(Deposit { order, wallet, rules: [].into() })
}

pub(super) async fn pay_in(world: &World, wallet: WalletId, key: &str, amount: &str) -> Transaction {
    world.post(&credit(key, wallet, amount)).await
}

pub(super) async fn settle(world: &World, wallet: WalletId) -> Settled {
    world.plain().settle(wallet, &mut Usage::default()).await.expect("it settles")
}

/// Whichever of its items is seen first, the money is neither counted twice nor missed.
#[test]
fn a_debit_beside_half_a_fold_sees_the_money_once() {
    for (order, strategy) in
        [Order::Sent, Order::Backwards, Order::Any(7)].into_iter().flat_map(|o| BOTH.map(|s| (o, s)))
    {
        for (amount, at) in [("30", 55), ("30", 80), ("100", 55), ("100", 80)] {
            check_shop(async |world, shop| {
                world.network.set(slow(Call::is_fold, order));
                let folder = world.ledger(0, 10);
                let mut usage = Usage::default();
                let (folded, debited) = tokio::join!(folder.settle(shop, &mut usage), async {
                    sleep(Duration::from_millis(at)).await;
                    patiently(world, &withdraw("out", shop, amount, None), strategy).await
                });
                folded.expect("it settles");
                match amount {
                    "30" => drop(posted(debited)),
                    _ => assert_eq!(short_of(debited), "30.00", "{order:?}, {strategy}, at {at} ms"),
                }
            });
        }
    }
}

/// A wallet is shown at each millisecond of a fold: what is said to be all is 30.00, in its balance and its inbox together.
#[test]
fn a_look_beside_half_a_fold_shows_the_money_once() {
    for order in [Order::Sent, Order::Backwards, Order::Any(7)] {
        check_shop(async |world, shop| {
            world.network.set(Box::new(move |call| {
                let work = if call.is_fold() { LONG } else { Duration::from_millis(2) };
                Treatment { work, order, ..Treatment::default() }
            }));
            let looks = (0..250).map(|at| async move {
                sleep(Duration::from_millis(at)).await;
                let (ledger, mut usage) = (world.ledger(0, 10), Usage::default());
                let before = ledger.wallet(shop, &mut usage).await.expect("the table answers").expect("it exists");
                let (wallet, incoming, is_all) = ledger.incoming(&before, &mut usage).await.expect("the same");
                (is_all, wallet.balance.minor_units() + incoming.amount.minor_units(), incoming.count)
            });
            let fold = async {
                sleep(Duration::from_millis(20)).await;
                world.ledger(0, 10).settle(shop, &mut Usage::default()).await.expect("it settles")
            };
            let (folded, looks) = tokio::join!(fold, join_all(looks));
            assert_eq!(folded.folded, 3);
            let all: Vec<_> =
                looks.into_iter().filter(|(is_all, ..)| *is_all).map(|(_, shown, count)| (shown, count)).collect();
            assert!(
                all.contains(&(3_000, 3)) && all.contains(&(3_000, 0)),
                "{order:?}: neither before nor after: {all:?}"
            );
            assert!(all.iter().all(|(shown, _)| *shown == 3_000), "{order:?}: {all:?}");
        });
    }
}

#[test]
fn whatever_happens_to_a_fold_each_credit_becomes_one_row() {
    let faults = [
        Fault::Throttled,
        Fault::ThrottledWithin,
        Fault::Conflict,
        Fault::ServerError,
        Fault::ServerErrorAfter,
        Fault::RequestLost,
        Fault::ReplyLost,
        Fault::BrokenOff,
        Fault::Late(Duration::from_millis(400)),
        Fault::Late(Duration::from_secs(10)),
    ];
    for fault in faults {
        check_shop(async |world, shop| {
            world.network.set(first(1, Call::is_fold, fault));
            world.ledger(0, 6).settle(shop, &mut Usage::default()).await.expect("it settles");
            assert_eq!(world.balance(shop).await, "30.00", "{fault:?}");
            sleep(Duration::from_secs(20)).await;
            assert_eq!(world.balance(shop).await, "30.00", "{fault:?}");
        });
        for strategy in BOTH {
            check_shop(async |world, shop| {
                world.network.set(first(1, Call::is_fold, fault));
                let (done, _) = run(&world.ledger(0, 6), &withdraw("out", shop, "30", None), strategy).await;
                posted(done);
                sleep(Duration::from_secs(20)).await;
                assert_eq!(world.balance(shop).await, "0.00", "{fault:?}, {strategy}");
            });
        }
    }
}

#[test]
fn a_folder_that_dies_at_any_time_leaves_nothing_half_done() {
    for dies in 0..30 {
        check_shop(async |world, shop| {
            let slow = Treatment {
                there: Duration::from_millis(2),
                work: Duration::from_millis(4),
                back: Duration::from_millis(2),
                ..Treatment::default()
            };
            world.network.set(always(|_| true, slow));
            let (ledger, mut usage) = (world.ledger(0, 6), Usage::default());
            let _ = tokio::time::timeout(Duration::from_millis(dies), ledger.settle(shop, &mut usage)).await;
            sleep(Duration::from_secs(1)).await;
            settle(world, shop).await;
            assert_eq!(world.balance(shop).await, "30.00", "it died after {dies} ms");
        });
    }
}

#[test]
fn fifty_wake_ups_at_once_settle_each_credit_once() {
    check_shop(async |world, shop| {
        for number in 0..300 {
            pay_in(world, shop, &format!("more {number}"), "1").await;
        }
        let slow = Treatment { work: Duration::from_millis(5), ..Treatment::default() };
        world.network.set(always(|_| true, slow));
        let folding = || async { world.ledger(0, 10).settle(shop, &mut Usage::default()).await };
        let ended = join_all((0..50).map(|_| folding())).await;
        let lost = |ended: &&Result<Settled, ExecuteError>| matches!(ended, Err(ExecuteError::Conflict { .. }));
        assert!(ended.iter().all(|ended| ended.is_ok() || lost(&ended)), "{ended:?}");
        let folded: u64 = ended.iter().flatten().map(|settled| settled.folded).sum();
        // Who gave up had settled some before, perhaps.
        assert!(folded <= 303, "{folded}");
        settle(world, shop).await;
        assert_eq!(world.balance(shop).await, "330.00");
        assert_eq!(settle(world, shop).await, Settled::default());
    });
}

#[test]
fn a_folder_whose_clock_is_wrong_writes_nothing() {
    for hours in [-48, -1, 1, 48] {
        check_shop(async |world, shop| {
            let before = world.table.history().len();
            let ended = world.ledger(hours * 3_600, 6).settle(shop, &mut Usage::default()).await;
            assert!(matches!(ended, Err(ExecuteError::ClockSkew { .. })), "{ended:?}");
            let (ended, _) =
                run(&world.ledger(hours * 3_600, 6), &withdraw("out", shop, "30", None), Strategy::Optimistic).await;
            assert!(matches!(ended, Err(ExecuteError::ClockSkew { .. })), "{ended:?}");
            assert_eq!(world.table.history().len(), before);
            assert_eq!(settle(world, shop).await.folded, 3);
        });
    }
}

/// The payer has read that credits wait; by the time its money comes they do so no longer.
#[test]
fn a_credit_that_comes_after_the_switch_is_spent_by_the_next_request() {
    for strategy in BOTH {
        check_shop(async |world, shop| {
            let late = Treatment { there: Duration::from_millis(80), ..Treatment::default() };
            world.network.set(always(Call::is_commit, late));
            let (payer, late) = (world.ledger(0, 6), credit("late", shop, "5"));
            let (paid, ()) = tokio::join!(run(&payer, &late, strategy), async {
                sleep(Duration::from_millis(40)).await;
                world.amend(shop, 1, mode(Credits::Immediate)).await;
            });
            assert_eq!(posted(paid.0).credited().collect::<Vec<_>>(), [shop]);
            posted(run(&world.ledger(0, 6), &withdraw("out", shop, "35", None), strategy).await.0);
        });
    }
}

/// Two tries meet, and of all that keeps the second from writing it is told but a part.
#[test]
fn a_second_try_of_a_credit_is_a_replay_whichever_reasons_are_told() {
    for seed in 0..64 {
        check_shop(async |world, shop| {
            let mut commits = 0;
            world.network.set(Box::new(move |call| {
                commits += u32::from(call.is_commit());
                let there = Duration::from_millis(if call.is_commit() && commits == 2 { 80 } else { 0 });
                Treatment { there, order: Order::Any(seed), ..Treatment::default() }
            }));
            let again = credit("twice", shop, "5");
            both_post(world, &world.ledger(0, 10), &again, Strategy::Optimistic, Duration::ZERO).await;
        });
    }
}
