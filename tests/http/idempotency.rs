//! `Idempotency-Key`: the same key and body moves money once, whoever asks how often, in turn or at once.

use serde_json::{Value, json};

use super::{TestApp, across, eur, send, send_all};

/// How many ask at once.
const AT_ONCE: usize = 16;

/// A POST of alice's: its path, and a body.
type Post = (String, Value);

/// One of each POST. All are alice's and leave one entry more in her wallet, except for the first.
async fn posts(app: &TestApp) -> (String, Vec<Post>) {
    let (alice, bob) = (app.funded("alice", "100").await, app.open("bob").await);
    let posts = vec![
        ("/v1/wallets".to_owned(), json!({"currency": "EUR"})),
        (format!("/v1/wallets/{alice}/deposits"), eur("3")),
        (format!("/v1/wallets/{alice}/withdrawals"), eur("2")),
        ("/v1/transfers".to_owned(), across(&alice, &bob, "1")),
    ];
    (alice, posts)
}

#[tokio::test]
async fn the_same_request_again_gets_the_first_answer_and_moves_nothing() {
    let app = TestApp::start().await;
    let (wallet, posts) = posts(&app).await;
    for (path, body) in &posts {
        let key = app.key();
        let first = app.post_with("alice", path, &key, body).await.check(201);
        let version = app.wallet(&wallet).await["version"].clone();
        assert!(!first.is_replay());
        for key in [key.clone(), format!("\"{key}\"")] {
            let again = app.post_with("alice", path, &key, body).await.check(200);
            assert!(again.is_replay(), "{path}");
            assert_eq!(again.body, first.body);
            for header in ["location", "etag"] {
                assert_eq!(again.header(header), first.header(header), "{path}");
            }
        }
        assert_eq!(app.wallet(&wallet).await["version"], version);
    }
    assert_eq!(app.balance(&wallet).await, "100.00");
}

#[tokio::test]
async fn sixteen_at_once_move_money_once() {
    let app = TestApp::start().await;
    let (wallet, posts) = posts(&app).await;
    for strategy in ["optimistic", "pessimistic"] {
        for (path, body) in &posts {
            let mut body = body.clone();
            if path != "/v1/wallets" {
                body["locking_strategy"] = json!(strategy);
            }
            let key = app.key();
            let answers = send_all((0..AT_ONCE).map(|_| app.posting("alice", path, &key, &body))).await;
            let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
            statuses.sort_unstable();
            let expected: Vec<u16> = [vec![200; AT_ONCE - 1], vec![201]].concat();
            assert_eq!(statuses, expected, "{path}: {answers:?}");
            for answer in &answers {
                assert_eq!(answer.body, answers[0].body, "{path}");
                assert_eq!(answer.is_replay(), answer.status == 200, "{path}");
            }
        }
    }
    let entries = app.entries(&wallet, 100).await;
    assert_eq!(entries.len(), 2 + 2 * 3, "one entry for each movement");
    assert_eq!(app.pages("alice", "/v1/wallets", 100).await.len(), 1 + 2);
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_caller() {
    let app = TestApp::start().await;
    let (wallet, posts) = posts(&app).await;
    let deposits = format!("/v1/wallets/{wallet}/deposits");
    app.post_with("alice", &deposits, "mine", &eur("3")).await.check(201);
    let other_amount = app.post_with("alice", &deposits, "mine", &eur("3.01")).await;
    other_amount.check_problem(422, "idempotency_key_reused");
    for (path, body) in posts.iter().filter(|(path, _)| *path != deposits) {
        app.post_with("alice", path, "mine", body).await.check_problem(422, "idempotency_key_reused");
    }
    // Spelled differently, meaning the same.
    app.post_with("alice", &deposits, "mine", &eur("3.00")).await.check(200);
    // Another caller's key of the same name is another key.
    app.post_with("bank", &deposits, "mine", &eur("3")).await.check(201);
    assert_eq!(app.balance(&wallet).await, "106.00");
}

#[tokio::test]
async fn a_recorded_refusal_is_replayed_even_when_it_would_go_through_now() {
    let (app, wallet) = TestApp::with_one("1").await;
    let path = format!("/v1/wallets/{wallet}/withdrawals");
    let first = app.post_with("alice", &path, "refused", &eur("2")).await.check_problem(422, "insufficient_funds");
    assert!(!first.is_replay());
    app.deposit("alice", &wallet, "10").await.check(201);
    let again = app.post_with("alice", &path, "refused", &eur("2")).await.check_problem(422, "insufficient_funds");
    assert!(again.is_replay());
    assert_eq!(again.said(), first.said());
    app.post_with("alice", &path, "anew", &eur("2")).await.check(201);
}

#[tokio::test]
async fn a_refusal_that_is_not_recorded_leaves_the_key_free() {
    let (app, wallet) = TestApp::with_one("0").await;
    let path = format!("/v1/wallets/{wallet}/deposits");
    app.post_with("alice", &path, "again", &eur("0")).await.check_problem(422, "invalid_amount");
    let pinned = app.posting("alice", &path, "again", &eur("1")).header("if-match", "\"9\"");
    send(pinned).await.check_problem(412, "version_mismatch");
    app.post_with("alice", &path, "again", &eur("1")).await.check(201);
}

#[tokio::test]
async fn sixteen_refused_at_once_leave_one_attempt() {
    let (app, wallet) = TestApp::with_one("1").await;
    let path = format!("/v1/wallets/{wallet}/withdrawals");
    for answer in send_all((0..AT_ONCE).map(|_| app.posting("alice", &path, "refused", &eur("2")))).await {
        answer.check_problem(422, "insufficient_funds");
    }
    assert_eq!(app.attempts("alice", &wallet).await.len(), 1);
}
