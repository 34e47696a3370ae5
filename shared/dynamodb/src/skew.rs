//! How far this process's clock is from the table's: each answer of DynamoDB says in its `Date` header what time it is there.
//!
//! Good to a second, which is enough to tell a clock that is minutes off.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use wallet_domain::{MAX_CLOCK_SKEW, Timestamp};

/// Tells the time. The only clock of the ledger, so that tests can set it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// No answer has said the time yet.
const UNHEARD: i64 = i64::MIN;

/// How far the clock was from the table's when the last answer came.
#[derive(Clone)]
pub(crate) struct Skew {
    clock: Clock,
    /// Own time less the table's, in seconds.
    seconds: Arc<AtomicI64>,
}

impl Skew {
    pub(crate) fn new(clock: Clock) -> Skew {
        Skew { clock, seconds: Arc::new(AtomicI64::new(UNHEARD)) }
    }

    /// True if DynamoDB must be asked for the time before anything is written: it has not answered yet, or its last answer
    /// said that the clock is wrong. Without another answer this process would never learn that the clock is right by now.
    pub(crate) fn has_to_be_asked(&self) -> bool {
        self.seconds.load(Ordering::Relaxed) == UNHEARD || self.beyond_bounds().is_some()
    }

    /// By how many seconds the clock is ahead of the table's, if that is more than clocks may differ; behind is negative.
    pub(crate) fn beyond_bounds(&self) -> Option<i64> {
        let seconds = Some(self.seconds.load(Ordering::Relaxed)).filter(|seconds| *seconds != UNHEARD)?;
        (seconds.unsigned_abs() > MAX_CLOCK_SKEW.as_secs().unsigned_abs()).then_some(seconds)
    }
}

impl fmt::Debug for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Skew({})", self.seconds.load(Ordering::Relaxed))
    }
}

impl Intercept for Skew {
    fn name(&self) -> &'static str {
        "Skew"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let theirs = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        // An answer without a date, as no DynamoDB gives it, says nothing against the clock.
        let seconds = theirs.map_or(0, |theirs| (self.clock)().as_second().saturating_sub(theirs.secs()));
        self.seconds.store(seconds, Ordering::Relaxed);
        Ok(())
    }
}
