//! Queued requests by the whole stack: each is executed and told of; and what is reported of messages that name none.

use serde_json::{Value, json};
use wallet_lambda::work;
use wallet_requests::Execute;
use wallet_stack::{Options, TABLE};

use super::batch;
use crate::faults::{World, function, runtime};
use crate::http::{TestApp, across, eventually, send};

#[tokio::test]
async fn what_was_accepted_is_executed_by_itself() {
    let app = TestApp::with(Options::default()).await;
    let (alice, bob) = (app.funded("alice", "10").await, app.open("bob").await);
    let ask = |amount: &str| {
        let request = app.posting("alice", "/v1/transfers", &app.key(), &across(&alice, &bob, amount));
        send(request.header("prefer", "respond-async"))
    };
    let (good, bad) = (ask("4").await.check(202), ask("40").await.check(202));
    let outcome = async |accepted: &Value| {
        let path = format!("/v1/transactions/{}", accepted["id"].as_str().expect("an id"));
        let found = async || Some(app.get("alice", &path).await.check(200).body);
        eventually(async || found().await.filter(|found| found["status"] != "queued")).await
    };
    let (posted, failed) = (outcome(&good.body).await, outcome(&bad.body).await);
    assert_eq!((&posted["status"], &posted["legs"][0]["amount"]), (&json!("posted"), &json!("-4.00")));
    assert_eq!((&failed["status"], &failed["reason"]["code"]), (&json!("failed"), &json!("insufficient_funds")));
    assert_eq!(app.balance(&bob).await, "4.00");
}

#[test]
fn a_message_that_names_no_request_comes_again_and_harms_no_other() {
    runtime().block_on(async {
        let world = World::new();
        let app = function(world.ledger(0, 10), &[]);
        let named = |table: &str, id: &str| json!({"table": table, "transaction_id": id}).to_string();
        let unknown = format!("txn_{:032x}", 7);
        let messages = [
            ("no JSON", "execute".to_owned()),
            ("no id", named(TABLE, "txn_1")),
            ("of another table", named("another-ledger", &unknown)),
            ("unknown", named(TABLE, &unknown)),
        ];
        let report = work::<Execute>(&app, batch(messages.iter().map(|(id, body)| (*id, body.as_str())))).await;
        let codes: Vec<_> = report.reasons.iter().map(|(id, why)| (id.as_str(), why.split(':').next())).collect();
        let malformed = Some("malformed_request");
        assert_eq!(
            codes,
            [
                ("no JSON", malformed),
                ("no id", malformed),
                ("of another table", malformed),
                ("unknown", Some("transaction_not_found"))
            ]
        );
    });
}
