//! `POST /v1/transfers`.

use serde_json::json;

use super::TestApp;

#[tokio::test]
async fn money_moves_across_and_each_side_sees_its_own() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.funded("alice", "100").await, app.funded("bob", "1").await);
    let answer = app.transfer("alice", &alice, &bob, "25").await.check(201);
    let id = answer.text("id").to_owned();
    assert_eq!(answer.header("location"), Some(format!("/v1/transactions/{id}").as_str()));
    let from_alice = json!({"wallet_id": alice, "amount": "-25.00", "balance_after": "75.00", "version_after": 2});
    let to_bob = json!({"wallet_id": bob, "amount": "25.00", "balance_after": "26.00", "version_after": 2});
    let expected = json!({
        "id": id, "type": "transfer", "status": "posted", "amount": "25.00", "currency": "EUR", "fee": "0.00",
        "legs": [from_alice, {"wallet_id": bob, "amount": "25.00"}],
        "reference": null, "metadata": {}, "parent_id": null, "created_at": answer.body["created_at"],
    });
    assert_eq!(answer.body, expected);

    let path = format!("/v1/transactions/{id}");
    assert_eq!(
        app.get("bob", &path).await.check(200).body["legs"],
        json!([{"wallet_id": alice, "amount": "-25.00"}, to_bob])
    );
    assert_eq!(app.get("root", &path).await.check(200).body["legs"], json!([from_alice, to_bob]));
    app.get("eve", &path).await.check_problem(404, "transaction_not_found");
    assert_eq!((app.balance(&alice).await.as_str(), app.balance(&bob).await.as_str()), ("75.00", "26.00"));

    let newest = &app.entries(&alice, 1).await[0];
    assert_eq!((&newest["type"], &newest["counterparty"]), (&json!("transfer"), &json!(bob)));
}

#[tokio::test]
async fn a_fee_is_paid_by_the_source_on_top() {
    let fee = r#"{"basis_points":25,"minimum":{"EUR":"0.10"},"maximum":{"EUR":"5.00"}}"#;
    let (app, _) = TestApp::wired(&[("TRANSFER_FEE", fee)]).await;
    let (alice, bob) = (app.funded("alice", "100").await, app.open("bob").await);
    let answer = app.transfer("alice", &alice, &bob, "10").await.check(201);
    assert_eq!((answer.text("amount"), answer.text("fee")), ("10.00", "0.10"));
    let legs = json!([
        {"wallet_id": alice, "amount": "-10.10", "balance_after": "89.90", "version_after": 2},
        {"wallet_id": bob, "amount": "10.00"},
        {"account": "fees", "amount": "0.10"},
    ]);
    assert_eq!(answer.body["legs"], legs);
    // 0.25 % of 89.80 are 0.2245, half-even 0.22: together two cents more than there are.
    let refused = app.transfer("alice", &alice, &bob, "89.80").await.check_problem(422, "insufficient_funds");
    assert_eq!((refused.text("available"), refused.text("requested")), ("89.90", "90.02"));
}

#[tokio::test]
async fn a_refusal_about_a_strangers_wallet_does_not_say_what_it_holds() {
    let (app, alice) = TestApp::with_one("100").await;
    let bob = app.open_as("bob", &json!({"currency": "EUR", "ceiling": "10"})).await;
    let refused = app.transfer("alice", &alice, &bob, "10.01").await.check_problem(422, "max_balance_exceeded");
    assert_eq!((refused.body.get("available"), refused.text("wallet_id")), (None, bob.as_str()));
    app.transfer("alice", &alice, &bob, "10").await.check(201);
}

#[tokio::test]
async fn only_the_source_must_be_the_callers_own() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.funded("alice", "100").await, app.funded("bob", "100").await);
    app.transfer("alice", &bob, &alice, "1").await.check_problem(404, "wallet_not_found");
    app.transfer("alice", &alice, &alice, "1").await.check_problem(422, "same_wallet");
    app.transfer("alice", &alice, &bob, "1").await.check(201);
}
