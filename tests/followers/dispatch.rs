//! Records in, messages out: what goes where, and what an answer says of what could not be sent.

use std::sync::Arc;

use serde_json::{Value, json};
use wallet_dispatch::{Queues, handle};

use super::Office;

const STREAM: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/wallets/stream/2026-11-21T03:07:00.000";

fn queues() -> Queues {
    let url = |name: &str| name.strip_suffix("_QUEUE_URL").or(Some(name)).map(str::to_lowercase);
    Queues::from_vars(url).expect("all are set")
}

fn record(number: u64, image: Value) -> Value {
    // As long as real ones: no number of this machine holds them.
    let number = format!("{}{number:08}", "4".repeat(17));
    let keys = json!({"PK": image["PK"], "SK": image["SK"]});
    let dynamodb = json!({"Keys": keys, "NewImage": image, "SequenceNumber": number, "StreamViewType": "NEW_IMAGE"});
    json!({"eventID": "e", "eventName": "INSERT", "eventSource": "aws:dynamodb", "eventSourceARN": STREAM, "dynamodb": dynamodb})
}

fn wallet(number: u64) -> String {
    format!("wal_{number:032x}")
}

fn transaction(number: u64) -> String {
    format!("txn_{number:032x}")
}

fn movement(number: u64, kind: &str, more: Value) -> Value {
    let id = transaction(number);
    let mut image = json!({
        "PK": {"S": format!("TXN#{id}")}, "SK": {"S": "TXN"}, "id": {"S": id}, "type": {"S": kind}, "status": {"S": "posted"},
        "wallet_id": {"S": wallet(1)}, "amount": {"N": "12.5"}, "currency": {"S": "EUR"}, "counterparty": {"S": "external"},
        "created_at": {"S": "2026-11-21T05:20:00.123Z"}, "caller": {"S": "alice"}, "balance_after": {"N": "7"},
    });
    for (name, value) in more.as_object().expect("attributes") {
        image[name] = value.clone();
    }
    record(number, image)
}

fn deposit(number: u64) -> Value {
    movement(number, "deposit", json!({"rule_id": {"S": "standard"}}))
}

fn credit(number: u64, to: u64) -> Value {
    record(number, json!({"PK": {"S": format!("INBOX#{}", wallet(to))}, "SK": {"S": transaction(number)}}))
}

/// What is answered: the sequence number from which on the records should come again.
async fn sent(office: &Arc<Office>, records: &[Value]) -> Option<String> {
    let event = json!({"Records": records}).to_string();
    let answer = handle(&queues(), &office.sender(), &event).await.expect("an answer");
    let failures = answer["batchItemFailures"].as_array().expect("a list");
    assert!(failures.len() <= 1, "the lowest alone");
    failures.first().map(|failure| failure["itemIdentifier"].as_str().expect("a number").to_owned())
}

