//! `GET /v1/transactions?reference=`, and `GET /v1/wallets?owner=`.

use serde_json::{Value, json};

use super::{Answer, TestApp, across, texts};

fn referred(amount: &str, reference: &str) -> Value {
    json!({"amount": amount, "currency": "EUR", "reference": reference})
}

fn ids(page: &Answer) -> Vec<String> {
    let list = page.body["transactions"].as_array().expect("a list");
    texts(list, "id").into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn what_a_caller_asked_for_under_a_reference_is_listed_newest_first_page_by_page() {
    let (app, alice, bob) = TestApp::with_two("100").await;
    let withdrawals = format!("/v1/wallets/{alice}/withdrawals");
    let mut asked = vec![];
    let mut made = |answer: &Answer| asked.push(answer.text("id").to_owned());
    for _ in 0..3 {
        made(&app.post("alice", &withdrawals, &referred("1", "order 1")).await.check(201));
    }
    let mut transfer = across(&alice, &bob, "2");
    transfer["reference"] = json!("order 1");
    let moved = app.post("alice", "/v1/transfers", &transfer).await.check(201);
    made(&moved);
    app.post("alice", &withdrawals, &referred("1000", "order 1")).await.check_problem(422, "insufficient_funds");
    asked.extend(texts(&app.attempts("alice", &alice).await, "id").into_iter().map(str::to_owned));
    // Others, under this reference and alike, and alice under others.
    app.post("root", &withdrawals, &referred("1", "order 1")).await.check(201);
    app.post("alice", &format!("/v1/wallets/{bob}/deposits"), &referred("1", "order 10")).await.check(201);
    app.post("alice", &withdrawals, &referred("1", "1")).await.check(201);
    app.withdraw("alice", &alice, "1").await.check(201);

    let path = "/v1/transactions?reference=order%201";
    let all = app.get("alice", path).await.check(200);
    let times = all.body["transactions"].as_array().expect("a list");
    assert!(times.is_sorted_by(|a, b| a["created_at"].as_str() >= b["created_at"].as_str()), "{}", all.body);
    let mut listed = ids(&all);
    assert!(listed.contains(&moved.text("id").to_owned()));
    for limit in 1..=5 {
        assert_eq!(texts(&app.pages("alice", path, limit).await, "id"), listed, "pages of {limit}");
    }
    for found in times {
        let one = app.get("alice", &format!("/v1/transactions/{}", found["id"].as_str().expect("an id"))).await;
        assert_eq!(one.check(200).body, *found);
    }
    listed.sort();
    asked.sort();
    assert_eq!(listed, asked);

    assert_eq!(ids(&app.get("root", path).await.check(200)).len(), 1, "an administrator's own");
    assert_eq!(app.get("bob", path).await.check(200).body, json!({"transactions": [], "next_cursor": null}));
    let cursor = app.get("alice", &format!("{path}&limit=1")).await.text("next_cursor").to_owned();
    for (caller, other) in [("alice", "order%2010"), ("bob", "order%201")] {
        let elsewhere = format!("/v1/transactions?reference={other}&cursor={cursor}");
        app.get(caller, &elsewhere).await.check_problem(400, "invalid_cursor");
    }
    for bad in ["", "?limit=5", "?reference=", "?reference=%09", &format!("?reference={}", "x".repeat(129))] {
        app.get("alice", &format!("/v1/transactions{bad}")).await.check_problem(400, "malformed_request");
    }
}

/// Caller and reference are one key of the index: no other two come to the same.
#[tokio::test]
async fn no_caller_finds_anothers_by_a_reference_that_continues_his_name() {
    let app = TestApp::start().await;
    for (caller, reference) in [("a", "b c"), ("a b", "c"), ("1 a", "b"), ("1", "a b")] {
        let wallet = app.open(caller).await;
        app.post(caller, &format!("/v1/wallets/{wallet}/deposits"), &referred("1", reference)).await.check(201);
    }
    for (caller, reference) in [("a", "b%20c"), ("a b", "c"), ("1 a", "b"), ("1", "a%20b")] {
        let found = app.get(caller, &format!("/v1/transactions?reference={reference}")).await.check(200);
        assert_eq!(ids(&found).len(), 1, "{caller}: {reference}");
    }
    for (caller, reference) in [("a", "c"), ("a b", "b%20c"), ("1", "b"), ("1 a", "a%20b")] {
        let found = app.get(caller, &format!("/v1/transactions?reference={reference}")).await.check(200);
        assert_eq!(ids(&found), Vec::<String>::new(), "{caller}: {reference}");
    }
}

#[tokio::test]
async fn an_owners_wallets_are_for_himself_and_for_administrators() {
    let app = TestApp::start().await;
    let (mut bobs, alices) = ([app.open("bob").await, app.open("bob").await], app.open("alice").await);
    bobs.sort();
    let listed = async |caller: &str, query: &str| {
        let list = app.pages(caller, &format!("/v1/wallets{query}"), 100).await;
        let mut ids: Vec<_> = texts(&list, "id").into_iter().map(str::to_owned).collect();
        ids.sort();
        ids
    };
    assert_eq!(listed("root", "?owner=bob").await, bobs);
    assert_eq!(listed("bob", "?owner=bob").await, bobs);
    assert_eq!(listed("bob", "").await, bobs);
    assert_eq!(listed("root", "?owner=alice").await, [alices]);
    assert_eq!(listed("root", "").await, Vec::<String>::new());
    assert_eq!(listed("root", "?owner=nobody").await, Vec::<String>::new());
    for other in ["alice", "nobody", "root"] {
        let refused = app.get("bob", &format!("/v1/wallets?owner={other}")).await.check_problem(403, "missing_scope");
        let challenge = "Bearer error=\"insufficient_scope\", scope=\"wallets:admin\"";
        assert_eq!(refused.header("www-authenticate"), Some(challenge));
    }
    app.get("root", "/v1/wallets?owner=").await.check_problem(400, "malformed_request");
    let cursor = app.get("root", "/v1/wallets?owner=bob&limit=1").await.text("next_cursor").to_owned();
    app.get("root", &format!("/v1/wallets?owner=bob&cursor={cursor}")).await.check(200);
    app.get("root", &format!("/v1/wallets?owner=alice&cursor={cursor}")).await.check_problem(400, "invalid_cursor");
}
