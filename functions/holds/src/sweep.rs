//! The sweep, which a schedule calls. It releases the overdue holds of all wallets, up to 49 of a wallet at once, and gives
//! queued requests that have waited for ten minutes an outcome, whatever became of their messages.
//!
//! What a sweep leaves, since others were at work on the wallet or the time was over, the next one finds: nothing is lost by
//! a run that fails, and nothing is released twice by two that run at once.

use std::time::{Duration, Instant};

use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};
use tokio::time::Instant as Until;
use wallet_lambda::{App, Metric, Unit, Usage, deadline, emit};

/// The function's name.
pub const NAME: &str = "sweep";

/// How long the queue has for a request before the sweep looks after it.
const PATIENCE: Duration = Duration::from_secs(600);
/// Requests of each share of the index that one sweep looks after.
const REQUESTS: i32 = 20;

/// Releases overdue holds and executes overdue requests, whatever the schedule's event says, and answers with what it has
/// done.
///
/// # Errors
/// When the index cannot be read, or the clock is too far from the table's to go by.
pub async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (started, request_id) = (Instant::now(), event.context.request_id.as_str());
    let until = deadline(Some(&event.context));
    let (mut usage, mut beside) = (Usage::within(Some(until)), Usage::within(Some(until)));
    // Side by side, so that a storm of the one does not leave out the other.
    let (swept, requests) = tokio::join!(app.ledger().sweep(&mut usage), requests(app, until, &mut beside));
    let failed = |of, cause: &dyn std::fmt::Display| {
        tracing::error!(function = NAME, request_id, code = "sweep_failed", of, %cause, "not done");
    };
    let swept = swept.inspect_err(|error| failed("holds", error));
    let requests = requests.inspect_err(|error| failed("requests", error));
    let (released, executed) = (swept.as_ref().ok(), requests.as_ref().ok());
    // The log says what one of the two has done even if the other has failed.
    tracing::info!(
        function = NAME,
        request_id,
        released = released.map(|swept| swept.released),
        transactions = released.map(|swept| swept.transactions),
        wallets_left = released.map(|swept| swept.left),
        requests = executed,
        oldest_ms = released.map(|swept| swept.oldest_ms),
        calls = usage.calls + beside.calls,
        conflicts = usage.conflicts + beside.conflicts,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "done"
    );
    let swept = swept?;
    emit(&[
        Metric { name: "HoldsReleased", unit: Unit::Count, value: swept.released },
        Metric { name: "WalletsLeft", unit: Unit::Count, value: swept.left },
        Metric { name: "OldestExpiry", unit: Unit::Milliseconds, value: swept.oldest_ms },
    ]);
    let requests = requests?;
    Ok(json!({
        "released": swept.released,
        "transactions": swept.transactions,
        "wallets_left": swept.left,
        "requests": requests,
        "oldest_ms": swept.oldest_ms,
    }))
}

/// Executes requests that have waited for long, or ends them as failed; returns how many.
async fn requests(app: &App, until: Until, usage: &mut Usage) -> Result<u64, Error> {
    let before = app.ledger().now().saturating_sub(PATIENCE)?;
    let mut executed = 0;
    for id in app.ledger().overdue_requests(before, REQUESTS, usage).await? {
        if Until::now() >= until {
            break;
        }
        match app.resume(id, usage).await {
            Ok(_) => executed += 1,
            // The next sweep finds it.
            Err(error) => tracing::warn!(function = NAME, transaction_id = %id, cause = %error, "it waits on"),
        }
    }
    Ok(executed)
}
