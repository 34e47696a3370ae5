//! The messages that tell a follower what to do, by ids alone. It reads the table again, strongly consistent, so that a
//! message may come twice, or late. Who sends one again makes it here as well.

use serde_json::{Value, json};
use wallet_domain::{RuleId, TransactionId, WalletId};
use wallet_messaging::{Group, Message};

/// A deposit may earn a rebate.
#[must_use]
pub fn rebate(table: &str, deposit: TransactionId, wallet: WalletId, rule: &RuleId) -> Message {
    plain(&json!({
        "table": table,
        "deposit_id": deposit.to_string(),
        "wallet_id": wallet.to_string(),
        "rule_id": rule.as_str(),
    }))
}

/// A request waits to be executed; `id` is that of the transaction that it will become.
#[must_use]
pub fn request(table: &str, id: TransactionId) -> Message {
    plain(&json!({"table": table, "transaction_id": id.to_string()}))
}

/// A wallet has credits to be settled. One wallet is settled by one function at a time; of its messages with the same
/// `occasion` within five minutes, one is kept.
#[must_use]
pub fn settle(table: &str, wallet: WalletId, occasion: &str) -> Message {
    let body = json!({"table": table, "wallet_id": wallet.to_string()}).to_string();
    let group = Group { id: wallet.to_string(), deduplication: format!("{wallet}-{occasion}") };
    Message { body, group: Some(group) }
}

pub(crate) fn plain(body: &Value) -> Message {
    Message { body: body.to_string(), group: None }
}
