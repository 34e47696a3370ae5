//! The table is made once, kept, and checked; its stream stays fast.

use super::*;
use crate::template::Template;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};

fn table() -> Value {
    Template::embedded().expect("complete").table
}

async fn put(client: &aws_sdk_dynamodb::Client, key: &str) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    client.put_item().table_name(TABLE).item("PK", text(key)).item("SK", text("x")).send().await.expect("written");
}

#[tokio::test]
async fn a_file_keeps_table_and_stream() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("wallet.db");
    let database = Database::start(Some(&path), &table(), 0).await.expect("started");
    put(&database.client(None), "a").await;
    let arn = database.stream.arn.clone();
    database.stop().await;

    let mut other = table();
    other["GlobalSecondaryIndexes"][0]["IndexName"] = "renamed".into();
    let error = Database::start(Some(&path), &other, 0).await.err().expect("another table");
    assert!(format!("{error:#}").contains("another version"), "{error:#}");

    let database = Database::start(Some(&path), &table(), 0).await.expect("started again");
    assert_eq!(database.stream.arn, arn);
    let found = database.client(None).scan().table_name(TABLE).send().await.expect("read");
    assert_eq!(found.count(), 1);
    database.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = listen(0).await.expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let error = Database::start(None, &table(), port).await.err().expect("taken").to_string();
    assert!(error.contains(&format!("port {port} on 127.0.0.1 is in use")), "{error}");
}

#[tokio::test]
async fn a_request_token_never_reaches_the_database() {
    let database = Database::start(None, &table(), 0).await.expect("started");
    let client = database.client(None);
    for count in ["1", "2"] {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = Update::builder().table_name(TABLE).key("PK", text("a")).key("SK", text("x"));
        let update =
            update.update_expression("ADD n :one").expression_attribute_values(":one", AttributeValue::N("1".into()));
        let action = TransactWriteItem::builder().update(update.build().expect("complete")).build();
        client
            .transact_write_items()
            .client_request_token("once")
            .transact_items(action)
            .send()
            .await
            .expect("written");
        let found = client.get_item().table_name(TABLE).key("PK", text("a")).key("SK", text("x")).send().await;
        let item = found.expect("read").item.expect("it is there");
        assert_eq!(item["n"], AttributeValue::N(count.to_owned()), "the database would have known it again");
    }
    database.stop().await;
}
