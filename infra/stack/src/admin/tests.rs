//! Who is refused. What is listed and driven back, and what becomes of it, is tried by the command `wallet dlq`.

use axum::body::to_bytes;
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;

use super::*;
use crate::{Options, Stack};

async fn ask(stack: &Stack, method: &str, path: &str, scope: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {}", stack.token("operator", scope)));
    let response = stack.router().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("read");
    (status, serde_json::from_slice(&body).expect("JSON"))
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
        ("GET", "/_local/queues/rebate/dead-letters"),
        ("POST", "/_local/queues/rebate/dead-letters/redrive"),
        ("POST", path),
    ] {
        let (status, problem) = ask(&stack, method, path, "wallets:read wallets:write").await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("missing_scope")), "{method} {path}");
    }
    stack.stop().await;
}
