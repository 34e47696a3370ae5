//! A caller with a token, who asks a gateway without its socket. Asks once, and judges no answer.

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, Response, request};
use serde_json::Value;
use tower::ServiceExt as _;

/// A page of entries has some ten thousand bytes, an audit's report some hundred thousand.
const ANSWER_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    gateway: Router,
    token: String,
}

impl Caller {
    /// A caller who asks `gateway` with `token`.
    pub fn new(gateway: Router, token: String) -> Caller {
        Caller { gateway, token }
    }

    /// What is answered to a GET of `path`.
    ///
    /// # Errors
    /// When `path` is none, or the answer breaks off.
    pub async fn get(&self, path: &str) -> Result<Response<Bytes>> {
        self.ask(Request::get(path), Body::empty()).await
    }

    /// What is answered to a POST of `body` to `path` with the idempotency key `key`.
    ///
    /// # Errors
    /// When `path` is none, or the answer breaks off.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Response<Bytes>> {
        let request = Request::post(path).header("idempotency-key", key).header("content-type", "application/json");
        self.ask(request, body.to_string()).await
    }

    /// What is answered to any request, to its end.
    ///
    /// # Errors
    /// When it is no request, or the answer breaks off.
    pub async fn ask(&self, request: request::Builder, body: impl Into<Body>) -> Result<Response<Bytes>> {
        let request = request.header("authorization", format!("Bearer {}", self.token)).body(body.into())?;
        let (parts, body) = self.gateway.clone().oneshot(request).await?.into_parts();
        Ok(Response::from_parts(parts, to_bytes(body, ANSWER_LIMIT_BYTES).await?))
    }
}
