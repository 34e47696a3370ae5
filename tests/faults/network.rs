//! The wire between the SDK and the embedded DynamoDB, in process: delays, faults, and transactions that meet in flight.
//!
//! An HTTP client for the SDK that answers from a [`dynoxide::Database`] without sockets, so that paused time stands
//! still while anything can run. It skips the server's own checks of requests (signature, JSON types); everything above
//! it is the real thing. Like a real server, it carries on with a request whose sender has gone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::fault::{Fault, Treatment};

/// One request on its way to DynamoDB.
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn is_write(&self) -> bool {
        self.operation == "TransactWriteItems"
    }

    /// A transaction that records something; taking or giving back leases only updates wallets.
    pub(crate) fn is_commit(&self) -> bool {
        self.actions().first().is_some_and(|action| action.get("Put").is_some())
    }

    pub(crate) fn is_lease(&self) -> bool {
        self.is_write() && !self.is_commit()
    }

    fn actions(&self) -> &[Value] {
        self.body["TransactItems"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The key of each action's item, by position.
    fn keys(&self) -> Vec<String> {
        let key = |action: &Value| {
            let write = action.as_object().and_then(|action| action.values().next()).unwrap_or(&Value::Null);
            let key = if write["Key"].is_null() { &write["Item"] } else { &write["Key"] };
            format!("{} {}", key["PK"]["S"], key["SK"]["S"])
        };
        self.actions().iter().map(key).collect()
    }
}

/// Decides what becomes of each request.
pub(crate) type Weather = Box<dyn FnMut(&Call) -> Treatment + Send>;

/// What goes back: a status and a body, or a broken connection.
type Reply = Result<(u16, String), ConnectorError>;

pub(crate) struct Network {
    database: Database,
    state: Mutex<State>,
}

struct State {
    weather: Weather,
    /// The items of each transaction being worked on, by its number.
    in_flight: BTreeMap<u64, Vec<String>>,
    next: u64,
    counts: BTreeMap<&'static str, u64>,
    /// A running hash of all requests and their fates, to tell one schedule from another.
    trace: u64,
}

impl Network {
    pub(crate) fn new(database: Database, weather: Weather) -> Arc<Network> {
        let (in_flight, counts) = (BTreeMap::new(), BTreeMap::new());
        Arc::new(Network { database, state: Mutex::new(State { weather, in_flight, next: 0, counts, trace: 0 }) })
    }

    pub(crate) fn http_client(self: &Arc<Network>) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Wire(Arc::clone(self)));
        http_client_fn(move |_, _| connector.clone())
    }

    /// From now on other weather.
    pub(crate) fn set(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// How often each fault has happened, and how many requests there were.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.state().counts.clone()
    }

    pub(crate) fn trace(&self) -> u64 {
        self.state().trace
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, what: &'static str) {
        let mut state = self.state();
        *state.counts.entry(what).or_default() += 1;
        for byte in what.bytes() {
            state.trace = (state.trace ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// A request from its arrival to its reply. `None` when no reply will ever come.
    async fn serve(&self, call: Call, treatment: Treatment) -> Option<Reply> {
        tokio::time::sleep(treatment.there).await;
        if let Some(fault) = treatment.fault {
            self.count(fault.name());
        }
        let reply = match treatment.fault {
            Some(Fault::Throttled) => failure(400, "ThrottlingException", "slow down"),
            Some(Fault::OverThroughput) => {
                failure(400, "ProvisionedThroughputExceededException", "the table is at its limit")
            }
            Some(Fault::ThrottledWithin) => {
                // Any one item of a transaction can be over its partition's limit.
                let position = call.keys().len() / 2;
                cancelled(call.keys().len(), "ThrottlingError", |index| index == position)
            }
            Some(Fault::Conflict) => cancelled(call.keys().len(), "TransactionConflict", |_| true),
            Some(Fault::ServerError) => failure(500, "InternalServerError", "not done"),
            Some(Fault::Unconnected) => Err(ConnectorError::io("connection refused".into())),
            Some(Fault::RequestLost) => return None,
            Some(Fault::ReplyLost) => {
                let _ = self.work(&call, treatment.work).await;
                return None;
            }
            Some(Fault::BrokenOff) => {
                let _ = self.work(&call, treatment.work).await;
                Err(ConnectorError::io("connection reset".into()))
            }
            Some(Fault::ServerErrorAfter) => {
                let _ = self.work(&call, treatment.work).await;
                failure(500, "InternalServerError", "done, or not")
            }
            Some(Fault::Late(late)) => {
                tokio::time::sleep(late).await;
                self.work(&call, treatment.work).await
            }
            Some(Fault::Partial) => self.partial(call),
            None => self.work(&call, treatment.work).await,
        };
        tokio::time::sleep(treatment.back).await;
        Some(reply)
    }

    /// What DynamoDB does. Of two transactions in flight on one item it cancels one, here the later.
    async fn work(&self, call: &Call, takes: Duration) -> Reply {
        if !call.is_write() {
            tokio::time::sleep(takes).await;
            return self.dispatch(call);
        }
        let keys = call.keys();
        let ticket = {
            let mut state = self.state();
            let busy: Vec<bool> =
                keys.iter().map(|key| state.in_flight.values().flatten().any(|other| other == key)).collect();
            if busy.contains(&true) {
                drop(state);
                self.count("transactions in flight on one item");
                return cancelled(keys.len(), "TransactionConflict", |index| busy[index]);
            }
            state.next += 1;
            let ticket = state.next;
            state.in_flight.insert(ticket, keys);
            ticket
        };
        tokio::time::sleep(takes).await;
        let reply = self.dispatch(call);
        self.state().in_flight.remove(&ticket);
        reply
    }

    /// A batch answered in part: the first key is left out and named.
    fn partial(&self, mut call: Call) -> Reply {
        let Some(tables) = call.body["RequestItems"].as_object_mut() else { return self.dispatch(&call) };
        let mut left = serde_json::Map::new();
        for (table, request) in tables.iter_mut() {
            let Some(keys) = request["Keys"].as_array_mut().filter(|keys| keys.len() > 1) else { continue };
            let key = keys.remove(0);
            left.insert(table.clone(), json!({ "Keys": [key], "ConsistentRead": true }));
        }
        let (status, body) = self.dispatch(&call)?;
        let mut body: Value = serde_json::from_str(&body).expect("the database answers in JSON");
        body["UnprocessedKeys"] = Value::Object(left);
        Ok((status, body.to_string()))
    }

    fn dispatch(&self, call: &Call) -> Reply {
        fn run<Q: serde::de::DeserializeOwned, A: serde::Serialize>(
            body: &Value,
            operation: impl FnOnce(Q) -> dynoxide::Result<A>,
        ) -> (u16, String) {
            let request = serde_json::from_value(body.clone()).expect("the SDK's requests are well-formed");
            match operation(request) {
                Ok(answer) => (200, serde_json::to_string(&answer).expect("answers are JSON")),
                Err(error) => (error.status_code(), error.to_json()),
            }
        }
        let (database, body) = (&self.database, &call.body);
        Ok(match call.operation.as_str() {
            "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "Scan" => run(body, |request| database.scan(request)),
            other => panic!("the ledger never calls {other}"),
        })
    }
}

fn failure(status: u16, name: &str, message: &str) -> Reply {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": message });
    Ok((status, body.to_string()))
}

fn cancelled(actions: usize, code: &str, concerned: impl Fn(usize) -> bool) -> Reply {
    let reason = |index| if concerned(index) { json!({ "Code": code }) } else { json!({ "Code": "None" }) };
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": (0..actions).map(reason).collect::<Vec<_>>(),
    });
    Ok((400, body.to_string()))
}

/// The SDK's end of the wire.
struct Wire(Arc<Network>);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").expect("the SDK names the operation");
        let operation = target.rsplit('.').next().unwrap_or(target).to_owned();
        let body = request.body().bytes().expect("the SDK's bodies are in memory");
        let call = Call { operation, body: serde_json::from_slice(body).expect("the SDK sends JSON") };
        let network = Arc::clone(&self.0);
        let treatment = (network.state().weather)(&call);
        network.count(if call.is_write() { "writes" } else { "reads" });
        let (answer, answered) = oneshot::channel();
        // On its own: what has been sent is worked on even if the sender is gone.
        tokio::spawn(async move {
            match network.serve(call, treatment).await {
                Some(reply) => drop(answer.send(reply)),
                // The connection stays open and silent.
                None => {
                    let mut answer = answer;
                    answer.closed().await;
                }
            }
        });
        HttpConnectorFuture::new(async move {
            let (status, body) = answered.await.expect("every request is answered or left open")?;
            let status = status.try_into().expect("a status of HTTP");
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}
