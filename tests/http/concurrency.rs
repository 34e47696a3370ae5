//! Many callers at once on the same two wallets: nothing is lost, nothing is made, nobody is left without an answer.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::{PATIENCE, TestApp, check_statement, minor};

const CALLERS: usize = 32;
/// What a lease that somebody holds may have left, by default.
const LEASE_SECONDS: u64 = 3;
/// Movements of each caller.
const EACH: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_callers_on_two_wallets_optimistic() {
    check("optimistic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_callers_on_two_wallets_pessimistic() {
    check("pessimistic").await;
}

async fn check(strategy: &'static str) {
    let app = Arc::new(TestApp::start().await);
    let (alice, bob) = (app.funded("alice", "100").await, app.funded("bob", "100").await);
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (app, alice, bob) = (Arc::clone(&app), alice.clone(), bob.clone());
            tokio::spawn(async move {
                for _ in 0..EACH {
                    let (who, path, body) = movement(caller, &alice, &bob, strategy);
                    persist(&app, who, &path, &body).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("every caller gets an answer");
    }

    let (alice, bob) = (app.wallet(&alice).await, app.wallet(&bob).await);
    for wallet in [&alice, &bob] {
        let entries = app.entries(wallet["id"].as_str().expect("an id"), 7).await;
        check_statement(wallet, &entries);
    }
    let each = i64::try_from(CALLERS / 4 * EACH).expect("small");
    // A quarter each: alice to bob 1.10, bob to alice 0.70, deposits of 0.50, withdrawals of 0.20.
    assert_eq!(minor(&alice["balance"]), 10_000 + each * (70 - 110 + 50));
    assert_eq!(minor(&bob["balance"]), 10_000 + each * (110 - 70 - 20));
    let moved = alice["version"].as_i64().expect("a version") + bob["version"].as_i64().expect("a version");
    assert_eq!(moved, 2 + each * 6, "a transfer is an entry on both sides, everything else on one");
}

fn movement(caller: usize, alice: &str, bob: &str, strategy: &str) -> (&'static str, String, Value) {
    let across = |source: &str, destination: &str| json!({"source": source, "destination": destination});
    let (who, path, mut body, amount) = match caller % 4 {
        0 => ("alice", "/v1/transfers".to_owned(), across(alice, bob), "1.10"),
        1 => ("bob", "/v1/transfers".to_owned(), across(bob, alice), "0.70"),
        2 => ("bank", format!("/v1/wallets/{alice}/deposits"), json!({}), "0.50"),
        _ => ("bob", format!("/v1/wallets/{bob}/withdrawals"), json!({}), "0.20"),
    };
    (body["amount"], body["currency"]) = (json!(amount), json!("EUR"));
    body["locking_strategy"] = json!(strategy);
    (who, path, body)
}

/// Repeats with the same key for as long as the answer is that others were faster.
async fn persist(app: &TestApp, who: &str, path: &str, body: &Value) {
    let (key, started) = (app.key(), Instant::now());
    loop {
        let answer = app.post_with(who, path, &key, body).await;
        match answer.status {
            201 => return,
            409 => {
                let seconds: Option<u64> = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
                assert_eq!(answer.body["retryable"], true);
                assert!(seconds.is_some_and(|seconds| (1..=LEASE_SECONDS).contains(&seconds)), "{seconds:?}");
                assert!(started.elapsed() < PATIENCE, "a caller starved");
            }
            _ => panic!("{}", answer.body),
        }
    }
}
