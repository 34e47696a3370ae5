//! `?dry_run=true` on every movement: what it would be, and nothing of it written.

use reqwest::Method;
use serde_json::{Value, json};
use wallet_audit::Audit;

use super::wire::Wire;
use super::{Answer, TestApp, across, eur, send};

/// A system with a fee and a rebate, whose wire tells what is asked of the database.
struct Desk {
    app: TestApp,
    wire: Wire,
    alice: String,
    bob: String,
}

impl Desk {
    async fn start() -> Desk {
        let (app, wire) = TestApp::wired(&[("TRANSFER_FEE", r#"{"basis_points":100}"#)]).await;
        let (alice, bob) = (app.funded("alice", "100").await, app.open("bob").await);
        Desk { app, wire, alice, bob }
    }

    /// Tries it without a key. It asks nothing of the database but a read of everything at one moment, after one of the
    /// original where there is one.
    async fn tried(&self, caller: &str, path: &str, body: &Value) -> Answer {
        self.wire.take();
        let request = self.app.request(caller, Method::POST, &format!("{path}?dry_run=true")).json(body);
        let answer = send(request).await;
        let operations: Vec<_> = self.wire.take().into_iter().map(|carried| carried.operation).collect();
        match operations.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["TransactGetItems"] | ["BatchGetItem", "TransactGetItems"] => answer,
            ref others => panic!("{path}: {others:?}"),
        }
    }

    /// Tries it, then does it: what is told is the same but for what only a request that is carried out has.
    async fn like_the_real_one(&self, caller: &str, path: &str, body: &Value) -> Answer {
        let before = self.table().await;
        let tried = self.tried(caller, path, body).await;
        assert_eq!(self.table().await, before, "{path}: something was written");
        let real = self.app.post(caller, path, body).await;
        if real.status >= 400 {
            assert_eq!(tried.status, real.status, "{}", tried.body);
            assert_eq!(tried.said(), real.said(), "{path}");
            return real;
        }
        assert_eq!((tried.status, real.status), (200, 201), "{}", tried.body);
        assert_eq!((tried.header("location"), tried.is_replay()), (None, false));
        let mut expected = real.body.clone();
        (expected["id"], expected["dry_run"]) = (Value::Null, json!(true));
        expected["created_at"] = tried.body["created_at"].clone();
        if let Some(rebate) = expected.get_mut("rebate") {
            rebate["transaction_id"] = Value::Null;
        }
        assert_eq!(tried.body, expected, "{path}");
        real
    }

    /// All that can be seen of the table.
    async fn table(&self) -> Vec<Value> {
        let mut seen = vec![];
        for wallet in [&self.alice, &self.bob] {
            seen.push(self.app.wallet(wallet).await);
            seen.extend(self.app.entries(wallet, 100).await);
            seen.extend(self.app.attempts("root", wallet).await);
        }
        seen
    }
}

#[tokio::test]
async fn every_movement_is_told_as_it_would_be_and_nothing_is_written() {
    let desk = Desk::start().await;
    let (alice, bob) = (&desk.alice, &desk.bob);
    let labelled = json!({"amount": "7", "currency": "EUR", "reference": "order 1", "metadata": {"a": "b"}});
    desk.like_the_real_one("bank", &format!("/v1/wallets/{alice}/deposits"), &labelled).await.check(201);
    desk.like_the_real_one("alice", &format!("/v1/wallets/{alice}/withdrawals"), &labelled).await.check(201);
    let moved = desk.like_the_real_one("alice", "/v1/transfers", &across(alice, bob, "30")).await.check(201);
    assert_eq!(moved.text("fee"), "0.30");
    let mut pessimistic = across(alice, bob, "1");
    pessimistic["locking_strategy"] = json!("pessimistic");
    desk.like_the_real_one("alice", "/v1/transfers", &pessimistic).await.check(201);
    let reversals = format!("/v1/transactions/{}/reversals", moved.text("id"));
    desk.like_the_real_one("root", &reversals, &json!({})).await.check(201);
    desk.like_the_real_one("root", &reversals, &json!({})).await.check_problem(409, "already_reversed");

    let report = Audit::new(desk.app.ledger(), 1).table().await.expect("the table answers");
    assert!(report.is_clean(), "{:#?}", report.findings);
}

#[tokio::test]
async fn a_refusal_is_the_one_that_the_request_would_get_and_is_not_recorded() {
    let desk = Desk::start().await;
    let (app, alice, bob) = (&desk.app, &desk.alice, &desk.bob);
    let withdrawals = format!("/v1/wallets/{alice}/withdrawals");
    let usd = json!({"amount": "1", "currency": "USD"});
    desk.like_the_real_one("alice", &withdrawals, &eur("1000")).await.check_problem(422, "insufficient_funds");
    desk.like_the_real_one("alice", &withdrawals, &usd).await.check_problem(422, "currency_mismatch");
    desk.like_the_real_one("alice", "/v1/transfers", &across(alice, alice, "1"))
        .await
        .check_problem(422, "same_wallet");
    desk.like_the_real_one("bob", &withdrawals, &eur("1")).await.check_problem(404, "wallet_not_found");
    let nobody = "wal_00000000000000000000000000000000";
    let lost = across(alice, nobody, "1");
    desk.like_the_real_one("alice", "/v1/transfers", &lost).await.check_problem(404, "wallet_not_found");
    app.amend(bob, &json!({"ceiling": "5"})).await.check(200);
    let full = across(alice, bob, "6");
    desk.like_the_real_one("alice", "/v1/transfers", &full).await.check_problem(422, "max_balance_exceeded");
    app.amend(alice, &json!({"status": "frozen"})).await.check(200);
    desk.like_the_real_one("alice", &withdrawals, &eur("1")).await.check_problem(422, "wallet_frozen");

    // What the request alone can be refused for is refused alike, and without a read.
    desk.wire.take();
    let trying = |caller, path: &str| app.request(caller, Method::POST, &format!("{path}?dry_run=true"));
    send(trying("alice", &withdrawals).json(&eur("0"))).await.check_problem(422, "invalid_amount");
    send(trying("alice", &withdrawals)).await.check_problem(415, "unsupported_media_type");
    send(trying("alice", "/v1/wallets").json(&json!({"currency": "EUR"})))
        .await
        .check_problem(400, "malformed_request");
    let word = app.request("alice", Method::POST, &format!("{withdrawals}?dry_run=yes")).json(&eur("1"));
    send(word).await.check_problem(400, "malformed_request");
    assert_eq!(desk.wire.take(), []);
    // `false` is a request like any other: it wants a key.
    let path = format!("{withdrawals}?dry_run=false");
    let keyless = app.request("alice", Method::POST, &path).json(&eur("1"));
    send(keyless).await.check_problem(400, "idempotency_key_missing");
}

#[tokio::test]
async fn limits_apply_and_count_nothing() {
    let desk = Desk::start().await;
    let (app, alice, bob) = (&desk.app, &desk.alice, &desk.bob);
    let limits = json!({"limits": {"transfers_per_minute": 100, "max_daily_outflow": "20", "max_movement": "15"}});
    app.amend(alice, &limits).await.check(200);
    for _ in 0..5 {
        desk.tried("alice", "/v1/transfers", &across(alice, bob, "10")).await.check(200);
    }
    desk.tried("alice", "/v1/transfers", &across(alice, bob, "16")).await.check_problem(422, "limit_exceeded");
    app.transfer("alice", alice, bob, "10").await.check(201);
    desk.tried("alice", "/v1/transfers", &across(alice, bob, "10")).await.check_problem(422, "limit_exceeded");
    app.amend(alice, &json!({"limits": {"transfers_per_minute": 0}})).await.check(200);
    let refused = desk.tried("alice", "/v1/transfers", &across(alice, bob, "1")).await;
    refused.check_problem(429, "rate_limited");
}

#[tokio::test]
async fn with_a_key_it_is_told_what_that_key_would_be_answered() {
    let desk = Desk::start().await;
    let (app, withdrawals) = (&desk.app, format!("/v1/wallets/{}/withdrawals", desk.alice));
    let dry = format!("{withdrawals}?dry_run=true");
    let tried = app.post_with("alice", &dry, "one", &eur("10")).await.check(200);
    assert_eq!((tried.is_replay(), &tried.body["dry_run"]), (false, &json!(true)));
    // The key is as free as it was, also for another request.
    app.post_with("alice", &dry, "one", &eur("11")).await.check(200);
    let real = app.post_with("alice", &withdrawals, "one", &eur("10")).await.check(201);
    assert_eq!(real.text("id"), tried.text("id"));
    let again = app.post_with("alice", &dry, "one", &eur("10")).await.check(200);
    let mut expected = real.body.clone();
    expected["dry_run"] = json!(true);
    assert_eq!((again.is_replay(), &again.body), (true, &expected));
    app.post_with("alice", &dry, "one", &eur("11")).await.check_problem(422, "idempotency_key_reused");

    app.post_with("alice", &withdrawals, "two", &eur("1000")).await.check_problem(422, "insufficient_funds");
    let refused = app.post_with("alice", &dry, "two", &eur("1000")).await.check_problem(422, "insufficient_funds");
    assert!(refused.is_replay());

    // A key whose request waits is its own, and no other's; and what is only tried never waits.
    let waiting = app.posting("alice", &withdrawals, "four", &eur("1")).header("prefer", "respond-async");
    send(waiting).await.check(202);
    let tried = app.post_with("alice", &dry, "four", &eur("1")).await.check(200);
    assert_eq!((tried.is_replay(), &tried.body["status"]), (false, &json!("posted")));
    app.post_with("alice", &dry, "four", &eur("2")).await.check_problem(422, "idempotency_key_reused");
    let preferring = app.posting("alice", &dry, "five", &eur("1")).header("prefer", "respond-async");
    send(preferring).await.check(200);

    let pinned =
        |version: &str| app.posting("alice", &dry, "three", &eur("1")).header("if-match", format!("\"{version}\""));
    send(pinned("1")).await.check_problem(412, "version_mismatch");
    send(pinned("2")).await.check(200);
}
