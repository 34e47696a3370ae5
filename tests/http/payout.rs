//! `POST /v1/payouts`.

use super::*;
use serde_json::json;

const PAYOUTS: &str = "/v1/payouts";

fn payout(source: &str, payments: &[(&str, &str)]) -> Value {
    let payment = |(destination, amount): &(&str, &str)| json!({"destination": destination, "amount": amount});
    let payments: Vec<_> = payments.iter().map(payment).collect();
    json!({"source": source, "currency": "EUR", "payments": payments})
}

#[tokio::test]
async fn all_are_paid_and_each_payee_sees_his_own_payment_only() {
    let app = TestApp::start().await;
    let (alice, bob, carol) = (app.funded("alice", "100").await, app.open("bob").await, app.open("carol").await);
    let mut body = payout(&alice, &[(&bob, "25"), (&carol, "5.5")]);
    body["reference"] = json!("payroll");
    body["payments"][1]["reference"] = json!("bonus");
    let answer = app.post_with("alice", PAYOUTS, "payroll-1", &body).await.check(201);
    let id = answer.text("id").to_owned();
    assert_eq!(answer.header("location"), Some(format!("/v1/transactions/{id}").as_str()));
    let of_alice = json!({"wallet_id": alice, "amount": "-30.50", "balance_after": "69.50", "version_after": 2});
    let expected = json!({
        "id": id, "type": "payout", "status": "posted", "amount": "30.50", "currency": "EUR", "fee": "0.00",
        "legs": [of_alice, {"wallet_id": bob, "amount": "25.00"}, {"wallet_id": carol, "amount": "5.50", "reference": "bonus"}],
        "reference": "payroll", "metadata": {}, "parent_id": null, "created_at": answer.body["created_at"],
    });
    assert_eq!(answer.body, expected);
    let again = app.post_with("alice", PAYOUTS, "payroll-1", &body).await.check(200);
    assert!(again.is_replay() && again.body == answer.body);
    let path = format!("/v1/transactions/{id}");
    assert_eq!(app.get("alice", &path).await.check(200).body["legs"], expected["legs"]);

    let seen = app.get("carol", &path).await.check(200).body;
    let own = json!([
        {"wallet_id": carol, "amount": "5.50", "reference": "bonus", "balance_after": "5.50", "version_after": 1},
    ]);
    assert_eq!((&seen["amount"], &seen["fee"], &seen["legs"]), (&json!("5.50"), &json!("0.00"), &own));
    app.get("eve", &path).await.check_problem(404, "transaction_not_found");

    let row = |entry: &Value| json!([entry["type"], entry["amount"], entry["counterparty"], entry["reference"]]);
    assert_eq!(row(&app.entries(&alice, 1).await[0]), json!(["payout", "-30.50", null, "payroll"]));
    assert_eq!(row(&app.entries(&bob, 1).await[0]), json!(["payout", "25.00", alice, "payroll"]));
    assert_eq!(row(&app.entries(&carol, 1).await[0]), json!(["payout", "5.50", alice, "bonus"]));

    let reversal = app.reverse(&id, &json!({})).await.check(201);
    let seen = app.get("bob", &format!("/v1/transactions/{}", reversal.text("id"))).await.check(200).body;
    let own = json!([{"wallet_id": bob, "amount": "-25.00", "balance_after": "0.00", "version_after": 2}]);
    assert_eq!((&seen["amount"], &seen["legs"]), (&json!("25.00"), &own));
    assert_eq!(app.balance(&alice).await, "100.00");
}

