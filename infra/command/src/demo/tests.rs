//! What the demo tells: the amounts that were posted, and what was refused.

use axum::http::Method;

use wallet_stack::{Options, Stack};

use super::*;

async fn start(env: &[(&str, &str)]) -> Stack {
    let env = env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Stack::start(Options { env, ..Options::default() }).await.expect("started")
}

/// Seeds a new stack with these settings, and returns the balances of alice and bob beside the rest.
async fn seeded(env: &[(&str, &str)]) -> (Demo, [String; 2]) {
    let stack = start(env).await;
    // Far less than the patience with a rebate: nothing is waited for in vain.
    let seeding = tokio::time::timeout(PATIENCE - Duration::from_secs(1), seed(stack.router()));
    let demo = seeding.await.expect("in time").expect("seeded");
    stack.stop().await;
    let balances = [demo.alice.balance.clone(), demo.bob.balance.clone()];
    (demo, balances)
}

#[tokio::test]
async fn what_the_page_of_the_api_fills_in_is_the_demo_s() {
    let (demo, _) = seeded(&[]).await;
    let page = wallet_stack::api::text();
    assert!([demo.alice.id, demo.bob.id].iter().all(|id| page.contains(id.as_str())));
}

#[tokio::test]
async fn without_a_rule_for_the_deposit_nothing_is_waited_for() {
    for rules in ["[]", r#"[{"id":"m","basis_points":100,"currencies":["USD"]}]"#] {
        let (demo, balances) = seeded(&[("REBATE_RULES", rules)]).await;
        assert_eq!(
            demo.summary,
            "seeded: 100.00 deposited to alice, 25.00 sent to bob, 2.00 paid to the shop by alice, 3.00 paid to the shop by bob",
            "{rules}"
        );
        assert_eq!(demo.warnings, Vec::<String>::new(), "{rules}");
        assert_eq!(balances, ["73.00", "22.00"], "{rules}");
    }
}

#[tokio::test]
async fn a_rebate_that_is_refused_is_told_and_holds_nothing_up() {
    let rules = r#"[{"id":"m","basis_points":100,"minimum":{"EUR":"2.00"}}]"#;
    let (demo, balances) = seeded(&[("REBATE_RULES", rules)]).await;
    assert_eq!(
        demo.summary,
        "seeded: 100.00 deposited to alice, 25.00 sent to bob, 2.00 paid to the shop by alice, 3.00 paid to the shop by bob"
    );
    let [warning] = demo.warnings.as_slice() else { panic!("{:?}", demo.warnings) };
    assert!(warning.starts_with("no rebate for the demo's deposit: The rebate"), "{warning}");
    assert_eq!(balances, ["73.00", "22.00"]);
}

#[tokio::test]
async fn the_amounts_are_those_that_were_posted() {
    let (demo, balances) = seeded(&[
        ("REBATE_RULES", r#"[{"id":"m","basis_points":1000,"monthly_cap":{"EUR":"5.00"}}]"#),
        ("TRANSFER_FEE", r#"{"basis_points":25,"minimum":{"EUR":"0.10"}}"#),
    ])
    .await;
    let summary = "seeded: 100.00 deposited to alice, a rebate of 5.00 for it, 25.00 sent to bob for a fee of 0.10, 2.00 paid to the shop by alice, 3.00 paid to the shop by bob";
    assert_eq!(demo.summary, summary);
    assert_eq!(balances, ["77.80", "21.90"]);
}

#[tokio::test]
async fn a_transfer_that_is_refused_leaves_the_wallets_to_see() {
    let stack = start(&[]).await;
    let alice = Caller::new("alice", token::EVERYDAY_SCOPE, &stack.router())
        .open(&json!({"currency": "EUR"}))
        .await
        .expect("opened");
    freeze(&stack, &alice).await;
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

async fn freeze(stack: &Stack, wallet: &str) {
    let request = Request::builder().method(Method::PATCH).uri(format!("/v1/wallets/{wallet}"));
    let token = stack.token("operator", "wallets:admin");
    let request = request.header("authorization", format!("Bearer {token}")).header("if-match", "\"0\"");
    let request = request.header("content-type", "application/json").body(Body::from(r#"{"status":"frozen"}"#));
    let answer = stack.router().oneshot(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
}

/// Waits for what comes by itself.
async fn until(mut done: impl FnMut() -> bool) {
    let patience = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), patience).await.expect("it comes in time");
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
        until(|| stack.queue("rebate").depth().expect("read") == 0).await;
        stack.stop().await;
    }
}

#[tokio::test]
async fn held_back_messages_wait_and_arrive() {
    let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("started");
    let seeding = tokio::spawn(seed(stack.router()));
    until(|| stack.queue("rebate").depth().expect("read") == 1).await;
    stack.deliver(true);
    let demo = seeding.await.expect("no panic").expect("seeded");
    assert_eq!((demo.alice.balance.as_str(), demo.shop.balance.as_str()), ("74.00", "5.00"), "the rebate included");
    stack.stop().await;
}
