//! Who is refused. What is listed and driven back, and what becomes of it, is tried by the command `wallet dlq`.

use axum::http::{Request, StatusCode};

use super::*;
use crate::{Options, Stack};

async fn ask(stack: &Stack, method: &str, path: &str, scope: &str) -> (StatusCode, Value) {
    tell(stack, method, path, scope, "").await
}

async fn tell(stack: &Stack, method: &str, path: &str, scope: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let answer = stack.caller("operator", scope).ask(request, body.to_owned()).await.expect("an answer");
    (answer.status(), serde_json::from_slice(answer.body()).expect("JSON"))
}

#[tokio::test]
async fn an_unknown_message_and_a_caller_without_the_scope_are_refused() {
    let stack = Stack::start(Options::default()).await.expect("started");
    let path = "/_local/queues/rebate/dead-letters/5f0c1a52-8b5c-4c51-9d0e-000000000000/redrive";
    let (status, problem) = ask(&stack, "POST", path, scope::WALLETS_ADMIN).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(problem["detail"].as_str().expect("a detail").starts_with("There is no dead letter"), "{problem}");
    let (status, problem) = ask(&stack, "GET", "/_local/queues/others/dead-letters", scope::WALLETS_ADMIN).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(problem["detail"], "There is no queue others; there are dispatch, publish, rebate, requests, settle.");
    for (method, path) in [
        ("GET", "/_local/queues"),
        ("GET", "/_local/queues/rebate/dead-letters"),
        ("POST", "/_local/queues/rebate/dead-letters/redrive"),
        ("POST", path),
        ("POST", "/_local/queues/rebate/messages"),
    ] {
        let (status, problem) = ask(&stack, method, path, "wallets:read wallets:write").await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("missing_scope")), "{method} {path}");
    }
    stack.stop().await;
}

#[tokio::test]
async fn messages_are_sent_all_or_none_and_a_fifo_queue_drops_what_it_was_sent() {
    let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("started");
    let many = json!({"messages": vec![json!({"body": "{}", "group": null}); 11]}).to_string();
    let half = r#"{"messages": [{"body": "{}", "group": null}, {"body": 1}]}"#;
    let groupless = r#"{"messages": [{"body": "{}", "group": {"id": "a"}}]}"#;
    let rebate = "/_local/queues/rebate/messages";
    for body in ["", "[]", r#"{"messages": {}}"#, half, groupless, &many] {
        let (status, problem) = tell(&stack, "POST", rebate, scope::WALLETS_ADMIN, body).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("malformed_request")), "{body}");
    }
    assert_eq!(stack.queue("rebate").depth().expect("read"), 0);
    let message = json!({"body": "{}", "group": {"id": "a", "deduplication": "1"}});
    let body = json!({"messages": [message, message]}).to_string();
    for _ in 0..2 {
        let (status, answer) =
            tell(&stack, "POST", "/_local/queues/settle/messages", scope::WALLETS_ADMIN, &body).await;
        assert_eq!((status, answer), (StatusCode::OK, json!({"sent": 2})));
    }
    assert_eq!(stack.queue("settle").depth().expect("read"), 1);
    stack.stop().await;
}

#[tokio::test]
async fn each_queue_tells_what_waits_in_it_since_when_and_what_is_dead() {
    let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("started");
    let queue = stack.queue("rebate");
    let now = clock::now();
    queue.send("old", now - jiff::SignedDuration::from_secs(90)).expect("sent");
    queue.send("new", now).expect("sent");
    let (status, body) = ask(&stack, "GET", "/_local/queues", scope::WALLETS_ADMIN).await;
    assert_eq!(status, StatusCode::OK);
    let names: Vec<_> = body["queues"].as_array().expect("a list").iter().map(|queue| &queue["queue"]).collect();
    assert_eq!(json!(names), json!(["dispatch", "publish", "rebate", "requests", "settle"]));
    let rebate = &body["queues"][2];
    assert_eq!((&rebate["waiting"], &rebate["dead_letters"]), (&json!(2), &json!(0)));
    assert!((90_000..150_000).contains(&rebate["oldest_ms"].as_u64().expect("an age")), "{rebate}");
    let settle = json!({"queue": "settle", "waiting": 0, "oldest_ms": null, "dead_letters": 0});
    assert_eq!(body["queues"][4], settle);
    stack.stop().await;
}
