//! Messages that were lost, against a running stack: what is named, what is sent, and what becomes of it, however often.

use std::time::Duration;

use axum::http::Request;
use clap::Parser as _;
use serde_json::{Value, json};
use wallet_stack::{Caller, Options, Stack, clock, token};

use super::*;
use crate::testing::{json, until};

const ALL: [&str; 3] = ["rebate", "settle", "requests"];

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

struct World {
    stack: Stack,
    alice: Caller,
    /// In a day and two hours, when a queued request is overdue too.
    later: Ledger,
}

impl World {
    async fn start() -> World {
        let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("started");
        let in_26_h = Arc::new(|| clock::now() + Duration::from_secs(26 * 60 * 60));
        let later = Ledger::new(stack.own_client(), stack.table()).with_clock(in_26_h);
        let alice = stack.caller("alice", &token::SCOPES.join(" "));
        World { stack, alice, later }
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> Value {
        let answer = json(self.alice.post(path, key, &body).await);
        assert!(answer["code"].is_null(), "{answer}");
        answer
    }

    fn waiting(&self) -> [u64; 3] {
        ALL.map(|queue| self.stack.queue(queue).depth().expect("read"))
    }

    /// Loses what waits in the queues.
    fn lose(&self) {
        assert!(self.waiting().iter().all(|count| *count > 0), "{:?}", self.waiting());
        for queue in ALL.map(|queue| self.stack.queue(queue)) {
            for message in queue.receive(10, clock::now()).expect("received") {
                assert!(queue.delete(&message.receipt_handle.expect("a receipt")).expect("deleted"));
            }
        }
        assert_eq!(self.waiting(), [0; 3]);
    }

    async fn resend(&self, by: Option<&Way>) -> Result<String> {
        resend(&self.later, Audit::new(self.later.clone(), 2), by).await
    }
}

#[tokio::test]
async fn what_was_lost_is_sent_again_and_done_once() {
    let world = World::start().await;
    let alice = world.post("/v1/wallets", "a", json!({"currency": "EUR"})).await;
    let of_bob = json!({"currency": "EUR", "owner": "bob", "credits": "batched"});
    let bob = world.post("/v1/wallets", "b", of_bob).await;
    let (alice, bob) = (alice["id"].as_str().expect("an id"), bob["id"].as_str().expect("an id"));
    let money = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let deposit = world.post(&format!("/v1/wallets/{alice}/deposits"), "d", money("100")).await;
    let mut gift = money("10");
    (gift["source"], gift["destination"]) = (json!(alice), json!(bob));
    for key in ["t1", "t2"] {
        world.post("/v1/transfers", key, gift.clone()).await;
    }
    let mut hold = money("1");
    (hold["source"], hold["expires_in"]) = (json!(alice), json!(60));
    let hold = world.post("/v1/holds", "h", hold).await;
    let queued = Request::post(format!("/v1/wallets/{alice}/withdrawals")).header("prefer", "respond-async");
    let queued = queued.header("idempotency-key", "q").header("content-type", "application/json");
    let request = json(world.alice.ask(queued, money("5").to_string()).await);
    assert_eq!(request["status"], "queued");
    // Last in the stream: what came before it has been sent as well.
    until("sent", async || world.waiting()[2] == 1).await;
    world.lose();

    // At once nothing is overdue.
    let now = Ledger::new(world.stack.own_client(), world.stack.table());
    let told = resend(&now, Audit::new(now.clone(), 2), None).await.expect("audited");
    assert_eq!(told, "nothing is overdue that a message could mend");

    let told = world.resend(None).await.expect("audited");
    let lines = |follower: &str, id: &Value| {
        let id = id.as_str().expect("an id");
        told.lines().filter(|line| line.starts_with(follower) && line.contains(id) && line.contains("overdue")).count()
    };
    let counts = [
        lines("rebate ", &deposit["id"]),
        lines("settle ", &json!(bob)),
        lines("requests ", &request["id"]),
        lines("nobody ", &hold["id"]),
    ];
    assert_eq!(counts, [1, 2, 1, 1], "{told}");
    assert!(told.ends_with("\n3 messages to be sent; none was, in a dry run"), "{told}");
    let nowhere = world.resend(Some(&Way::to_local("http://127.0.0.1:1"))).await.expect_err("nobody there").to_string();
    assert!(nowhere.starts_with("1 of 1 messages to `rebate` were not sent: nothing answers at"), "{nowhere}");
    let mut partly = Way::to_local(world.stack.url());
    partly.queues.remove(&Queue::Settle);
    let error = world.resend(Some(&partly)).await.expect_err("a queue is missing").to_string();
    assert!(error.contains("nothing was sent. Something of `settle` is overdue: say with --queue-url"), "{error}");
    assert_eq!(world.waiting(), [0; 3]);

    // Sent twice, and done once.
    let way = Way::to_local(world.stack.url());
    for _ in 0..2 {
        let told = world.resend(Some(&way)).await.expect("sent");
        assert!(told.ends_with("\n3 messages sent"), "{told}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(world.waiting(), [2; 3]);
    world.stack.deliver(true);
    until("worked on", async || world.waiting() == [0; 3]).await;
    for (wallet, balance, version) in [(alice, "76.00", 6), (bob, "20.00", 2)] {
        let wallet = json(world.alice.get(&format!("/v1/wallets/{wallet}")).await);
        assert_eq!((&wallet["balance"], &wallet["version"]), (&json!(balance), &json!(version)), "{wallet}");
    }
    let told = world.resend(Some(&way)).await.expect("audited");
    assert!(told.starts_with("nobody ") && told.ends_with("\nnothing is overdue that a message could mend"), "{told}");
    assert_eq!(world.waiting(), [0; 3]);
    for queue in ALL {
        assert_eq!(world.stack.queue(queue).dead_letters().expect("read"), [], "{queue}");
    }
    world.stack.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let fifo = "https://sqs.eu-central-1.amazonaws.com/123456789012/wallets-settle.fifo";
    let line = |words: &[&str]| Line::try_parse_from(["resend"].iter().chain(words));
    for (queue, told) in [
        ("rebate", "write it as rebate=https://sqs.."),
        ("publish=https://sqs.example.com/q", "there is no queue `publish`; there are rebate, settle, requests"),
        ("rebate=wallets-rebate", "`wallets-rebate` is no URL of a queue"),
        (&format!("rebate={fifo}"), "is not the queue of rebate: that of settle alone ends with .fifo"),
        ("settle=https://sqs.example.com/q", "is not the queue of settle"),
    ] {
        let error = line(&["--queue-url", queue]).expect_err(queue).to_string();
        assert!(error.contains(told), "{error}");
    }
    let settle = format!("settle={fifo}");
    line(&["--queue-url", &settle, "--queue-url", "rebate=https://sqs.example.com/q"]).expect("both");
    line(&["--queue-url", &settle, "--url", "http://127.0.0.1:1"]).expect_err("either");

    let error = run(&line(&[]).expect("a line").arguments).await.expect_err("no table").to_string();
    assert!(error.starts_with("say with --endpoint where the table of `cargo wallet up` is"), "{error}");
    let nowhere = line(&["--dry-run", "--endpoint", "http://127.0.0.1:1"]).expect("a line").arguments;
    let error = run(&nowhere).await.expect_err("nothing there").to_string();
    assert!(error.starts_with("http://127.0.0.1:1 cannot be reached."), "{error}");
}
