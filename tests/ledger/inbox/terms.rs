//! What an administrator changes while money comes: the mode, the ceiling, the status.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use wallet_domain::{Change, Credits, Refusal, Status, WalletId};
use wallet_dynamodb::{Done, ExecuteError, Strategy, Usage};

use super::torn::{check_shop, credit, pay_in, settle};
use super::{any, ceiling, mode, status};
use crate::faults::{Treatment, World, fair};
use crate::ledger::torn::withdraw;
use crate::ledger::{BOTH, posted, run};

const WAIT: Duration = Duration::from_secs(15 * 60);

/// The seconds after which a refused change may be tried again; `None` once it was made.
async fn in_flight(world: &World, key: &str, wallet: WalletId, change: Change) -> Option<u64> {
    match run(&world.ledger(0, 6), &any(key, wallet, change), Strategy::Optimistic).await.0 {
        Ok(_) => None,
        Err(ExecuteError::Refused(Refusal::CreditsInFlight { retry_after_seconds, .. })) => Some(retry_after_seconds),
        other => panic!("{other:?}"),
    }
}

#[test]
fn closing_and_a_ceiling_wait_for_fifteen_minutes_and_an_empty_inbox() {
    for (number, change) in [status(Status::Closed), ceiling()].into_iter().enumerate() {
        check_shop(async |world, shop| {
            world.amend(shop, 1, mode(Credits::Immediate)).await;
            let tried = |key: &'static str| in_flight(world, key, shop, change.clone());
            assert_eq!(tried("at once").await, Some(900));
            sleep(WAIT - Duration::from_secs(10)).await;
            assert_eq!(tried("soon").await, Some(10));
            sleep(Duration::from_secs(10)).await;
            assert_eq!(tried("three wait").await, Some(1));
            settle(world, shop).await;
            if number == 0 {
                world.post(&withdraw("all", shop, "30", None)).await;
            }
            assert_eq!(tried("now").await, None);
        });
    }
}

#[test]
fn a_hot_wallet_is_frozen_under_full_load_and_is_told_once() {
    for strategy in BOTH {
        check_shop(async |world, shop| {
            world.network.set(Box::new(|_| Treatment {
                there: Duration::from_millis(fastrand::u64(0..3)),
                work: Duration::from_millis(fastrand::u64(1..5)),
                back: Duration::from_millis(fastrand::u64(0..3)),
                ..Treatment::default()
            }));
            let (end, mut others) = (Instant::now() + Duration::from_millis(1_500), JoinSet::new());
            for number in 0..6 {
                let ledger = world.ledger(0, 10);
                others.spawn(async move {
                    for payment in 0.. {
                        if Instant::now() > end {
                            return;
                        }
                        let paid = credit(&format!("{number} {payment}"), shop, "1");
                        posted(run(&ledger, &paid, Strategy::Optimistic).await.0);
                        sleep(Duration::from_millis(10)).await;
                    }
                });
            }
            for _ in 0..2 {
                let ledger = world.ledger(0, 10);
                others.spawn(async move {
                    while Instant::now() < end {
                        let _ = ledger.settle(shop, &mut Usage::default()).await;
                        sleep(Duration::from_millis(5)).await;
                    }
                });
            }
            sleep(Duration::from_millis(150)).await;
            let freeze = any("freeze", shop, status(Status::Frozen));
            let mut tries = 0;
            let made = loop {
                tries += 1;
                match run(&world.ledger(0, 10), &freeze, strategy).await.0 {
                    Err(ExecuteError::Conflict { .. } | ExecuteError::LockTimeout { .. }) if tries < 3 => {}
                    done => break posted(done),
                }
            };
            assert!(Instant::now() < end, "it was frozen under load");
            let again = run(&world.ledger(0, 10), &freeze, strategy).await.0;
            assert_eq!(again.expect("on record"), Done::Replayed(made));
            // Nobody is refused: credits come to a frozen wallet too.
            others.join_all().await;
            world.network.set(fair());
            settle(world, shop).await;
            let debit = run(&world.plain(), &withdraw("out", shop, "1", None), Strategy::Optimistic).await.0;
            assert_eq!(crate::ledger::refusal(&debit.expect("on record")), Some("wallet_frozen"));
        });
    }
}

#[test]
fn the_mode_switches_both_ways_under_load_and_nobody_is_refused() {
    check_shop(async |world, shop| {
        world.network.set(Box::new(|_| Treatment {
            there: Duration::from_millis(fastrand::u64(0..5)),
            work: Duration::from_millis(fastrand::u64(0..5)),
            ..Treatment::default()
        }));
        let mut others = JoinSet::new();
        for number in 0..10 {
            let (payer, merchant) = (world.ledger(0, 10), world.ledger(0, 10));
            others.spawn(async move {
                for payment in 0..10 {
                    // What was paid in can be spent by the next request, in whatever mode it came and is.
                    for command in [
                        credit(&format!("in {number} {payment}"), shop, "1"),
                        withdraw(&format!("out {number} {payment}"), shop, "1", None),
                    ] {
                        let ledger = if command.kind().as_str() == "deposit" { &payer } else { &merchant };
                        posted(crate::ledger::until_done(ledger, &command, Strategy::Optimistic).await.0);
                    }
                }
            });
        }
        for turn in 0..10 {
            let to = [Credits::Immediate, Credits::Batched][turn % 2];
            sleep(Duration::from_millis(40)).await;
            let switch = any(&format!("turn {turn}"), shop, mode(to));
            posted(crate::ledger::until_done(&world.ledger(0, 10), &switch, Strategy::Optimistic).await.0);
        }
        others.join_all().await;
        world.network.set(fair());
        world.post(&withdraw("the first three", shop, "30", None)).await;
    });
}

#[test]
fn a_key_that_named_an_amendment_names_no_other() {
    check_shop(async |world, shop| {
        let freeze = any("once", shop, status(Status::Frozen));
        world.post(&freeze).await;
        let thaw = any("once", shop, status(Status::Active));
        let told = run(&world.plain(), &thaw, Strategy::Optimistic).await.0;
        assert!(matches!(told, Err(ExecuteError::Refused(Refusal::IdempotencyKeyReused))), "{told:?}");
        // What was refused has used no key up.
        let refused = any("again", shop, ceiling());
        let told = run(&world.plain(), &refused, Strategy::Optimistic).await.0;
        assert!(matches!(told, Err(ExecuteError::Refused(Refusal::CeilingWithBatchedCredits { .. }))), "{told:?}");
        world.post(&any("again", shop, status(Status::Active))).await;
        pay_in(world, shop, "in", "1").await;
        world.post(&withdraw("out", shop, "31", None)).await;
    });
}
