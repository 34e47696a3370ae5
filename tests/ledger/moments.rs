//! Clocks that run apart, times that were stored by a wrong one, and figures at the edge of what exists.
//!
//! In paused time on the table in memory ([`crate::faults`]), whose answers carry its own time as `Date`.

use std::time::Duration;

use lambda_http::{Body, Response};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wallet_domain::{Bounds, Change, Command, Deposit, Outcome, Transaction, WalletId};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy, Usage};
use wallet_stack::invoke;

use super::torn::{check, check_by, check_each, deposit, lease, leased, rebate, reversal, rule, transfer, withdraw};
use super::{eur, order, posted, refusal, run};
use crate::faults::{Call, Clocks, Fault, World, event, fair, first};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

async fn run_on(ledger: &Ledger, command: &Command) -> Transaction {
    let (Done::Executed(done) | Done::Replayed(done)) =
        run(ledger, command, Strategy::Optimistic).await.0.expect("on record");
    done
}

#[test]
fn a_lease_that_ends_an_hour_from_now_stops_nobody() {
    check_each(async |world, wallet, strategy| {
        lease(world, wallet, Duration::from_secs(3_600));
        let begun = Instant::now();
        posted(run(&world.ledger(0, 10), &withdraw("out", wallet, "10", None), strategy).await.0);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(!leased(world, wallet), "what nobody believes is not kept");
    });
}

/// Clocks may be five minutes off.
#[test]
fn a_lease_by_a_clock_four_minutes_ahead_is_honoured() {
    check_each(async |world, wallet, strategy| {
        lease(world, wallet, Duration::from_secs(240));
        let ended = run(&world.ledger(0, 3), &withdraw("out", wallet, "10", None), strategy).await.0;
        let waits = matches!(ended, Err(ExecuteError::Conflict { .. } | ExecuteError::LockTimeout { .. }));
        assert!(waits, "{ended:?}");
        sleep(Duration::from_secs(241)).await;
        posted(run(&world.ledger(0, 3), &withdraw("out", wallet, "10", None), strategy).await.0);
    });
}

/// Lets `write` run on a process whose clock is so far ahead, and the table's with it: what it writes is what a wrong
/// clock has written before functions looked at the table's.
async fn ahead(world: &World, seconds: i64, write: impl AsyncFnOnce(&Ledger)) {
    world.network.set_time_ahead(seconds);
    write(&world.ledger(seconds, 10)).await;
    world.network.set_time_ahead(0);
}

#[test]
fn a_rebate_is_paid_although_one_was_counted_92_days_ahead() {
    check(async |world, wallet| {
        let mut terms = rule();
        terms.monthly_cap = Bounds::new([eur("50.00")]).expect("one bound");
        ahead(world, 92 * DAY, async |ledger| {
            let early = run_on(ledger, &deposit(world, wallet, "100", Some(terms.clone()))).await;
            posted(run(ledger, &rebate(&early), Strategy::Optimistic).await.0);
        })
        .await;
        let ledger = world.ledger(0, 10);
        let now = run_on(&ledger, &deposit(world, wallet, "200", Some(terms.clone()))).await;
        let paid = posted(run(&ledger, &rebate(&now), Strategy::Optimistic).await.0);
        assert_eq!(paid.amount, eur("2.00"));
    });
}

#[test]
fn a_withdrawal_is_not_counted_with_those_of_a_day_30_days_ahead() {
    for passed in [0, DAY] {
        check_by(Clocks::Wrong, async |world, wallet| {
            let daily = Change { max_daily_outflow: Some(Some("50".to_owned())), ..Change::default() };
            world.amend(wallet, 1, daily).await;
            ahead(world, 30 * DAY, async |ledger| {
                posted(run(ledger, &withdraw("early", wallet, "40", None), Strategy::Optimistic).await.0);
            })
            .await;
            sleep(Duration::from_secs(passed.unsigned_abs())).await;
            posted(run(&world.ledger(0, 10), &withdraw("out", wallet, "20", None), Strategy::Optimistic).await.0);
        });
    }
}

