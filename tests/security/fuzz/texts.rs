//! Amounts, keys, headers and cursors as texts of any kind, each beside a model of what is accepted.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use wallet_domain::{IdempotencyKey, Money};

use super::{World, any_text, holds};

/// Minor units of EUR that the text stands for, told character by character.
fn cents(text: &str) -> Option<i128> {
    let (sign, digits) = if let Some(rest) = text.strip_prefix('-') { (-1, rest) } else { (1, text) };
    let (mut units, mut whole, mut decimals) = (0_i128, 0, None);
    for character in digits.chars() {
        match (character, decimals) {
            ('.', None) if whole > 0 => decimals = Some(0),
            ('0'..='9', None) => whole += 1,
            ('0'..='9', Some(0..=1)) => decimals = decimals.map(|count| count + 1),
            _ => return None,
        }
        if character != '.' {
            units = units.checked_mul(10)?.checked_add(i128::from(u32::from(character) - u32::from('0')))?;
        }
    }
    let shift = match decimals {
        None => 100,
        Some(1) => 10,
        Some(2) => 1,
        _ => return None,
    };
    let leading = whole > 1 && digits.starts_with('0');
    let units = units.checked_mul(shift)?;
    (whole > 0 && !leading && units <= 999_999_999_999_999_999).then_some(sign * units)
}

#[test]
fn an_amount_is_its_digits_or_nothing() {
    let eur = "EUR".parse().expect("a currency");
    let near = "-?[0-9]{0,19}[.,]?[0-9]{0,3}";
    holds(&prop_oneof![near, "[0-9.eE+_ -]{0,12}", any_text()], |text| {
        prop_assert_eq!(Money::parse(&text, eur).ok().map(Money::minor_units), cents(&text), "{:?}", text);
        Ok(())
    });
}

#[test]
fn a_key_is_printable_ascii_bare_or_in_one_pair_of_quotes() {
    let near = prop_oneof!["\"?[ -~]{0,8}\"?", "[a-z]{250,260}", any_text()];
    holds(&near, |text: String| {
        let bare = text.strip_prefix('"').map_or(Some(text.as_str()), |rest| rest.strip_suffix('"'));
        let printable = |key: &&str| key.chars().all(|character| (' '..='~').contains(&character));
        let good = bare.filter(printable).filter(|key| (1..=255).contains(&key.len()) && !key.contains(['"', '\\']));
        let parsed = text.parse::<IdempotencyKey>().ok();
        prop_assert_eq!(parsed.as_ref().map(IdempotencyKey::as_str), good);
        Ok(())
    });
}

#[test]
fn whatever_headers_and_query_say_the_answer_is_a_success_or_a_problem() {
    let world = World::start();
    let names = ["idempotency-key", "if-match", "content-type", "authorization", "host", "content-length", "x-any"];
    let query = prop_oneof!["(limit|cursor|x)=[0-9a-zA-Z%+&=_-]{0,20}", any_text()];
    let header = (prop::sample::select(names.to_vec()), any_text());
    holds(&(prop::collection::vec(header, 0..3), query, any::<bool>()), |(headers, query, list)| {
        let mut event = if list {
            world.event("GET", "/v1/wallets/{wallet_id}/entries", None)
        } else {
            world.event("PATCH", "/v1/wallets/{wallet_id}", Some("{\"status\":\"active\"}"))
        };
        for (name, value) in headers {
            event["headers"][name] = json!(value);
        }
        event["rawQueryString"] = json!(query);
        world.told(&event).map(drop)
    });
    world.check();
}

/// What happens to a cursor on its way.
#[derive(Debug, Clone)]
enum Harm {
    Bit(Index, u8),
    Cut(Index),
    Grown(String),
    Other(String),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => (any::<Index>(), 0_u8..7).prop_map(|(at, bit)| Harm::Bit(at, bit)),
        1 => any::<Index>().prop_map(Harm::Cut),
        1 => "[A-Za-z0-9_=-]{1,40}".prop_map(Harm::Grown),
        1 => "[A-Za-z0-9_-]{0,80}".prop_map(Harm::Other),
    ]
}

#[test]
fn a_cursor_is_good_where_it_came_from_as_it_came_and_nowhere_else() {
    let world = World::start();
    let second =
        world.posted("/v1/wallets", "open-2", "{\"currency\":\"EUR\"}")["id"].as_str().expect("an id").to_owned();
    let page = |path: &str, cursor: &str| {
        // Every byte that is not a letter or digit is written as such, so that it is the cursor that is judged.
        let written: String = cursor.bytes().map(|byte| format!("%{byte:02x}")).collect();
        world.told(&world.event("GET", &format!("{path}?limit=1&cursor={written}"), None))
    };
    let first = |path: &str| {
        let told = world.told(&world.event("GET", &format!("{path}?limit=1"), None)).expect("an answer");
        told.expect("a request").1["next_cursor"].as_str().expect("more than one").to_owned()
    };
    let entries = format!("/v1/wallets/{}/entries", world.wallet);
    let elsewhere = [
        format!("/v1/wallets/{second}/entries"),
        format!("/v1/wallets/{}/attempts", world.wallet),
        "/v1/wallets".to_owned(),
    ];
    let good = first(&entries);
    let tried = Cell::new(0);
    holds(&harm(), |harm| {
        let mut bytes = good.clone().into_bytes();
        match &harm {
            Harm::Bit(at, bit) => bytes[at.index(good.len())] ^= 1 << bit,
            Harm::Cut(at) => bytes.truncate(at.index(good.len())),
            Harm::Grown(more) => bytes.extend(more.bytes()),
            Harm::Other(other) => bytes = other.clone().into_bytes(),
        }
        let cursor = String::from_utf8(bytes).expect("ASCII stays ASCII");
        let (status, body) = page(&entries, &cursor)?.expect("a request");
        prop_assert_eq!((status, &body["code"]), (400, &json!("invalid_cursor")), "{:?} of {}", harm, good);
        tried.set(tried.get() + 1);
        Ok(())
    });
    assert!(tried.get() > 0);
    assert_eq!(page(&entries, &good).expect("an answer").expect("a request").0, 200);
    for path in &elsewhere {
        for cursor in [&good, &first("/v1/wallets")] {
            let (status, body) = page(path, cursor).expect("an answer").expect("a request");
            let own = path == "/v1/wallets" && *cursor != good;
            assert_eq!(status, if own { 200 } else { 400 }, "{path}: {body}");
        }
    }
}
