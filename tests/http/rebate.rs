//! Rebates from end to end: table stream, dispatch, queue, function. Nobody calls them; tests only wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use wallet_domain::Timestamp;
use wallet_stack::{AdaptLedger, Options, clock};

use super::wire::Wire;
use super::{Answer, TestApp, check_statement, texts, until};

async fn delivering() -> TestApp {
    TestApp::with(Options::default()).await
}

/// A system under `rules` whose functions take the time from the test.
pub(super) async fn dated(rules: &Value) -> (TestApp, impl Fn(&str)) {
    let told = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&told);
    let adapt: AdaptLedger = Arc::new(move |ledger| {
        let clock = Arc::clone(&clock);
        let now = move || Timestamp::from_millisecond(clock.load(Ordering::Relaxed)).expect("the test's times exist");
        ledger.with_clock(Arc::new(now))
    });
    let env = [("REBATE_RULES".to_owned(), rules.to_string())].into();
    let app = TestApp::with(Options {
        env,
        adapt: Some(adapt),
        http_client: Some(Wire::new().http_client()),
        ..Options::default()
    })
    .await;
    let set = move |time: &str| {
        let time: Timestamp = time.parse().expect("a time as RFC 3339 writes it");
        told.store(time.as_millisecond(), Ordering::Relaxed);
    };
    (app, set)
}

/// Deposits 100.00 and answers what its rebate came to, or why not.
pub(super) async fn rebate_on_a_hundred(app: &TestApp, wallet: &str) -> (Answer, String) {
    let deposit = app.deposit("bank", wallet, "100").await.check(201);
    let rebate = app.transaction("alice", deposit.rebate()).await;
    let told = if rebate["status"] == "posted" { &rebate["amount"] } else { &rebate["reason"]["code"] };
    (deposit, told.as_str().expect("a text").to_owned())
}

/// The message that `dispatch` makes of this deposit.
fn message(app: &TestApp, deposit: &Answer, wallet: &str) -> Value {
    crate::rebates::message(app.stack.table(), deposit.text("id"), wallet)
}

async fn drained(app: &TestApp) {
    until(|| app.stack.queue("rebate").depth().expect("read") == 0).await;
}

#[tokio::test]
async fn a_deposit_earns_its_rebate_by_itself_and_once() {
    let app = delivering().await;
    let wallet = app.open("alice").await;
    let deposit = app.deposit("bank", &wallet, "200.99").await.check(201);
    let rebate = app.transaction("alice", deposit.rebate()).await;
    // One percent of 200.99, rounded toward zero.
    let expected = json!({
        "id": deposit.rebate(), "type": "rebate", "status": "posted", "amount": "2.00", "currency": "EUR",
        "fee": "0.00",
        "legs": [
            {"account": "rebates", "amount": "-2.00"},
            {"wallet_id": wallet, "amount": "2.00", "balance_after": "202.99", "version_after": 2},
        ],
        "reference": null, "metadata": {}, "parent_id": deposit.text("id"), "created_at": rebate["created_at"],
    });
    assert_eq!(rebate, expected);
    drained(&app).await;
    let entries = app.entries(&wallet, 10).await;
    assert_eq!(texts(&entries, "type"), ["rebate", "deposit", "opening"], "a rebate earns no rebate");
    check_statement(&app.wallet(&wallet).await, &entries);
}

#[tokio::test]
async fn delivered_many_times_it_is_paid_once() {
    let app = delivering().await;
    let wallet = app.open("alice").await;
    let deposit = app.deposit("bank", &wallet, "100").await.check(201);
    let again = message(&app, &deposit, &wallet).to_string();
    for _ in 0..25 {
        app.stack.queue("rebate").send(&again, clock::now()).expect("sent");
    }
    app.transaction("alice", deposit.rebate()).await;
    drained(&app).await;
    assert_eq!(app.balance(&wallet).await, "101.00");
    assert_eq!(app.stack.queue("rebate").dead_letters().expect("read"), []);
    // However late.
    app.stack.queue("rebate").send(&again, clock::now()).expect("sent");
    drained(&app).await;
    assert_eq!(app.balance(&wallet).await, "101.00");
}