#[test]
fn a_transfer_is_not_counted_with_those_of_a_minute_an_hour_ahead() {
    check_by(Clocks::Wrong, async |world, wallet| {
        let destination = world.open("b", "0", None).await;
        let one = Change { transfers_per_minute: Some(Some(1)), ..Change::default() };
        world.amend(wallet, 1, one).await;
        ahead(world, HOUR, async |ledger| {
            let early = transfer("early", wallet, destination, "1");
            posted(run(ledger, &early, Strategy::Optimistic).await.0);
        })
        .await;
        let now = transfer("now", wallet, destination, "1");
        posted(run(&world.ledger(0, 10), &now, Strategy::Optimistic).await.0);
        // And what is counted now is counted: the same minute takes no second one.
        let (ledger, second) = (world.ledger(0, 10), transfer("second", wallet, destination, "1"));
        let second = run(&ledger, &second, Strategy::Optimistic).await.0;
        assert!(matches!(second, Err(ExecuteError::Refused(_))), "{second:?}");
    });
}

/// Asks the deposit function of a process with a clock that is so far off.
async fn asked(world: &World, skew_seconds: i64, wallet: WalletId, key: &str) -> (u16, Value) {
    let app = world.app(skew_seconds);
    let (id, body) = (wallet.to_string(), json!({"amount": "5.00", "currency": "EUR"}));
    let route = "POST /v1/wallets/{wallet_id}/deposits";
    let request = event(route, &[("wallet_id", &id)], "bank", key, "funds:deposit", &body);
    let response: Response<Body> = invoke("deposit", &app, request).await;
    (response.status().as_u16(), serde_json::from_slice(response.body()).expect("answers are JSON"))
}

#[test]
fn a_function_whose_clock_is_far_from_the_tables_writes_nothing() {
    for strategy in ["minutes", "days"] {
        check(async |world, wallet| {
            let off = if strategy == "minutes" { 6 * MINUTE } else { 92 * DAY };
            for skew in [off, -off] {
                let before = world.table.history().len();
                let (status, body) = asked(world, skew, wallet, "skewed").await;
                assert_eq!(
                    (status, &body["code"], &body["retryable"]),
                    (503, &json!("clock_skew"), &json!(true)),
                    "{body}"
                );
                assert_eq!(world.table.history().len(), before, "written by a clock {skew} s off");
            }
            // The same request, sent to a function whose clock is right.
            assert_eq!(asked(world, 0, wallet, "skewed").await.0, 201);
        });
    }
}

#[test]
fn a_function_whose_clock_is_four_minutes_off_works() {
    check(async |world, wallet| {
        for (key, skew) in [("late", -4 * MINUTE), ("early", 4 * MINUTE)] {
            let (status, body) = asked(world, skew, wallet, key).await;
            assert_eq!(status, 201, "{body}");
        }
    });
}

/// It has the wallet at hand and could decide without asking the table anything, the time included.
#[test]
fn a_function_whose_clock_was_wrong_once_works_again_when_it_is_right() {
    check_each(async |world, wallet, strategy| {
        let ledger = world.ledger(0, 10);
        posted(run(&ledger, &withdraw("before", wallet, "1", None), strategy).await.0);
        world.network.set_time_ahead(HOUR);
        // The first answer to say so is that to the commit, or that to the lease, after which nothing is committed.
        let meanwhile = run(&ledger, &withdraw("meanwhile", wallet, "1", None), strategy).await.0;
        match strategy {
            Strategy::Optimistic => drop(posted(meanwhile)),
            Strategy::Pessimistic => {
                assert!(matches!(meanwhile, Err(ExecuteError::ClockSkew { .. })), "{meanwhile:?}");
                assert!(!leased(world, wallet));
            }
        }
        let wrong = run(&ledger, &withdraw("again", wallet, "1", None), strategy).await.0;
        assert!(matches!(wrong, Err(ExecuteError::ClockSkew { .. })), "{wrong:?}");
        world.network.set_time_ahead(0);
        posted(run(&ledger, &withdraw("again", wallet, "1", None), strategy).await.0);
    });
}

#[test]
fn times_in_a_wallet_never_go_back() {
    check(async |world, wallet| {
        for (number, skew) in [240, -240, 100, 0].into_iter().enumerate() {
            let command = withdraw(&format!("out {number}"), wallet, "1", None);
            posted(run(&world.ledger(skew, 10), &command, Strategy::Optimistic).await.0);
        }
        let page = world.plain().entries(wallet, None, 100, &mut Usage::default()).await.expect("the table answers");
        let times: Vec<_> = page.items.iter().rev().map(|entry| entry.created_at).collect();
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(Some(&world.wallet(wallet).await.updated_at), times.last());
    });
}

