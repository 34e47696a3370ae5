//! `POST /v1/wallets`, `GET /v1/wallets`, `GET` and `PATCH /v1/wallets/{wallet_id}`.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, TestApp, eur, send, texts};

#[tokio::test]
async fn a_wallet_opens_at_zero_and_is_shown_as_it_was_opened() {
    let app = TestApp::start().await;
    let body = json!({"currency": "EUR", "ceiling": "500", "metadata": {"purpose": "savings"}});
    let answer = app.post("alice", "/v1/wallets", &body).await.check(201);
    let id = answer.text("id");
    assert_eq!(answer.header("location"), Some(format!("/v1/wallets/{id}").as_str()));
    assert_eq!(answer.header("etag"), Some("\"0\""));
    let expected = json!({
        "id": id, "owner": "alice", "currency": "EUR", "balance": "0.00", "held": "0.00", "available": "0.00", "credits": "immediate",
        "version": 0, "status": "active",
        "floor": "0.00", "ceiling": "500.00",
        "limits": {"max_movement": null, "max_daily_outflow": null, "transfers_per_minute": null},
        "metadata": {"purpose": "savings"},
        "created_at": answer.body["created_at"], "updated_at": answer.body["created_at"],
    });
    assert_eq!(answer.body, expected);

    let shown = app.get("alice", &format!("/v1/wallets/{id}")).await.check(200);
    let mut with_incoming = expected;
    with_incoming["incoming"] = Value::Null;
    assert_eq!((shown.body.clone(), shown.header("etag")), (with_incoming, Some("\"0\"")));
    app.deposit("alice", id, "1").await.check(201);
    let moved = app.get("alice", &format!("/v1/wallets/{id}")).await.check(200);
    assert_eq!(
        (moved.header("etag"), &moved.body["version"], moved.text("balance")),
        (Some("\"1\""), &json!(1), "1.00")
    );
}

#[tokio::test]
async fn another_owner_a_floor_and_limits_are_for_admins() {
    let app = TestApp::start().await;
    let bodies = [
        json!({"currency": "EUR", "owner": "bob"}),
        json!({"currency": "EUR", "floor": "-1"}),
        json!({"currency": "EUR", "limits": {"max_movement": "5"}}),
    ];
    for body in &bodies {
        app.post("alice", "/v1/wallets", body).await.check_problem(403, "missing_scope");
        app.post("root", "/v1/wallets", body).await.check(201);
    }
    let bobs = app.get("bob", "/v1/wallets").await.check(200);
    assert_eq!(bobs.body["wallets"].as_array().expect("a list").len(), 1);
}

