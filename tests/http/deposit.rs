//! `POST /v1/wallets/{wallet_id}/deposits`.

use serde_json::json;

use super::TestApp;

#[tokio::test]
async fn money_comes_in_and_the_answer_says_everything() {
    let (app, wallet) = TestApp::with_one("0").await;
    let body = json!({"amount": "12.5", "currency": "EUR", "reference": "order 1", "metadata": {"shop": "7"}});
    let answer = app.post("alice", &format!("/v1/wallets/{wallet}/deposits"), &body).await.check(201);
    let id = answer.text("id");
    assert_eq!(answer.header("location"), Some(format!("/v1/transactions/{id}").as_str()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!((answer.header("etag"), answer.is_replay()), (None, false));
    let expected = json!({
        "id": id, "type": "deposit", "status": "posted", "amount": "12.50", "currency": "EUR", "fee": "0.00",
        "legs": [
            {"account": "external", "amount": "-12.50"},
            {"wallet_id": wallet, "amount": "12.50", "balance_after": "12.50", "version_after": 1},
        ],
        "rebate": {"rule_id": "standard", "transaction_id": answer.body["rebate"]["transaction_id"]},
        "reference": "order 1", "metadata": {"shop": "7"}, "parent_id": null,
        "created_at": answer.body["created_at"],
    });
    assert_eq!(answer.body, expected);
    let time = answer.text("created_at");
    assert!(time.ends_with('Z') && time.parse::<wallet_domain::Timestamp>().is_ok(), "{time} is RFC 3339 in UTC");

    let shown = app.get("alice", &format!("/v1/transactions/{id}")).await.check(200);
    let mut later = expected;
    later["rebate"]["status"] = json!("pending");
    assert_eq!(shown.body, later);
    assert_eq!(app.balance(&wallet).await, "12.50");
}

#[tokio::test]
async fn whoever_may_deposit_may_credit_any_wallet_and_sees_no_balance() {
    let (app, wallet) = TestApp::with_one("100").await;
    let answer = app.deposit("bank", &wallet, "5").await.check(201);
    let hidden = json!([{"account": "external", "amount": "-5.00"}, {"wallet_id": wallet, "amount": "5.00"}]);
    assert_eq!(answer.body["legs"], hidden);

    // Its owner sees the same transaction with his balance.
    let own = app.get("alice", &format!("/v1/transactions/{}", answer.text("id"))).await.check(200);
    assert_eq!(own.body["legs"][1]["balance_after"], "105.00");
}

#[tokio::test]
async fn every_currency_has_its_own_scale() {
    let app = TestApp::start().await;
    for (currency, sent, shown) in [("JPY", "1200", "1200"), ("BHD", "1.5", "1.500"), ("CLF", "1", "1.0000")] {
        let wallet = app.open_as("alice", &json!({"currency": currency})).await;
        let path = format!("/v1/wallets/{wallet}/deposits");
        let answer = app.post("alice", &path, &json!({"amount": sent, "currency": currency})).await.check(201);
        assert_eq!(answer.body["amount"], shown);
        assert_eq!(app.balance(&wallet).await, shown);
    }
}

#[tokio::test]
async fn both_locking_strategies_move_the_same() {
    let (app, wallet) = TestApp::with_one("0").await;
    for (strategy, balance) in [("optimistic", "3.00"), ("pessimistic", "6.00")] {
        let body = json!({"amount": "3", "currency": "EUR", "locking_strategy": strategy});
        let answer = app.post("alice", &format!("/v1/wallets/{wallet}/deposits"), &body).await.check(201);
        assert_eq!(answer.body["legs"][1]["balance_after"], balance);
    }
}