#[tokio::test]
async fn a_frozen_wallet_is_paid() {
    let (app, wallet) = TestApp::with_one("0").await;
    let deposit = app.deposit("bank", &wallet, "100").await.check(201);
    app.amend(&wallet, &json!({"status": "frozen"})).await.check(200);
    app.stack.deliver(true);
    let rebate = app.transaction("alice", deposit.rebate()).await;
    assert_eq!(rebate["status"], "posted");
    assert_eq!(app.balance(&wallet).await, "101.00");
}

/// The rebate of `deposit` is on record as failed with `code`, where its owner finds it, and does not come again.
async fn check_failed(app: &TestApp, wallet: &str, deposit: &Answer, code: &str) {
    let rebate = app.transaction("alice", deposit.rebate()).await;
    assert_eq!((&rebate["type"], &rebate["status"], &rebate["legs"]), (&json!("rebate"), &json!("failed"), &json!([])));
    assert_eq!((&rebate["reason"]["code"], &rebate["parent_id"]), (&json!(code), &deposit.body["id"]));
    drained(app).await;
    assert_eq!(app.stack.queue("rebate").dead_letters().expect("read"), []);
    assert_eq!(app.attempts("alice", wallet).await, [rebate]);
}

#[tokio::test]
async fn a_closed_wallet_is_not_paid_and_that_is_on_record() {
    let (app, wallet) = TestApp::with_one("0").await;
    let deposit = app.deposit("bank", &wallet, "100").await.check(201);
    app.withdraw("alice", &wallet, "100").await.check(201);
    app.amend(&wallet, &json!({"status": "closed"})).await.check(200);
    app.stack.deliver(true);
    check_failed(&app, &wallet, &deposit, "wallet_closed").await;
}

#[tokio::test]
async fn a_rebate_takes_the_room_that_there_is() {
    let app = delivering().await;
    let wallet = app.open_as("alice", &json!({"currency": "EUR", "ceiling": "100.30"})).await;
    let deposit = app.deposit("bank", &wallet, "100").await.check(201);
    let rebate = app.transaction("alice", deposit.rebate()).await;
    assert_eq!(rebate["amount"], "0.30");
    assert_eq!(app.balance(&wallet).await, "100.30");
}

#[tokio::test]
async fn without_room_or_less_than_the_smallest_unit_it_is_not_paid_and_that_is_on_record() {
    let app = delivering().await;
    for (amount, code) in [("100", "max_balance_exceeded"), ("0.99", "rebate_below_minimum")] {
        let wallet = app.open_as("alice", &json!({"currency": "EUR", "ceiling": "100"})).await;
        let deposit = app.deposit("bank", &wallet, amount).await.check(201);
        check_failed(&app, &wallet, &deposit, code).await;
    }
}

#[tokio::test]
async fn messages_that_cannot_be_read_end_as_dead_letters_and_harm_no_other() {
    let soon = Some(Duration::from_millis(1));
    let app = TestApp::with(Options { visibility_timeout: soon, deliver: false, ..Options::default() }).await;
    let wallet = app.open("alice").await;
    let mut bad = vec!["no JSON".to_owned(), "{}".to_owned()];
    let first = app.deposit("bank", &wallet, "100").await.check(201);
    for (field, value) in [
        ("source", "arn:aws:dynamodb:us-east-1:000000000000:table/another/stream/now"),
        ("deposit_id", "txn_00000000000000000000000000000000"),
        ("rule_id", "another"),
    ] {
        let mut message = message(&app, &first, &wallet);
        message[field] = json!(value);
        bad.push(message.to_string());
    }
    for body in &bad {
        app.stack.queue("rebate").send(body, clock::now()).expect("sent");
    }
    let second = app.deposit("bank", &wallet, "200").await.check(201);
    app.stack.deliver(true);
    app.transaction("alice", first.rebate()).await;
    app.transaction("alice", second.rebate()).await;
    drained(&app).await;
    let letters = app.stack.queue("rebate").dead_letters().expect("read");
    let mut dead: Vec<_> = letters.into_iter().map(|letter| letter.body).collect();
    dead.sort();
    bad.sort();
    assert_eq!(dead, bad);
    assert_eq!(app.balance(&wallet).await, "303.00");
}

