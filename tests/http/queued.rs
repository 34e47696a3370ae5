//! `Prefer: respond-async`: what is accepted waits, is shown from the first moment, and is one movement for one key.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{TestApp, across, eur, send};

/// The same request by who would rather not wait.
fn later(request: RequestBuilder) -> RequestBuilder {
    request.header("prefer", "respond-async")
}

#[tokio::test]
async fn what_is_accepted_waits_and_is_shown_to_who_asked() {
    let (app, alice, bob) = TestApp::with_two("10").await;
    let mut body = across(&alice, &bob, "4");
    (body["reference"], body["metadata"]) = (json!("rent"), json!({"for": "May"}));
    let ask = || later(app.posting("alice", "/v1/transfers", "key", &body));
    let accepted = send(ask()).await.check(202);
    let id = accepted.text("id").to_owned();
    let path = format!("/v1/transactions/{id}");
    assert_eq!(
        (accepted.header("preference-applied"), accepted.header("location"), accepted.is_replay()),
        (Some("respond-async"), Some(path.as_str()), false)
    );
    let expected = json!({
        "id": id, "type": "transfer", "status": "queued", "amount": "4.00", "currency": "EUR", "fee": null, "legs": [],
        "reference": "rent", "metadata": {"for": "May"}, "parent_id": null, "created_at": accepted.body["created_at"],
    });
    assert_eq!(accepted.body, expected);
    let again = send(ask()).await.check(202);
    assert_eq!((again.is_replay(), &again.body), (true, &expected));
    for (caller, status) in [("alice", 200), ("root", 200), ("bob", 404), ("eve", 404)] {
        app.get(caller, &path).await.check(status);
    }
    assert_eq!(app.get("alice", &path).await.body, expected);
    assert_eq!(app.balance(&alice).await, "10.00");

    app.post_with("alice", "/v1/transfers", "key", &across(&alice, &bob, "4"))
        .await
        .check_problem(422, "idempotency_key_reused");
    let posted = app.post_with("alice", "/v1/transfers", "key", &body).await.check(201);
    assert_eq!((posted.text("id"), posted.text("status")), (id.as_str(), "posted"));
    assert_eq!(send(ask()).await.check(200).body, posted.body, "as ever, once it has an outcome");
    assert_eq!(app.balance(&alice).await, "6.00");
}

#[tokio::test]
async fn every_movement_that_can_wait_does() {
    let (app, alice) = TestApp::with_one("10").await;
    for (path, kind) in [("deposits", "deposit"), ("withdrawals", "withdrawal")] {
        let path = format!("/v1/wallets/{alice}/{path}");
        let accepted = send(later(app.posting("alice", &path, &app.key(), &eur("1")))).await.check(202);
        assert_eq!((accepted.text("type"), accepted.text("status")), (kind, "queued"));
    }
    let path = format!("/v1/wallets/{alice}/withdrawals");
    let plain = app.posting("alice", &path, &app.key(), &eur("1")).header("prefer", "wait=5, return=minimal");
    assert_eq!(send(plain).await.check(201).header("preference-applied"), None, "no such preference");
    let among = app.posting("alice", &path, &app.key(), &eur("1")).header("prefer", "wait=5; x, Respond-Async");
    send(among).await.check(202);
    // With a pinned version the caller waits: an answer later would be to another question.
    let pinned = later(app.posting("alice", &path, &app.key(), &eur("1"))).header("if-match", "\"2\"");
    send(pinned).await.check(201);
    // Openings and reversals don't wait.
    send(later(app.posting("alice", "/v1/wallets", &app.key(), &json!({"currency": "EUR"})))).await.check(201);
}

#[tokio::test]
async fn what_the_request_alone_can_refuse_is_refused_at_once() {
    let (app, alice) = TestApp::with_one("10").await;
    let refused = async |path: &str, body: &Value, status: u16, code: &str| {
        send(later(app.posting("alice", path, "key", body))).await.check_problem(status, code);
    };
    refused("/v1/transfers", &across(&alice, &alice, "1"), 422, "same_wallet").await;
    refused("/v1/transfers", &across(&alice, &alice, "0"), 422, "invalid_amount").await;
    refused(&format!("/v1/wallets/{alice}/withdrawals"), &json!({"amount": "1"}), 400, "malformed_request").await;
    let no_key = app.request("alice", reqwest::Method::POST, "/v1/transfers").json(&across(&alice, &alice, "1"));
    send(later(no_key)).await.check_problem(400, "idempotency_key_missing");
}
