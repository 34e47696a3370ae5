//! What a request may use, and has used: time, calls, tries, waiting, and the capacity that DynamoDB reports.

use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::ConsumedCapacity;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::time::Instant;

use crate::fault::{Class, Fault};

/// Counts over one request. Capacity is in half units, the smallest that DynamoDB bills (an eventually consistent read).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// No read, try or wait goes on beyond this. Without it, only their own bounds count.
    pub until: Option<Instant>,
    /// DynamoDB operations sent. What the SDK repeats by itself counts once.
    pub calls: u32,
    /// Rounds of deciding and committing.
    pub attempts: u32,
    /// Rounds that were lost to another request on the same wallet.
    pub conflicts: u32,
    /// Time spent waiting for leases of others, in milliseconds.
    pub lock_wait_ms: u64,
    write_half_units: u64,
    read_half_units: u64,
}

impl Usage {
    /// Nothing used yet; nothing goes on beyond `until`.
    #[must_use]
    pub fn within(until: Option<Instant>) -> Usage {
        Usage { until, ..Usage::default() }
    }

    /// Write capacity units consumed, in halves.
    #[must_use]
    pub fn write_half_units(&self) -> u64 {
        self.write_half_units
    }

    /// Read capacity units consumed, in halves.
    #[must_use]
    pub fn read_half_units(&self) -> u64 {
        self.read_half_units
    }

    /// For a call that goes on beside others of the same request; [`Usage::add`] brings it back.
    pub(crate) fn beside(&self) -> Usage {
        Usage::within(self.until)
    }

    pub(crate) fn add(&mut self, beside: &Usage) {
        let Usage { until: _, calls, attempts, conflicts, lock_wait_ms, write_half_units, read_half_units } = beside;
        self.calls += calls;
        self.attempts += attempts;
        self.conflicts += conflicts;
        self.lock_wait_ms += lock_wait_ms;
        self.write_half_units += write_half_units;
        self.read_half_units += read_half_units;
    }

    pub(crate) fn is_out_of_time(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }

    /// Waits so long, or until the time is over.
    pub(crate) async fn sleep(&self, delay: Duration) {
        let end = Instant::now() + delay;
        tokio::time::sleep_until(self.until.map_or(end, |until| until.min(end))).await;
    }

    /// What `work` comes to; `None` when the time is over first.
    pub(crate) fn in_time<T>(&self, work: impl Future<Output = T> + Send) -> impl Future<Output = Option<T>> + Send {
        let until = self.until;
        // In a box: layers of the SDK under layers of our own are too deep for the compiler in one piece.
        let work = Box::pin(work);
        async move {
            match until {
                Some(until) => tokio::time::timeout_at(until, work).await.ok(),
                None => Some(work.await),
            }
        }
    }

    /// The answer to a read. One that does not come in time has moved nothing.
    pub(crate) fn answer<T, E>(
        &self,
        operation: &'static str,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> impl Future<Output = Result<T, Fault>> + Send
    where
        T: Send,
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        // Put into its box before anything of our own is around it.
        let sent = self.in_time(sent);
        async move {
            let answer = sent.await.ok_or_else(|| Fault::late(operation, Class::Throttled))?;
            answer.map_err(|error| Fault::from_sdk(operation, error))
        }
    }

    pub(crate) fn wrote<'a>(&mut self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.write_half_units += half_units(capacity);
    }

    pub(crate) fn read<'a>(&mut self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.read_half_units += half_units(capacity);
    }
}

fn half_units<'a>(capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) -> u64 {
    // The SDK hands units over as floating point; twice the units is a small whole number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "capacity is small and never negative")]
    capacity.into_iter().filter_map(ConsumedCapacity::capacity_units).map(|units| (units * 2.0).round() as u64).sum()
}
