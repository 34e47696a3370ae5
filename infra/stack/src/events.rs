//! `GET /v1/events` of the local stack: what the cloud publishes on its event bus, as server-sent events.
//!
//! Each is the `detail` of an event, as the `publish` function put it on the bus; its id is its number there, and
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
use wallet_messaging::EVENT_TYPE;

use crate::bus::{Bus, Published};
use crate::gateway::{authorize, refusal};

/// How long a connection is silent before a comment shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Events of one look at the bus.
const READ_LIMIT: u32 = 100;

/// What can be listened to.
pub(crate) struct Events {
    pub(crate) bus: Arc<Bus>,
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
    /// Told of new events.
    newest: watch::Receiver<i64>,
    /// Of the last event that was read.
    position: i64,
    /// Read from the bus and not looked at yet.
    ahead: VecDeque<Published>,
    stopped: watch::Receiver<bool>,
}

impl Listener {
    fn new(events: Arc<Events>, parts: &Parts) -> Result<Listener, Problem> {
        authorize(parts, scope::WALLETS_READ)?;
        let authorization = parts.headers[header::AUTHORIZATION].clone();
        let newest = events.bus.newest();
        let last = *newest.borrow();
        let position = match parts.headers.get("last-event-id") {
            None => last,
            Some(id) => {
                let number =
                    id.to_str().ok().and_then(|id| id.parse().ok()).filter(|number| (0..=last).contains(number));
                number.ok_or_else(|| Problem::malformed("`Last-Event-ID` is no id of an event."))?
            }
        };
        let stopped = events.stopped.clone();
        Ok(Listener { events, authorization, newest, position, ahead: VecDeque::new(), stopped })
    }

    /// The next event that the caller may see; `None` ends the stream.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Listener)> {
        loop {
            while let Some(published) = self.ahead.pop_front() {
                if *self.stopped.borrow() {
                    return None;
                }
                if self.may_see(&published).await? {
                    let event = Event::default().id(published.number.to_string()).event(EVENT_TYPE);
                    return Some((Ok(event.data(published.detail)), self));
                }
            }
            self.newest.mark_unchanged();
            let read = self.events.bus.after(self.position, READ_LIMIT);
            self.ahead = read.inspect_err(|error| tracing::error!("the bus failed: {error:#}")).ok()?.into();
            match self.ahead.back() {
                Some(last) => self.position = last.number,
                None => tokio::select! {
                    // An error says that the stack is gone.
                    _ = self.stopped.wait_for(|stopped| *stopped) => return None,
                    changed = self.newest.changed() => changed.ok()?,
                },
            }
        }
    }

    /// Whether the caller may see the transaction; `None` if that cannot be told.
    async fn may_see(&self, published: &Published) -> Option<bool> {
        let detail: Value = serde_json::from_str(&published.detail).ok()?;
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
