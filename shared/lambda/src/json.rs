//! JSON bodies: bounded, objects only, every problem named by its field.
//!
//! Nesting is bounded by the types that are read: a field that is not known is refused before its value is looked at, and
//! the reader itself stops at 128 levels.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::error::Category;

use crate::problem::{Code, Problem};

/// The largest request has 128 bytes of reference, 512 of metadata and some 300 of the rest; written with escapes, six
/// times that. 16 KiB is beyond all of them.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Reads a `T`, which must be an object.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.len() > MAX_BODY_BYTES {
        let detail = format!("The body has {} bytes; at most {MAX_BODY_BYTES} are read.", body.len());
        return Err(Problem::new(Code::BodyTooLarge, detail));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| malformed(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| malformed(".", &error))?;
    Ok(value)
}

fn malformed(path: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    if message.starts_with("recursion limit exceeded") {
        return Problem::malformed("The body is nested too deeply; no request needs more than two levels.");
    }
    if error.classify() != Category::Data {
        return Problem::malformed(format!("The body is not JSON: {message}."));
    }
    // The field is named, so the position in the text is left out.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let named = path == "." || message.contains(&format!("`{path}`"));
    Problem::malformed(if named { format!("The body: {message}.") } else { format!("`{path}`: {message}.") })
}

/// A `T` that is written as an object. serde alone would take a list of the fields' values too.
#[derive(Debug, Clone, Default)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Object)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// A whole number from 0 to 4,294,967,295, of which JSON Schema says that `5.0` is one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?.to_string();
        let whole = number.strip_suffix(".0").unwrap_or(&number);
        let expected = format_args!("`{number}` is no whole number from 0 to {}", u32::MAX);
        whole.parse().map(Count).map_err(|_| D::Error::custom(expected))
    }
}

/// An object of texts, such as labels or one amount per currency. Each name may be there once: of two, readers of JSON
/// disagree which one counts.
#[derive(Debug, Clone, Default)]
pub struct Texts(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts, D::Error> {
        deserializer.deserialize_map(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some((name, text)) = map.next_entry::<String, String>()? {
            if texts.contains_key(&name) {
                return Err(A::Error::custom(format_args!("`{name}` is there twice")));
            }
            texts.insert(name, text);
        }
        Ok(Texts(texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is looked at through Debug")]
    struct Outer {
        name: String,
        inner: Option<Object<Inner>>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is looked at through Debug")]
    struct Inner {
        count: u32,
    }

    #[track_caller]
    fn check(body: &str, told: &str) {
        let found = match read::<Outer>(body.as_bytes()) {
            Ok(outer) => format!("{outer:?}"),
            Err(problem) => problem.detail().to_owned(),
        };
        assert_eq!(found, told);
    }

    #[test]
    fn what_is_wrong_is_named() {
        check(
            r#"{"name": "n", "inner": {"count": 1}}"#,
            "Outer { name: \"n\", inner: Some(Object(Inner { count: 1 })) }",
        );
        check(r#"{"inner": null}"#, "The body: missing field `name`.");
        check(r#"{"nam": "n"}"#, "The body: unknown field `nam`, expected `name` or `inner`.");
        check(r#"{"name": 5}"#, "`name`: invalid type: integer `5`, expected a string.");
        check(r#"{"name": null}"#, "`name`: invalid type: null, expected a string.");
        check(r#"{"name": "n", "name": "m"}"#, "The body: duplicate field `name`.");
        check(r#"{"name": "n", "inner": {"count": -1}}"#, "`inner.count`: invalid value: integer `-1`, expected u32.");
        check(r#"{"name": "n", "inner": {"count": 1, "x": []}}"#, "`inner.x`: unknown field `x`, expected `count`.");
        check(r#"{"name": "n", "inner": [1]}"#, "`inner`: invalid type: sequence, expected an object.");
        check(r#"["n"]"#, "The body: invalid type: sequence, expected an object.");
        check("\"n\"", "The body: invalid type: string \"n\", expected an object.");
        check("", "The body is not JSON: EOF while parsing a value at line 1 column 0.");
        check(r#"{"name": "n"} {}"#, "The body is not JSON: trailing characters at line 1 column 15.");
        check(r#"{"name": "n",}"#, "The body is not JSON: trailing comma at line 1 column 14.");
    }

    #[test]
    fn a_count_is_a_whole_number_however_it_is_written() {
        let count =
            |text: &str| serde_json::from_str::<Count>(text).map(|count| count.0).map_err(|error| error.to_string());
        for (text, expected) in [("0", 0), ("5", 5), ("5.0", 5), ("4294967295", u32::MAX)] {
            assert_eq!(count(text), Ok(expected));
        }
        for bad in ["-1", "-0.0", "5.5", "4294967296", "1e30"] {
            assert!(count(bad).expect_err(bad).contains("is no whole number from 0 to 4294967295"), "{bad}");
        }
        assert!(count("\"5\"").expect_err("a text").contains("expected a JSON number"));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = format!("{{\"inner\": {}", "[".repeat(16_000));
        check(&deep, "`inner`: invalid type: sequence, expected an object.");
        let deep = format!("{{\"x\": {}", "[".repeat(16_000));
        check(&deep, "The body: unknown field `x`, expected `name` or `inner`.");

        let name = |bytes: usize| format!("{{\"name\": \"{}\"}}", "n".repeat(bytes - 12));
        assert!(read::<Outer>(name(MAX_BODY_BYTES).as_bytes()).is_ok());
        let problem = read::<Outer>(name(MAX_BODY_BYTES + 1).as_bytes()).expect_err("one byte more");
        assert_eq!(problem.code(), Code::BodyTooLarge);
    }
}
