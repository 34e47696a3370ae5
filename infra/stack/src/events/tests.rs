//! Through a whole stack: who is told what, from where on, and how it ends.

use axum::body::BodyDataStream;
use futures::StreamExt as _;
use serde_json::json;

use super::*;
use crate::token::EVERYDAY_SCOPE;
use crate::{Options, Stack};

async fn start() -> Stack {
    Stack::start(Options::default()).await.expect("started")
}

async fn post(stack: &Stack, sub: &str, path: &str, key: &str, body: Value) -> Value {
    let answer = stack.caller(sub, EVERYDAY_SCOPE).post(path, key, &body).await.expect("an answer");
    serde_json::from_slice(answer.body()).expect("JSON")
}

async fn open(stack: &Stack, sub: &str) -> String {
    let wallet = post(stack, sub, "/v1/wallets", "open", json!({"currency": "EUR"})).await;
    wallet["id"].as_str().expect("an id").to_owned()
}

async fn subscribe(stack: &Stack, sub: &str, scope: &str, after: Option<&str>) -> Response {
    let mut request = Request::get("/v1/events").header("authorization", format!("Bearer {}", stack.token(sub, scope)));
    if let Some(id) = after {
        request = request.header("last-event-id", id);
    }
    stack.router().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
}

/// The next event's id and data.
async fn next(stream: &mut BodyDataStream) -> Option<(String, Value)> {
    let chunk = tokio::time::timeout(Duration::from_secs(5), stream.next()).await.expect("in time")?;
    let chunk = String::from_utf8(chunk.expect("read").to_vec()).expect("text");
    let field = |name: &str| chunk.lines().find_map(|line| line.strip_prefix(name)).expect("the field is there").trim();
    assert_eq!(field("event:"), "wallet.transaction");
    Some((field("id:").to_owned(), serde_json::from_str(field("data:")).expect("JSON")))
}

#[tokio::test]
async fn both_parties_are_told_and_nobody_else() {
    let stack = start().await;
    let (to_alice, to_bob) = (open(&stack, "alice").await, open(&stack, "bob").await);
    let mut streams = Vec::new();
    for (sub, scope) in [("alice", EVERYDAY_SCOPE), ("bob", EVERYDAY_SCOPE), ("operator", "wallets:read wallets:admin")]
    {
        let response = subscribe(&stack, sub, scope, None).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        streams.push(response.into_body().into_data_stream());
    }
    // Below the rebate's least amount: no rebate comes in between.
    let path = format!("/v1/wallets/{to_alice}/deposits");
    let deposit = post(&stack, "alice", &path, "in", json!({"amount": "0.50", "currency": "EUR"})).await;
    let mut transfer = json!({"source": to_alice, "destination": to_bob, "amount": "0.20", "currency": "EUR"});
    let transferred = post(&stack, "alice", "/v1/transfers", "over", transfer.clone()).await;
    transfer["amount"] = json!("900.00");
    post(&stack, "alice", "/v1/transfers", "too-much", transfer).await;

    let [alice, bob, operator] = &mut streams[..] else { unreachable!("three listen") };
    let (_, first) = next(alice).await.expect("the deposit");
    let expected = json!({
        "version": 1, "transaction_id": deposit["id"], "type": "deposit", "status": "posted", "code": null,
        "wallet_id": to_alice, "counterparty": "external", "amount": "0.5", "currency": "EUR", "parent_id": null,
        "created_at": deposit["created_at"],
    });
    assert_eq!(first, expected);
    let (_, to_both) = next(bob).await.expect("the transfer, and not the deposit");
    assert_eq!(to_both["transaction_id"], transferred["id"]);
    assert_eq!((&to_both["wallet_id"], &to_both["counterparty"]), (&json!(to_alice), &json!(to_bob)));

    let mut seen = Vec::new();
    while seen.last() != Some(&json!("insufficient_funds")) {
        seen.push(next(operator).await.expect("all of them").1["code"].clone());
    }
    assert!(seen.len() >= 3, "{seen:?}");
    stack.stop().await;
}

#[tokio::test]
async fn it_resumes_after_the_last_id_and_ends_with_the_stack() {
    let stack = start().await;
    let wallet = open(&stack, "alice").await;
    let mut live = subscribe(&stack, "alice", EVERYDAY_SCOPE, None).await.into_body().into_data_stream();
    let path = format!("/v1/wallets/{wallet}/deposits");
    for key in ["1", "2"] {
        post(&stack, "alice", &path, key, json!({"amount": format!("0.0{key}"), "currency": "EUR"})).await;
    }
    let (first_id, first) = next(&mut live).await.expect("the first deposit");
    assert_eq!(first["amount"], "0.01");

    let mut resumed = subscribe(&stack, "alice", EVERYDAY_SCOPE, Some(&first_id)).await.into_body().into_data_stream();
    let mut amounts = Vec::new();
    while amounts.last().map(String::as_str) != Some("0.02") {
        let (id, event) = next(&mut resumed).await.expect("what followed");
        assert_ne!(id, first_id);
        amounts.push(event["amount"].as_str().expect("text").to_owned());
    }
    assert!(!amounts.contains(&"0.01".to_owned()), "{amounts:?}");

    let begun = std::time::Instant::now();
    stack.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "listeners hold nobody up");
    while next(&mut resumed).await.is_some() {}
}

#[tokio::test]
async fn without_the_scope_or_with_a_wrong_id_nobody_listens() {
    let stack = start().await;
    for (scope, after, status) in [
        ("wallets:write", None, StatusCode::FORBIDDEN),
        ("wallets:read", Some("yesterday"), StatusCode::BAD_REQUEST),
        ("wallets:read", Some(""), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(subscribe(&stack, "alice", scope, after).await.status(), status, "{scope} {after:?}");
    }
    let bare = Request::get("/v1/events").body(Body::empty()).expect("a request");
    assert_eq!(stack.router().oneshot(bare).await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    stack.stop().await;
}
