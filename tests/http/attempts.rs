//! Refused attempts: whose list they are in, who finds them by id, and what each may read.

use serde_json::json;

use super::*;

/// alice has paid bob 10.00, and he has spent it: an administrator's reversal is refused by his wallet.
async fn refused() -> (TestApp, String, String, String) {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let transfer = app.transfer("alice", &alice, &bob, "10").await.check(201);
    app.withdraw("bob", &bob, "10").await.check(201);
    let body = json!({"reference": "ticket 7", "metadata": {"case": "fraud"}});
    app.reverse(transfer.text("id"), &body).await.check_problem(422, "insufficient_funds");
    let attempts = app.attempts("root", &bob).await;
    let id = texts(&attempts, "id")[0].to_owned();
    (app, alice, bob, id)
}

#[tokio::test]
async fn a_refused_reversal_is_listed_for_the_wallet_that_refused_and_no_other() {
    let (app, alice, bob, id) = refused().await;
    let hers = app.attempts("alice", &alice).await;
    assert!(hers.is_empty(), "bob's figures and the administrator's labels: {hers:?}");
    let his = app.attempts("bob", &bob).await;
    assert_eq!(his.len(), 1, "{his:?}");
    assert_eq!((&his[0]["id"], &his[0]["type"], &his[0]["status"]), (&json!(id), &json!("reversal"), &json!("failed")));
    for label in ["ticket 7", "fraud"] {
        assert!(!his[0].to_string().contains(label), "who asked says why to himself: {}", his[0]);
    }
}

#[tokio::test]
async fn a_listed_attempt_is_found_by_its_id_by_whom_it_is_listed_for_and_who_asked() {
    let (app, _, _, id) = refused().await;
    let path = format!("/v1/transactions/{id}");
    let (his, asked) = (app.get("bob", &path).await.check(200).body, app.get("root", &path).await.check(200).body);
    assert_eq!((&his["id"], &his["status"]), (&json!(id), &json!("failed")));
    assert_eq!((&asked["reference"], &asked["metadata"]), (&json!("ticket 7"), &json!({"case": "fraud"})));
    for label in ["ticket 7", "fraud"] {
        assert!(!his.to_string().contains(label), "{his}");
    }
    app.get("alice", &path).await.check_problem(404, "transaction_not_found");
    app.get("mallory", &path).await.check_problem(404, "transaction_not_found");
}

/// A bank tries to pay into a wallet that has no room: the wallet's owner sees the attempt in the list, so by id too.
#[tokio::test]
async fn a_deposit_that_was_refused_is_found_by_its_id_by_the_wallets_owner() {
    let app = TestApp::start().await;
    let wallet = app.open_as("alice", &json!({"currency": "EUR", "ceiling": "1.00"})).await;
    app.deposit("bank", &wallet, "5").await.check_problem(422, "max_balance_exceeded");
    let listed = app.attempts("alice", &wallet).await;
    let id = listed[0]["id"].as_str().expect("an id");
    let found = app.get("alice", &format!("/v1/transactions/{id}")).await.check(200).body;
    assert_eq!(found["status"], "failed");
}
