//! Leases: who holds a wallet, until when, and how far ahead that is believed.
//!
//! A lease is a courtesy that saves work. What keeps money right is the version: taking a lease raises nothing, and a
//! holder that comes too late is refused by the version that the next one raised.

use std::time::Duration;

use wallet_domain::{Timestamp, believed_until};

/// The longest lease that a deployment can set.
pub const MAX_LEASE: Duration = Duration::from_secs(60);

/// The latest end of a lease that is believed at `now`: that of the longest lease, taken by a clock as far ahead as clocks
/// may be.
pub(crate) fn latest_end(now: Timestamp) -> Timestamp {
    believed_until(now).saturating_add(MAX_LEASE).unwrap_or(Timestamp::MAX)
}

/// Who holds a lease: one request, by a random name.
#[derive(Debug, Clone)]
pub(crate) struct Holder(pub(crate) String);

impl Holder {
    pub(crate) fn new() -> Holder {
        Holder(format!("lease_{:032x}", fastrand::u128(..)))
    }
}

/// What a wallet's item says about its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) holder: String,
    pub(crate) until: Timestamp,
}

impl Lease {
    pub(crate) fn is_of(&self, holder: &Holder) -> bool {
        self.holder == holder.0
    }

    /// True for the lease of another that is not over at `now`, and that ends no later than any lease could.
    pub(crate) fn bars(&self, holder: &Holder, now: Timestamp) -> bool {
        !self.is_of(holder) && self.until > now && self.until <= latest_end(now)
    }
}
