//! The sweep as the schedule calls it: what became of nobody's message is executed or ended, and neither holds nor requests
//! starve the other when the time is short.

use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use tokio::time::sleep;
use wallet_domain::{Authorise, Command, Outcome, SignedDuration, TransactionId, WalletId};
use wallet_dynamodb::Usage;

use crate::faults::{Call, Treatment, World, always, fair};
use crate::ledger::order;
use crate::ledger::torn::{check, withdraw};

async fn swept(world: &World) -> Value {
    let event = LambdaEvent::new(json!({}), Context::default());
    wallet_holds::sweep::handle(&world.app(0), event).await.expect("it tells what it has done")
}

/// Its message was lost.
async fn queued(world: &World, key: &str, wallet: WalletId) -> TransactionId {
    let (ledger, command) = (world.plain(), withdraw(key, wallet, "1", None));
    let request = command.request(ledger.now()).expect("it is admissible").expect("it can wait");
    ledger.accept(&request, None, &mut Usage::default()).await.expect("it waits");
    request.id
}

async fn outcome(world: &World, id: TransactionId) -> Option<Outcome> {
    let found = world.plain().transaction(id, &mut Usage::default()).await.expect("the table answers");
    found.map(|found| found.outcome)
}

#[test]
fn a_request_whose_message_was_lost_is_executed_and_after_a_day_it_is_ended() {
    check(async |world, wallet| {
        let id = queued(world, "lost", wallet).await;
        sleep(Duration::from_secs(599)).await;
        assert_eq!(swept(world).await["requests"], 0, "the queue has it still");
        sleep(Duration::from_secs(2)).await;
        assert_eq!(swept(world).await["requests"], 1);
        assert!(matches!(outcome(world, id).await, Some(Outcome::Posted { .. })));
        let id = queued(world, "late", wallet).await;
        sleep(Duration::from_secs(24 * 3_600)).await;
        assert_eq!(swept(world).await["requests"], 1);
        let Some(Outcome::Failed { refusal, .. }) = outcome(world, id).await else { panic!("it waits on") };
        assert_eq!(refusal.code(), "request_expired");
        assert_eq!(swept(world).await["requests"], 0, "it is due no more");
    });
}

#[test]
fn a_sweep_that_runs_out_of_time_tells_what_it_has_done_and_leaves_no_request() {
    check(async |world, wallet| {
        // In the first half of the index, and in its last share.
        let (mut early, mut late, mut number) = (None, None, 0);
        while early.is_none() || late.is_none() {
            number += 1;
            let found = world.open(&format!("source {number}"), "-100", None).await;
            match found.to_string().chars().last() {
                Some('0'..='3') => early = Some(found),
                Some('f') => late = Some(found),
                _ => {}
            }
        }
        for source in [early, late].into_iter().flatten() {
            let mut order = order("a", format!("hold {source}").parse().expect("a printable key"), "10");
            order.caller.admin = true;
            let expires_in = SignedDuration::from_secs(60);
            let hold = Authorise { order, source, destination: None, expires_in, fee: None };
            world.post(&Command::Authorise(hold)).await;
        }
        let id = queued(world, "lost", wallet).await;
        sleep(Duration::from_secs(601)).await;
        // An event without a deadline leaves half a minute for sixteen shares.
        let of_holds = |call: &Call| call.operation == "Query" && call.body.to_string().contains("hold#");
        let slow = Treatment { work: Duration::from_millis(1_950), ..Treatment::default() };
        world.network.set(always(of_holds, slow));
        let told = swept(world).await;
        assert_eq!((&told["released"], &told["requests"]), (&json!(1), &json!(1)), "{told}");
        assert!(matches!(outcome(world, id).await, Some(Outcome::Posted { .. })));
        world.network.set(fair());
        assert_eq!(swept(world).await["released"], 1, "the next one finds it");
    });
}
