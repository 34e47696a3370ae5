//! What comes otherwise than over HTTP: the queue's messages and the deployment's settings.

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use wallet_domain::{Amount, Money};
use wallet_lambda::{Settings, work};
use wallet_rebate::Rebate;

use super::{World, any_json, any_text, holds};

fn message(id: Option<String>, body: Option<String>) -> SqsMessage {
    let mut message = SqsMessage::default();
    (message.message_id, message.body) = (id, body);
    message
}

fn batch(messages: Vec<SqsMessage>) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = messages;
    event
}

/// A message with a member replaced, or no such thing at all.
#[derive(Debug, Clone)]
enum Body {
    With(&'static str, Value),
    Text(Option<String>),
}

fn body() -> impl Strategy<Value = Body> {
    let name = prop::sample::select(vec!["source", "deposit_id", "wallet_id", "rule_id"]);
    prop_oneof![
        2 => (name, any_json()).prop_map(|(name, value)| Body::With(name, value)),
        1 => prop::option::of(any_text()).prop_map(Body::Text),
        1 => any_json().prop_map(|value| Body::Text(Some(value.to_string()))),
    ]
}

#[test]
fn what_cannot_be_read_is_sent_back_alone_and_the_good_message_beside_it_is_worked_on() {
    let world = World::start();
    let good = json!({
        "source": format!("arn:aws:dynamodb:eu-central-1:123456789012:table/{}/stream/1", world.stack.table()),
        "deposit_id": world.deposit, "wallet_id": world.wallet, "rule_id": "standard",
    });
    let place = any::<Index>();
    holds(&(prop::collection::vec(body(), 0..4), place), |(bodies, place)| {
        let mut messages: Vec<_> = bodies
            .into_iter()
            .enumerate()
            .map(|(number, body)| {
                let body = match body {
                    Body::Text(text) => text,
                    Body::With(name, value) => {
                        let mut message = good.clone();
                        message[name] = value;
                        Some(message.to_string())
                    }
                };
                message(Some(format!("bad-{number}")), body)
            })
            .collect();
        let bad = messages.len();
        messages.insert(place.index(bad + 1), message(Some("good".to_owned()), Some(good.to_string())));
        let report = world.runtime.block_on(work::<Rebate>(&world.app, batch(messages)));
        let sent_back: Vec<_> =
            report.response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        prop_assert_eq!(sent_back.len(), bad, "{:?}", report.reasons);
        prop_assert!(!sent_back.contains(&"good"), "{:?}", report.reasons);
        prop_assert!(report.reasons.values().all(|reason| !reason.contains("panicked")), "{:?}", report.reasons);
        Ok(())
    });
    let (_, shown) = world
        .told(&world.event("GET", "/v1/transactions/{transaction_id}", None))
        .expect("an answer")
        .expect("a request");
    assert_eq!(shown["rebate"]["status"], "posted");
    world.check();
}

/// JSON near to what a setting is.
fn setting() -> impl Strategy<Value = String> {
    let rule = |value: Value| json!([{"id": "standard", "basis_points": value}]).to_string();
    let fee = |value: Value| json!({"basis_points": value, "minimum": {"EUR": "0.10"}}).to_string();
    let bounds = |value: Value| json!([{"id": "a", "basis_points": 100, "cap": value}]).to_string();
    prop_oneof![
        any_json().prop_map(rule),
        (0_i64..20_000).prop_map(move |points| rule(points.into())),
        any_json().prop_map(fee),
        (0_i64..20_000).prop_map(move |points| fee(points.into())),
        any_json().prop_map(bounds),
        any_json().prop_map(|value| value.to_string()),
        any_text(),
        (1_usize..500).prop_map(|depth| "[".repeat(depth)),
    ]
}

#[test]
fn a_setting_is_used_or_named_as_wrong_and_never_half_of_each() {
    let names = ["REBATE_RULES", "TRANSFER_FEE", "LOCKING_STRATEGY", "MAX_ATTEMPTS", "LEASE_MS", "TABLE_NAME"];
    let eur = "EUR".parse().expect("a currency");
    let largest = Amount::new(Money::largest(eur)).expect("above zero");
    holds(&(prop::sample::select(names.to_vec()), setting()), |(name, value)| {
        let get = |asked: &str| match asked {
            _ if asked == name => Some(value.clone()),
            "TABLE_NAME" => Some("wallets".to_owned()),
            _ => None,
        };
        match Settings::from_vars(get) {
            Err(error) => prop_assert!(error.to_string().starts_with(name), "{error}"),
            Ok(settings) => {
                if let Some(fee) = &settings.transfer_fee {
                    let fee = fee.fee_on(largest.money());
                    prop_assert!(!fee.is_negative(), "{fee}");
                }
            }
        }
        Ok(())
    });
}
