//! `POST /v1/wallets/{wallet_id}/withdrawals`.

use serde_json::json;

use super::TestApp;

#[tokio::test]
async fn money_goes_out_down_to_the_last_cent() {
    let (app, wallet) = TestApp::with_one("10").await;
    let answer = app.withdraw("alice", &wallet, "9.99").await.check(201);
    let id = answer.text("id");
    assert_eq!(answer.header("location"), Some(format!("/v1/transactions/{id}").as_str()));
    let expected = json!({
        "id": id, "type": "withdrawal", "status": "posted", "amount": "9.99", "currency": "EUR", "fee": "0.00",
        "legs": [
            {"wallet_id": wallet, "amount": "-9.99", "balance_after": "0.01", "version_after": 2},
            {"account": "external", "amount": "9.99"},
        ],
        "reference": null, "metadata": {}, "parent_id": null, "created_at": answer.body["created_at"],
    });
    assert_eq!(answer.body, expected);
    app.withdraw("alice", &wallet, "0.02").await.check_problem(422, "insufficient_funds");
    app.withdraw("alice", &wallet, "0.01").await.check(201);
    assert_eq!(app.balance(&wallet).await, "0.00");
}

#[tokio::test]
async fn a_floor_below_zero_is_credit() {
    let app = TestApp::start().await;
    let body = json!({"currency": "EUR", "owner": "alice", "floor": "-5"});
    let wallet = app.open_as("root", &body).await;
    app.withdraw("alice", &wallet, "5").await.check(201);
    assert_eq!(app.balance(&wallet).await, "-5.00");
    let refused = app.withdraw("alice", &wallet, "0.01").await.check_problem(422, "insufficient_funds");
    assert_eq!((refused.text("available"), refused.text("requested")), ("0.00", "0.01"));
}

#[tokio::test]
async fn a_frozen_wallet_takes_and_does_not_give_a_closed_one_does_neither() {
    let (app, wallet) = TestApp::with_one("10").await;
    app.amend(&wallet, &json!({"status": "frozen"})).await.check(200);
    app.withdraw("alice", &wallet, "1").await.check_problem(422, "wallet_frozen");
    app.deposit("alice", &wallet, "1").await.check(201);

    app.amend(&wallet, &json!({"status": "closed"})).await.check_problem(409, "wallet_not_empty");
    app.amend(&wallet, &json!({"status": "active"})).await.check(200);
    app.withdraw("alice", &wallet, "11").await.check(201);
    app.amend(&wallet, &json!({"status": "closed"})).await.check(200);
    app.withdraw("alice", &wallet, "1").await.check_problem(422, "wallet_closed");
    app.deposit("alice", &wallet, "1").await.check_problem(422, "wallet_closed");
}
