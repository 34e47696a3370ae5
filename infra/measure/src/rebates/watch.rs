//! Sees when the rebate function is given a message and when its commit is answered, without a call of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::event::sqs::SqsMessage;
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;
use tokio::time::Instant;
use wallet_stack::{AdaptBatch, around};

/// The times of deliveries, by deposit, and of payments, by rebate. Clones share them.
#[derive(Clone)]
pub(super) struct Watch {
    times: Arc<Mutex<Times>>,
    progress: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Times {
    delivered: HashMap<String, Instant>,
    paid: HashMap<String, Instant>,
}

impl Watch {
    pub(super) fn new(progress: impl Fn() + Send + Sync + 'static) -> Watch {
        Watch { times: Arc::default(), progress: Arc::new(progress) }
    }

    /// When the function was first given the message of this deposit.
    pub(super) fn delivered(&self, deposit: &str) -> Option<Instant> {
        self.times().delivered.get(deposit).copied()
    }

    /// When this rebate's commit was answered.
    pub(super) fn paid(&self, rebate: &str) -> Option<Instant> {
        self.times().paid.get(rebate).copied()
    }

    /// How many rebates were paid.
    pub(super) fn count(&self) -> u64 {
        self.times().paid.len() as u64
    }

    /// Looks at each batch, and changes nothing.
    pub(super) fn deliveries(&self) -> AdaptBatch {
        let watch = self.clone();
        Arc::new(move |batch| {
            let now = Instant::now();
            let mut times = watch.times();
            for deposit in batch.records.iter().filter_map(deposit) {
                times.delivered.entry(deposit).or_insert(now);
            }
            drop(times);
            batch
        })
    }

    /// The SDK's own client, which tells of each rebate that was committed.
    pub(super) fn http_client(&self) -> SharedHttpClient {
        let watch = self.clone();
        around(move |request, inner| {
            let rebates = rebates(&request);
            if rebates.is_empty() {
                return inner.call(request);
            }
            let (call, watch) = (inner.call(request), watch.clone());
            HttpConnectorFuture::new(async move {
                let response = call.await?;
                if response.status().is_success() {
                    rebates.into_iter().for_each(|rebate| watch.committed(rebate));
                }
                Ok(response)
            })
        })
    }

    fn committed(&self, rebate: String) {
        if self.times().paid.insert(rebate, Instant::now()).is_none() {
            (self.progress)();
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rebates that this call pays: several, where one wallet's are committed together.
fn rebates(request: &HttpRequest) -> Vec<String> {
    let target = request.headers().get("x-amz-target");
    if !target.is_some_and(|target| target.ends_with(".TransactWriteItems")) {
        return vec![];
    }
    let body = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok()).unwrap_or_default();
    let items = body["TransactItems"].as_array().into_iter().flatten().map(|action| &action["Put"]["Item"]);
    let paid = items.filter(|item| item["type"]["S"] == "rebate" && item["status"]["S"] == "posted");
    paid.filter_map(|item| item["id"]["S"].as_str().map(str::to_owned)).collect()
}

fn deposit(message: &SqsMessage) -> Option<String> {
    let body: Value = serde_json::from_str(message.body.as_deref()?).ok()?;
    body["deposit_id"].as_str().map(str::to_owned)
}
