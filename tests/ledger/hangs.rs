//! A database that hangs: every request is answered within the function's time, and its line is in the log.
//!
//! Through the functions themselves, with what Lambda tells them of their time. In paused time: waiting costs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lambda_http::{Request, RequestExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use wallet_domain::{Timestamp, Transaction, WalletId};
use wallet_lambda::work_until;
use wallet_rebate::Rebate;
use wallet_stack::template::Template;
use wallet_stack::{TABLE, invoke};

use super::torn::{check, deposit, rule};
use crate::faults::{Call, Fault, Treatment, World, event};
use crate::followers::batch;
use crate::rebates::message;
use crate::security::lines::Log;

/// What is left of the function's time when the request comes.
const LEFT: Duration = Duration::from_secs(2);

/// What there is to ask about.
struct Desk {
    wallet: WalletId,
    destination: WalletId,
    /// With a rebate that is not paid yet.
    deposit: Transaction,
}

/// A kind of request: its route, and its body.
type Kind = (&'static str, fn(&Desk) -> Value);

fn amount(strategy: &str) -> Value {
    json!({"amount": "10.00", "currency": "EUR", "locking_strategy": strategy})
}

fn transfer(desk: &Desk, strategy: &str) -> Value {
    let mut body = amount(strategy);
    body["source"] = desk.wallet.to_string().into();
    body["destination"] = desk.destination.to_string().into();
    body
}

/// Every kind of request that asks the database anything.
const KINDS: [Kind; 19] = [
    ("POST /v1/wallets", |_| json!({"currency": "EUR"})),
    ("GET /v1/wallets", |_| Value::Null),
    ("GET /v1/wallets/{wallet_id}", |_| Value::Null),
    ("PATCH /v1/wallets/{wallet_id}", |_| json!({"ceiling": "500.00"})),
    ("GET /v1/wallets/{wallet_id}/entries", |_| Value::Null),
    ("GET /v1/wallets/{wallet_id}/attempts", |_| Value::Null),
    ("GET /v1/transactions/{transaction_id}", |_| Value::Null),
    ("GET /v1/transactions?reference=order", |_| Value::Null),
    ("GET /v1/wallets/{wallet_id}?at=2026-03-01T23:58:00Z", |_| Value::Null),
    ("POST /v1/wallets/{wallet_id}/withdrawals?dry_run=true", |_| amount("optimistic")),
    ("POST /v1/wallets/{wallet_id}/deposits", |_| amount("optimistic")),
    ("POST /v1/wallets/{wallet_id}/deposits", |_| amount("pessimistic")),
    ("POST /v1/wallets/{wallet_id}/withdrawals", |_| amount("optimistic")),
    ("POST /v1/wallets/{wallet_id}/withdrawals", |_| amount("pessimistic")),
    ("POST /v1/transfers", |desk| transfer(desk, "optimistic")),
    ("POST /v1/transfers", |desk| transfer(desk, "pessimistic")),
    // Refused, and recorded; then what confirms a refusal can hang too.
    ("POST /v1/wallets/{wallet_id}/withdrawals", |_| json!({"amount": "900.00", "currency": "EUR"})),
    ("POST /v1/transactions/{transaction_id}/reversals", |_| json!({})),
    ("POST /v1/transactions/{transaction_id}/reversals", |_| json!({"locking_strategy": "pessimistic"})),
];

/// The function that answers on `route`.
fn function_of(route: &str) -> String {
    let routes = Template::embedded().expect("the template is whole").routes;
    let key = route.split('?').next();
    routes.into_iter().find(|route| Some(&*route.key()) == key).expect("a route of the template").function
}

#[expect(clippy::disallowed_methods, reason = "Lambda's deadline is one of the system's clock")]
fn deadline() -> u64 {
    let left = i64::try_from(LEFT.as_millis()).expect("a few seconds");
    u64::try_from(Timestamp::now().as_millisecond() + left).expect("after 1970")
}

fn request((route, body): Kind, desk: &Desk) -> Request {
    let (wallet, transaction) = (desk.wallet.to_string(), desk.deposit.id.to_string());
    let parameters: Vec<_> = [("wallet_id", wallet.as_str()), ("transaction_id", transaction.as_str())]
        .into_iter()
        .filter(|(name, _)| route.contains(name))
        .collect();
    let scope = "wallets:read wallets:write funds:deposit wallets:admin";
    let mut request = event(route, &parameters, "a", "hangs", scope, &body(desk));
    if route.starts_with("PATCH") {
        request.headers_mut().insert("if-match", "\"2\"".parse().expect("a header"));
    }
    let mut context = lambda_runtime::Context::default();
    context.deadline = deadline();
    request.with_lambda_context(context)
}

/// Runs `test` with a wallet of 200.00 at version 2, another, and a deposit of 100.00 whose rebate is not paid yet.
#[track_caller]
fn at_desk(mut test: impl AsyncFnMut(&World, &Desk)) {
    check(async |world, wallet| {
        let destination = world.open("b", "0", None).await;
        let earning = deposit(world, wallet, "100", Some(rule()));
        let deposit = world.post(&earning).await;
        test(world, &Desk { wallet, destination, deposit }).await;
    });
}

/// Which calls hang.
#[derive(Clone, Copy, Debug)]
enum Hung {
    No,
    /// The one of this number and all after it.
    From(usize),
    Only(usize),
}

/// Lets calls hang from now on, and notes of each whether it was a commit.
fn hang(world: &World, hung: Hung) -> Arc<std::sync::Mutex<Vec<bool>>> {
    let calls = Arc::new(std::sync::Mutex::new(vec![]));
    let (noted, number) = (Arc::clone(&calls), AtomicUsize::new(0));
    world.network.set(Box::new(move |call: &Call| {
        noted.lock().expect("one thread").push(call.is_commit());
        let number = number.fetch_add(1, Ordering::Relaxed);
        let hangs = match hung {
            Hung::No => false,
            Hung::From(first) => number >= first,
            Hung::Only(one) => number == one,
        };
        Treatment { fault: hangs.then_some(Fault::RequestLost), ..Treatment::default() }
    }));
    calls
}

/// Status and code of the answer, whether each call was a commit, and how long it took.
async fn told(world: &World, kind: Kind, desk: &Desk, hung: Hung) -> (u16, Value, Vec<bool>, Duration) {
    let (app, function) = (world.app(0), function_of(kind.0));
    let (log, calls, begun) = (Log::start("info"), hang(world, hung), Instant::now());
    let answer = timeout(Duration::from_secs(600), invoke(&function, &app, request(kind, desk))).await;
    let answer = answer.unwrap_or_else(|_| panic!("{}, {hung:?}: no answer in ten minutes", kind.0));
    let took = begun.elapsed();
    let lines = log.take_lines();
    let done = lines.iter().filter(|line| line["message"] == "done").count();
    assert_eq!(done, 1, "{}, {hung:?}: {lines:#?}", kind.0);
    let body: Value = serde_json::from_slice(answer.body()).expect("answers are JSON");
    let calls = calls.lock().expect("one thread").clone();
    (answer.status().as_u16(), body["code"].clone(), calls, took)
}

#[test]
fn a_database_that_hangs_from_any_call_on_is_told_in_time() {
    let mut late = vec![];
    for kind in KINDS {
        let mut calls = vec![];
        at_desk(async |world, desk| calls.push(told(world, kind, desk, Hung::No).await));
        let (status, _, calls, _) = calls.remove(0);
        assert!((200..300).contains(&status) || status == 422, "{}: {status}", kind.0);
        for (first, is_commit) in calls.into_iter().enumerate() {
            at_desk(async |world, desk| {
                let (status, code, _, took) = told(world, kind, desk, Hung::From(first)).await;
                // A commit that was sent may have happened.
                let expected = if is_commit { "outcome_unknown" } else { "throttled" };
                if (status, code.as_str()) != (503, Some(expected)) || took > LEFT {
                    late.push(format!("{}, hung from call {first}: {status} {code} after {took:?}", kind.0));
                }
            });
        }
    }
    assert!(late.is_empty(), "{late:#?}");
}

#[test]
fn one_call_that_hangs_costs_no_more_than_the_functions_time() {
    let mut late = vec![];
    for kind in KINDS {
        for one in 0..4 {
            at_desk(async |world, desk| {
                let (status, code, _, took) = told(world, kind, desk, Hung::Only(one)).await;
                let good = (200..300).contains(&status) || status == 422;
                let told =
                    status == 503 && ["throttled", "outcome_unknown"].contains(&code.as_str().unwrap_or_default());
                if !(good || told) || took > LEFT {
                    late.push(format!("{}, call {one} hung: {status} {code} after {took:?}", kind.0));
                }
            });
        }
    }
    assert!(late.is_empty(), "{late:#?}");
}

/// Nobody waits for an answer here: the queue is told which message should come again.
#[test]
fn a_message_whose_rebate_hangs_is_sent_back_in_time() {
    for first in 0..2 {
        at_desk(async |world, desk| {
            let body = message(TABLE, &desk.deposit.id.to_string(), &desk.wallet.to_string());
            let event = batch([("one", body.to_string().as_str())]);
            let (log, begun, _) = (Log::start("info"), Instant::now(), hang(world, Hung::From(first)));
            let report = work_until::<Rebate>(&world.app(0), event, begun + LEFT).await;
            assert!(begun.elapsed() <= LEFT, "{:?}", begun.elapsed());
            assert_eq!(report.response.batch_item_failures.len(), 1, "{:?}", report.reasons);
            assert_eq!(log.take_lines().iter().filter(|line| line["message"] == "done").count(), 1);
        });
    }
}
