//! What the tests share.

use std::time::Duration;

use anyhow::Result;
use axum::body::Bytes;
use axum::http::Response;
use serde_json::Value;

/// Waits until it is so, which comes by itself.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("{what} in time"));
}

/// What was answered, as JSON.
pub(crate) fn json(answer: Result<Response<Bytes>>) -> Value {
    serde_json::from_slice(answer.expect("the gateway answers").body()).expect("answers are JSON")
}
