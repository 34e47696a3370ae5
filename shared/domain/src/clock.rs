//! Times: what is recorded, what is counted by, and how far ahead a stored time is believed.
//!
//! Knows no clock. Functions run on many machines, and one of their clocks may be wrong: a stored time that lies farther
//! ahead than clocks may differ stops nobody.

use jiff::{SignedDuration, Timestamp};

use crate::wallet::Wallet;

/// How far two clocks may differ: a stored time is believed up to this much beyond what it could be by one's own clock.
pub const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// When a decision is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// By the deciding function's clock, to the millisecond. Limits count by it.
    pub(crate) now: Timestamp,
    /// What is recorded: `now`, or the newest time of the wallets concerned if that is later, so that the times of a
    /// wallet's entries never go back.
    pub(crate) recorded: Timestamp,
}

impl Moment {
    pub(crate) fn of<'a>(now: Timestamp, wallets: impl IntoIterator<Item = &'a Wallet>) -> Moment {
        let now = to_the_millisecond(now);
        let recorded = wallets.into_iter().map(|wallet| wallet.updated_at).fold(now, Timestamp::max);
        Moment { now, recorded }
    }
}

/// Milliseconds are what the table keeps and what hashes cover.
fn to_the_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// The latest time that is believed at `now`.
#[must_use]
pub fn believed_until(now: Timestamp) -> Timestamp {
    now.saturating_add(MAX_CLOCK_SKEW).unwrap_or(Timestamp::MAX)
}
