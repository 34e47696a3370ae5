//! A pipe's input template: JSON in which `<$.path>` stands for a value of the event.
//!
//! Dotted paths only, and only in a value's place: a template that uses more is refused when the pipe is built.
//! The rules: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html>.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// A parsed input template.
#[derive(Debug)]
pub(super) struct InputTemplate {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Path(Vec<String>),
}

impl InputTemplate {
    pub(super) fn parse(template: &str) -> Result<InputTemplate> {
        let mut parts = Vec::new();
        let mut rest = template;
        let mut in_string = false;
        while let Some((before, from)) = rest.split_once('<') {
            in_string ^= before.replace("\\\"", "").matches('"').count() % 2 == 1;
            let (path, after) = from.split_once('>').context("a pipe's input template has `<` without `>`")?;
            ensure!(!in_string, "a pipe's input template has <{path}> inside a text, which the local stack lacks");
            parts.extend([Part::Text(before.to_owned()), Part::Path(read_path(path)?)]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let template = InputTemplate { parts };
        let blank = template.render(&Value::Null);
        serde_json::from_str::<Value>(&blank)
            .with_context(|| format!("a pipe's input template makes no JSON: {blank}"))?;
        Ok(template)
    }

    /// The message's body for `event`. A path that leads nowhere gives `null`.
    pub(super) fn render(&self, event: &Value) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Path(path) => {
                path.iter().try_fold(event, |value, name| value.get(name)).unwrap_or(&Value::Null).to_string()
            }
        };
        self.parts.iter().map(part).collect()
    }
}

fn read_path(path: &str) -> Result<Vec<String>> {
    let names: Vec<String> = path.split('.').map(str::to_owned).collect();
    match names.split_first() {
        Some((root, names)) if root == "$" && !names.is_empty() => {
            let plain = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            ensure!(
                names.iter().all(plain),
                "a pipe's input template has <{path}>; the local stack knows dotted names"
            );
            Ok(names.to_vec())
        }
        _ => bail!("a pipe's input template has <{path}>; the local stack knows paths that start with `$.`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_go_where_their_paths_stand() {
        let template = InputTemplate::parse(r#"{"id": <$.a.b>, "all": <$.a>, "none": <$.x.y>}"#).expect("supported");
        let body: Value = serde_json::from_str(&template.render(&json!({"a": {"b": "say \"hi\""}}))).expect("JSON");
        assert_eq!(body, json!({"id": "say \"hi\"", "all": {"b": "say \"hi\""}, "none": null}));
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for template in [
            r#"{"id": "<$.a>"}"#,
            r#"{"id": <aws.pipes.pipe-arn>}"#,
            r#"{"id": <$.a[0]>}"#,
            r#"{"id": <$>}"#,
            r#"{"id": <$.a"#,
            r#"{"id": <$.a>"#,
        ] {
            InputTemplate::parse(template).expect_err(template);
        }
    }
}
