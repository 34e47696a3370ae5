//! `GET /v1/events` of the local stack: what the cloud publishes on its event bus, as server-sent events.
//!
//! Each is the `detail` of an event, made by the same filter and input template; its id is the stream's sequence number, and
//! `Last-Event-ID` resumes after it. A caller is sent what the `transactions` function shows him: it is asked about each
//! transaction, with the caller's own token. When that token has expired, or the function fails, the stream ends, and nothing
//! is passed over: whoever resumes gets it. The format: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt as _;
use wallet_lambda::{Problem, scope};

use crate::gateway::{authorize, refusal};
use crate::pipe::{From, POLL_INTERVAL, Passed, Pipe, Position};

/// How long a connection is silent before a comment shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What can be listened to.
pub(crate) struct Events {
    /// From the table's stream to events.
    pub(crate) pipe: Pipe,
    /// The `event` of each.
    pub(crate) detail_type: String,
    /// The functions, to be asked who may see what.
    pub(crate) functions: Router,
    /// True when the stack stops.
    pub(crate) stopped: watch::Receiver<bool>,
}

pub(crate) fn router(events: Events) -> Router {
    Router::new().route("/v1/events", get(listen)).with_state(Arc::new(events))
}

async fn listen(State(events): State<Arc<Events>>, parts: Parts) -> Response {
    let listener = match Listener::new(events, &parts) {
        Ok(listener) => listener,
        Err(problem) => return refusal(&problem),
    };
    let events = futures::stream::unfold(listener, Listener::next);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A caller who listens, and how far he is.
struct Listener {
    events: Arc<Events>,
    authorization: HeaderValue,
    position: Position,
    /// Read from the stream and not looked at yet.
    ahead: VecDeque<Passed>,
    stopped: watch::Receiver<bool>,
}

impl Listener {
    fn new(events: Arc<Events>, parts: &Parts) -> Result<Listener, Problem> {
        authorize(parts, scope::WALLETS_READ)?;
        let authorization = parts.headers[header::AUTHORIZATION].clone();
        let from = match parts.headers.get("last-event-id") {
            None => From::Now,
            Some(id) => From::After(id.to_str().unwrap_or_default()),
        };
        let position = events.pipe.position(from).map_err(|error| match from {
            From::After(_) => Problem::malformed("`Last-Event-ID` is no id of an event."),
            From::Now | From::Oldest => Problem::internal(format!("{error:#}")),
        })?;
        let stopped = events.stopped.clone();
        Ok(Listener { events, authorization, position, ahead: VecDeque::new(), stopped })
    }

    /// The next event that the caller may see; `None` ends the stream.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Listener)> {
        loop {
            while let Some(passed) = self.ahead.pop_front() {
                if *self.stopped.borrow() {
                    return None;
                }
                if self.may_see(&passed).await? {
                    let event = Event::default().id(passed.sequence_number).event(&self.events.detail_type);
                    return Some((Ok(event.data(passed.body)), self));
                }
            }
            let batch = self.events.pipe.read(&self.position);
            let batch = batch.inspect_err(|error| tracing::error!("a listener's pipe failed: {error:#}")).ok()?;
            self.position = batch.next;
            self.ahead = batch.passed.into();
            if batch.read == 0 {
                tokio::select! {
                    // An error says that the stack is gone.
                    _ = self.stopped.wait_for(|stopped| *stopped) => return None,
                    () = tokio::time::sleep(POLL_INTERVAL) => {}
                }
            }
        }
    }

    /// Whether the caller may see the transaction; `None` if that cannot be told.
    async fn may_see(&self, passed: &Passed) -> Option<bool> {
        let detail: Value = serde_json::from_str(&passed.body).ok()?;
        let uri = format!("/v1/transactions/{}", detail["transaction_id"].as_str()?);
        let request = Request::get(uri).header(header::AUTHORIZATION, &self.authorization).body(Body::empty()).ok()?;
        let Ok(response) = self.events.functions.clone().oneshot(request).await;
        match response.status() {
            StatusCode::OK => Some(true),
            StatusCode::NOT_FOUND => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
