//! The wire under the functions' SDK: an HTTP client that hands requests on, or lets them fail as told.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// A request as it was answered: what it asked for and what it cost, not what it held.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Carried {
    pub(crate) operation: String,
    status: u16,
    /// Keys that were asked for, or actions of a transaction.
    items: usize,
    /// As DynamoDB reports it.
    capacity: Value,
}

/// What happens to requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing.
    Fair,
    /// Every transaction is cancelled since another is in flight on its items.
    Conflict,
    /// Every transaction is cancelled since its items are over their throughput.
    Throttled,
    /// Every transaction is refused as malformed: a fault of ours.
    Invalid,
    /// Reads are answered with JSON that breaks off.
    Garbled,
    /// Requests are worked on, and every answer is lost.
    AnswersLost,
    /// Transactions are worked on and their answers are lost; reads are answered.
    CommitsLost,
}

/// A wire whose weather can be changed at any time.
#[derive(Clone)]
pub(crate) struct Wire {
    weather: Arc<Mutex<Weather>>,
    carried: Arc<Mutex<Vec<Carried>>>,
    http: reqwest::Client,
}

impl Wire {
    pub(crate) fn new() -> Wire {
        Wire { weather: Arc::new(Mutex::new(Weather::Fair)), carried: Arc::default(), http: reqwest::Client::new() }
    }

    /// What was carried since this was asked last.
    pub(crate) fn take(&self) -> Vec<Carried> {
        std::mem::take(&mut self.carried.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    pub(crate) fn http_client(&self) -> SharedHttpClient {
        let wire = self.clone();
        http_client(move |request| HttpConnectorFuture::new(wire.clone().carry(request)))
    }

    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let is_write = target.ends_with(".TransactWriteItems");
        let actions = || {
            let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
            body["TransactItems"].as_array().map_or(0, Vec::len)
        };
        match self.weather() {
            Weather::Conflict if is_write => Ok(cancelled(actions(), "TransactionConflict")),
            Weather::Throttled if is_write => Ok(cancelled(actions(), "ThrottlingError")),
            Weather::Invalid if is_write => Ok(failure(
                json!({"__type": "com.amazon.coral.validate#ValidationException", "message": "secret cause"}),
            )),
            Weather::Garbled if !is_write => {
                let whole = self.forward(request).await?;
                let text = whole.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
                Ok(answer(200, text[..text.len() - 2].to_owned()))
            }
            Weather::AnswersLost => self.lose(request).await,
            Weather::CommitsLost if is_write => self.lose(request).await,
            _ => self.forward(request).await,
        }
    }

    /// Neither a time-out nor a broken connection: the SDK tries those again by itself, with long pauses.
    async fn lose(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        self.forward(request).await?;
        Err(ConnectorError::other("the answer is lost".into(), None))
    }

    async fn forward(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let lost = |error: reqwest::Error| ConnectorError::io(error.into());
        let method = request.method().parse().expect("the SDK knows its methods");
        let body = request.body().bytes().expect("the SDK's bodies are in memory").to_vec();
        let mut sent = self.http.request(method, request.uri()).body(body);
        for (name, value) in request.headers().iter().filter(|(name, _)| *name != "content-length") {
            sent = sent.header(name, value);
        }
        let response = sent.send().await.map_err(lost)?;
        let (status, text) = (response.status().as_u16(), response.text().await.map_err(lost)?);
        let carried = Carried::of(&request, status, &text);
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).push(carried);
        Ok(answer(status, text))
    }
}

impl Carried {
    fn of(request: &HttpRequest, status: u16, answer: &str) -> Carried {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let asked: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let keys = asked["RequestItems"].as_object().into_iter().flatten().map(|(_, table)| &table["Keys"]);
        let items = keys.chain([&asked["TransactItems"]]).filter_map(Value::as_array).map(Vec::len).sum();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        Carried { operation, status, items, capacity: answer["ConsumedCapacity"].clone() }
    }
}

fn cancelled(actions: usize, code: &str) -> HttpResponse {
    failure(json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": vec![json!({"Code": code}); actions],
    }))
}

fn failure(body: Value) -> HttpResponse {
    answer(400, body.to_string())
}

fn answer(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status of HTTP"), SdkBody::from(body))
}

/// An HTTP client for the SDK that is this function.
pub(crate) fn http_client(
    carry: impl Fn(HttpRequest) -> HttpConnectorFuture + Send + Sync + 'static,
) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(carry));
    http_client_fn(move |_, _| connector.clone())
}

struct Connector<F>(F);

impl<F> fmt::Debug for Connector<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl<F: Fn(HttpRequest) -> HttpConnectorFuture + Send + Sync> HttpConnector for Connector<F> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0(request)
    }
}
