//! What a movement's steps tell: of a deposit and its rebate, a batched credit and its fold, a refusal; and what is bounded.

use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;
use wallet_domain::TransactionId;
use wallet_stack::{Options, Stack};

use super::kept::Kept;
use super::*;
use crate::testing::{Caller, seen_everywhere};

fn kinds(seen: &Value) -> Vec<String> {
    let steps = seen["steps"].as_array().expect("steps");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    steps
        .iter()
        .map(|step| format!("{} {} {}", text(&step["kind"]), text(&step["who"]), text(&step["queue"])))
        .collect()
}

/// What was seen of `id` once it has a step of this kind by `who`, which comes by itself.
async fn once(trail: &Trail, id: &str, kind: &str, who: &str) -> Value {
    let id: TransactionId = id.parse().expect("an id");
    let patience = async {
        loop {
            let seen = trail.of(id).unwrap_or_default();
            let steps = seen["steps"].as_array().into_iter().flatten();
            if steps.into_iter().any(|step| step["kind"] == kind && step["who"] == who) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), patience).await.expect("it comes in time")
}

#[tokio::test]
async fn a_deposit_is_followed_to_its_rebate_with_what_both_cost() {
    let trail = seen_everywhere();
    let stack = Stack::start(Options::default()).await.expect("started");
    let caller = Caller::of(&stack, "a deposit followed");
    let wallet = caller.open("EUR").await;
    let deposit =
        caller.post(&format!("/v1/wallets/{wallet}/deposits"), json!({"amount": "50", "currency": "EUR"})).await;
    let (id, rebate) = (deposit["id"].as_str().expect("an id"), &deposit["rebate"]["transaction_id"]);
    once(&trail, rebate.as_str().expect("an id"), "bus", "publish").await;
    // The function's line comes last: what it has committed may be published before.
    once(&trail, id, "done", "rebate").await;
    let seen = once(&trail, id, "bus", "publish").await;
    let kinds = kinds(&seen);
    let of_it = [
        "request deposit -",
        "commit table -",
        "stream dispatch -",
        "sent dispatch rebate",
        "received rebate rebate",
        "done rebate -",
    ];
    for kind in of_it.iter().chain(&["sent dispatch publish", "received publish publish", "bus publish -"]) {
        assert!(kinds.iter().any(|seen| seen == kind), "{kind} is not among {kinds:?}");
    }
    let place = |kind: &str| kinds.iter().position(|seen| seen == kind).expect("it was seen");
    assert!(of_it.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{kinds:?}");
    let request = &seen["steps"][0];
    assert_eq!((&request["status"], &request["write_units"], &request["calls"]), (&json!(201), &json!(6), &json!(2)));
    assert_eq!((&request["transaction_id"], &seen["related"]), (&json!(id), &json!([rebate])));
    // 6 for the deposit, 6 for its rebate, at 0.625 dollars a million.
    assert_eq!(seen["write_units"], 12);
    let reads = seen["read_units"].as_u64().expect("units");
    let dollars = Decimal::new(750, 8) + Decimal::new(125, 9) * Decimal::from(reads);
    assert_eq!(seen["dollars"], dollars.normalize().to_string());
    let of_rebate = trail.of(rebate.as_str().expect("an id").parse().expect("an id")).expect("seen");
    assert_eq!((&of_rebate["related"], &of_rebate["write_units"]), (&json!([id]), &json!(6)));
    stack.stop().await;
}

#[tokio::test]
async fn a_batched_credit_is_followed_to_the_fold_and_bears_its_share() {
    let trail = seen_everywhere();
    let rules = [("REBATE_RULES".to_owned(), "[]".to_owned())];
    let stack =
        Stack::start(Options { env: rules.into(), deliver: false, ..Options::default() }).await.expect("started");
    let caller = Caller::of(&stack, "a batched credit followed");
    let body = json!({"currency": "EUR", "credits": "batched"});
    let wallet = caller.post("/v1/wallets", body).await["id"].as_str().expect("an id").to_owned();
    let mut credits = vec![];
    for amount in ["1", "2", "3"] {
        let body = json!({"amount": amount, "currency": "EUR"});
        credits.push(caller.post(&format!("/v1/wallets/{wallet}/deposits"), body).await["id"].clone());
    }
    stack.deliver(true);
    for credit in &credits {
        let seen = once(&trail, credit.as_str().expect("an id"), "done", "settle").await;
        let kinds = kinds(&seen);
        for kind in ["sent dispatch settle", "received settle settle", "done settle -"] {
            assert_eq!(kinds.iter().filter(|seen| *seen == kind).count(), 1, "{kind} in {kinds:?}");
        }
        assert_eq!(kinds.iter().filter(|kind| *kind == "commit table -").count(), 2, "{kinds:?}");
        let done = seen["steps"].as_array().expect("steps").iter().find(|step| step["kind"] == "done").expect("there");
        // One fold of three: its units are shared.
        let units: Decimal = done["write_units"].to_string().parse().expect("a number");
        assert!(units > Decimal::ONE && units < Decimal::from(6), "{done}");
    }
    stack.stop().await;
}

#[tokio::test]
async fn a_refusal_tells_its_code_and_what_only_asks_tells_nothing() {
    let trail = seen_everywhere();
    let stack = Stack::start(Options::default()).await.expect("started");
    let name = "a refusal followed";
    let caller = Caller::of(&stack, name);
    let wallet = caller.open("EUR").await;
    let body = json!({"amount": "9", "currency": "EUR"});
    let (path, key) = (format!("/v1/wallets/{wallet}/withdrawals"), "refused");
    let id = TransactionId::requested_by(&name.parse().expect("a name"), &key.parse().expect("a key"));
    caller.ask("POST", &format!("{path}?dry_run=true"), Some(key), Some(body.clone())).await;
    assert_eq!(trail.of(id), None);
    caller.ask("POST", &path, Some(key), Some(body)).await;
    caller.ask("GET", &format!("/v1/transactions/{id}"), None, None).await;
    let seen = once(&trail, &id.to_string(), "bus", "publish").await;
    let requests: Vec<_> =
        seen["steps"].as_array().expect("steps").iter().filter(|step| step["kind"] == "request").collect();
    assert_eq!(requests.len(), 1, "{seen}");
    assert_eq!((&requests[0]["status"], &requests[0]["code"]), (&json!(422), &json!("insufficient_funds")));
    stack.stop().await;
}

#[test]
fn the_oldest_movement_is_forgotten_and_steps_are_bounded() {
    let mut kept = Kept::default();
    let id = |number: u32| -> TransactionId { format!("txn_{number:032x}").parse().expect("an id") };
    let step = Step::new(Kind::Bus, "publish", Timestamp::UNIX_EPOCH);
    for number in 0..=10_000 {
        kept.push(id(number), step.clone());
    }
    assert_eq!((kept.movements.len(), kept.order.len()), (10_000, 10_000));
    assert!(!kept.movements.contains_key(&id(0)) && kept.movements.contains_key(&id(10_000)));
    let newest = id(10_000);
    (0..100).for_each(|_| kept.push(newest, step.clone()));
    (0..100).for_each(|child| kept.relate(newest, id(child)));
    assert_eq!((kept.movements[&newest].steps.len(), kept.movements[&newest].children.len()), (40, 64));
    let wake_up = || super::kept::WakeUp { message: String::new(), step: step.clone() };
    (0..5_000).for_each(|_| kept.wake_up(wake_up()));
    assert_eq!(kept.wake_ups.len(), 4_096);
}

#[test]
fn what_others_log_and_what_is_no_line_is_passed_over() {
    let trail = Trail::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(trail.layer()), || {
        let transaction_id = format!("txn_{:032x}", 1);
        tracing::info!(transaction_id, function = "deposit", "of elsewhere");
        tracing::debug!(target: LINES, transaction_id, function = "deposit", "below");
        tracing::info!(target: LINES, transaction_id, "without a function");
        tracing::info!(target: LINES, transaction_id = "no id", function = "deposit", route = "POST /v1", "done");
        tracing::debug!(target: STEPS, step = "sent", queue = "Others", message_id = "m", at_ms = -1, about = "no id");
        tracing::debug!(target: STEPS, step = "record", pk = "TXN#x", sk = "TXN", created_at = "never");
        tracing::debug!(target: STEPS, step = "bus");
    });
    assert!(trail.lock().movements.is_empty());
}
