//! Work that takes a while, as server-sent events: `progress` while it goes on, and at its end what came of it, or `problem`. The
//! format: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.
//!
//! The work is done for who listens: hanging up drops it, and so does the stack's end.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};
use uuid::Uuid;
use wallet_lambda::{Problem, problem_response};

const EVERY: Duration = Duration::from_millis(200);

/// The name of the last event, and what it tells.
pub(crate) type Outcome = Result<(&'static str, Value), Problem>;

struct Work<P> {
    /// `None` once it is done.
    work: Option<Pin<Box<dyn Future<Output = Outcome> + Send>>>,
    progress: P,
    ticks: Interval,
    stopped: watch::Receiver<bool>,
}

/// Does `work`, telling `progress` every 200 ms.
pub(crate) fn told(
    stopped: watch::Receiver<bool>,
    progress: impl Fn() -> Value + Send + 'static,
    work: impl Future<Output = Outcome> + Send + 'static,
) -> Response {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = Work { work: Some(Box::pin(work)), progress, ticks, stopped };
    let mut response = Sse::new(futures::stream::unfold(work, next)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn next<P: Fn() -> Value>(mut at: Work<P>) -> Option<(Result<Event, Infallible>, Work<P>)> {
    let mut work = at.work.take()?;
    let event = tokio::select! {
        // An error says that the stack is gone.
        _ = at.stopped.wait_for(|stopped| *stopped) => return None,
        _ = at.ticks.tick() => {
            at.work = Some(work);
            Event::default().event("progress").data((at.progress)().to_string())
        }
        outcome = &mut work => match outcome {
            Ok((name, told)) => Event::default().event(name).data(told.to_string()),
            Err(problem) => {
                let response = problem_response(&problem, &Uuid::new_v4().to_string());
                Event::default().event("problem").data(String::from_utf8_lossy(response.body()))
            }
        },
    };
    Some((Ok(event), at))
}
