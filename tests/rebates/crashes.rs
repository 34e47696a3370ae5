//! The function dies before, in and after a commit; the queue delivers its batch again, to another process.
//!
//! A death is the end of everything the process had: it happens in the very moment in which a request leaves it. What was
//! sent arrives, or doesn't, as the network will.

use std::sync::Arc;
use std::time::Duration;
use wallet_lambda::work;
use wallet_rebate::Rebate;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::{Desk, Earned, batch_of, check};
use crate::faults::{Call, Fault, Treatment, fair};
use crate::ledger::in_turn;

/// How the dying process leaves the request in which it dies.
struct Death {
    strategy: &'static str,
    /// Which request that is, by the deposit whose message is being worked on.
    at: fn(&Call, &Earned) -> bool,
    /// What becomes of the request.
    request: Treatment,
    /// When the queue delivers the batch again.
    redelivered_after: Duration,
}

const SOON: Duration = Duration::from_secs(1);

fn commit(call: &Call, earned: &Earned) -> bool {
    call.is_commit() && call.body.to_string().contains(&earned.rebate.to_string())
}

fn read(call: &Call, earned: &Earned) -> bool {
    !call.is_write() && call.body.to_string().contains(&earned.deposit)
}

/// Three messages; the process dies on the second, and all come again. Answers what the second process had to write beyond
/// one commit of the rebates that were not on record when it began.
#[track_caller]
fn dies(death: Death, extra_writes: std::ops::RangeInclusive<u64>) {
    check(async |desk, wallet| {
        let deposits = in_turn(["100.00", "200.00", "300.00"], async |amount| desk.deposit(wallet, amount).await).await;
        let Death { strategy, at, request, redelivered_after } = death;
        let (dead, second) = (Arc::new(Notify::new()), deposits[1].clone());
        let signal = Arc::clone(&dead);
        desk.world.network.set(Box::new(move |call| {
            if !at(call, &second) {
                return Treatment::default();
            }
            signal.notify_one();
            request
        }));
        let app = desk.process(strategy);
        tokio::select! {
            biased;
            report = work::<Rebate>(&app, batch_of(&deposits)) => panic!("it lives: {report:?}"),
            () = dead.notified() => {}
        }
        desk.world.network.set(fair());
        sleep(redelivered_after).await;
        let unpaid = unpaid(desk, &deposits).await;
        match strategy {
            "optimistic" => assert!([0, 3].contains(&unpaid), "all of one wallet are paid together: {unpaid}"),
            _ => assert!((1..=3).contains(&unpaid), "the third was never begun: {unpaid}"),
        }

        let sent = desk.work_off(&desk.process(strategy), batch_of(&deposits)).await;
        if strategy == "optimistic" {
            let extra = sent - unpaid.min(1);
            assert!(extra_writes.contains(&extra), "{extra} writes beyond that of {unpaid} rebates");
        }
        // Whatever is still under way arrives, and comes too late.
        sleep(Duration::from_secs(30)).await;
        for (earned, expected) in deposits.iter().zip(["1.00", "2.00", "3.00"]) {
            assert_eq!(desk.paid(earned).await.as_deref(), Some(expected));
        }
        assert_eq!(desk.world.balance(wallet).await, "606.00");
    });
}

/// How many of the rebates are not on record.
async fn unpaid(desk: &Desk, deposits: &[Earned]) -> u64 {
    let mut unpaid = 0;
    for earned in deposits {
        unpaid += u64::from(desk.paid(earned).await.is_none());
    }
    unpaid
}

const STRATEGIES: [&str; 2] = ["optimistic", "pessimistic"];

#[test]
fn dead_before_its_commit_the_rebate_is_paid_by_the_next_delivery() {
    for strategy in STRATEGIES {
        let request = Treatment { back: Duration::from_secs(9), ..Treatment::default() };
        dies(Death { strategy, at: read, request, redelivered_after: SOON }, 0..=0);
        let request = Treatment::with(Fault::RequestLost);
        dies(Death { strategy, at: commit, request, redelivered_after: SOON }, 0..=0);
    }
}

#[test]
fn dead_in_its_commit_with_the_reply_lost_it_is_not_paid_again() {
    for strategy in STRATEGIES {
        let request = Treatment::with(Fault::ReplyLost);
        dies(Death { strategy, at: commit, request, redelivered_after: SOON }, 0..=0);
    }
}

#[test]
fn a_dead_process_s_commit_that_arrives_after_the_next_delivery_is_refused() {
    for strategy in STRATEGIES {
        let request = Treatment::with(Fault::Late(Duration::from_secs(20)));
        dies(Death { strategy, at: commit, request, redelivered_after: SOON }, 0..=0);
    }
}

#[test]
fn a_dead_process_s_commit_may_be_in_flight_when_the_next_delivery_commits() {
    for strategy in STRATEGIES {
        // Of two transactions in flight on one item DynamoDB cancels one: the second process tries again, and finds it paid.
        let request = Treatment { work: Duration::from_millis(200), ..Treatment::default() };
        dies(Death { strategy, at: commit, request, redelivered_after: Duration::from_millis(20) }, 1..=10);
    }
}

#[test]
fn dead_with_a_lease_the_next_delivery_waits_for_its_end() {
    let request = Treatment::with(Fault::ReplyLost);
    let at = |call: &Call, _: &Earned| call.is_lease();
    dies(Death { strategy: "pessimistic", at, request, redelivered_after: Duration::ZERO }, 0..=0);
}

#[test]
fn dead_after_its_last_commit_and_before_its_answer_nothing_is_written_again() {
    for strategy in STRATEGIES {
        check(async |desk, wallet| {
            let deposits = [desk.deposit(wallet, "100.00").await, desk.deposit(wallet, "200.00").await];
            for delivery in 0..3 {
                let before = desk.writes();
                // Its answer reaches nobody.
                let _ = work::<Rebate>(&desk.process(strategy), batch_of(&deposits)).await;
                let writes = desk.writes() - before;
                assert_eq!(writes > 0, delivery == 0, "{writes} in delivery {delivery}");
                assert_eq!(desk.world.balance(wallet).await, "303.00");
            }
        });
    }
}