fn number(record: &Value) -> Option<String> {
    record["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn each_follower_is_sent_what_it_needs_and_no_balance() {
    let office = Arc::new(Office::default());
    let refused = movement(
        2,
        "transfer",
        json!({"status": {"S": "failed"}, "refusal": {"M": {"code": {"S": "insufficient_funds"}, "available": {"N": "3"}}}}),
    );
    // A request that waits, and what came of another: the same item, changed.
    let queued = movement(3, "transfer", json!({"status": {"S": "queued"}}));
    let mut executed = movement(6, "transfer", json!({}));
    executed["eventName"] = json!("MODIFY");
    let mut changed = credit(8, 7);
    changed["eventName"] = json!("MODIFY");
    let records = [deposit(1), refused, queued, movement(4, "opening", json!({})), credit(5, 7), executed, changed];
    assert_eq!(sent(&office, &records).await, None);
    let rebate =
        json!({"table": "wallets", "deposit_id": transaction(1), "wallet_id": wallet(1), "rule_id": "standard"});
    assert_eq!(office.bodies("rebate"), [rebate]);
    assert_eq!(office.bodies("requests"), [json!({"table": "wallets", "transaction_id": transaction(3)})]);
    assert_eq!(office.bodies("settle"), [json!({"table": "wallets", "wallet_id": wallet(7)})]);
    let event = |number, kind, status, code: Option<&str>| {
        json!({
            "version": 1, "transaction_id": transaction(number), "type": kind, "status": status, "code": code,
            "wallet_id": wallet(1), "counterparty": "external", "amount": "12.5", "currency": "EUR", "parent_id": null,
            "created_at": "2026-11-21T05:20:00.123Z",
        })
    };
    let expected = [
        event(1, "deposit", "posted", None),
        event(2, "transfer", "failed", Some("insufficient_funds")),
        event(3, "transfer", "queued", None),
        event(6, "transfer", "posted", None),
    ];
    assert_eq!(office.bodies("publish"), expected);
    assert!(office.take("dead_letters_url").is_empty());
}

#[tokio::test]
async fn a_batch_names_each_wallet_once_and_a_later_one_is_never_taken_for_it() {
    let office = Arc::new(Office::default());
    let records: Vec<_> = (0..1_000).map(|number| credit(number, number % 3)).collect();
    assert_eq!(sent(&office, &records).await, None);
    let first = office.take("settle");
    let groups: Vec<_> = first.iter().map(|message| message.group.clone().expect("a group").id).collect();
    assert_eq!(groups, [wallet(0), wallet(1), wallet(2)]);

    assert_eq!(sent(&office, &records).await, None);
    assert_eq!(office.take("settle"), first, "sent again, it is known by the same name, and dropped");
    assert_eq!(sent(&office, &records[500..]).await, None);
    assert_eq!(office.take("settle"), first, "a part of it that ends alike, too");

    let later: Vec<_> = records.iter().cloned().chain([credit(1_000, 1)]).collect();
    assert_eq!(sent(&office, &later).await, None);
    let later = office.take("settle");
    let again: Vec<_> = later.iter().map(|message| first.contains(message)).collect();
    assert_eq!(again, [true, false, true], "the wallet with a later credit is woken anew");
    assert!(later.iter().all(|message| message.group.as_ref().is_some_and(|group| group.deduplication.len() <= 128)));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_goes_whole_to_the_dead_letters_and_harms_no_other() {
    let mut poison = vec![json!(null), json!("text"), json!({}), json!({"eventName": "INSERT"})];
    for (attribute, value) in [
        ("id", json!({"S": "txn_1"})),
        ("amount", json!({"S": "1"})),
        ("status", json!(null)),
        ("wallet_id", json!({})),
    ] {
        poison.push(movement(9, "deposit", json!({attribute: value})));
    }
    poison.push(record(9, json!({"PK": {"S": "INBOX#nobody"}, "SK": {"S": "txn_1"}})));
    poison.push(record(9, json!(null)));
    let mut of_no_table = deposit(9);
    of_no_table["eventSourceARN"] = json!("arn:aws:sqs:x:1:wallets");
    poison.push(of_no_table);
    let mut nowhere = deposit(9);
    nowhere["dynamodb"]["SequenceNumber"] = json!(null);
    poison.push(nowhere);
    for place in 0..=2 {
        for bad in &poison {
            let office = Arc::new(Office::default());
            let mut records = vec![deposit(1), credit(2, 7)];
            records.insert(place, bad.clone());
            assert_eq!(sent(&office, &records).await, None, "{bad}");
            assert_eq!(office.bodies("dead_letters_url"), std::slice::from_ref(bad));
            let others = (office.take("rebate").len(), office.take("settle").len(), office.take("publish").len());
            assert_eq!(others, (1, 1, 1), "{bad}");
        }
    }
}

#[tokio::test]
async fn the_lowest_record_that_could_not_be_sent_is_answered_and_the_rest_is_sent() {
    let office = Arc::new(Office::default());
    let mut records: Vec<_> = (0..40).map(deposit).collect();
    records.extend((40..60).map(|number| credit(number, number % 2)));
    office.refuse(&[&transaction(17), &transaction(33)]);
    assert_eq!(sent(&office, &records).await, number(&records[17]));
    assert_eq!((office.take("rebate").len(), office.take("publish").len()), (38, 38));
    assert_eq!(office.take("settle").len(), 2);
    // From there on it goes through.
    office.refuse(&[]);
    assert_eq!(sent(&office, &records[17..]).await, None);
    assert_eq!(office.take("rebate").len(), 23);

    // A wallet that could not be woken is woken by the first record that names it.
    office.refuse(&[&wallet(0), &transaction(59)]);
    assert_eq!(sent(&office, &records[40..]).await, number(&records[40]));
    office.refuse(&["INBOX#nobody"]);
    let poison = record(61, json!({"PK": {"S": "INBOX#nobody"}, "SK": {"S": "txn_1"}}));
    assert_eq!(sent(&office, &[deposit(60), poison.clone(), deposit(62)]).await, number(&poison));
}

#[tokio::test]
async fn what_is_no_batch_fails_as_a_whole() {
    let office = Arc::new(Office::default());
    for event in ["", "{}", "[]", r#"{"Records": {}}"#, r#"{"Records": [{]}"#] {
        handle(&queues(), &office.sender(), event).await.expect_err(event);
    }
    // Nothing says where to begin again.
    office.refuse(&["unnumbered"]);
    let unnumbered = json!({"Records": [{"unnumbered": true}]}).to_string();
    handle(&queues(), &office.sender(), &unnumbered).await.expect_err("no place to begin again from");
    assert_eq!(sent(&office, &[]).await, None);
    let missing = Queues::from_vars(|name| (name != "SETTLE_QUEUE_URL").then(|| name.to_owned()));
    assert!(missing.err().expect("refused").starts_with("SETTLE_QUEUE_URL is not set"));
}
