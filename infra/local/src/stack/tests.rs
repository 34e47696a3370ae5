//! The whole system, started and stopped: rebates that wait, messages that cannot be read, data that stays.

use super::*;
use crate::demo;

async fn start(options: Options) -> Stack {
    Stack::start(options).await.expect("started")
}

/// Waits for what comes by itself.
pub(crate) async fn until(mut done: impl FnMut() -> bool) {
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
    for (replayed, summary) in [
        (false, "seeded: 100.00 deposited to alice, a rebate of 1.00 for it, 25.00 sent to bob"),
        (true, "seeded before; nothing moved again"),
    ] {
        let stack = start(Options { data: data.clone(), ..Options::default() }).await;
        let demo = demo::seed(stack.router()).await.expect("seeded");
        assert_eq!((demo.alice.balance.as_str(), demo.bob.balance.as_str()), ("76.00", "25.00"));
        assert_eq!((demo.replayed, demo.summary.as_str(), demo.warnings.len()), (replayed, summary, 0));
        until(|| stack.queue().depth().expect("read") == 0).await;
        stack.stop().await;
    }
}

#[tokio::test]
async fn held_back_messages_wait_and_arrive() {
    let stack = start(Options { deliver: false, ..Options::default() }).await;
    let seeding = tokio::spawn(demo::seed(stack.router()));
    until(|| stack.queue().depth().expect("read") == 1).await;
    stack.deliver(true);
    let demo = seeding.await.expect("no panic").expect("seeded");
    assert_eq!(demo.alice.balance, "76.00", "the rebate included");
    stack.stop().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_becomes_a_dead_letter() {
    let soon = Some(Duration::from_millis(1));
    let stack = start(Options { visibility_timeout: soon, ..Options::default() }).await;
    stack.queue().send("no JSON", clock::now()).expect("sent");
    until(|| stack.queue().dead_letters().expect("read").iter().any(|letter| letter.body == "no JSON")).await;
    stack.stop().await;
}

#[tokio::test]
async fn one_data_path_has_one_stack() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { data: Some(directory.path().join("wallet.db")), ..Options::default() };
    let first = start(options.clone()).await;
    let error = Stack::start(options.clone()).await.err().expect("in use").to_string();
    assert!(error.contains("in use by another"), "{error}");
    first.stop().await;
    start(options).await.stop().await;
}

#[tokio::test]
async fn a_wrong_setting_is_named() {
    let env = BTreeMap::from([("LOCKING_STRATEGY".to_owned(), "hopeful".to_owned())]);
    let error = Stack::start(Options { env, ..Options::default() }).await.err().expect("refused");
    assert!(format!("{error:#}").contains("LOCKING_STRATEGY"), "{error:#}");
}
