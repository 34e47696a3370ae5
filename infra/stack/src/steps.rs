//! Tells whoever follows one movement what the stack does with what follows from it: as `tracing` events, below every log's
//! level. If nobody listens to [`TARGET`], no record or message is looked at. The events have ids and times, never what a
//! message says.
//!
//! | `step` | when | fields |
//! |---|---|---|
//! | `record` | the stream's reader has a new item | `pk`, `sk`, `created_at`, `rows` (ids of an entries item), `handed` (to `dispatch`) |
//! | `sent` | a queue took a message | `queue`, `message_id`, `at_ms`, `about` (the movement that it is about, if it names one) |
//! | `received` | a queue gave one out | `queue`, `message_id`, `at_ms`, `waited_ms`, `about` |
//! | `bus` | the bus took an event | `about` |

use jiff::Timestamp;
use serde_json::Value;
use tracing::{Level, debug, enabled};

/// The target of these events.
pub const TARGET: &str = "wallet_stack::steps";

/// The stream's reader has this record, and hands it to the function or doesn't.
pub(crate) fn record(event: &Value, handed: bool) {
    if !enabled!(target: TARGET, Level::DEBUG) {
        return;
    }
    let image = &event["dynamodb"]["NewImage"];
    let text = |name: &str| image[name]["S"].as_str().unwrap_or_default();
    let rows = image["rows"]["L"].as_array().into_iter().flatten();
    let rows: Vec<_> = rows.filter_map(|row| row["M"]["transaction_id"]["S"].as_str()).collect();
    let (pk, sk, created_at) = (text("PK"), text("SK"), text("created_at"));
    debug!(target: TARGET, step = "record", pk, sk, created_at, rows = rows.join(" "), handed);
}

pub(crate) fn sent(queue: &str, message_id: &str, body: &str, at: Timestamp) {
    if enabled!(target: TARGET, Level::DEBUG) {
        debug!(target: TARGET, step = "sent", queue, message_id, at_ms = at.as_millisecond(), about = about(body));
    }
}

pub(crate) fn received(queue: &str, message_id: &str, body: &str, at: Timestamp, sent_at_ms: i64) {
    if enabled!(target: TARGET, Level::DEBUG) {
        let (at_ms, about) = (at.as_millisecond(), about(body));
        debug!(target: TARGET, step = "received", queue, message_id, at_ms, waited_ms = at_ms - sent_at_ms, about);
    }
}

pub(crate) fn published(body: &str) {
    if enabled!(target: TARGET, Level::DEBUG) {
        debug!(target: TARGET, step = "bus", about = about(body));
    }
}

/// The id of the movement that a message or an event names.
fn about(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    body["transaction_id"].as_str().or_else(|| body["deposit_id"].as_str()).map(str::to_owned)
}
