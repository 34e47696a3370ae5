//! What a request has cost: calls, tries, waiting, and the capacity that DynamoDB reports.

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Counts over one request. Capacity is in half units, the smallest that DynamoDB bills (an eventually consistent read).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
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