#[test]
fn a_rebate_that_a_cap_clips_below_its_minimum_is_not_paid() {
    check(async |world, wallet| {
        let mut terms = rule();
        terms.minimum = Bounds::new([eur("0.50")]).expect("one bound");
        terms.monthly_cap = Bounds::new([eur("1.20")]).expect("one bound");
        let ledger = world.ledger(0, 10);
        let mut ended = vec![];
        for _ in 0..2 {
            let earning = run_on(&ledger, &deposit(world, wallet, "100", Some(terms.clone()))).await;
            ended.push(run(&ledger, &rebate(&earning), Strategy::Optimistic).await.0.expect("on record"));
        }
        assert_eq!(refusal(&ended[0]), None);
        // 0.20 is left of the month.
        assert!(refusal(&ended[1]).is_some(), "{:?}", ended[1]);
    });
}

#[test]
fn a_rebate_that_the_ceiling_clips_below_its_minimum_is_not_paid() {
    check(async |world, _| {
        let wallet = world.open("full", "0", Some("100.20")).await;
        let mut terms = rule();
        terms.minimum = Bounds::new([eur("0.50")]).expect("one bound");
        let ledger = world.ledger(0, 10);
        let earning = run_on(&ledger, &deposit(world, wallet, "100", Some(terms))).await;
        let ended = run(&ledger, &rebate(&earning), Strategy::Optimistic).await.0.expect("on record");
        assert!(refusal(&ended).is_some(), "{ended:?}");
    });
}

/// No amount has more than 18 digits; what the reversal would take has.
#[test]
fn a_deposit_whose_amount_and_rebate_pass_the_largest_value_can_be_answered_for() {
    check(async |world, _| {
        let wallet = world.open("rich", "0", None).await;
        let (largest, ledger) = ("9999999999999999.99", world.ledger(0, 10));
        let key = "largest".parse().expect("a printable key");
        let paid_in = Deposit { order: order("bank", key, largest), wallet, rules: [rule()].into() };
        let original = run_on(&ledger, &Command::Deposit(paid_in)).await;
        posted(run(&ledger, &withdraw("room", wallet, "5000000000000000", None), Strategy::Optimistic).await.0);
        let rebate = run(&ledger, &rebate(&original), Strategy::Optimistic).await.0.expect("on record");
        assert_eq!(refusal(&rebate), Some("rebate_below_minimum"), "with the deposit it would pass the largest value");
        let ended = run(&ledger, &reversal(&original), Strategy::Optimistic).await.0.expect("on record");
        assert_eq!(refusal(&ended), Some("insufficient_funds"));
    });
}

/// One of its two leases is taken over by a clock that runs ahead; the money is gone with it.
#[test]
fn a_request_that_loses_one_of_two_leases_and_is_refused_leaves_none() {
    check(async |world, wallet| {
        let destination = world.open("b", "0", None).await;
        world.network.set(first(1, Call::is_commit, Fault::Late(Duration::from_millis(200))));
        let (holder, other) = (world.ledger(0, 10), world.ledger(4 * MINUTE, 10));
        let (there, out) = (transfer("there", wallet, destination, "10"), withdraw("out", wallet, "95", None));
        let (refused, out) = tokio::join!(run(&holder, &there, Strategy::Pessimistic), async {
            sleep(Duration::from_millis(100)).await;
            assert!(leased(world, wallet) && leased(world, destination));
            run(&other, &out, Strategy::Optimistic).await
        });
        posted(out.0);
        let refused = refused.0.expect("on record");
        assert_eq!(refusal(&refused), Some("insufficient_funds"));
        world.network.set(fair());
        assert!(!leased(world, wallet) && !leased(world, destination));
    });
}

#[test]
fn a_refused_attempt_is_listed_for_the_wallet_that_refused() {
    check(async |world, wallet| {
        let full = world.open("full", "0", Some("1.00")).await;
        let ended = run(&world.ledger(0, 10), &transfer("there", wallet, full, "10"), Strategy::Optimistic).await.0;
        let (Done::Executed(record) | Done::Replayed(record)) = ended.expect("on record");
        assert!(matches!(record.outcome, Outcome::Failed { .. }), "{record:?}");
        let page = async |of| {
            let page = world.plain().attempts(of, None, 100, &mut Usage::default()).await.expect("the table answers");
            page.items.into_iter().map(|attempt: Transaction| attempt.id).collect::<Vec<_>>()
        };
        assert_eq!((page(full).await, page(wallet).await), (vec![record.id], vec![]));
    });
}
