//! What the demo tells: the amounts that were posted, and what was refused.

use axum::http::Request;
use wallet_stack::{Options, Stack};

use super::*;
use crate::testing::until;

async fn start(env: &[(&str, &str)]) -> Stack {
    let env = env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Stack::start(Options { env, ..Options::default() }).await.expect("started")
}

/// What comes of the demo on a new stack with these settings.
async fn seeded(env: &[(&str, &str)]) -> Demo {
    let stack = start(env).await;
    // Far less than the patience with a rebate: nothing is waited for in vain.
    let seeding = tokio::time::timeout(PATIENCE - Duration::from_secs(1), seed(stack.router()));
    let demo = seeding.await.expect("in time").expect("seeded");
    stack.stop().await;
    demo
}

#[tokio::test]
async fn what_the_page_of_the_api_fills_in_is_the_demo_s() {
    let demo = seeded(&[]).await;
    let page = wallet_stack::api::text();
    assert!([demo.alice.id, demo.bob.id].iter().all(|id| page.contains(id.as_str())));
}

#[tokio::test]
async fn it_tells_what_was_posted_and_why_not_and_waits_for_nothing_in_vain() {
    let without = "seeded: 100.00 deposited to alice, 25.00 sent to bob, 2.00 paid to the shop by alice, 3.00 paid to the shop by bob";
    let with_both = "seeded: 100.00 deposited to alice, a rebate of 5.00 for it, 25.00 sent to bob for a fee of 0.10, 2.00 paid to the shop by alice, 3.00 paid to the shop by bob";
    let refused = "no rebate for the demo's deposit: The rebate";
    for (rules, fee, summary, warning, balances) in [
        ("[]", "", without, None, ["73.00", "22.00"]),
        (r#"[{"id":"m","basis_points":100,"currencies":["USD"]}]"#, "", without, None, ["73.00", "22.00"]),
        (r#"[{"id":"m","basis_points":100,"minimum":{"EUR":"2.00"}}]"#, "", without, Some(refused), ["73.00", "22.00"]),
        (
            r#"[{"id":"m","basis_points":1000,"monthly_cap":{"EUR":"5.00"}}]"#,
            r#"{"basis_points":25,"minimum":{"EUR":"0.10"}}"#,
            with_both,
            None,
            ["77.80", "21.90"],
        ),
    ] {
        let demo = seeded(&[("REBATE_RULES", rules), ("TRANSFER_FEE", fee)]).await;
        assert_eq!(demo.summary, summary, "{rules}");
        assert_eq!(demo.warnings.len(), warning.iter().count(), "{rules}: {:?}", demo.warnings);
        let told = demo.warnings.iter().zip(warning).all(|(told, begin)| told.starts_with(begin));
        assert!(told, "{rules}: {:?}", demo.warnings);
        assert_eq!([demo.alice.balance, demo.bob.balance], balances, "{rules}");
    }
}

#[tokio::test]
async fn a_transfer_that_is_refused_leaves_the_wallets_to_see() {
    let stack = start(&[]).await;
    let person = Person::new("alice", token::EVERYDAY_SCOPE, &stack.router());
    let alice = person.open(&json!({"currency": "EUR"})).await.expect("opened").wallet;
    let frozen = Request::patch(format!("/v1/wallets/{alice}")).header("if-match", "\"0\"");
    let frozen = frozen.header("content-type", "application/json");
    let answer = stack.caller("operator", "wallets:admin").ask(frozen, r#"{"status":"frozen"}"#).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    for summary in ["seeded: 100.00 deposited to alice, a rebate of 1.00 for it", "nothing moved"] {
        let demo = seed(stack.router()).await.expect("seeded as far as it goes");
        assert_eq!(demo.summary, summary);
        let [warning] = demo.warnings.as_slice() else { panic!("{:?}", demo.warnings) };
        assert!(warning.starts_with("the demo's transfer did not go through: "), "{warning}");
        assert!(warning.contains("frozen") && !warning.contains('{'), "{warning}");
        assert_eq!((demo.alice.balance.as_str(), demo.bob.balance.as_str()), ("101.00", "0.00"));
        assert_eq!(demo.alice.id, alice);
    }
    stack.stop().await;
}

#[tokio::test]
async fn the_demo_moves_money_once_however_often_it_is_seeded() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = Some(directory.path().to_owned());
    for summary in [
        "seeded: 100.00 deposited to alice, a rebate of 1.00 for it, 25.00 sent to bob, 2.00 paid to the shop by alice, 3.00 paid to the shop by bob",
        "seeded before; nothing moved again",
    ] {
        let stack = Stack::start(Options { data: data.clone(), ..Options::default() }).await.expect("started");
        let demo = seed(stack.router()).await.expect("seeded");
        assert_eq!((demo.alice.balance.as_str(), demo.bob.balance.as_str()), ("74.00", "22.00"));
        assert_eq!((demo.shop.balance.as_str(), demo.shop.owner), ("5.00", "shop"));
        assert_eq!((demo.summary.as_str(), demo.warnings.len()), (summary, 0));
        until("worked off", async || stack.queue("rebate").depth().expect("read") == 0).await;
        stack.stop().await;
    }
}

#[tokio::test]
async fn held_back_messages_wait_and_arrive() {
    let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("started");
    let seeding = tokio::spawn(seed(stack.router()));
    until("sent", async || stack.queue("rebate").depth().expect("read") == 1).await;
    stack.deliver(true);
    let demo = seeding.await.expect("no panic").expect("seeded");
    assert_eq!((demo.alice.balance.as_str(), demo.shop.balance.as_str()), ("74.00", "5.00"), "the rebate included");
    stack.stop().await;
}
