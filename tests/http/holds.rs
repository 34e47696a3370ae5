//! `/v1/holds`, captures and voids, and the holds of a wallet.

use serde_json::{Value, json};

use super::{Answer, TestApp, across, send};

impl TestApp {
    pub(super) async fn hold(&self, source: &str, destination: &str, amount: &str) -> Answer {
        self.post("alice", "/v1/holds", &across(source, destination, amount)).await.check(201)
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {value}"))
}

#[tokio::test]
async fn money_is_held_captured_in_parts_and_the_rest_given_back() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let body = json!({
        "source": alice, "destination": bob, "amount": "30", "currency": "EUR", "expires_in": 3600,
        "reference": "order 7", "metadata": {"shop": "7"},
    });
    let key = app.key();
    let made = app.post_with("alice", "/v1/holds", &key, &body).await.check(201);
    let id = made.text("id").to_owned();
    assert_eq!(made.header("location"), Some(format!("/v1/holds/{id}").as_str()));
    let expected = json!({
        "id": id, "status": "active", "source": alice, "destination": bob, "amount": "30.00", "currency": "EUR",
        "captured": "0.00", "released": "0.00", "remaining": "30.00", "expires_at": made.body["expires_at"],
        "reference": "order 7", "metadata": {"shop": "7"}, "created_at": made.body["created_at"],
    });
    assert_eq!(made.body, expected);
    let wallet = app.wallet(&alice).await;
    let figures = ["balance", "held", "available"].map(|field| text(&wallet, field).to_owned());
    assert_eq!(figures, ["100.00", "30.00", "70.00"]);

    let path = format!("/v1/holds/{id}");
    let captures = format!("{path}/captures");
    let part = app.post("bob", &captures, &json!({"amount": "10", "final": false})).await.check(201);
    assert_eq!((part.text("type"), part.text("parent_id")), ("capture", id.as_str()));
    assert_eq!(part.header("location"), Some(format!("/v1/transactions/{}", part.text("id")).as_str()));
    let above = app.post("bob", &captures, &json!({"amount": "20.01"})).await;
    let above = above.check_problem(422, "capture_exceeds_hold");
    assert_eq!((above.text("available"), above.text("requested")), ("20.00", "20.01"));
    app.post("bob", &captures, &json!({"amount": "15"})).await.check(201);
    let ended = app.get("bob", &path).await.check(200).body;
    let figures = ["status", "captured", "released", "remaining"].map(|field| text(&ended, field).to_owned());
    assert_eq!(figures, ["captured", "25.00", "5.00", "0.00"]);
    app.post("bob", &captures, &json!({})).await.check_problem(409, "hold_not_active");
    assert_eq!((app.balance(&alice).await.as_str(), app.balance(&bob).await.as_str()), ("75.00", "25.00"));

    // The first answer again, whatever has become of it.
    let again = app.post_with("alice", "/v1/holds", &key, &body).await.check(200);
    assert!(again.is_replay());
    assert_eq!(again.body, expected);
    let rows = app.entries(&alice, 100).await;
    let held: Vec<_> = rows.iter().map(|row| (text(row, "type"), text(row, "held_after"))).collect();
    let expected =
        [("capture", "0.00"), ("capture", "20.00"), ("hold", "30.00"), ("deposit", "0.00"), ("opening", "0.00")];
    assert_eq!(held, expected);
}

#[tokio::test]
async fn a_void_needs_no_body_and_happens_once() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let hold = app.hold(&alice, &bob, "30").await;
    let path = format!("/v1/holds/{}/void", hold.text("id"));
    let void = || app.request("bob", reqwest::Method::POST, &path).header("idempotency-key", app.key());
    let voided = send(void()).await.check(201);
    assert_eq!((voided.text("type"), voided.text("amount")), ("void", "30.00"));
    send(void()).await.check_problem(409, "hold_not_active");
    assert_eq!(text(&app.wallet(&alice).await, "held"), "0.00");
}

#[tokio::test]
async fn each_sees_and_does_what_is_his() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let hold = app.hold(&alice, &bob, "30").await;
    let path = format!("/v1/holds/{}", hold.text("id"));
    for (caller, status) in [("alice", 200), ("bob", 200), ("root", 200), ("eve", 404)] {
        let answer = app.get(caller, &path).await.check(status);
        assert!(status == 200 || answer.body["code"] == "hold_not_found");
    }
    for caller in ["alice", "eve"] {
        for what in ["captures", "void"] {
            let answer = app.post(caller, &format!("{path}/{what}"), &json!({})).await;
            answer.check_problem(404, "hold_not_found");
        }
    }
    let list = format!("/v1/wallets/{alice}/holds");
    app.get("eve", &list).await.check_problem(404, "wallet_not_found");
    let newer = app.hold(&alice, &bob, "5").await;
    let ids: Vec<_> = app.pages("alice", &list, 1).await.iter().map(|hold| text(hold, "id").to_owned()).collect();
    assert_eq!(ids, [newer.text("id"), hold.text("id")]);
    let deposit = app.deposit("alice", &alice, "1").await.check(201);
    for other in ["txn_00000000000000000000000000000000", "nonsense", deposit.text("id")] {
        app.get("alice", &format!("/v1/holds/{other}")).await.check_problem(404, "hold_not_found");
        let captures = format!("/v1/holds/{other}/captures");
        app.post("alice", &captures, &json!({})).await.check_problem(404, "hold_not_found");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let with = |field: &str, value: Value| {
        let mut body = json!({"source": alice, "destination": bob, "amount": "1", "currency": "EUR"});
        body[field] = value;
        body
    };
    for seconds in [json!(59), json!(2_592_001), json!(-1), json!("60"), json!(60.5)] {
        app.post("alice", "/v1/holds", &with("expires_in", seconds)).await.check_problem(400, "malformed_request");
    }
    for seconds in [60, 2_592_000] {
        app.post("alice", "/v1/holds", &with("expires_in", json!(seconds))).await.check(201);
    }
    app.post("alice", "/v1/holds", &with("destination", json!(alice))).await.check_problem(422, "same_wallet");
    app.post("alice", "/v1/holds", &with("amount", json!("98.01"))).await.check_problem(422, "insufficient_funds");
    app.post("bob", "/v1/holds", &with("amount", json!("1"))).await.check_problem(404, "wallet_not_found");
    let out = json!({"source": alice, "amount": "1", "currency": "EUR"});
    let made = app.post("alice", "/v1/holds", &out).await.check(201);
    assert_eq!(made.body["destination"], Value::Null);
    let captures = format!("/v1/holds/{}/captures", made.text("id"));
    for (body, code) in [
        (json!({"amount": 1}), "invalid_amount"),
        (json!({"amount": "0"}), "invalid_amount"),
        (json!({"amount": "0.001"}), "invalid_amount"),
    ] {
        app.post("alice", &captures, &body).await.check_problem(422, code);
    }
    app.post("alice", &captures, &json!({"finale": true})).await.check_problem(400, "malformed_request");
    let bare = app.request("alice", reqwest::Method::POST, &captures);
    send(bare).await.check_problem(400, "idempotency_key_missing");
    app.post("alice", &captures, &json!({})).await.check(201);
    assert_eq!(app.balance(&alice).await, "99.00");
}
