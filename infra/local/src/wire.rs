//! A simulated network and DynamoDB's own conflicts, as an HTTP client that wraps the SDK's.
//!
//! The embedded database answers in a millisecond and runs one transaction at a time, so two transactions never meet in
//! it. Here every call takes a while, and a transaction that arrives while another is in flight on one of its items is
//! cancelled with `TransactionConflict`, as DynamoDB does. A transaction counts as in flight for the whole of its call,
//! which is longer than in DynamoDB: figures under this model are simulated, and on the pessimistic side.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// How the simulated network behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wire {
    /// Added to each call.
    pub delay: Duration,
    /// Whether one of two transactions that meet on an item is cancelled.
    pub conflicts: bool,
}

impl Wire {
    /// A client over this wire. All SDK clients that share it share one table's conflicts.
    #[must_use]
    pub fn http_client(self) -> SharedHttpClient {
        let base = aws_smithy_http_client::Builder::new().build_http();
        let in_flight = InFlight::default();
        http_client_fn(move |settings, components| {
            let inner = base.http_connector(settings, components);
            SharedHttpConnector::new(Slow { wire: self, inner, in_flight: in_flight.clone() })
        })
    }
}

#[derive(Debug)]
struct Slow {
    wire: Wire,
    inner: SharedHttpConnector,
    in_flight: InFlight,
}

impl HttpConnector for Slow {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (wire, inner, in_flight) = (self.wire, self.inner.clone(), self.in_flight.clone());
        HttpConnectorFuture::new(async move {
            let items = if wire.conflicts { items(&request) } else { vec![] };
            let held = in_flight.enter(&items);
            if !wire.delay.is_zero() {
                tokio::time::sleep(wire.delay).await;
            }
            match held {
                Ok(_held) => inner.call(request).await,
                Err(taken) => Ok(cancelled(&taken)),
            }
        })
    }
}

/// The items of transactions under way.
#[derive(Debug, Clone, Default)]
struct InFlight(Arc<Mutex<HashSet<String>>>);

impl InFlight {
    /// Takes all of `items`, or says which of them are taken already.
    fn enter(&self, items: &[String]) -> Result<Held, Vec<bool>> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if items.iter().any(|item| taken.contains(item)) {
            return Err(items.iter().map(|item| taken.contains(item)).collect());
        }
        taken.extend(items.iter().cloned());
        Ok(Held { items: items.to_vec(), in_flight: self.clone() })
    }
}

/// Gives its items back when dropped, so that an abandoned call blocks nothing.
#[derive(Debug)]
struct Held {
    items: Vec<String>,
    in_flight: InFlight,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        for item in &self.items {
            taken.remove(item);
        }
    }
}

/// The items that a transaction names, in its order; none for any other call.
fn items(request: &HttpRequest) -> Vec<String> {
    if !request.headers().get("x-amz-target").is_some_and(|target| target.ends_with(".TransactWriteItems")) {
        return vec![];
    }
    let body: Value = request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let actions = body["TransactItems"].as_array().map(Vec::as_slice).unwrap_or_default();
    actions.iter().filter_map(Value::as_object).flat_map(|action| action.values()).map(name).collect()
}

fn name(action: &Value) -> String {
    let key = action.get("Key").or(action.get("Item")).unwrap_or(&Value::Null);
    format!("{} {} {}", action["TableName"], key["PK"]["S"], key["SK"]["S"])
}

fn cancelled(taken: &[bool]) -> HttpResponse {
    let reasons: Vec<Value> = taken
        .iter()
        .map(|taken| if *taken { json!({"Code": "TransactionConflict"}) } else { json!({"Code": "None"}) })
        .collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    });
    let status = StatusCode::try_from(400).expect("400 is a status");
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(keys: &[&str]) -> HttpRequest {
        let actions: Vec<Value> = keys
            .iter()
            .map(|key| json!({"Put": {"TableName": "t", "Item": {"PK": {"S": key}, "SK": {"S": "x"}}}}))
            .collect();
        let mut request = HttpRequest::new(SdkBody::from(json!({"TransactItems": actions}).to_string()));
        request.headers_mut().insert("x-amz-target", "DynamoDB_20120810.TransactWriteItems");
        request
    }

    #[test]
    fn two_transactions_on_one_item_meet_until_the_first_is_done() {
        let in_flight = InFlight::default();
        let first = in_flight.enter(&items(&transaction(&["a", "b"]))).expect("nothing is in flight");
        let other = in_flight.enter(&items(&transaction(&["c"])));
        assert!(other.is_ok());
        let taken = in_flight.enter(&items(&transaction(&["d", "b"]))).expect_err("b is taken");
        assert_eq!(taken, [false, true]);
        let text = String::from_utf8(cancelled(&taken).body().bytes().expect("in memory").to_vec()).expect("text");
        assert!(text.contains(r#"[{"Code":"None"},{"Code":"TransactionConflict"}]"#), "{text}");
        drop(first);
        assert!(in_flight.enter(&items(&transaction(&["d", "b"]))).is_ok());
    }

    #[test]
    fn reads_never_meet() {
        let mut request = transaction(&["a"]);
        request.headers_mut().insert("x-amz-target", "DynamoDB_20120810.BatchGetItem");
        assert!(items(&request).is_empty());
    }
}
