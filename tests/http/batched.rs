//! Wallets whose credits are batched, as callers see them: terms, answers, bad input, and what is not for strangers.

use serde_json::{Value, json};

use super::{Answer, TestApp, across, eur, send};

impl TestApp {
    /// A wallet of `owner` whose credits are batched.
    async fn batched(&self, owner: &str) -> String {
        self.open_as("root", &json!({"currency": "EUR", "owner": owner, "credits": "batched"})).await
    }

    /// Amends a wallet at whatever version it is.
    async fn amend_any(&self, caller: &str, wallet: &str, key: Option<&str>, change: &Value) -> Answer {
        let request = self.amending(caller, wallet, change).header("if-match", "*");
        send(key.into_iter().fold(request, |request, key| request.header("idempotency-key", key))).await
    }

    async fn shown(&self, caller: &str, wallet: &str) -> Answer {
        self.get(caller, &format!("/v1/wallets/{wallet}")).await.check(200)
    }
}

#[tokio::test]
async fn a_credit_waits_is_shown_as_incoming_and_is_spent() {
    let app = TestApp::start().await;
    let body = json!({"currency": "EUR", "owner": "alice", "credits": "batched"});
    let opened = app.post("root", "/v1/wallets", &body).await.check(201);
    let wallet = opened.text("id");
    assert_eq!((opened.text("credits"), opened.body.get("incoming")), ("batched", None));
    let nothing = json!({"amount": "0.00", "count": 0, "complete": true});
    assert_eq!(app.shown("alice", wallet).await.body["incoming"], nothing);

    let deposit = app.deposit("alice", wallet, "5").await.check(201);
    let leg = json!({"wallet_id": wallet, "amount": "5.00"});
    assert_eq!(deposit.body["legs"], json!([{"account": "external", "amount": "-5.00"}, leg]));
    let shown = app.shown("alice", wallet).await;
    let figures = (shown.text("balance"), shown.text("available"), shown.header("etag"));
    assert_eq!(figures, ("0.00", "0.00", Some("\"0\"")));
    assert_eq!(shown.body["incoming"], json!({"amount": "5.00", "count": 1, "complete": true}));
    let settled = async || app.transaction("alice", deposit.text("id")).await["legs"][1]["settled"].clone();
    assert_eq!(settled().await, json!(false));

    let refused = app.withdraw("alice", wallet, "5.01").await.check_problem(422, "insufficient_funds");
    assert_eq!((refused.text("available"), refused.text("requested")), ("5.00", "5.01"));
    let spent = app.withdraw("alice", wallet, "2").await.check(201);
    assert_eq!(spent.body["legs"][0]["balance_after"], "3.00");
    assert_eq!(settled().await, json!(true));
    let rows = app.entries(wallet, 1).await;
    let row = |at: usize| (rows[at]["version"].clone(), rows[at]["amount"].clone(), rows[at]["balance_after"].clone());
    assert_eq!(row(0), (json!(2), json!("-2.00"), json!("3.00")));
    assert_eq!(row(1), (json!(1), json!("5.00"), json!("5.00")));
    assert_eq!(rows[1]["transaction_id"], deposit.body["id"]);
    // Where nothing ever waited, nothing is looked for.
    let plain = app.open("alice").await;
    let plain = app.shown("alice", &plain).await;
    assert_eq!((plain.text("credits"), &plain.body["incoming"]), ("immediate", &Value::Null));
}

#[tokio::test]
async fn the_mode_is_for_administrators_and_excludes_a_ceiling() {
    let app = TestApp::start().await;
    for mode in [json!("sometimes"), json!(""), json!("Batched"), json!(true), json!(["batched"])] {
        let body = json!({"currency": "EUR", "credits": mode});
        app.post("root", "/v1/wallets", &body).await.check_problem(400, "malformed_request");
    }
    let capped = json!({"currency": "EUR", "ceiling": "5", "credits": "batched"});
    app.post("root", "/v1/wallets", &capped).await.check_problem(422, "ceiling_with_batched_credits");
    let body = json!({"currency": "EUR", "credits": "batched"});
    app.post("alice", "/v1/wallets", &body).await.check_problem(403, "missing_scope");
    // What is the rule anyway, everybody may say.
    app.post("alice", "/v1/wallets", &json!({"currency": "EUR", "credits": "immediate"})).await.check(201);

    let wallet = app.open_as("alice", &json!({"currency": "EUR", "ceiling": "5"})).await;
    let batched = json!({"credits": "batched"});
    app.amend(&wallet, &batched).await.check_problem(422, "ceiling_with_batched_credits");
    let both = json!({"credits": "batched", "ceiling": null});
    assert_eq!(app.amend(&wallet, &both).await.check(200).text("credits"), "batched");
    app.amend(&wallet, &json!({"ceiling": "5"})).await.check_problem(422, "ceiling_with_batched_credits");
    for change in [json!({"credits": null}), json!({"credits": "both"}), json!({"credits": 1})] {
        app.amend(&wallet, &change).await.check_problem(400, "malformed_request");
    }
    app.amend_any("alice", &wallet, Some("k"), &batched).await.check_problem(403, "missing_scope");
    let told = app.amend(&wallet, &json!({"status": "closed"})).await.check_problem(409, "credits_in_flight");
    assert_eq!((told.header("retry-after"), &told.body["retryable"]), (Some("900"), &json!(true)));
    let entry = &app.entries(&wallet, 10).await[0];
    assert_eq!(entry["changes"], json!({"credits": "batched", "ceiling": "none"}));
}

