//! Dead letters of a whole stack: why they died, and that driven back they move money once.

use std::time::Duration;

use axum::body::to_bytes;
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use tower::ServiceExt as _;

use super::*;
use crate::stack::tests::until;
use crate::{Options, Stack, demo};

async fn start(deliver: bool) -> Stack {
    let visibility_timeout = Some(Duration::from_millis(1));
    Stack::start(Options { visibility_timeout, deliver, ..Options::default() }).await.expect("started")
}

async fn ask(stack: &Stack, method: &str, path: &str, scope: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {}", stack.token("operator", scope)));
    let response = stack.router().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("read");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

async fn admin(stack: &Stack, method: &str, path: &str) -> (StatusCode, Value) {
    ask(stack, method, path, scope::WALLETS_ADMIN).await
}

async fn dead_letters(stack: &Stack) -> Vec<Value> {
    let (status, answer) = admin(stack, "GET", "/_local/dead-letters").await;
    assert_eq!(status, StatusCode::OK);
    answer["dead_letters"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_dead_letter_says_why() {
    let stack = start(true).await;
    let id = stack.queue().send("no JSON", clock::now()).expect("sent");
    until(|| stack.queue().dead_letters().expect("read").len() == 1).await;
    let letters = dead_letters(&stack).await;
    assert_eq!(letters[0]["message_id"], id.as_str());
    assert_eq!(letters[0]["reason"], "malformed_request: The message is no JSON object.");
    assert_eq!((&letters[0]["body"], &letters[0]["receive_count"]), (&json!("no JSON"), &json!(5)));
    stack.stop().await;
}

#[tokio::test]
async fn driven_back_it_moves_money_once() {
    let stack = start(false).await;
    let seeding = tokio::spawn(demo::seed(stack.router()));
    until(|| stack.queue().depth().expect("read") == 1).await;
    // Received once an hour, and never worked off.
    let die = || {
        for hours in 1..=6 {
            let later = clock::now().checked_add(SignedDuration::from_hours(hours)).expect("hours from now");
            stack.queue().receive(10, later).expect("received");
        }
        assert_eq!(stack.queue().dead_letters().expect("read").len(), 1);
    };
    die();
    let letter = dead_letters(&stack).await.remove(0);
    let (id, body) = (letter["message_id"].as_str().expect("an id"), letter["body"].as_str().expect("a body"));

    stack.deliver(true);
    let (status, answer) = admin(&stack, "POST", &format!("/_local/dead-letters/{id}/redrive")).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"redriven": 1})));
    let demo = seeding.await.expect("no panic").expect("seeded, the rebate included");
    assert_eq!(demo.alice.balance, "76.00");

    // The same message once more, dead and driven back with all others.
    stack.deliver(false);
    stack.queue().send(body, clock::now()).expect("sent");
    die();
    stack.deliver(true);
    assert_eq!(admin(&stack, "POST", "/_local/dead-letters/redrive").await.1, json!({"redriven": 1}));
    until(|| stack.queue().depth().expect("read") == 0).await;
    assert_eq!(demo::seed(stack.router()).await.expect("seeded before").alice.balance, "76.00");
    assert!(dead_letters(&stack).await.is_empty());
    stack.stop().await;
}

#[tokio::test]
async fn an_unknown_message_and_a_caller_without_the_scope_are_refused() {
    let stack = start(true).await;
    let path = "/_local/dead-letters/5f0c1a52-8b5c-4c51-9d0e-000000000000/redrive";
    let (status, problem) = admin(&stack, "POST", path).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(problem["detail"].as_str().expect("a detail").starts_with("There is no dead letter"), "{problem}");
    for (method, path) in [("GET", "/_local/dead-letters"), ("POST", "/_local/dead-letters/redrive"), ("POST", path)] {
        let (status, problem) = ask(&stack, method, path, "wallets:read wallets:write").await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("missing_scope")), "{method} {path}");
    }
    stack.stop().await;
}