#[tokio::test]
async fn a_callers_wallets_are_listed_page_by_page_and_no_one_elses() {
    let app = TestApp::start().await;
    let mut mine = vec![];
    for _ in 0..5 {
        mine.push(app.open("alice").await);
        app.open("bob").await;
    }
    for limit in [1, 2, 5, 100] {
        let listed = app.pages("alice", "/v1/wallets", limit).await;
        let mut ids = texts(&listed, "id");
        // Oldest first; those of one millisecond by id.
        assert!(listed.is_sorted_by_key(|wallet| wallet["created_at"].as_str()), "{ids:?}");
        ids.sort();
        mine.sort();
        assert_eq!(ids, mine);
    }
    let nobody = app.get("eve", "/v1/wallets").await.check(200);
    assert_eq!(nobody.body, json!({"wallets": [], "next_cursor": null}));

    let cursor = app.get("alice", "/v1/wallets?limit=1").await.text("next_cursor").to_owned();
    app.get("bob", &format!("/v1/wallets?cursor={cursor}")).await.check_problem(400, "invalid_cursor");
    for limit in ["0", "101", "x", "-1"] {
        app.get("alice", &format!("/v1/wallets?limit={limit}")).await.check_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn a_stranger_sees_no_wallet_and_an_admin_sees_all() {
    let (app, wallet) = TestApp::with_one("0").await;
    let path = format!("/v1/wallets/{wallet}");
    app.get("eve", &path).await.check_problem(404, "wallet_not_found");
    app.get("eve", "/v1/wallets/nonsense").await.check_problem(404, "wallet_not_found");
    app.get("root", &path).await.check(200);
}

#[tokio::test]
async fn an_amendment_is_an_entry_and_raises_the_version() {
    let (app, wallet) = TestApp::with_one("5").await;
    let change = json!({"status": "frozen", "limits": {"max_movement": "3", "transfers_per_minute": 2}});
    let answer = app.amend(&wallet, &change).await.check(200);
    assert_eq!((answer.header("etag"), answer.header("location")), (Some("\"2\""), None));
    assert_eq!((answer.text("status"), answer.text("balance")), ("frozen", "5.00"));
    let limits = json!({"max_movement": "3.00", "max_daily_outflow": null, "transfers_per_minute": 2});
    assert_eq!(answer.body["limits"], limits);

    let newest = &app.entries(&wallet, 10).await[0];
    assert_eq!(
        (&newest["type"], &newest["amount"], &newest["by"]),
        (&json!("amendment"), &json!("0.00"), &json!("root"))
    );
    let changes = json!({"max_movement": "3.00", "transfers_per_minute": "2", "status": "frozen"});
    assert_eq!(newest["changes"], changes);

    // Repeated with the amount written otherwise, it is the same request.
    let same = json!({"status": "frozen", "limits": {"max_movement": "3.00", "transfers_per_minute": 2}});
    let again = send(app.amending("root", &wallet, &same).header("if-match", "\"1\"")).await;
    assert_eq!(again.check(200).body, answer.body);

    // What takes a ceiling away is `null`; the text that tells of it in the statement is no amount.
    let amending = |body: Value| app.amending("root", &wallet, &body).header("if-match", "\"2\"");
    send(amending(json!({"ceiling": "none"}))).await.check_problem(422, "invalid_amount");
    send(amending(json!({"ceiling": null}))).await.check(200);
    send(amending(json!({"ceiling": "none"}))).await.check_problem(412, "version_mismatch");

    let cleared = app.amend(&wallet, &json!({"limits": {"max_movement": null}})).await.check(200);
    assert_eq!(cleared.body["limits"]["max_movement"], Value::Null);
    assert_eq!(cleared.body["limits"]["transfers_per_minute"], 2);
}

#[tokio::test]
async fn an_amendment_needs_an_admin_and_the_version_that_it_is_based_on() {
    let (app, wallet) = TestApp::with_one("0").await;
    let frozen = json!({"status": "frozen"});
    let amending = |caller: &str, version: &str| app.amending(caller, &wallet, &frozen).header("if-match", version);
    send(amending("alice", "\"0\"")).await.check_problem(403, "missing_scope");
    send(app.amending("root", &wallet, &frozen)).await.check_problem(428, "precondition_required");
    for malformed in ["0", "W/\"0\""] {
        send(amending("root", malformed)).await.check_problem(400, "malformed_request");
    }
    send(amending("root", "\"1\"")).await.check_problem(412, "version_mismatch");
    let first = send(amending("root", "\"0\"")).await.check(200);
    // The same version with the same body is the same request.
    let again = send(amending("root", "\"0\"")).await.check(200);
    assert_eq!((&again.body, again.is_replay()), (&first.body, true));
    app.deposit("alice", &wallet, "1").await.check(201);
    let other = app.amending("root", &wallet, &json!({"status": "active"})).header("if-match", "\"0\"");
    send(other).await.check_problem(412, "version_mismatch");
}

#[tokio::test]
async fn who_may_amend_and_reverse_but_not_read_learns_no_balance() {
    let (app, wallet) = TestApp::with_one("0").await;
    let deposit = app.deposit("alice", &wallet, "201.05").await.check(201).text("id").to_owned();
    let path = format!("/v1/wallets/{wallet}");
    let request = |method, path: &str, scope| app.bare(method, path).bearer_auth(app.stack.token("root", scope));
    let (blind, seeing) = ("wallets:admin", "wallets:admin wallets:read");
    let amend = |scope, version: &'static str, change: Value| {
        send(request(Method::PATCH, &path, scope).header("if-match", version).json(&change))
    };

    let closing = json!({"status": "closed"});
    let refused = amend(seeing, "\"1\"", closing.clone()).await.check_problem(409, "wallet_not_empty");
    assert!(refused.text("detail").contains("201.05"), "{}", refused.body);
    let refused = amend(blind, "\"1\"", closing).await.check_problem(409, "wallet_not_empty");
    assert_eq!((refused.text("detail"), refused.text("wallet_id")), ("The wallet is not empty.", &*wallet));
    let low = json!({"ceiling": "100"});
    let refused = amend(seeing, "\"1\"", low.clone()).await.check_problem(422, "max_balance_exceeded");
    assert_eq!(refused.text("requested"), "201.05");
    let refused = amend(blind, "\"1\"", low).await.check_problem(422, "max_balance_exceeded");
    assert!(!refused.body.to_string().contains("201.05"), "{}", refused.body);

    let frozen = json!({"status": "frozen"});
    let done = amend(blind, "\"1\"", frozen.clone()).await.check(200);
    let expected = json!({"id": wallet, "version": 2, "status": "frozen", "updated_at": done.body["updated_at"]});
    assert_eq!((&done.body, done.header("etag")), (&expected, Some("\"2\"")));
    assert_eq!(amend(blind, "\"1\"", frozen.clone()).await.check(200).body, expected, "as often as it is asked");
    assert_eq!(amend(seeing, "\"1\"", frozen).await.check(200).text("balance"), "201.05");
    amend(blind, "\"2\"", json!({"status": "active"})).await.check(200);

    let undo = |scope, key: &'static str| {
        let path = format!("/v1/transactions/{deposit}/reversals");
        send(request(Method::POST, &path, scope).header("idempotency-key", key).json(&json!({})))
    };
    app.withdraw("alice", &wallet, "1.05").await.check(201);
    let short = undo(blind, "short").await.check_problem(422, "insufficient_funds");
    assert_eq!((short.body.get("available"), short.body.get("requested")), (None, None));
    assert_eq!(undo(seeing, "short").await.check_problem(422, "insufficient_funds").text("available"), "200.00");
    app.deposit("alice", &wallet, "10").await.check(201);
    let shown = |answer: &Answer| answer.body["legs"].to_string().contains("8.95");
    let undone = undo(blind, "undo").await.check(201);
    assert!(!shown(&undone), "{}", undone.body);
    assert!(shown(&undo(seeing, "undo").await.check(200)));
}

#[tokio::test]
async fn limits_hold_exactly() {
    let app = TestApp::start().await;
    let limits = json!({"max_movement": "10", "max_daily_outflow": "15"});
    let wallet = app.open_as("root", &json!({"currency": "EUR", "owner": "alice", "limits": limits})).await;
    let path = format!("/v1/wallets/{wallet}/deposits");
    app.post("alice", &path, &eur("10.01")).await.check_problem(422, "limit_exceeded");
    for _ in 0..2 {
        app.post("alice", &path, &eur("10")).await.check(201);
    }
    app.withdraw("alice", &wallet, "10").await.check(201);
    let refused = app.withdraw("alice", &wallet, "5.01").await.check_problem(422, "limit_exceeded");
    assert_eq!((refused.text("available"), refused.text("requested")), ("5.00", "5.01"));
    app.withdraw("alice", &wallet, "5").await.check(201);
}
