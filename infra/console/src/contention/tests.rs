//! A tiny run of each kind adds up; what is asked wrongly is refused; one goes at a time, and ends with who listens.

use axum::http::{Request as Asking, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::testing::{ALL, Caller, events, start};

const PATH: &str = "/_local/contention";

#[tokio::test]
async fn a_run_of_each_kind_adds_up() {
    let stack = start().await;
    let operator = Caller::of(&stack, "operator");
    for strategy in ["optimistic", "pessimistic", "batched"] {
        let body = json!({"payers": 4, "movements": 40, "strategy": strategy});
        let (status, body) = operator.ask("POST", PATH, None, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let events = events(&body);
        let (name, done) = events.last().expect("an end");
        assert_eq!((name.as_str(), &done["adds_up"]), ("done", &json!(true)), "{strategy}: {body}");
        assert_eq!((&done["expected"], &done["found"]), (&json!("0.40"), &json!("0.40")));
        assert_eq!((&done["done"], &done["settled"]), (&json!(40), &json!(40)), "{strategy}");
        let (_, wallet) = operator
            .ask("GET", &format!("/v1/wallets/{}", done["wallet_id"].as_str().expect("an id")), None, None)
            .await;
        let wallet: Value = serde_json::from_str(&wallet).expect("JSON");
        assert_eq!((&wallet["owner"], &wallet["balance"]), (&json!("contention"), &json!("0.40")));
        let grows = |pair: &[(String, Value)]| pair[0].1["done"].as_u64() <= pair[1].1["done"].as_u64();
        assert!(events.windows(2).all(grows), "{body}");
    }
    stack.stop().await;
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_by_its_name() {
    let stack = start().await;
    let operator = Caller::of(&stack, "operator");
    let good = json!({"payers": 1, "movements": 1, "strategy": "batched"});
    for (field, value, told) in [
        ("payers", json!(0), "`payers` is a whole number from 1 to 256."),
        ("payers", json!(257), "`payers` is a whole number from 1 to 256."),
        ("payers", json!(1.5), "invalid type: floating point `1.5`"),
        ("payers", json!(-1), "invalid value: integer `-1`"),
        ("movements", json!(0), "`movements` is a whole number from 1 to 5000."),
        ("movements", json!(5_001), "`movements` is a whole number from 1 to 5000."),
        ("movements", json!("5"), "invalid type: string"),
        ("strategy", json!("hopeful"), "unknown variant `hopeful`"),
        ("strategy", json!(null), "strategy"),
        ("other", json!(1), "unknown field `other`"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let (status, text) = operator.ask("POST", PATH, None, Some(body)).await;
        let problem: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("malformed_request")), "{text}");
        assert!(problem["detail"].as_str().expect("a detail").contains(told), "{told}: {text}");
    }
    let (status, text) = operator.ask("POST", PATH, None, None).await;
    assert!(status == StatusCode::BAD_REQUEST && text.contains("EOF"), "{text}");
    let (status, text) = operator.ask("POST", PATH, None, Some(json!("x".repeat(20_000)))).await;
    assert!(status == StatusCode::PAYLOAD_TOO_LARGE && text.contains("body_too_large"), "{text}");
    stack.stop().await;
}

#[tokio::test]
async fn one_goes_at_a_time_and_ends_when_nobody_listens() {
    let stack = start().await;
    let operator = Caller::of(&stack, "operator");
    let long = json!({"payers": 2, "movements": 5_000, "strategy": "optimistic"});
    let request = Asking::post(PATH).header("authorization", format!("Bearer {}", stack.token("operator", ALL)));
    let request = request.body(axum::body::Body::from(long.to_string())).expect("a request");
    let Ok(running) = stack.router().oneshot(request).await;
    assert_eq!(running.status(), StatusCode::OK);
    let small = json!({"payers": 1, "movements": 1, "strategy": "pessimistic"});
    let (status, text) = operator.ask("POST", PATH, None, Some(small.clone())).await;
    assert!(status == StatusCode::CONFLICT && text.contains("concurrency_conflict"), "{text}");
    drop(running);
    let (status, text) = operator.ask("POST", PATH, None, Some(small)).await;
    assert!(status == StatusCode::OK && text.contains(r#""adds_up":true"#), "{text}");
    stack.stop().await;
}