#[tokio::test]
async fn an_amendment_at_any_version_is_named_by_its_key() {
    let app = TestApp::start().await;
    let wallet = app.batched("alice").await;
    let freeze = json!({"status": "frozen"});
    app.amend_any("root", &wallet, None, &freeze).await.check_problem(400, "idempotency_key_missing");
    let made = app.amend_any("root", &wallet, Some("freeze"), &freeze).await.check(200);
    assert_eq!((made.text("status"), made.header("etag")), ("frozen", Some("\"1\"")));
    let again = app.amend_any("root", &wallet, Some("freeze"), &freeze).await.check(200);
    assert!(again.is_replay() && !made.is_replay());
    assert_eq!(again.body, made.body);
    let other = json!({"status": "active"});
    app.amend_any("root", &wallet, Some("freeze"), &other).await.check_problem(422, "idempotency_key_reused");
    // Of another wallet it is another request.
    let second = app.batched("alice").await;
    app.amend_any("root", &second, Some("freeze"), &freeze).await.check_problem(422, "idempotency_key_reused");
    // One key, whatever it is for.
    app.post_with("root", &format!("/v1/wallets/{wallet}/deposits"), "freeze", &eur("1"))
        .await
        .check_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_deposit_pins_a_version_and_never_any() {
    let app = TestApp::start().await;
    let wallet = app.batched("alice").await;
    let deposit = |version: &str| {
        let path = format!("/v1/wallets/{wallet}/deposits");
        app.posting("alice", &path, &app.key(), &eur("1")).header("if-match", version)
    };
    send(deposit("*")).await.check_problem(400, "malformed_request");
    let made = send(deposit("\"0\"")).await.check(201);
    assert_eq!(
        (&made.body["legs"][1]["version_after"], &made.body["legs"][1]["balance_after"]),
        (&json!(1), &json!("1.00"))
    );
    app.deposit("alice", &wallet, "1").await.check(201);
    // What waits has raised no version.
    send(deposit("\"1\"")).await.check(201);
    send(deposit("\"1\"")).await.check_problem(412, "version_mismatch");
}

#[tokio::test]
async fn a_payer_sees_his_side_and_a_stranger_nothing() {
    let app = TestApp::start().await;
    let (shop, bob) = (app.batched("alice").await, app.funded("bob", "9").await);
    let paid = app.transfer("bob", &bob, &shop, "4").await.check(201);
    let id = paid.text("id").to_owned();
    assert_eq!(paid.body["legs"][1], json!({"wallet_id": shop, "amount": "4.00"}));
    let path = format!("/v1/wallets/{shop}");
    for path in [path.clone(), format!("{path}/entries"), format!("{path}/attempts")] {
        app.get("eve", &path).await.check_problem(404, "wallet_not_found");
        app.get("bob", &path).await.check_problem(404, "wallet_not_found");
    }
    app.get("eve", &format!("/v1/transactions/{id}")).await.check_problem(404, "transaction_not_found");
    app.post("eve", "/v1/transfers", &across(&shop, &bob, "1")).await.check_problem(404, "wallet_not_found");
    app.withdraw("eve", &shop, "4").await.check_problem(404, "wallet_not_found");
    app.withdraw("alice", &shop, "4").await.check(201);
    for (caller, leg) in [("bob", 1), ("alice", 0)] {
        let legs = app.transaction(caller, &id).await["legs"].clone();
        let others = legs[leg].as_object().expect("a leg");
        assert!(!others.contains_key("balance_after") && !others.contains_key("version_after"), "{legs:#}");
    }
}
