//! Filters as Lambda's event sources have them, as far as the template uses them: exact values, `exists` and `prefix`.
//!
//! Anything else is refused when the reader is built, never ignored: a filter that is misread would lose rebates.
//! The rules: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// A parsed event pattern.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Every named member must match.
    Members(Vec<(String, Pattern)>),
    /// The leaf must meet any of these.
    AnyOf(Vec<Leaf>),
}

/// What a leaf of the event may be.
#[derive(Debug)]
pub(super) enum Leaf {
    Equals(Value),
    Exists(bool),
    Prefix(String),
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Pattern> {
        let value = serde_json::from_str(text).with_context(|| format!("a filter is no JSON: {text}"))?;
        Pattern::read(&value, "$")
    }

    /// Whether `event` matches. An absent member matches `{"exists": false}` only.
    pub(super) fn matches(&self, event: &Value) -> bool {
        self.matches_part(Some(event))
    }

    fn matches_part(&self, part: Option<&Value>) -> bool {
        match self {
            Pattern::Members(members) => {
                members.iter().all(|(name, pattern)| pattern.matches_part(part.and_then(|part| part.get(name))))
            }
            Pattern::AnyOf(leaves) => leaves.iter().any(|leaf| leaf.matches(part)),
        }
    }

    fn read(value: &Value, path: &str) -> Result<Pattern> {
        match value {
            Value::Object(members) => {
                ensure!(!members.is_empty(), "a filter is empty at {path}");
                let read = |(name, value): (&String, &Value)| {
                    ensure!(!name.starts_with('$'), "a filter uses {name} at {path}, which the local stack lacks");
                    Ok((name.clone(), Pattern::read(value, &format!("{path}.{name}"))?))
                };
                Ok(Pattern::Members(members.iter().map(read).collect::<Result<_>>()?))
            }
            Value::Array(leaves) => {
                ensure!(!leaves.is_empty(), "a filter is empty at {path}");
                Ok(Pattern::AnyOf(leaves.iter().map(|leaf| Leaf::read(leaf, path)).collect::<Result<_>>()?))
            }
            _ => bail!("a filter must have a list at {path}"),
        }
    }
}

impl Leaf {
    fn read(value: &Value, path: &str) -> Result<Leaf> {
        match value {
            Value::Object(rule) => match (rule.len(), rule.get("exists"), rule.get("prefix")) {
                (1, Some(Value::Bool(exists)), _) => Ok(Leaf::Exists(*exists)),
                (1, _, Some(Value::String(prefix))) => Ok(Leaf::Prefix(prefix.clone())),
                _ => {
                    bail!("a filter uses {value} at {path}; the local stack knows exact values, `exists` and `prefix`")
                }
            },
            Value::Array(_) => bail!("a filter has a list in a list at {path}"),
            exact => Ok(Leaf::Equals(exact.clone())),
        }
    }

    fn matches(&self, part: Option<&Value>) -> bool {
        // `exists` speaks of leaves only: an object in that place doesn't exist, as far as a pattern goes.
        let leaf = part.filter(|part| !part.is_object());
        match (self, leaf) {
            (Leaf::Exists(expected), leaf) => leaf.is_some() == *expected,
            (Leaf::Prefix(prefix), leaf) => leaf.and_then(Value::as_str).is_some_and(|text| text.starts_with(prefix)),
            (Leaf::Equals(expected), Some(Value::Array(items))) => items.contains(expected),
            (Leaf::Equals(expected), leaf) => leaf == Some(expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(pattern: &str, event: Value, expected: bool) {
        let pattern = Pattern::parse(pattern).expect("the pattern is supported");
        assert_eq!(pattern.matches(&event), expected, "{event}");
    }

    #[test]
    fn exact_values_match_any_of_the_list() {
        check(r#"{"a": ["x", "y"]}"#, json!({"a": "y", "b": 1}), true);
        check(r#"{"a": ["x", "y"]}"#, json!({"a": "z"}), false);
        check(r#"{"a": ["x"]}"#, json!({}), false);
        check(r#"{"a": ["x"]}"#, json!({"a": ["w", "x"]}), true);
        check(r#"{"a": [null, 1, true]}"#, json!({"a": null}), true);
        check(r#"{"a": [1]}"#, json!({"a": "1"}), false);
    }

    #[test]
    fn every_member_must_match() {
        let pattern = r#"{"a": {"b": ["x"]}, "c": ["y"]}"#;
        check(pattern, json!({"a": {"b": "x"}, "c": "y"}), true);
        check(pattern, json!({"a": {"b": "x"}}), false);
        check(pattern, json!({"a": "x", "c": "y"}), false);
    }

    #[test]
    fn exists_asks_for_a_leaf() {
        check(r#"{"a": {"S": [{"exists": true}]}}"#, json!({"a": {"S": ""}}), true);
        check(r#"{"a": {"S": [{"exists": true}]}}"#, json!({"b": {"S": ""}}), false);
        check(r#"{"a": {"S": [{"exists": false}]}}"#, json!({"b": {"S": ""}}), true);
        check(r#"{"a": [{"exists": true}]}"#, json!({"a": {"S": ""}}), false);
    }

    #[test]
    fn prefix_asks_how_a_text_begins() {
        check(r#"{"a": [{"prefix": "x#"}]}"#, json!({"a": "x#1"}), true);
        check(r#"{"a": [{"prefix": "x#"}]}"#, json!({"a": "1x#"}), false);
        check(r#"{"a": [{"prefix": "x#"}]}"#, json!({"a": 1}), false);
        check(r#"{"a": [{"prefix": "x#"}]}"#, json!({}), false);
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for pattern in [
            r#"{"a": [{"suffix": "x"}]}"#,
            r#"{"a": [{"prefix": 1}]}"#,
            r#"{"a": [{"exists": "yes"}]}"#,
            r#"{"$or": [{"a": ["x"]}]}"#,
            r#"{"a": "x"}"#,
            r#"{"a": []}"#,
            r#"{"a": [["x"]]}"#,
            "{}",
            "[",
        ] {
            Pattern::parse(pattern).expect_err(pattern);
        }
    }
}
