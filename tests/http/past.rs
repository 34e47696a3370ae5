//! `GET /v1/wallets/{wallet_id}?at=`: the wallet as it was.

use serde_json::{Value, json};

use super::TestApp;

#[tokio::test]
async fn a_wallet_is_shown_as_each_of_its_entries_left_it() {
    let (app, alice, bob) = TestApp::with_two("0").await;
    for number in 0..4 {
        app.deposit("alice", &alice, "10").await.check(201);
        app.transfer("alice", &alice, &bob, "1.25").await.check(201);
        let hold = app.hold(&alice, &bob, "2.50").await;
        if number % 2 == 0 {
            let captures = format!("/v1/holds/{}/captures", hold.text("id"));
            app.post("bob", &captures, &json!({"amount": "1", "final": false})).await.check(201);
        }
        if number == 2 {
            app.amend(&alice, &json!({"ceiling": "1000"})).await.check(200);
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let (path, entries) = (format!("/v1/wallets/{alice}"), app.entries(&alice, 100).await);
    for entry in &entries {
        let at = entry["created_at"].as_str().expect("a time");
        // Of several in one millisecond the last.
        let newest = entries.iter().find(|other| other["created_at"] == entry["created_at"]).expect("itself");
        let past = app.get("alice", &format!("{path}?at={at}")).await.check(200);
        let expected = json!({
            "id": alice, "currency": "EUR", "at": at, "balance": newest["balance_after"],
            "held": newest["held_after"], "version": newest["version"],
            "updated_at": at,
        });
        assert_eq!((past.body.clone(), past.header("etag")), (expected.clone(), None));
        assert_eq!(app.get("root", &format!("{path}?at={at}")).await.check(200).body, expected);
    }

    let opened = entries.last().expect("the opening")["created_at"].as_str().expect("a time").to_owned();
    let before =
        app.get("alice", &format!("{path}?at=2020-02-29T00:00:00Z")).await.check_problem(404, "wallet_not_found");
    let told = format!("There was no wallet {alice} at that time: it was opened at {opened}.");
    assert_eq!(before.text("detail"), told);
    let now = app.get("alice", &path).await.check(200);
    let past = app.get("alice", &format!("{path}?at={}", now.text("updated_at"))).await.check(200);
    for same in ["id", "currency", "balance", "held", "version", "updated_at"] {
        assert_eq!(past.body[same], now.body[same]);
    }
}

#[tokio::test]
async fn a_time_that_is_none_or_in_the_future_is_refused() {
    let app = TestApp::start().await;
    let path = format!("/v1/wallets/{}", app.funded("alice", "10").await);
    let told = async |query: &str| {
        let answer = app.get("alice", &format!("{path}?{query}")).await.check_problem(400, "malformed_request");
        answer.text("detail").to_owned()
    };
    assert_eq!(
        told("at=2126-01-01T00:00:00Z").await,
        "`at` is in the future. Leave it out for the wallet as it is now."
    );
    let shape = "`at` must be a time of RFC 3339 such as 2026-11-21T03:00:00Z; write the + of an offset as %2B.";
    for bad in ["yesterday", "2026-11-21", "1795230000", "", "2026-11-21T04:00:00+01:00"] {
        assert_eq!(told(&format!("at={bad}")).await, shape);
    }
    assert_eq!(told("when=now").await, "There is no query parameter `when`. `at` is known here.");
    app.get("eve", &format!("{path}?at=2020-02-29T00:00:00Z")).await.check_problem(404, "wallet_not_found");
    let none: Value = app.get("eve", &format!("{path}?at=2126-01-01T00:00:00Z")).await.check(404).body;
    assert!(!none["detail"].as_str().expect("a text").contains("opened"), "{none}");
}
