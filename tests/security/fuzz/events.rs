//! Events of API Gateway with anything in them changed, and bodies of every kind.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{World, any_json, any_text, holds};

/// A change of an event at one of its places.
#[derive(Debug, Clone)]
enum Change {
    Set(Value),
    Remove,
    Insert(String, Value),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => any_json().prop_map(Change::Set),
        1 => Just(Change::Remove),
        1 => (any_text(), any_json()).prop_map(|(name, value)| Change::Insert(name, value)),
    ]
}

/// Every place in `value`, as JSON pointers.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    let Some(members) = value.as_object() else { return };
    for (name, member) in members {
        places(member, &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), all);
    }
}

fn changed(event: &mut Value, place: &Index, change: Change) {
    let mut all = vec![];
    places(event, "", &mut all);
    let place = place.get(&all);
    match change {
        Change::Set(value) => *event.pointer_mut(place).expect("a place of the event") = value,
        Change::Remove => {
            let Some((parent, name)) = place.rsplit_once('/') else { return };
            if let Some(Value::Object(members)) = event.pointer_mut(parent) {
                members.remove(&name.replace("~1", "/").replace("~0", "~"));
            }
        }
        Change::Insert(name, value) => {
            if let Some(Value::Object(members)) = event.pointer_mut(place) {
                members.insert(name, value);
            }
        }
    }
}

#[test]
fn each_request_is_understood_as_it_is() {
    let world = World::start();
    for ask in &world.asks {
        let (status, answer) = world.told(&world.ask(ask)).expect("an answer").expect("a request");
        // The wallet was opened later than any time that could stand in a list.
        let understood = status != 400 && (status != 404 || ask.path.contains("?at="));
        assert!(understood, "{} {}: {answer}", ask.method, ask.path);
        assert!(status == 201 || !ask.path.ends_with("/deposits"), "a deposit that is shown is posted: {answer}");
    }
}

#[test]
fn whatever_is_changed_in_an_event_the_answer_is_a_success_or_a_problem() {
    let world = World::start();
    let changes = prop::collection::vec((any::<Index>(), change()), 1..4);
    holds(&(0..world.asks.len(), changes), |(ask, changes)| {
        let mut event = world.ask(&world.asks[ask]);
        for (place, change) in changes {
            changed(&mut event, &place, change);
        }
        world.told(&event).map(drop)
    });
    world.check();
}

/// A value as it stands in a body: well-formed or not.
fn raw_value() -> impl Strategy<Value = String> {
    let written = [
        "null",
        "true",
        "{}",
        "[]",
        "-0",
        "1e999",
        "0x1",
        "1.50",
        "\"1.50\"",
        "\"-1\"",
        "\"EUR\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"pessimistic\"",
        "{\"a\":\"1\",\"a\":\"2\"}",
        "{\"a\":{\"a\":{}}}",
        "NaN",
        "'x'",
        "\"frozen\"",
    ];
    prop_oneof![
        2 => prop::sample::select(written.to_vec()).prop_map(str::to_owned),
        1 => any_json().prop_map(|value| value.to_string()),
        1 => (1_usize..3_000).prop_map(|depth| "[".repeat(depth)),
        1 => (1_usize..200).prop_map(|depth| format!("{}{}", "{\"a\":".repeat(depth), "}".repeat(depth))),
    ]
}

fn raw_body() -> impl Strategy<Value = String> {
    let names = [
        "amount",
        "currency",
        "reference",
        "metadata",
        "locking_strategy",
        "source",
        "destination",
        "owner",
        "floor",
        "ceiling",
        "limits",
        "status",
        "allow_overdraft",
        "limits\":{\"max_movement",
        "__proto__",
    ];
    let name = prop_oneof![9 => prop::sample::select(names.to_vec()).prop_map(str::to_owned), 1 => any_text()];
    let member = (name, raw_value()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    prop_oneof![
        8 => prop::collection::vec(member, 0..7).prop_map(|members| format!("{{{}}}", members.join(","))),
        1 => any_text(),
        1 => (0_usize..20_000).prop_map(|length| "x".repeat(length)),
    ]
}

/// A body of any kind, or a good one with a part of it replaced by something else.
#[derive(Debug, Clone)]
enum Body {
    Whole(String),
    Spliced(Index, Index, String),
}

/// A good body with a part of it replaced by something else.
fn spliced(body: &str, from: &Index, to: &Index, with: &str) -> String {
    let (from, to) = (from.index(body.len() + 1), to.index(body.len() + 1));
    // The good bodies are ASCII.
    format!("{}{with}{}", &body[..from.min(to)], &body[from.max(to)..])
}

#[test]
fn whatever_a_body_holds_it_is_read_or_refused_and_the_same_again() {
    let world = World::start();
    let posts: Vec<_> = world.asks.iter().filter(|ask| ask.body.is_some()).collect();
    let splice = (any::<Index>(), any::<Index>(), prop_oneof![raw_value(), any_text()]);
    let splice = splice.prop_map(|(from, to, with)| Body::Spliced(from, to, with));
    let body = prop_oneof![raw_body().prop_map(Body::Whole), splice];
    let number = std::cell::Cell::new(0);
    holds(&(0..posts.len(), body, any::<bool>()), |(ask, body, base64)| {
        number.set(number.get() + 1);
        let mut event = world.ask(posts[ask]);
        let good = event["body"].as_str().unwrap_or_default().to_owned();
        event["body"] = json!(match body {
            Body::Whole(text) => text,
            Body::Spliced(from, to, with) => spliced(&good, &from, &to, &with),
        });
        event["headers"]["idempotency-key"] = json!(format!("body-{}", number.get()));
        if base64 {
            event["body"] = json!(BASE64_STANDARD.encode(event["body"].as_str().expect("a text")));
            event["isBase64Encoded"] = json!(true);
        }
        let Some((status, first)) = world.told(&event)? else { return Ok(()) };
        let (again_status, again) = world.told(&event)?.expect("it was a request before");
        if status == 201 {
            prop_assert_eq!((again_status, &again), (200, &first));
        } else {
            prop_assert_eq!((again_status, &again["code"]), (status, &first["code"]));
        }
        Ok(())
    });
    world.check();
}
