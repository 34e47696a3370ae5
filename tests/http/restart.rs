//! `--data`: stopped and started again, nothing is lost and nothing happens twice.

use std::path::Path;

use serde_json::Value;
use wallet_stack::Options;

use super::{TestApp, across, check_statement, eur};

async fn start(data: &Path, deliver: bool) -> TestApp {
    TestApp::with(Options { data: Some(data.to_owned()), deliver, ..Options::default() }).await
}

/// Everything that there is to see of a wallet.
async fn seen(app: &TestApp, wallet: &str) -> [Vec<Value>; 2] {
    [vec![app.wallet(wallet).await], app.entries(wallet, 100).await]
}

#[tokio::test]
async fn balances_entries_attempts_and_keys_outlive_the_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("wallet.db");
    let app = start(&data, false).await;
    let (alice, bob) = (app.funded("alice", "100").await, app.open("bob").await);
    let body = across(&alice, &bob, "25");
    let moved = app.post_with("alice", "/v1/transfers", "once", &body).await.check(201);
    let withdrawals = format!("/v1/wallets/{bob}/withdrawals");
    app.post_with("bob", &withdrawals, "too much", &eur("26")).await.check_problem(422, "insufficient_funds");
    let before = (seen(&app, &alice).await, seen(&app, &bob).await);
    app.stack.stop().await;

    let app = start(&data, false).await;
    assert_eq!((seen(&app, &alice).await, seen(&app, &bob).await), before);
    let again = app.post_with("alice", "/v1/transfers", "once", &body).await.check(200);
    assert_eq!((again.is_replay(), &again.body), (true, &moved.body));
    let other = app.post_with("alice", "/v1/transfers", "once", &across(&alice, &bob, "26")).await;
    other.check_problem(422, "idempotency_key_reused");
    let refused = app.post_with("bob", &withdrawals, "too much", &eur("26")).await;
    assert!(refused.check_problem(422, "insufficient_funds").is_replay());
    assert_eq!(app.attempts("bob", &bob).await.len(), 1);
    assert_eq!((seen(&app, &alice).await, seen(&app, &bob).await), before);

    let version = app.wallet(&alice).await["version"].as_u64().expect("a version");
    app.post_with("alice", &format!("/v1/wallets/{alice}/deposits"), "later", &eur("1")).await.check(201);
    let wallet = app.wallet(&alice).await;
    assert_eq!(wallet["version"], version + 1, "the chain goes on where it ended");
    check_statement(&wallet, &app.entries(&alice, 100).await);
    app.stack.stop().await;
}

#[tokio::test]
async fn rebates_that_were_still_on_their_way_are_paid_after_the_restart_and_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("wallet.db");
    let app = start(&data, false).await;
    let wallet = app.open("alice").await;
    let mut rebates = vec![];
    for _ in 0..3 {
        let deposit = app.deposit("alice", &wallet, "100").await.check(201);
        rebates.push(deposit.rebate().to_owned());
    }
    // At once: the last may not even have reached the queue.
    app.stack.stop().await;
    for _ in 0..2 {
        let app = start(&data, true).await;
        for rebate in &rebates {
            assert_eq!(app.transaction("alice", rebate).await["status"], "posted");
        }
        super::until(|| app.stack.queue("rebate").depth().expect("read") == 0).await;
        assert_eq!(app.balance(&wallet).await, "303.00");
        app.stack.stop().await;
    }
}

#[tokio::test]
async fn without_a_data_path_every_start_is_empty() {
    let app = TestApp::start().await;
    app.open("alice").await;
    app.stack.stop().await;
    let app = TestApp::start().await;
    assert_eq!(app.pages("alice", "/v1/wallets", 10).await, Vec::<Value>::new());
}
