//! `GET /v1/wallets/{wallet_id}/entries`, `GET /v1/wallets/{wallet_id}/attempts`, `GET /v1/transactions/{transaction_id}`.

use serde_json::{Value, json};

use super::{TestApp, check_statement, texts};

#[tokio::test]
async fn a_statement_is_a_chain_newest_first_over_pages_of_any_size() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    app.withdraw("alice", &alice, "1.25").await.check(201);
    app.transfer("alice", &alice, &bob, "30").await.check(201);
    app.amend(&alice, &json!({"ceiling": "1000"})).await.check(200);

    let whole = app.entries(&alice, 100).await;
    assert_eq!(texts(&whole, "type"), ["amendment", "transfer", "withdrawal", "deposit", "opening"]);
    assert_eq!(texts(&whole, "amount"), ["0.00", "-30.00", "-1.25", "100.00", "0.00"]);
    let parties: Vec<_> = whole.iter().map(|entry| entry["counterparty"].clone()).collect();
    assert_eq!(parties, [json!(null), json!(bob), json!("external"), json!("external"), json!(null)]);
    check_statement(&app.wallet(&alice).await, &whole);
    for limit in [1, 2, 4, 5] {
        assert_eq!(app.entries(&alice, limit).await, whole, "pages of {limit}");
    }

    let path = |wallet: &str| format!("/v1/wallets/{wallet}/entries");
    app.get("eve", &path(&alice)).await.check_problem(404, "wallet_not_found");
    let cursor = app.get("alice", &format!("{}?limit=1", path(&alice))).await.text("next_cursor").to_owned();
    app.get("bob", &format!("{}?cursor={cursor}", path(&bob))).await.check_problem(400, "invalid_cursor");
    let attempts = format!("/v1/wallets/{alice}/attempts?cursor={cursor}");
    app.get("alice", &attempts).await.check_problem(400, "invalid_cursor");
    app.get("alice", &format!("{}?page=2", path(&alice))).await.check_problem(400, "malformed_request");
}

#[tokio::test]
async fn a_statement_that_grows_while_it_is_read_neither_skips_nor_repeats() {
    let (app, wallet) = TestApp::with_one("10").await;
    let path = format!("/v1/wallets/{wallet}/entries?limit=1");
    let first = app.get("alice", &path).await.check(200);
    app.deposit("alice", &wallet, "1").await.check(201);
    let second = app.get("alice", &format!("{path}&cursor={}", first.text("next_cursor"))).await.check(200);
    let version = |page: &Value| page["entries"][0]["version"].clone();
    assert_eq!((version(&first.body), version(&second.body)), (json!(1), json!(0)));
    assert_eq!(second.body["next_cursor"], json!(null));
}

#[tokio::test]
async fn refused_attempts_are_on_record_newest_first() {
    let (app, wallet) = TestApp::with_one("1").await;
    for amount in ["2", "3", "4"] {
        app.withdraw("alice", &wallet, amount).await.check_problem(422, "insufficient_funds");
    }
    // Not recorded: what was wrong with the request as such.
    app.withdraw("alice", &wallet, "0").await.check_problem(422, "invalid_amount");
    let path = format!("/v1/wallets/{wallet}/attempts");
    let attempts = app.pages("alice", &path, 2).await;
    assert_eq!(attempts.len(), 3);
    assert_eq!(app.pages("alice", &path, 100).await, attempts);
    assert!(attempts.is_sorted_by(|a, b| a["created_at"].as_str() >= b["created_at"].as_str()));
    let of_two = attempts.iter().find(|attempt| attempt["amount"] == "2.00").expect("on record");
    let id = of_two["id"].as_str().expect("an id");
    let expected = json!({
        "id": id, "type": "withdrawal", "status": "failed", "amount": "2.00", "currency": "EUR", "fee": "0.00",
        "legs": [],
        "reason": {
            "detail": format!("Wallet {wallet} has too little."), "code": "insufficient_funds", "wallet_id": wallet,
            "available": "1.00", "requested": "2.00",
        },
        "reference": null, "metadata": {}, "parent_id": null, "created_at": of_two["created_at"],
    });
    assert_eq!(*of_two, expected);
    assert_eq!(app.get("alice", &format!("/v1/transactions/{id}")).await.check(200).body, expected);
    app.get("eve", &path).await.check_problem(404, "wallet_not_found");
    assert_eq!(app.entries(&wallet, 10).await.len(), 2, "an attempt is no entry");
}

#[tokio::test]
async fn a_transaction_is_for_those_whom_it_concerns() {
    let (app, wallet) = TestApp::with_one("0").await;
    let deposit = app.deposit("bank", &wallet, "1").await.check(201);
    let path = format!("/v1/transactions/{}", deposit.text("id"));
    for caller in ["alice", "bank", "root"] {
        app.get(caller, &path).await.check(200);
    }
    app.get("eve", &path).await.check_problem(404, "transaction_not_found");
    app.get("alice", "/v1/transactions/nonsense").await.check_problem(404, "transaction_not_found");
}
