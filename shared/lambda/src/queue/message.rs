//! A message of a queue: a JSON object that names its table and, by their ids, what is to be done.
//!
//! `{"table": "<name>", ..}`, or `{"source": "<ARN of the table's stream>", ..}`. Fields that a later version adds are passed
//! over; a field that is missing or wrong makes the message unreadable. The error says what is wrong without quoting the
//! message.

use std::str::FromStr;

use aws_lambda_events::event::sqs::SqsMessage;
use serde_json::{Map, Value};
use wallet_dynamodb::stream::table_of;

/// The fields of a message of our own table.
#[derive(Debug)]
pub struct Message(Map<String, Value>);

impl Message {
    pub(super) fn of(message: &SqsMessage, table: &str) -> Result<Message, String> {
        let body = message.body.as_deref().unwrap_or_default();
        let message = Message(serde_json::from_str(body).map_err(|_| "is no JSON object".to_owned())?);
        let named: String = match message.0.contains_key("table") {
            true => message.field("table")?,
            false => {
                let source: String = message.field("source")?;
                table_of(&source).ok_or("has no `source` that is the ARN of a table's stream")?.to_owned()
            }
        };
        if named != table {
            return Err(format!("is of another table, {named}"));
        }
        Ok(message)
    }

    /// The value of a text field.
    ///
    /// # Errors
    /// A field that is missing, no text, or no `T`.
    pub fn field<T: FromStr>(&self, name: &str) -> Result<T, String> {
        let text = self.0.get(name).and_then(Value::as_str).ok_or_else(|| format!("has no text `{name}`"))?;
        text.parse().map_err(|_| format!("has a malformed `{name}`"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wallet_domain::TransactionId;

    use super::*;

    const SOURCE: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/wallets/stream/2026-11-21T03:07:00.000";

    fn read(body: &str) -> Result<Message, String> {
        let mut message = SqsMessage::default();
        message.body = Some(body.to_owned());
        Message::of(&message, "wallets")
    }

    #[track_caller]
    fn check(message: &Value, wrong: &str) {
        let id = read(&message.to_string()).and_then(|message| message.field::<TransactionId>("id"));
        assert_eq!(id.expect_err("unreadable"), wrong);
    }

    #[test]
    fn a_message_names_its_table_or_its_table_s_stream() {
        let id = "txn_00000000000000000000000000000001";
        for message in [json!({"source": SOURCE, "id": id}), json!({"table": "wallets", "id": id, "version": 2})] {
            let read = read(&message.to_string()).expect("readable");
            assert_eq!(read.field::<TransactionId>("id").expect("an id").to_string(), id);
        }
    }

    #[test]
    fn an_unreadable_message_is_told_by_field_and_never_quoted() {
        for body in ["", "null", "[]", "\"secret\"", "{", "{}{}"] {
            assert_eq!(read(body).expect_err(body), "is no JSON object");
        }
        check(&json!({"table": "wallets"}), "has no text `id`");
        check(&json!({"table": "wallets", "id": 1}), "has no text `id`");
        check(&json!({"table": "wallets", "id": "wal_00000000000000000000000000000001"}), "has a malformed `id`");
        check(&json!({"table": "others"}), "is of another table, others");
        check(&json!({"table": null, "source": SOURCE}), "has no text `table`");
        check(&json!({}), "has no text `source`");
        let no_stream = "has no `source` that is the ARN of a table's stream";
        for source in ["wallets", "arn:aws:sqs:x:1:table/wallets/stream/1", "arn:aws:dynamodb:x:1:table/wallets", ""] {
            check(&json!({"source": source}), no_stream);
        }
    }
}
