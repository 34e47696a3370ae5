//! The command against a running stack: what it lists, what it drives back, and what becomes of that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use clap::Parser as _;
use serde_json::json;
use wallet_stack::token::EVERYDAY_SCOPE;
use wallet_stack::{Options, Stack, around, clock};

use super::*;
use crate::testing::{json, until};

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

async fn run(url: &str, line: &[&str]) -> Result<String> {
    let line = Line::try_parse_from(["dlq"].iter().chain(line).chain(&["--url", url]))?;
    answer(&line.arguments).await
}

#[tokio::test]
async fn dead_letters_are_listed_and_driven_back() {
    let visibility_timeout = Some(Duration::from_millis(1));
    let stack = Stack::start(Options { visibility_timeout, ..Options::default() }).await.expect("started");
    assert_eq!(
        run(stack.url(), &["list"]).await.expect("listed"),
        "no dead letters; 0 messages wait or are tried again"
    );
    assert_eq!(run(stack.url(), &["redrive", "--all"]).await.expect("nothing to do"), "no dead letters");

    let id = stack.queue("rebate").send("no\u{1b}[2J JSON", clock::now()).expect("sent");
    until("dead", async || !stack.queue("rebate").dead_letters().expect("read").is_empty()).await;
    let list = run(stack.url(), &["list"]).await.expect("listed");
    assert!(list.starts_with("1 dead letter; 0 messages"), "{list}");
    assert!(list.contains(&format!("\n\n{id}  sent ")), "{list}");
    assert!(
        list.contains("received 5 times\n  malformed_request: The message is no JSON object.\n  no\u{fffd}[2J JSON")
    );

    stack.deliver(false);
    let driven = run(stack.url(), &["redrive", "--message-id", &id]).await.expect("driven back");
    assert_eq!(driven, "1 dead letter driven back");
    let error = run(stack.url(), &["redrive", "--message-id", &id]).await.expect_err("no longer dead");
    assert_eq!(error.to_string(), format!("There is no dead letter with the message id {id}."));
    stack.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let nobody = run("http://127.0.0.1:1", &["list"]).await.expect_err("nothing there").to_string();
    assert!(nobody.starts_with("nothing answers at http://127.0.0.1:1.\nStart `cargo wallet up`"), "{nobody}");
    let secure = run("https://127.0.0.1:1", &["list"]).await.expect_err("refused").to_string();
    assert!(secure.contains("must start with http://"), "{secure}");

    let stack = Stack::start(Options::default()).await.expect("started");
    let other = run(stack.dynamodb_url(), &["list"]).await.expect_err("another service").to_string();
    assert!(other.contains("is no local stack"), "{other}");
    stack.stop().await;

    for line in [&["redrive"][..], &["redrive", "--message-id", "x"], &["redrive", "--all", "--message-id", "x"]] {
        run("http://127.0.0.1:1", line).await.expect_err("wrong arguments");
    }
}

/// The transactions that a bug in the function makes it panic on, by a part of their text.
type Bug = Arc<Mutex<Option<String>>>;

#[tokio::test]
async fn a_rebate_that_a_bug_kept_back_is_paid_once_when_it_is_mended_and_driven_back() {
    let bug = Bug::default();
    let buggy = Arc::clone(&bug);
    let http_client = around(move |request, inner| {
        let bug = buggy.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let body = String::from_utf8_lossy(request.body().bytes().expect("the SDK's bodies are in memory"));
        let writes = body.contains("TransactItems");
        assert!(!bug.is_some_and(|bug| writes && body.contains(&bug)), "on purpose");
        inner.call(request)
    });
    let stack = Stack::start(Options {
        visibility_timeout: Some(Duration::from_millis(1)),
        http_client: Some(http_client),
        deliver: false,
        ..Options::default()
    });
    let stack = stack.await.expect("started");
    let alice = stack.caller("alice", EVERYDAY_SCOPE);
    let wallet = json(alice.post("/v1/wallets", "open", &json!({"currency": "EUR"})).await);
    let id = wallet["id"].as_str().expect("an id");
    let wallet = format!("/v1/wallets/{id}");
    let balance = async || json(alice.get(&wallet).await)["balance"].clone();
    let mut rebates = vec![];
    for (key, amount) in [("first", "100.00"), ("second", "200.00"), ("third", "300.00")] {
        let deposit = json!({"amount": amount, "currency": "EUR"});
        let deposit = json(alice.post(&format!("{wallet}/deposits"), key, &deposit).await);
        rebates.push(deposit["rebate"]["transaction_id"].as_str().expect("it earns a rebate").to_owned());
    }
    *bug.lock().expect("nobody has panicked with it") = Some(rebates[1].clone());
    stack.deliver(true);
    let settled = async |dead: usize| {
        let queue = stack.queue("rebate");
        let is_settled =
            async || queue.dead_letters().expect("read").len() == dead && queue.depth().expect("read") == 0;
        until("settled", is_settled).await;
    };
    // All three are sent when the third is paid.
    until("the others are paid", async || balance().await == "604.00").await;
    settled(1).await;
    let list = run(stack.url(), &["list"]).await.expect("listed");
    assert!(list.contains("received 5 times\n  internal: panicked: on purpose\n"), "{list}");
    let letter = stack.queue("rebate").dead_letters().expect("read").remove(0).message_id;

    // Not mended yet: it dies again. Mended: it is paid.
    assert_eq!(run(stack.url(), &["redrive", "--all"]).await.expect("driven back"), "1 dead letter driven back");
    settled(1).await;
    assert_eq!(balance().await, "604.00");
    *bug.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let driven = run(stack.url(), &["redrive", "--message-id", &letter]).await.expect("driven back");
    assert_eq!(driven, "1 dead letter driven back");
    settled(0).await;
    assert_eq!(balance().await, "606.00", "paid");

    // By an operator who drives back what he has kept, once more.
    let source = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}/stream/now", stack.table());
    let rebate = json(alice.get(&format!("/v1/transactions/{}", rebates[1])).await);
    let again = json!({
        "source": source, "deposit_id": rebate["parent_id"], "wallet_id": id, "rule_id": "standard",
    });
    stack.queue("rebate").send(&again.to_string(), clock::now()).expect("sent");
    settled(0).await;
    assert_eq!(balance().await, "606.00", "and once");
    stack.stop().await;
}
