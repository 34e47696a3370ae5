//! From the embedded database's real stream, with the template's own filter and the function itself, into the queues.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;

use super::*;
use crate::clock;
use crate::functions;
use crate::stores::Stores;
use crate::template::Template;

struct World {
    stores: Stores,
    reader: Reader,
    /// While it holds, the function dies after it has sent everything.
    dies: Arc<AtomicBool>,
}

async fn start(data: Option<&Path>) -> World {
    let template = Template::embedded().expect("complete");
    let stores = Stores::start(&template, data, 0).await.expect("started");
    let handler =
        functions::stream(&template.environment, &stores.sender(), &template.reader.function).expect("dispatch");
    let dies = Arc::new(AtomicBool::new(false));
    let dying = Arc::clone(&dies);
    let handler: StreamHandler = Box::new(move |event| {
        let (call, dying) = (handler(event), Arc::clone(&dying));
        Box::pin(async move {
            let answer = call.await;
            assert!(!dying.load(Ordering::Relaxed), "on purpose");
            answer
        })
    });
    let (database, file) = (&stores.database, Arc::clone(&stores.file));
    let (table, stream) = (database.inner.clone(), database.stream.clone());
    let reader = Reader::new(table, stream, template.reader, handler, file).expect("supported");
    World { stores, reader, dies }
}

const WALLET: &str = "wal_00000000000000000000000000000001";

impl World {
    /// Puts an item of text attributes.
    async fn put(&self, item: &[(&str, &str)]) {
        let mut put = self.stores.database.client(None).put_item().table_name(crate::names::TABLE);
        for (name, value) in item {
            let value = (*value).to_owned();
            put = put.item(*name, if *name == "amount" { AttributeValue::N(value) } else { AttributeValue::S(value) });
        }
        put.send().await.expect("written");
    }

    /// Puts a transaction as the ledger does, as far as it is looked at.
    async fn transaction(&self, number: u8, kind: &str, more: &[(&str, &str)]) -> String {
        let id = format!("txn_{number:032x}");
        let pk = format!("TXN#{id}");
        let item = [
            ("PK", pk.as_str()),
            ("SK", "TXN"),
            ("id", &id),
            ("type", kind),
            ("status", "posted"),
            ("wallet_id", WALLET),
            ("amount", "1"),
            ("currency", "EUR"),
            ("created_at", "2026-11-21T05:20:00.123Z"),
        ];
        self.put(&[&item, more].concat()).await;
        id
    }

    async fn credit(&self, number: u8) {
        self.put(&[("PK", &format!("INBOX#{WALLET}")), ("SK", &format!("txn_{number:032x}"))]).await;
    }

    async fn read_all(&self) {
        while !self.reader.read().expect("read").is_empty() {
            self.reader.step().await.expect("sent on");
        }
    }

    /// What waits in a queue, as text.
    fn waiting(&self, queue: &str) -> Vec<Value> {
        let messages = self.stores.queues[queue].receive(10, clock::now()).expect("received");
        messages
            .iter()
            .map(|message| serde_json::from_str(message.body.as_deref().expect("a body")).expect("JSON"))
            .collect()
    }
}

#[tokio::test]
async fn each_queue_gets_what_is_for_it() {
    let world = start(None).await;
    let earns = world.transaction(1, "deposit", &[("rule_id", "standard")]).await;
    world.transaction(2, "deposit", &[]).await;
    world.transaction(3, "transfer", &[("rule_id", "standard")]).await;
    world.transaction(4, "opening", &[]).await;
    for number in 5..8 {
        world.credit(number).await;
    }
    world.put(&[("PK", "WALLET#wal_1"), ("SK", "ENTRY#0000000000000001")]).await;
    world.read_all().await;
    let rebate = json!({"table": crate::names::TABLE, "deposit_id": earns, "wallet_id": WALLET, "rule_id": "standard"});
    assert_eq!(world.waiting("rebate"), [rebate]);
    assert_eq!(world.waiting("settle"), [json!({"table": crate::names::TABLE, "wallet_id": WALLET})]);
    let events = world.waiting("publish");
    assert_eq!(events.iter().map(|event| &event["type"]).collect::<Vec<_>>(), ["deposit", "deposit", "transfer"]);
    assert_eq!(world.stores.queues["dispatch"].dead_letters().expect("read"), []);

    world.credit(5).await;
    world.read_all().await;
    assert!(world.waiting("settle").is_empty(), "a change of the same item is no insert");
    // A record changes once: when a request that waited gets its outcome.
    world.transaction(1, "deposit", &[("rule_id", "standard")]).await;
    world.read_all().await;
    assert_eq!(world.waiting("rebate").len(), 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_kept_whole_and_harms_no_other() {
    let world = start(None).await;
    world.put(&[("PK", "TXN#txn_1"), ("SK", "TXN"), ("id", "txn_1"), ("type", "deposit"), ("status", "posted")]).await;
    world.transaction(2, "deposit", &[("rule_id", "standard")]).await;
    world.read_all().await;
    assert_eq!(world.waiting("rebate").len(), 1);
    let letters = world.stores.queues["dispatch"].dead_letters().expect("read");
    let record: Value = serde_json::from_str(&letters[0].body).expect("the record");
    assert_eq!((letters.len(), &record["dynamodb"]["NewImage"]["id"]["S"]), (1, &json!("txn_1")));
    assert_eq!(record["eventSourceARN"], json!(world.reader.stream.arn));
}

#[tokio::test]
async fn a_function_that_dies_after_sending_is_given_the_same_again_and_loses_nothing() {
    let world = start(None).await;
    world.transaction(1, "deposit", &[("rule_id", "standard")]).await;
    world.credit(2).await;
    world.dies.store(true, Ordering::Relaxed);
    world.reader.step().await.expect_err("it dies");
    world.dies.store(false, Ordering::Relaxed);
    world.read_all().await;
    assert_eq!(world.waiting("rebate").len(), 2, "twice is harmless");
    assert_eq!(world.waiting("settle").len(), 1, "the same wake-up is dropped");
}

#[tokio::test]
async fn after_a_restart_it_goes_on_where_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("wallet.db");
    let world = start(Some(&path)).await;
    world.transaction(1, "deposit", &[("rule_id", "standard")]).await;
    world.read_all().await;
    assert_eq!(world.waiting("rebate").len(), 1);
    let later = world.transaction(2, "deposit", &[("rule_id", "standard")]).await;
    drop(world.reader);
    world.stores.stop().await;

    let world = start(Some(&path)).await;
    world.read_all().await;
    let waiting = world.waiting("rebate");
    assert_eq!(waiting.len(), 1, "the first was sent, and is hidden: {waiting:?}");
    assert_eq!(waiting[0]["deposit_id"], later);
}
