//! Reads records of the table's stream: the attributes of a new item that its followers need.
//!
//! Each record is read by itself, from the JSON of Lambda's event; nothing here reads the table. Round trips: none.

use std::str::FromStr;

use serde_json::Value;
use wallet_domain::{Kind, RuleId, TransactionId, WalletId};

use crate::fault::Fault;
use crate::items::QUEUED;
use crate::names::{
    AMOUNT, CODE, COUNTERPARTY, CREATED_AT, CURRENCY, ID, INBOX, PARENT_ID, PK, REFUSAL, RULE_ID, SK, STATUS, TXN,
    TYPE, WALLET_ID,
};

/// An item that was put where none was, or where a request waited.
#[derive(Debug)]
pub struct NewItem {
    /// The table's name.
    pub table: String,
    /// What the item is.
    pub what: New,
}

/// What a new item is.
#[derive(Debug)]
pub enum New {
    /// Money moved, or was refused to.
    Movement(Box<Movement>),
    /// A request waits to be executed.
    Request(Box<Movement>),
    /// A credit waits to be settled.
    Credit {
        /// In whose inbox.
        wallet: WalletId,
    },
    /// Nothing follows from it: an opening or an amendment, a statement's entry.
    Other,
}

/// A posted, failed or queued deposit, withdrawal, transfer, .., as its record says it. Nothing in it is a balance.
#[derive(Debug)]
pub struct Movement {
    /// Its id.
    pub id: TransactionId,
    /// What it does.
    pub kind: Kind,
    /// `posted`, `failed` or `queued`.
    pub status: String,
    /// Why it failed.
    pub code: Option<String>,
    /// The wallet that it is about, or that refused it.
    pub wallet: WalletId,
    /// The other side: a wallet or a system account.
    pub counterparty: Option<String>,
    /// A decimal, zeros at its end gone.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// The transaction that it follows.
    pub parent: Option<TransactionId>,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// The rebate rule that it pinned.
    pub rule: Option<RuleId>,
}

impl Movement {
    /// Whether a rebate follows from it.
    #[must_use]
    pub fn earns_rebate(&self) -> bool {
        self.kind == Kind::DEPOSIT && self.status == "posted" && self.rule.is_some()
    }
}

/// The place of a record in its shard. Lambda tries again from the record whose number it is answered.
#[must_use]
pub fn sequence_number(record: &Value) -> Option<&str> {
    record["dynamodb"]["SequenceNumber"].as_str().filter(|number| !number.is_empty())
}

/// The table of a stream: `arn:aws:dynamodb:<region>:<account>:table/<table>/stream/<label>`.
#[must_use]
pub fn table_of(stream: &str) -> Option<&str> {
    let (service, resource) = stream.split_once(":table/")?;
    let (table, label) = resource.split_once("/stream/")?;
    let is_dynamodb = service.starts_with("arn:") && service.split(':').nth(2) == Some("dynamodb");
    (is_dynamodb && !table.is_empty() && !label.is_empty()).then_some(table)
}

impl NewItem {
    /// Reads a record; `None` for one that tells of no new item.
    ///
    /// # Errors
    /// [`Fault`] names the attribute that is missing or not readable, and quotes no value but the item's key.
    pub fn read(record: &Value) -> Result<Option<NewItem>, Fault> {
        let fields = Fields(&record["dynamodb"]["NewImage"]);
        let changed = match record["eventName"].as_str() {
            Some("INSERT") => false,
            Some("MODIFY") => true,
            Some("REMOVE") => return Ok(None),
            _ => return Err(fields.wrong("eventName")),
        };
        let stream = record["eventSourceARN"].as_str().unwrap_or_default();
        let table = table_of(stream).ok_or_else(|| fields.wrong("eventSourceARN"))?.to_owned();
        let (pk, sk): (String, String) = (fields.text(PK)?, fields.text(SK)?);
        // A record changes once: when a request that waited gets its outcome.
        if changed && sk != TXN {
            return Ok(None);
        }
        let what = if let Some(wallet) = pk.strip_prefix(INBOX) {
            New::Credit { wallet: wallet.parse().map_err(|_| fields.wrong(PK))? }
        } else if sk == TXN {
            movement(fields)?
        } else {
            New::Other
        };
        Ok(Some(NewItem { table, what }))
    }
}

