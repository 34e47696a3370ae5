//! From the embedded database's real stream into a queue, with the template's own filter and body.

use std::path::Path;

use super::*;
use crate::stores::Stores;
use crate::template::Template;
use aws_sdk_dynamodb::types::AttributeValue;

struct World {
    stores: Stores,
    feed: Feed,
}

async fn start(data: Option<&Path>) -> World {
    let template = Template::embedded().expect("complete");
    let stores = Stores::start(&template, data, 0).await.expect("started");
    let (database, queue) = (&stores.database, Arc::clone(&stores.queue));
    let pipe = Pipe::new(&template.pipe, database.handle(), database.stream()).expect("supported");
    let feed = Feed::new(pipe, queue);
    World { stores, feed }
}

impl World {
    /// Puts a transaction as the ledger does, as far as the pipe looks at it.
    async fn put(&self, id: &str, kind: &str, status: &str, rule: Option<&str>) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = self.stores.database.client(None).put_item().table_name(crate::names::TABLE);
        let put = put.item("PK", text(&format!("TXN#{id}"))).item("SK", text("TXN")).item("id", text(id));
        let put = put.item("type", text(kind)).item("status", text(status)).item("wallet_id", text("wal_1"));
        let put = if let Some(rule) = rule { put.item("rule_id", text(rule)) } else { put };
        put.send().await.expect("written");
    }

    fn carried(&self) -> Vec<Value> {
        while self.feed.carry().expect("carried") > 0 {}
        let messages = self.stores.queue.receive(10, clock::now()).expect("received");
        let bodies = messages.iter().map(|message| message.body.as_deref().expect("a body"));
        bodies.map(|body| serde_json::from_str(body).expect("JSON")).collect()
    }
}

#[tokio::test]
async fn only_posted_deposits_with_a_rule_become_messages() {
    let world = start(None).await;
    world.put("txn_1", "deposit", "posted", Some("standard")).await;
    world.put("txn_2", "deposit", "posted", None).await;
    world.put("txn_3", "deposit", "failed", Some("standard")).await;
    world.put("txn_4", "transfer", "posted", Some("standard")).await;
    let expected = serde_json::json!({
        "source": world.feed.pipe.stream.arn, "deposit_id": "txn_1", "wallet_id": "wal_1", "rule_id": "standard",
    });
    assert_eq!(world.carried(), [expected]);
    world.put("txn_1", "deposit", "posted", Some("standard")).await;
    assert!(world.carried().is_empty(), "a change of the same item is no insert");
}

#[tokio::test]
async fn after_a_restart_it_goes_on_where_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("wallet.db");
    let world = start(Some(&path)).await;
    world.put("txn_1", "deposit", "posted", Some("standard")).await;
    assert_eq!(world.carried().len(), 1);
    world.put("txn_2", "deposit", "posted", Some("standard")).await;
    drop(world.feed);
    world.stores.stop().await;

    let world = start(Some(&path)).await;
    let carried = world.carried();
    assert_eq!(carried.len(), 1, "the first was carried, and is hidden: {carried:?}");
    assert_eq!(carried[0]["deposit_id"], "txn_2");
}
