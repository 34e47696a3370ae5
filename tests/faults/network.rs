//! The wire between the SDK and the table in memory, in process: delays, faults, and transactions that meet in flight.
//!
//! An HTTP client for the SDK that answers without sockets, so that paused time stands still while anything can run. Like
//! a real server, it carries on with a request whose sender has gone. Each reply carries the table's own time as `Date`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::Instant;
use wallet_domain::Timestamp;
use wallet_stack::in_flight::{self, InFlight};

use super::call::Call;
use super::fault::{Fault, Order, Treatment};
use super::table::{Key, Reason, Table, key_of};
use crate::http::wire::http_client;

/// Two minutes before midnight, UTC: schedules run into the next day.
const START: &str = "2026-03-01T23:58:00Z";

/// Several requests were written in one transaction.
pub(crate) const TOGETHER: &str = "several requests of one wallet in one transaction";

/// Decides what becomes of each request.
pub(crate) type Weather = Box<dyn FnMut(&Call) -> Treatment + Send>;

/// What goes back: a status and a body, or a broken connection.
type Reply = Result<(u16, Value), ConnectorError>;

pub(crate) struct Network {
    table: Table,
    start: Instant,
    /// How far the table's own time is ahead.
    ahead: AtomicI64,
    /// Transactions that are being prepared. What is committed and being applied, the table knows.
    prepared: InFlight,
    state: Mutex<State>,
}

struct State {
    weather: Weather,
    counts: BTreeMap<String, u64>,
    /// A running hash of all requests and their fates, to tell one schedule from another.
    trace: u64,
}

impl Network {
    /// In front of `table`, whose time began at `start`.
    pub(crate) fn new(table: Table, start: Instant, weather: Weather) -> Arc<Network> {
        let state = Mutex::new(State { weather, counts: BTreeMap::new(), trace: 0 });
        Arc::new(Network { table, start, ahead: AtomicI64::new(0), prepared: InFlight::default(), state })
    }

    pub(crate) fn http_client(self: &Arc<Network>) -> SharedHttpClient {
        let network = Arc::clone(self);
        http_client(move |request| network.carry(request))
    }