#[tokio::test]
async fn the_first_payment_that_is_refused_refuses_the_whole_by_its_place() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let carol = app.open_as("carol", &json!({"currency": "EUR", "ceiling": "5"})).await;
    let body = payout(&alice, &[(&bob, "25"), (&carol, "5.01")]);
    let refused = app.post_with("alice", PAYOUTS, "k", &body).await.check_problem(422, "max_balance_exceeded");
    assert_eq!((refused.text("wallet_id"), refused.text("requested")), (carol.as_str(), "5.01"));
    assert_eq!((&refused.body["payment"], refused.body.get("available")), (&json!(1), None));
    assert_eq!(refused.text("detail"), format!("`payments[1]`: Wallet {carol} has too little room."));
    let again = app.post_with("alice", PAYOUTS, "k", &body).await.check_problem(422, "max_balance_exceeded");
    assert!(again.is_replay() && again.body["detail"] == refused.body["detail"]);
    assert_eq!((app.balance(&alice).await, app.balance(&bob).await), ("100.00".to_owned(), "0.00".to_owned()));

    // The wallet that refused has the attempt, and learns of it what it was to get.
    let attempts = app.attempts("carol", &carol).await;
    assert_eq!((&attempts[0]["amount"], &attempts[0]["fee"]), (&json!("5.01"), &json!("0.00")));
    assert_eq!((&attempts[0]["type"], &attempts[0]["reason"]["payment"]), (&json!("payout"), &json!(1)));

    // The payer is asked first.
    let poor = payout(&alice, &[(&bob, "95"), (&carol, "5.01")]);
    let refused = app.post("alice", PAYOUTS, &poor).await.check_problem(422, "insufficient_funds");
    assert_eq!((refused.text("requested"), refused.body.get("payment")), ("100.01", None));
    let missing = format!("wal_{}", "0".repeat(32));
    let refused = app.post("alice", PAYOUTS, &payout(&alice, &[(&bob, "1"), (&missing, "1")])).await;
    let refused = refused.check_problem(404, "wallet_not_found");
    assert_eq!((&refused.body["payment"], refused.text("wallet_id")), (&json!(1), missing.as_str()));
    let twice = payout(&alice, &[(&bob, "1"), (&carol, "1"), (&bob, "1")]);
    let refused = app.post("alice", PAYOUTS, &twice).await.check_problem(422, "duplicate_destination");
    assert_eq!((&refused.body["payment"], refused.text("wallet_id")), (&json!(2), bob.as_str()));
    app.post("alice", PAYOUTS, &payout(&alice, &[(&alice, "1")])).await.check_problem(422, "same_wallet");
    app.post("bob", PAYOUTS, &payout(&alice, &[(&bob, "1")])).await.check_problem(404, "wallet_not_found");
    assert_eq!(app.entries(&alice, 10).await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_a_payout_is_named() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let told = async |body: Value, code: &str| {
        let answer = app.post("alice", PAYOUTS, &body).await;
        let status = if code == "malformed_request" { 400 } else { 422 };
        answer.check_problem(status, code).text("detail").to_owned()
    };
    let many = |count: usize| payout(&alice, &vec![(bob.as_str(), "1"); count]);
    let split = "`payments`: there are 97, and a payout has 48 at most. Split them into 3 payouts, each with an \
                 Idempotency-Key of its own: each is all or nothing by itself.";
    assert_eq!(told(many(97), "malformed_request").await, split);
    assert!(told(many(49), "malformed_request").await.contains("into 2 payouts"));
    assert_eq!(told(many(0), "malformed_request").await, "`payments`: a payout has at least one.");
    let with = |place: usize, field: &str, value: Value| {
        let mut body = payout(&alice, &[(&bob, "1"), (&bob, "1")]);
        body["payments"][place][field] = value;
        body
    };
    let amount = told(with(1, "amount", json!("0")), "invalid_amount").await;
    assert_eq!(amount, "`payments[1].amount`: must be greater than zero.");
    let number = told(with(0, "amount", json!(1.5)), "invalid_amount").await;
    assert!(number.starts_with("`payments[0].amount`: write the amount as a string"), "{number}");
    let destination = told(with(1, "destination", json!("bob")), "malformed_request").await;
    assert!(destination.starts_with("`payments[1].destination` "), "{destination}");
    let reference = told(with(1, "reference", json!("")), "malformed_request").await;
    assert!(reference.starts_with("`payments[1].reference` "), "{reference}");
    let unknown = told(with(1, "currency", json!("EUR")), "malformed_request").await;
    assert!(unknown.starts_with("`payments[1].currency`: unknown field"), "{unknown}");
    let list = json!({"source": alice, "currency": "EUR", "payments": [[bob, "1"]]});
    assert_eq!(told(list, "malformed_request").await, "`payments[0]`: invalid type: sequence, expected an object.");
    let largest = "9".repeat(16);
    let sum = told(payout(&alice, &[(&bob, &largest), (&alice, &largest)]), "invalid_amount").await;
    assert!(sum.starts_with("`payments`: must not exceed"), "{sum}");
}

#[tokio::test]
async fn the_fee_is_the_sum_and_the_payers_version_may_be_pinned() {
    let fee = r#"{"basis_points":0,"minimum":{"EUR":"0.10"}}"#;
    let (app, _) = TestApp::wired(&[("TRANSFER_FEE", fee)]).await;
    let (alice, bob, carol) = (app.funded("alice", "10.20").await, app.open("bob").await, app.open("carol").await);
    let body = payout(&alice, &[(&bob, "4"), (&carol, "6")]);
    let pinned =
        |version: u64| app.posting("alice", PAYOUTS, &app.key(), &body).header("if-match", format!("\"{version}\""));
    send(pinned(0)).await.check_problem(412, "version_mismatch");
    let paid = send(pinned(1)).await.check(201);
    assert_eq!((paid.text("amount"), paid.text("fee"), app.balance(&alice).await.as_str()), ("10.00", "0.20", "0.00"));
}

#[tokio::test]
async fn a_payout_takes_leases_unless_it_is_told_not_to() {
    let (app, wire) = TestApp::wired(&[]).await;
    let (alice, bob) = (app.funded("alice", "10").await, app.open("bob").await);
    for (strategy, writes) in [(json!(null), 2), (json!("optimistic"), 1), (json!("pessimistic"), 2)] {
        wire.take();
        let mut body = payout(&alice, &[(&bob, "1")]);
        body["locking_strategy"] = strategy;
        app.post("alice", PAYOUTS, &body).await.check(201);
        assert_eq!(wire.take().iter().filter(|call| call.operation == "TransactWriteItems").count(), writes);
    }
}

#[tokio::test]
async fn a_payee_with_batched_credits_has_it_waiting() {
    let (app, alice, bob) = TestApp::with_two("10").await;
    let shop = app.open_as("root", &json!({"currency": "EUR", "owner": "shop", "credits": "batched"})).await;
    let paid = app.post("alice", PAYOUTS, &payout(&alice, &[(&bob, "1"), (&shop, "2")])).await.check(201);
    let path = format!("/v1/transactions/{}", paid.text("id"));
    let own = json!([{"wallet_id": shop, "amount": "2.00", "settled": false}]);
    assert_eq!(app.get("shop", &path).await.check(200).body["legs"], own);
    assert_eq!(app.get("alice", &path).await.check(200).body["legs"][2], own[0]);
    assert_eq!(app.wallet(&shop).await["incoming"]["amount"], "2.00");
}
