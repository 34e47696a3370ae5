//! Events from their queue to the bus: as they are, and what is reported of those that did not get there.

use std::sync::Arc;

use serde_json::json;
use wallet_publish::{Bus, report};

use super::{Office, batch};

fn bus() -> Bus {
    Bus::from_vars(|name| (name == "EVENT_BUS_NAME").then(|| "wallets".to_owned())).expect("it is set")
}

#[tokio::test]
async fn an_event_is_published_as_it_is_and_a_batch_reports_what_was_not() {
    let office = Arc::new(Office::default());
    let event = |number: u8| {
        json!({"version": 1, "transaction_id": format!("txn_{number:032x}"), "later": {"a": 1}}).to_string()
    };
    let events: Vec<_> = (0..4).map(event).collect();
    office.refuse(&[&format!("{:032x}", 2)]);
    let messages = [
        ("first", &*events[0]),
        ("no JSON", "an event"),
        ("second", &events[1]),
        ("refused", &events[2]),
        ("another", r#"{"wallet_id": "wal_1"}"#),
        ("unversioned", r#"{"transaction_id": "txn_1"}"#),
        ("third", &events[3]),
    ];
    let report = report(&bus(), &office.sender(), batch(messages)).await;
    let failed: Vec<_> =
        report.reasons.iter().map(|(id, why)| (id.as_str(), why.split(':').next().unwrap_or(""))).collect();
    let unreadable = "malformed_request";
    let expected =
        [("another", unreadable), ("no JSON", unreadable), ("refused", "not_sent"), ("unversioned", unreadable)];
    assert_eq!(failed, expected);
    assert_eq!(report.response.batch_item_failures.len(), expected.len());
    let published: Vec<_> = office.take("wallets").into_iter().map(|message| message.body).collect();
    assert_eq!(published, [&*events[0], &*events[1], &*events[3]]);
}

#[tokio::test]
async fn a_message_without_an_id_brings_no_other_back() {
    let office = Arc::new(Office::default());
    let mut event = batch([("nameless", "no event"), ("good", r#"{"version": 1, "transaction_id": "txn_1"}"#)]);
    event.records[0].message_id = Some(String::new());
    assert!(report(&bus(), &office.sender(), event).await.response.batch_item_failures.is_empty());
    assert_eq!(office.take("wallets").len(), 1);
    assert!(Bus::from_vars(|_| None).is_err());
}
