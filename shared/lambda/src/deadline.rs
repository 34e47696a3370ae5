//! How long one invocation may work: what Lambda leaves it, less what the answer itself takes.
//!
//! The ledger ends its reads, tries and waits at [`deadline`]. [`bounded`] ends whatever else may hang, a little later, so
//! that the caller is answered and the log has its line before Lambda ends the function.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime};

use futures::FutureExt as _;
use lambda_runtime::Context;
use tokio::time::{Instant, timeout_at};

use crate::problem::Problem;

/// From [`deadline`] to Lambda's own: [`LAST_RESORT`], and 400 ms for the log line, the metrics and handing over the answer.
/// These ask nobody but Lambda's own runtime, on the same machine; were the margin too small for them, Lambda would end the
/// function and the caller would get no answer.
const MARGIN: Duration = Duration::from_millis(500);
/// The ledger gives up at [`deadline`] by itself; this is the time it has to say so.
const LAST_RESORT: Duration = Duration::from_millis(100);
/// For events without a deadline, as tests and local tools have them: as long as API Gateway waits for an answer.
const UNSAID: Duration = Duration::from_secs(30);
/// For a deadline that this clock does not believe: half of the time-out that `template.yaml` gives each function of a route.
const DISBELIEVED: Duration = Duration::from_secs(5);
/// Lambda's longest time-out.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The instant after which the event of `context` is worked on no longer. Where the deadline has passed, or lies further ahead
/// than Lambda allows, this clock is not Lambda's: then the time is short, but no request goes unanswered.
pub fn deadline(context: Option<&Context>) -> Instant {
    let end = context.map_or(SystemTime::UNIX_EPOCH, Context::deadline);
    #[expect(clippy::disallowed_methods, reason = "the edge's clock: Lambda gives a time of day")]
    let left = end.duration_since(SystemTime::now());
    let left = match left {
        Ok(left) if left <= LONGEST => left.saturating_sub(MARGIN),
        _ if end == SystemTime::UNIX_EPOCH => UNSAID,
        _ => DISBELIEVED,
    };
    Instant::now() + left
}

/// Runs `work`, until shortly after `until` at most.
///
/// # Errors
/// Those of `work`, and `internal` where it panics or does not end.
pub async fn bounded<T>(until: Instant, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    match caught(timeout_at(until + LAST_RESORT, work)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Problem::internal("still at work when the function's time was up")),
        Err(panic) => Err(Problem::internal(panic)),
    }
}

/// Runs `work`; a panic in it becomes an error that says so, and harms nothing else.
///
/// # Errors
/// The panic's message.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let message = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    };
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| format!("panicked: {}", message(panic)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From now to the deadline of an event that Lambda ends after `seconds`.
    fn left(seconds: i64) -> Duration {
        #[expect(clippy::disallowed_methods, reason = "as Lambda does")]
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let mut context = Context::default();
        context.deadline = now.as_millis().try_into().map_or(0, |now: u64| now.saturating_add_signed(seconds * 1_000));
        let started = Instant::now();
        deadline(Some(&context)).duration_since(started)
    }

    #[test]
    fn what_lambda_leaves_less_the_margin_is_the_time_for_work() {
        for seconds in [3_i64, 10, 900] {
            let whole = Duration::from_secs(seconds.unsigned_abs());
            let late = whole - MARGIN - left(seconds);
            assert!(late < Duration::from_secs(1), "{seconds} s: {late:?} too early");
        }
    }

    #[test]
    fn without_a_deadline_or_with_one_that_cannot_be_there_is_a_bound_too() {
        for (seconds, expected) in [
            (i64::MIN / 2_000, UNSAID),
            (-1, DISBELIEVED),
            (-300, DISBELIEVED),
            (901, DISBELIEVED),
            (100_000_000, DISBELIEVED),
        ] {
            let left = left(seconds);
            assert!(left >= expected && left < expected + Duration::from_secs(1), "{seconds} s: {left:?}");
        }
        assert!(deadline(None).duration_since(Instant::now()) > UNSAID / 2);
    }
}