    /// From now on the table's own time is so many seconds ahead of the tests' clock, or behind.
    pub(crate) fn set_time_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::Relaxed);
    }

    fn now_seconds(&self) -> i64 {
        time_after(self.start.elapsed()).as_second() + self.ahead.load(Ordering::Relaxed)
    }

    /// From now on other weather.
    pub(crate) fn set(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// How often each fault has happened, and how many requests there were.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
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
        *state.counts.entry(what.to_owned()).or_default() += 1;
        for byte in what.bytes() {
            state.trace = (state.trace ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// A request from the SDK, until it is answered.
    fn carry(self: &Arc<Network>, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").expect("the SDK names the operation");
        let operation = target.rsplit('.').next().unwrap_or(target).to_owned();
        let body = request.body().bytes().expect("the SDK's bodies are in memory");
        let call = Call { operation, body: serde_json::from_slice(body).expect("the SDK sends JSON") };
        let network = Arc::clone(self);
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
        let network = Arc::clone(self);
        HttpConnectorFuture::new(async move {
            let (status, body) = answered.await.expect("every request is answered or left open")?;
            let status = status.try_into().expect("a status of HTTP");
            let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
            let date = DateTime::from_secs(network.now_seconds()).fmt(Format::HttpDate).expect("a year of HTTP");
            response.headers_mut().insert("date", date);
            Ok(response)
        })
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
                let mut reasons = vec![None; call.actions().len()];
                let position = reasons.len() / 2;
                reasons[position] = Some(Reason::Throttled);
                cancelled(reasons)
            }
            Some(Fault::Conflict) => {
                let actions = call.actions();
                let met = treatment.order.some(actions.len());
                let reasons = self.table.reasons(&actions).into_iter().enumerate();
                cancelled(reasons.map(|(at, failed)| if met(at) { Some(Reason::Conflict) } else { failed }).collect())
            }
            Some(Fault::ServerError) => failure(500, "InternalServerError", "not done"),
            Some(Fault::Unconnected) => Err(ConnectorError::io("connection refused".into())),
            Some(Fault::RequestLost) => return None,
            Some(Fault::ReplyLost) => {
                let _ = self.work(&call, treatment).await;
                return None;
            }
            Some(Fault::BrokenOff) => {
                let _ = self.work(&call, treatment).await;
                Err(ConnectorError::io("connection reset".into()))
            }
            Some(Fault::ServerErrorAfter) => {
                let _ = self.work(&call, treatment).await;
                failure(500, "InternalServerError", "done, or not")
            }
            Some(Fault::Late(late)) => {
                tokio::time::sleep(late).await;
                self.work(&call, treatment).await
            }
            Some(Fault::Partial) => self.partial(call, treatment).await,
            None => self.work(&call, treatment).await,
        };
        tokio::time::sleep(treatment.back).await;
        Some(reply)
    }

    /// What DynamoDB does.
    async fn work(&self, call: &Call, treatment: Treatment) -> Reply {
        let Treatment { work, order, .. } = treatment;
        let reply = match call.operation.as_str() {
            "TransactWriteItems" => return self.write(call, work, order).await,
            "BatchGetItem" => self.batch(call, work, order).await,
            operation => {
                tokio::time::sleep(work).await;
                match operation {
                    "TransactGetItems" => self.together(call),
                    "GetItem" => {
                        let found = self.table.get(&key_of(&call.body["Key"]));
                        Ok((200, found.map_or_else(|| json!({}), |item| json!({ "Item": item }))))
                    }
                    "Query" => Ok((200, self.table.query(&call.body))),
                    other => panic!("the ledger never calls {other}"),
                }
            }
        };
        self.compared(call, reply)
    }

    /// A transaction: prepared, and cancelled if another is in flight on one of its items or a condition fails; else
    /// committed, applied item by item, and answered.
    async fn write(&self, call: &Call, work: Duration, order: Order) -> Reply {
        let actions = call.actions();
        let met = self.met(call, actions.iter().map(|action| &action.key));
        if met.contains(&true) {
            self.count("transactions in flight on one item");
            let reasons = self.table.reasons(&actions).into_iter().zip(met);
            let reasons = reasons.map(|(failed, met)| if met { Some(Reason::Conflict) } else { failed });
            return cancelled(order.told(reasons.collect()));
        }
        let prepared = self.prepared.enter(&call.body).expect("it meets none");
        tokio::time::sleep(work / 2).await;
        let failed = self.table.reasons(&actions);
        let ended = if failed.iter().any(Option::is_some) {
            let _ = self.compared(call, cancelled(failed.clone()));
            cancelled(order.told(failed))
        } else {
            let places = order.places(actions.len());
            let steps = u32::try_from(actions.len() - 1).expect("100 actions at most").max(1);
            let now = Instant::now();
            if call.is_of_several() {
                self.count(TOGETHER);
            }
            self.table.commit(&actions, |position| now + work / 2 * places[position] / steps);
            self.compared(call, Ok((200, json!({}))))
        };
        drop(prepared);
        if ended.as_ref().is_ok_and(|(status, _)| *status == 200) {
            tokio::time::sleep(work / 2).await;
        }
        ended
    }

    /// Reads one item after the other.
    async fn batch(&self, call: &Call, work: Duration, order: Order) -> Reply {
        let mut responses = serde_json::Map::new();
        for (table, request) in call.body["RequestItems"].as_object().expect("tables") {
            let keys = request["Keys"].as_array().expect("keys");
            let mut sequence: Vec<_> = (0..keys.len()).collect();
            let places = order.places(keys.len());
            sequence.sort_by_key(|position| places[*position]);
            let mut found = vec![];
            for position in sequence {
                if !work.is_zero() {
                    tokio::time::sleep(work / u32::try_from(keys.len()).expect("100 keys at most")).await;
                }
                found.extend(self.table.get(&key_of(&keys[position])).map(Value::Object));
            }
            responses.insert(table.clone(), found.into());
        }
        Ok((200, json!({ "Responses": responses, "UnprocessedKeys": {} })))
    }

    /// Reads all items at one moment; not while one of them is in flight.
    fn together(&self, call: &Call) -> Reply {
        let items = call.body["TransactItems"].as_array().expect("items").iter();
        let keys: Vec<_> = items.map(|get| key_of(&get["Get"]["Key"])).collect();
        let met = self.met(call, &keys);
        if met.contains(&true) {
            self.count("reads of one moment in flight");
            return cancelled(met.into_iter().map(|met| met.then_some(Reason::Conflict)).collect());
        }
        let found =
            keys.iter().map(|key| self.table.get(key).map_or_else(|| json!({}), |item| json!({ "Item": item })));
        Ok((200, json!({ "Responses": found.collect::<Vec<_>>() })))
    }

    /// Which items of a transaction, by their `keys`, are part of another that is being prepared or applied.
    fn met<'a>(&self, call: &Call, keys: impl IntoIterator<Item = &'a Key>) -> Vec<bool> {
        let prepared = self.prepared.met(&call.body).into_iter();
        prepared.zip(keys).map(|(prepared, key)| prepared || self.table.in_flight(key)).collect()
    }

    /// A batch answered in part: the first key is left out and named.
    async fn partial(&self, mut call: Call, treatment: Treatment) -> Reply {
        let Some(tables) = call.body["RequestItems"].as_object_mut() else { return self.work(&call, treatment).await };
        let mut left = serde_json::Map::new();
        for (table, request) in tables.iter_mut() {
            let Some(keys) = request["Keys"].as_array_mut().filter(|keys| keys.len() > 1) else { continue };
            let key = keys.remove(0);
            left.insert(table.clone(), json!({ "Keys": [key], "ConsistentRead": true }));
        }
        let (status, mut body) = self.work(&call, treatment).await?;
        body["UnprocessedKeys"] = Value::Object(left);
        Ok((status, body))
    }

    fn compared(&self, call: &Call, reply: Reply) -> Reply {
        if let Ok((status, answer)) = &reply {
            self.table.compare(&call.operation, &call.body, *status, answer);
        }
        reply
    }
}

/// The table's time when so much has passed.
pub(crate) fn time_after(passed: Duration) -> Timestamp {
    let start: Timestamp = START.parse().expect("a time");
    let passed = i64::try_from(passed.as_millis()).expect("a schedule ends within centuries");
    Timestamp::from_millisecond(start.as_millisecond() + passed).expect("a time within all dates")
}

fn failure(status: u16, name: &str, message: &str) -> Reply {
    Ok((status, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": message })))
}

fn cancelled(reasons: Vec<Option<Reason>>) -> Reply {
    let told = |reason| match reason {
        None => json!({ "Code": "None" }),
        Some(Reason::Condition(item)) => json!({ "Code": "ConditionalCheckFailed", "Item": item }),
        Some(Reason::Conflict) => json!({ "Code": "TransactionConflict" }),
        Some(Reason::Throttled) => json!({ "Code": "ThrottlingError" }),
    };
    Ok((400, in_flight::cancelled(reasons.into_iter().map(told).collect())))
}