#[tokio::test]
async fn a_month_s_rebates_stop_at_the_cap_and_a_reversal_gives_its_room_back() {
    let rules = json!([{"id": "standard", "basis_points": 100, "monthly_cap": {"EUR": "2.50"}}]);
    let (app, at) = dated(&rules).await;
    let (wallet, other) = (app.open("alice").await, app.open("alice").await);
    at("2026-11-30T23:59:59.999Z");
    let (first, told) = rebate_on_a_hundred(&app, &wallet).await;
    assert_eq!(told, "1.00");
    for expected in ["1.00", "0.50", "rebate_cap_reached", "rebate_cap_reached"] {
        assert_eq!(rebate_on_a_hundred(&app, &wallet).await.1, expected);
    }
    assert_eq!(rebate_on_a_hundred(&app, &other).await.1, "1.00", "each wallet has a month of its own");
    // 100.00 and the 1.00 that came with it.
    app.reverse(first.text("id"), &json!({})).await.check(201);
    for expected in ["1.00", "rebate_cap_reached"] {
        assert_eq!(rebate_on_a_hundred(&app, &wallet).await.1, expected);
    }
    at("2026-12-01T00:00:00Z");
    assert_eq!(rebate_on_a_hundred(&app, &wallet).await.1, "1.00", "a new month");
    check_statement(&app.wallet(&wallet).await, &app.entries(&wallet, 100).await);
}

#[tokio::test]
async fn the_month_is_the_deposit_s_however_late_its_rebate() {
    let rules = json!([{"id": "standard", "basis_points": 100, "monthly_cap": {"EUR": "1.00"}}]);
    let (app, at) = dated(&rules).await;
    app.stack.deliver(false);
    let wallet = app.open("alice").await;
    at("2026-11-30T12:00:00Z");
    let november = app.deposit("bank", &wallet, "100").await.check(201);
    at("2026-12-14T12:00:00Z");
    let december = app.deposit("bank", &wallet, "100").await.check(201);
    app.stack.deliver(true);
    for deposit in [&november, &december] {
        assert_eq!(app.transaction("alice", deposit.rebate()).await["amount"], "1.00");
    }
    assert_eq!(app.balance(&wallet).await, "202.00");
}

#[tokio::test]
async fn a_change_of_the_rules_touches_new_deposits_only() {
    let rules = json!([
        {"id": "autumn", "basis_points": 150, "rounding": "half_up", "valid_until": "2026-12-01T00:00:00Z"},
        {"id": "winter", "basis_points": 300, "minimum_deposit": {"EUR": "50.00"}},
    ]);
    let (app, at) = dated(&rules).await;
    app.stack.deliver(false);
    let wallet = app.open("alice").await;
    at("2026-11-30T23:59:59.999Z");
    let before = app.deposit("bank", &wallet, "10.37").await.check(201);
    at("2026-12-01T00:00:00Z");
    let after = app.deposit("bank", &wallet, "50.00").await.check(201);
    let too_small = app.deposit("bank", &wallet, "49.99").await.check(201);
    let rule = |deposit: &Answer| deposit.body["rebate"]["rule_id"].clone();
    assert_eq!((rule(&before), rule(&after)), (json!("autumn"), json!("winter")));
    assert_eq!(too_small.body.get("rebate"), None, "no rule is for it");
    app.stack.deliver(true);
    let paid = |rebate: Value| rebate["amount"].clone();
    // 0.15555 and 1.50.
    assert_eq!(paid(app.transaction("alice", before.rebate()).await), "0.16");
    assert_eq!(paid(app.transaction("alice", after.rebate()).await), "1.50");
}
