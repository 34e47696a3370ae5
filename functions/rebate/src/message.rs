//! A message of the queue, as the pipe in template.yaml writes it:
//! `{"source": "<stream ARN>", "deposit_id": "txn_..", "wallet_id": "wal_..", "rule_id": ".."}`.
//!
//! Fields that a later pipe adds are passed over; a field that is missing or wrong makes the message unreadable. The error
//! says what is wrong without quoting the message.

use std::str::FromStr;

use serde_json::{Map, Value};
use wallet_domain::PayRebate;

/// What a message asks for.
#[derive(Debug)]
pub(crate) struct Message {
    /// The table whose stream it came from.
    pub(crate) table: String,
    pub(crate) rebate: PayRebate,
}

impl FromStr for Message {
    type Err = String;

    fn from_str(body: &str) -> Result<Message, String> {
        let message: Map<String, Value> = serde_json::from_str(body).map_err(|_| "is no JSON object".to_owned())?;
        let source: String = field(&message, "source")?;
        Ok(Message {
            table: table(&source).ok_or("has no `source` that is the ARN of a table's stream")?.to_owned(),
            rebate: PayRebate {
                deposit: field(&message, "deposit_id")?,
                wallet: field(&message, "wallet_id")?,
                rule: field(&message, "rule_id")?,
            },
        })
    }
}

fn field<T: FromStr>(message: &Map<String, Value>, name: &str) -> Result<T, String> {
    let text = message.get(name).and_then(Value::as_str).ok_or_else(|| format!("has no text `{name}`"))?;
    text.parse().map_err(|_| format!("has a malformed `{name}`"))
}

/// The table of `arn:aws:dynamodb:<region>:<account>:table/<table>/stream/<label>`.
fn table(stream: &str) -> Option<&str> {
    let (service, resource) = stream.split_once(":table/")?;
    let (table, label) = resource.split_once("/stream/")?;
    let is_dynamodb = service.starts_with("arn:") && service.split(':').nth(2) == Some("dynamodb");
    (is_dynamodb && !table.is_empty() && !label.is_empty()).then_some(table)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SOURCE: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/wallets/stream/2026-11-21T03:07:00.000";

    fn message() -> Value {
        json!({
            "source": SOURCE,
            "deposit_id": "txn_00000000000000000000000000000001",
            "wallet_id": "wal_00000000000000000000000000000002",
            "rule_id": "standard",
        })
    }

    #[track_caller]
    fn check(field: &str, value: Value, wrong: &str) {
        let mut message = message();
        message[field] = value;
        assert_eq!(message.to_string().parse::<Message>().expect_err("unreadable"), wrong);
    }

    #[test]
    fn a_message_names_table_deposit_wallet_and_rule() {
        let mut later = message();
        later["version"] = json!(2);
        for message in [message(), later] {
            let Message { table, rebate } = message.to_string().parse().expect("readable");
            assert_eq!((table.as_str(), rebate.rule.as_str()), ("wallets", "standard"));
            assert_eq!(rebate.deposit.to_string(), "txn_00000000000000000000000000000001");
            assert_eq!(rebate.wallet.to_string(), "wal_00000000000000000000000000000002");
        }
    }

    #[test]
    fn an_unreadable_message_is_told_by_field_and_never_quoted() {
        for body in ["", "null", "[]", "\"secret\"", "{", "{}{}"] {
            assert_eq!(body.parse::<Message>().expect_err(body), "is no JSON object");
        }
        check("deposit_id", json!(null), "has no text `deposit_id`");
        check("deposit_id", json!(1), "has no text `deposit_id`");
        check("deposit_id", json!("wal_00000000000000000000000000000002"), "has a malformed `deposit_id`");
        check("wallet_id", json!(""), "has a malformed `wallet_id`");
        check("rule_id", json!("a b"), "has a malformed `rule_id`");
        let no_stream = "has no `source` that is the ARN of a table's stream";
        for source in ["wallets", "arn:aws:sqs:x:1:table/wallets/stream/1", "arn:aws:dynamodb:x:1:table/wallets", ""] {
            check("source", json!(source), no_stream);
        }
    }
}