fn movement(fields: Fields<'_>) -> Result<New, Fault> {
    let kind = fields.text::<String>(TYPE)?;
    let kind = Kind::from_name(&kind).ok_or_else(|| fields.wrong(TYPE))?;
    if kind == Kind::OPENING || kind == Kind::AMENDMENT {
        return Ok(New::Other);
    }
    let status: String = fields.text(STATUS)?;
    let code = match status.as_str() {
        "posted" | QUEUED => None,
        "failed" => Some(Fields(&fields.0[REFUSAL]["M"]).text(CODE).map_err(|_| fields.wrong(REFUSAL))?),
        _ => return Err(fields.wrong(STATUS)),
    };
    let movement = Box::new(Movement {
        id: fields.text(ID)?,
        kind,
        status,
        code,
        wallet: fields.text(WALLET_ID)?,
        counterparty: fields.maybe_text(COUNTERPARTY)?,
        amount: fields.value(AMOUNT, "N")?.ok_or_else(|| fields.wrong(AMOUNT))?,
        currency: fields.text(CURRENCY)?,
        parent: fields.maybe_text(PARENT_ID)?,
        created_at: fields.text(CREATED_AT)?,
        rule: fields.maybe_text(RULE_ID)?,
    });
    Ok(if movement.status == QUEUED { New::Request(movement) } else { New::Movement(movement) })
}

/// An image's attributes in DynamoDB's JSON: `{"id": {"S": ".."}, ..}`.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a Value);

impl Fields<'_> {
    fn value<T: FromStr>(self, name: &str, kind: &str) -> Result<Option<T>, Fault> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let text = value.get(kind).and_then(Value::as_str).ok_or_else(|| self.wrong(name))?;
        text.parse().map(Some).map_err(|_| self.wrong(name))
    }

    fn maybe_text<T: FromStr>(self, name: &str) -> Result<Option<T>, Fault> {
        self.value(name, "S")
    }

    fn text<T: FromStr>(self, name: &str) -> Result<T, Fault> {
        self.maybe_text(name)?.ok_or_else(|| self.wrong(name))
    }

    fn wrong(self, name: &str) -> Fault {
        let key = |name: &str| self.0[name]["S"].as_str().unwrap_or("?");
        Fault::damaged(format!("record of {} / {}: {name:?} is missing or not readable", key(PK), key(SK)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(image: Value) -> Value {
        let source = "arn:aws:dynamodb:us-east-1:000000000000:table/wallets/stream/now";
        json!({"eventName": "INSERT", "eventSourceARN": source, "dynamodb": {"SequenceNumber": "7", "NewImage": image}})
    }

    fn transfer() -> Value {
        json!({
            "PK": {"S": "TXN#txn_00000000000000000000000000000001"}, "SK": {"S": "TXN"}, "type": {"S": "transfer"},
            "id": {"S": "txn_00000000000000000000000000000001"}, "status": {"S": "posted"},
            "wallet_id": {"S": "wal_00000000000000000000000000000002"}, "amount": {"N": "12.5"}, "currency": {"S": "EUR"},
            "created_at": {"S": "2026-11-21T05:20:00.123Z"}, "legs": {"L": [{"M": {}}]},
        })
    }

    #[test]
    fn what_is_new_is_told_apart() {
        let read = |record: &Value| NewItem::read(record).expect("readable");
        assert!(matches!(read(&record(transfer())).expect("new").what, New::Movement(_)));
        let inbox = json!({"PK": {"S": "INBOX#wal_00000000000000000000000000000002"}, "SK": {"S": "txn_1"}});
        assert!(matches!(read(&record(inbox)).expect("new").what, New::Credit { .. }));
        let mut opening = transfer();
        opening["type"]["S"] = json!("opening");
        let entry = json!({"PK": {"S": "WALLET#wal_1"}, "SK": {"S": "ENTRY#0000000000000001"}});
        for image in [opening, entry] {
            assert!(matches!(read(&record(image)).expect("new").what, New::Other));
        }
        let mut queued = transfer();
        queued["status"]["S"] = json!("queued");
        assert!(matches!(read(&record(queued)).expect("new").what, New::Request(_)));
        let mut executed = record(transfer());
        executed["eventName"] = json!("MODIFY");
        assert!(matches!(read(&executed).expect("its outcome").what, New::Movement(_)));
        let mut changed = record(json!({"PK": {"S": "WALLET#wal_1"}, "SK": {"S": "WALLET"}}));
        changed["eventName"] = json!("MODIFY");
        assert!(read(&changed).is_none());
    }

    #[test]
    fn what_cannot_be_read_is_named_and_not_quoted() {
        for (attribute, value) in [
            ("id", json!({"S": "txn_secret"})),
            ("amount", json!({"S": "12.5"})),
            ("status", json!({"S": "pending"})),
            ("status", json!({"S": "failed"})),
            ("type", json!({"S": "TRANSFER"})),
            ("wallet_id", json!(null)),
            ("SK", json!({"N": "1"})),
        ] {
            let mut image = transfer();
            image[attribute] = value;
            let fault = NewItem::read(&record(image)).expect_err(attribute).to_string();
            assert!(!fault.contains("secret") && !fault.contains("pending"), "{fault}");
        }
        for damaged in [json!(null), json!({}), json!({"eventName": "INSERT"})] {
            NewItem::read(&damaged).expect_err("no record");
        }
        assert_eq!(sequence_number(&record(json!(null))), Some("7"));
        assert_eq!(sequence_number(&json!({"dynamodb": {"SequenceNumber": ""}})), None);
    }
}
