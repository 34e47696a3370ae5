//! Who is answered, and what is told of what isn't there.

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wallet_stack::Stack;

use crate::testing::{ALL, Caller, events, start, text};

#[track_caller]
fn is_problem((status, body): (StatusCode, String), expected: u16, code: &str) -> Value {
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status.as_u16(), &body["code"]), (expected, &json!(code)), "{body}");
    body
}

async fn refuses_strangers(stack: &Stack, method: &str, path: &str) {
    let request = || Request::builder().method(method).uri(path);
    let Ok(nobody) = stack.router().oneshot(request().body(Body::empty()).expect("a request")).await;
    let (parts, body) = nobody.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("an answer");
    is_problem(text(Ok(Response::from_parts(parts, body))), 401, "unauthenticated");
    let others = stack.caller("others", "wallets:read wallets:write");
    is_problem(text(others.ask(request(), "").await), 403, "missing_scope");
    let garbled = wallet_stack::Caller::new(stack.router(), "e30.e30.e30".to_owned());
    is_problem(text(garbled.ask(request(), "").await), 401, "unauthenticated");
}

#[tokio::test]
async fn only_an_administrator_is_answered() {
    let stack = start().await;
    for (method, path) in [
        ("GET", "/_local"),
        ("GET", "/_local/movements/txn_00000000000000000000000000000000"),
        ("POST", "/_local/audit"),
        ("POST", "/_local/contention"),
    ] {
        refuses_strangers(&stack, method, path).await;
    }
    let (status, body) = text(stack.caller("operator", "wallets:admin").get("/_local").await);
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["table"]), (StatusCode::OK, &json!("wallet-ledger")));
    assert_eq!((&body["dynamodb_url"], &body["prices"]["currency"]), (&json!(stack.dynamodb_url()), &json!("USD")));
    stack.stop().await;
}

#[tokio::test]
async fn a_movement_that_nobody_saw_is_said_to_be_so() {
    let stack = start().await;
    let caller = Caller::of(&stack, "operator");
    for id in ["txn_00000000000000000000000000000000", "wal_1", "%00", "..%2F.."] {
        let answer = caller.ask("GET", &format!("/_local/movements/{id}"), None, None).await;
        let problem = is_problem(answer, 404, "transaction_not_found");
        assert_eq!(problem["detail"], "Nothing was seen of that movement since the stack was started.");
    }
    let wallet = caller.open("EUR").await;
    let body = json!({"amount": "5", "currency": "EUR"});
    let deposit = caller.post(&format!("/v1/wallets/{wallet}/deposits"), body).await;
    let id = deposit["id"].as_str().expect("an id");
    let (status, body) = caller.ask("GET", &format!("/_local/movements/{id}"), None, None).await;
    let seen: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &seen["transaction_id"]), (StatusCode::OK, &json!(id)));
    assert_eq!(seen["steps"][0]["who"], "deposit");
    stack.stop().await;
}

#[tokio::test]
async fn an_audit_tells_how_far_it_is_and_what_it_found() {
    let stack = start().await;
    let caller = Caller::of(&stack, "auditor");
    let wallet = caller.open("EUR").await;
    caller.post(&format!("/v1/wallets/{wallet}/deposits"), json!({"amount": "5", "currency": "EUR"})).await;
    let (status, body) = caller.ask("POST", "/_local/audit", None, None).await;
    assert_eq!(status, StatusCode::OK);
    let events = events(&body);
    let (name, report) = events.last().expect("an end");
    assert_eq!((name.as_str(), &report["clean"], &report["wallets"]), ("report", &json!(true), &json!(1)), "{body}");
    let is_progress =
        |(name, told): &(String, Value)| name == "progress" && told["read"].as_u64() <= told["of"].as_u64();
    assert!(events[..events.len() - 1].iter().all(is_progress), "{body}");

    let ledger = wallet_audit::connect(Some("http://127.0.0.1:1"), "wallets").await.expect("an address");
    let (_running, stopped) = tokio::sync::watch::channel(false);
    let audits = crate::audit::Audits { ledger, stopped };
    let request = Request::post("/_local/audit");
    let request = request.header("authorization", format!("Bearer {}", stack.token("auditor", ALL)));
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    let body = to_bytes(audits.answer(parts).await.into_body(), 1 << 20).await.expect("an answer");
    let events = crate::testing::events(std::str::from_utf8(&body).expect("UTF-8"));
    assert!(
        matches!(events.last(), Some((name, told)) if name == "problem" && told["code"] == "internal"),
        "{events:?}"
    );
    stack.stop().await;
}
