//! `POST /v1/transactions/{transaction_id}/reversals`.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_transfer_is_undone_whole_and_once() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let transfer = app.transfer("alice", &alice, &bob, "40").await.check(201);
    let path = format!("/v1/transactions/{}/reversals", transfer.text("id"));
    let body = json!({"reference": "ticket 7"});
    let first = app.post_with("root", &path, "undo-1", &body).await.check(201);
    assert_eq!((first.text("type"), first.text("status"), first.text("amount")), ("reversal", "posted", "40.00"));
    assert_eq!(first.body["parent_id"], transfer.body["id"]);
    assert_eq!(first.header("location"), Some(format!("/v1/transactions/{}", first.text("id")).as_str()));
    assert_eq!((app.balance(&alice).await, app.balance(&bob).await), ("100.00".to_owned(), "0.00".to_owned()));

    let again = app.post_with("root", &path, "undo-1", &body).await.check(200);
    assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
    app.post_with("root", &path, "undo-2", &body).await.check_problem(409, "already_reversed");
    app.post_with("root", &path, "undo-1", &json!({})).await.check_problem(422, "idempotency_key_reused");
    assert_eq!(app.balance(&alice).await, "100.00");
    let newest = &app.entries(&bob, 10).await[0];
    assert_eq!((&newest["type"], &newest["amount"]), (&json!("reversal"), &json!("-40.00")));
}

#[tokio::test]
async fn only_an_administrator_reverses_and_what_is_missing_is_not_found() {
    let (app, alice) = TestApp::with_one("0").await;
    let deposit = app.deposit("alice", &alice, "5").await.check(201);
    let path = format!("/v1/transactions/{}/reversals", deposit.text("id"));
    app.post("alice", &path, &json!({})).await.check_problem(403, "missing_scope");
    let missing = "txn_00000000000000000000000000000000";
    app.reverse(missing, &json!({})).await.check_problem(404, "transaction_not_found");
    app.reverse("nonsense", &json!({})).await.check_problem(404, "transaction_not_found");
    app.reverse(deposit.text("id"), &json!({"force": true})).await.check_problem(400, "malformed_request");
    assert_eq!(app.balance(&alice).await, "5.00");
}

#[tokio::test]
async fn a_deposit_that_was_spent_needs_an_overdraft_allowed() {
    let (app, alice) = TestApp::with_one("0").await;
    let deposit = app.deposit("alice", &alice, "5").await.check(201);
    app.withdraw("alice", &alice, "3").await.check(201);
    app.reverse(deposit.text("id"), &json!({})).await.check_problem(422, "insufficient_funds");
    app.reverse(deposit.text("id"), &json!({"allow_overdraft": true})).await.check(201);
    assert_eq!(app.balance(&alice).await, "-3.00");
}

#[tokio::test]
async fn a_rebate_that_was_paid_is_taken_back_with_its_deposit() {
    let app = TestApp::with(Options::default()).await;
    let alice = app.open("alice").await;
    let deposit = app.deposit("alice", &alice, "100").await.check(201);
    app.transaction("alice", deposit.rebate()).await;
    let path = format!("/v1/transactions/{}", deposit.text("id"));
    assert_eq!(app.get("alice", &path).await.check(200).body["rebate"]["status"], "posted");
    let reversal = app.reverse(deposit.text("id"), &json!({})).await.check(201);
    assert_eq!(app.balance(&alice).await, "0.00");
    let back = json!({"account": "rebates", "amount": "1.00"});
    assert!(reversal.body["legs"].as_array().expect("legs").contains(&back), "{:?}", reversal.body);
}
