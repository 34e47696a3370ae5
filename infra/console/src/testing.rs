//! What the tests share: a caller without a socket, and one trail that sees all stacks of the process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use axum::body::Bytes;
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use wallet_stack::{Beside, Options, Stack};

use crate::Console;
use crate::trail::Trail;

/// A process has one place where events go.
pub(crate) fn seen_everywhere() -> Arc<Trail> {
    static TRAIL: OnceLock<Arc<Trail>> = OnceLock::new();
    let trail = TRAIL.get_or_init(|| {
        let trail = Trail::new();
        tracing_subscriber::registry().with(trail.layer()).init();
        trail
    });
    Arc::clone(trail)
}

/// A stack with a console that sees all.
pub(crate) async fn start() -> Stack {
    let console = Console(seen_everywhere());
    let beside: Beside = Arc::new(move |surroundings| console.router(surroundings));
    Stack::start(Options { beside: Some(beside), ..Options::default() }).await.expect("started")
}

pub(crate) const ALL: &str = "wallets:read wallets:write funds:deposit wallets:admin";

/// Somebody who may do all, whose name is the test's own: what he asks for has other ids than what others ask for.
pub(crate) struct Caller {
    caller: wallet_stack::Caller,
    keys: AtomicU32,
}

impl Caller {
    pub(crate) fn of(stack: &Stack, name: &str) -> Caller {
        Caller { caller: stack.caller(name, ALL), keys: AtomicU32::new(0) }
    }

    pub(crate) async fn open(&self, currency: &str) -> String {
        self.post("/v1/wallets", json!({"currency": currency})).await["id"].as_str().expect("an id").to_owned()
    }

    /// Posts what goes well, with a key of its own.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let key = self.keys.fetch_add(1, Ordering::Relaxed).to_string();
        let (status, text) = self.ask("POST", path, Some(&key), Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Status and body of the answer, to its end.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        text(self.caller.ask(request, body).await)
    }
}

/// Status and body of an answer.
pub(crate) fn text(answer: Result<Response<Bytes>>) -> (StatusCode, String) {
    let (parts, body) = answer.expect("an answer").into_parts();
    (parts.status, String::from_utf8(body.into()).expect("UTF-8"))
}

/// The server-sent events of a text: their names, and what they tell.
pub(crate) fn events(text: &str) -> Vec<(String, Value)> {
    let event = |event: &str| {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).expect("a field").trim();
        (field("event:").to_owned(), serde_json::from_str(field("data:")).expect("JSON"))
    };
    text.split("\n\n").filter(|event| !event.is_empty()).map(event).collect()
}
