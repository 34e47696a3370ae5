//! A simulated network: an HTTP client that wraps the SDK's, with a delay on each call and DynamoDB's own conflicts; and a
//! meter for what no answer says.
//!
//! The embedded database answers in a millisecond and its transactions never meet. Here every call takes a while, and a
//! transaction counts as in flight for the whole of its call, which is longer than in DynamoDB: figures under this model are
//! simulated, and on the pessimistic side.
//!
//! The embedded database also works on one call at a time, and makes all others wait in one line, which DynamoDB does not. So
//! the callers' calls wait in front of it instead, and those of a folder, which is a function of its own, pass them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use wallet_stack::around;
use wallet_stack::in_flight::InFlight;

/// How many of the callers' calls the embedded database is given at once: enough to keep it busy.
const AT_ONCE: usize = 16;

/// How the simulated network behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Network {
    /// Added to each call.
    pub(crate) delay: Duration,
    /// Whether one of two transactions that meet on an item is cancelled.
    pub(crate) conflicts: bool,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Caller,
    Folder,
}

/// A network between one table and all who call it. Clones are the same network.
#[derive(Clone)]
pub(crate) struct Wire {
    network: Network,
    in_flight: InFlight,
    turns: Arc<Semaphore>,
    meter: Arc<Meter>,
}

#[derive(Default)]
struct Meter {
    cancelled: AtomicU64,
    settled: Mutex<HashMap<String, Instant>>,
}

impl Wire {
    pub(crate) fn new(network: Network) -> Wire {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Wire { network, in_flight: InFlight::default(), turns, meter: Arc::default() }
    }

    /// Write units of the transactions that were cancelled. DynamoDB bills them and the embedded database reports none, so
    /// they are worked out from the items that the calls named.
    pub(crate) fn cancelled_units(&self) -> u64 {
        self.meter.cancelled.load(Ordering::Relaxed)
    }

    /// When the fold that settled each credit was answered, by the credit's transaction.
    pub(crate) fn settled(&self) -> HashMap<String, Instant> {
        self.meter.settled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A client over this network.
    pub(crate) fn http_client(&self, who: Who) -> SharedHttpClient {
        let wire = self.clone();
        around(move |request, inner| {
            let (inner, wire) = (inner.clone(), wire.clone());
            HttpConnectorFuture::new(async move {
                let Network { delay, conflicts } = wire.network;
                // Cheap to keep, and read only where there is need to.
                let kept = request.body().try_clone().filter(|_| writes(&request));
                let body = || kept.as_ref().map(parsed).unwrap_or_default();
                let held = if conflicts { Some(wire.in_flight.enter(&body())) } else { None };
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                if let Some(Err(answer)) = held {
                    wire.meter.cancelled.fetch_add(units(&body()), Ordering::Relaxed);
                    let status = StatusCode::try_from(400).expect("400 is a status");
                    let mut response = HttpResponse::new(status, SdkBody::from(answer.to_string()));
                    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
                    return Ok(response);
                }
                let turn = match who {
                    Who::Caller => wire.turns.acquire().await.ok(),
                    Who::Folder => None,
                };
                let response = inner.call(request).await?;
                drop((held, turn));
                match response.status().as_u16() {
                    400 => drop(wire.meter.cancelled.fetch_add(units(&body()), Ordering::Relaxed)),
                    200 if who == Who::Folder => wire.folded(&body()),
                    _ => {}
                }
                Ok(response)
            })
        })
    }

    /// Notes what a fold has settled.
    fn folded(&self, request: &Value) {
        let now = Instant::now();
        let mut settled = self.meter.settled.lock().unwrap_or_else(PoisonError::into_inner);
        for action in request["TransactItems"].as_array().into_iter().flatten() {
            if let Some(transaction) = action["Delete"]["Key"]["SK"]["S"].as_str() {
                settled.insert(transaction.to_owned(), now);
            }
        }
    }
}

fn writes(request: &HttpRequest) -> bool {
    request.headers().get("x-amz-target").is_some_and(|target| target.ends_with(".TransactWriteItems"))
}

fn parsed(body: &SdkBody) -> Value {
    body.bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default()
}

/// What DynamoDB bills for a transaction: 2 units for each kilobyte, or part of one, of each item. Only of an item that is
/// put is the size known; any other that a ledger names is below a kilobyte.
fn units(request: &Value) -> u64 {
    let item = |action: &Value| 2 * size(&action["Put"]["Item"]).div_ceil(1024).max(1);
    request["TransactItems"].as_array().into_iter().flatten().map(item).sum()
}

/// About the bytes of an item: its attributes' names and values.
fn size(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Array(values) => values.iter().map(|value| size(value) + 1).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| named(name) + size(value)).sum(),
        _ => 1,
    }
}

/// The bytes of an attribute's name; of a type's, which is all capitals and one or two, none.
fn named(name: &str) -> u64 {
    let is_type = name.len() <= 2 && name.bytes().all(|byte| byte.is_ascii_uppercase()) && name != "PK" && name != "SK";
    if is_type { 0 } else { name.len() as u64 }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cancelled_call_costs_two_units_for_each_kilobyte_of_each_item() {
        let put = |bytes: usize| json!({"Put": {"Item": {"PK": {"S": "x".repeat(bytes - 2)}}}});
        let update = json!({"Update": {"Key": {"PK": {"S": "x"}}}});
        for (bytes, expected) in [(3, 4), (1024, 4), (1025, 6), (9 * 1024, 20)] {
            assert_eq!(units(&json!({"TransactItems": [put(bytes), update]})), expected, "{bytes}");
        }
        assert_eq!(units(&json!({"Keys": []})), 0);
    }
}
