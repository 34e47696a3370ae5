//! Times: what is recorded, what is counted by, and how far ahead a stored time is believed.
//!
//! Knows no clock. Functions run on many machines, and one of their clocks may be wrong: a stored time that lies farther
//! ahead than clocks may differ stops nobody.

use jiff::{SignedDuration, Timestamp};

/// How far a clock may be from the table's: a function whose clock is farther decides nothing.
pub const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// When a decision is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// What is recorded: the clock's time to the millisecond, or the newest time of the wallets concerned if that is
    /// later, so that the times of a wallet's entries never go back.
    pub(crate) recorded: Timestamp,
    /// What limits and rules go by: `recorded`, so that what was counted can be recomputed from the entries; the clock's
    /// time where `recorded` lies farther ahead than clocks may differ.
    pub(crate) now: Timestamp,
    /// The clock's time to the millisecond: what a caller waits by.
    pub(crate) clock: Timestamp,
}

impl Moment {
    /// The moment of a decision by `clock`, about wallets whose newest entries are of the times `touched`.
    pub(crate) fn of(clock: Timestamp, touched: impl IntoIterator<Item = Timestamp>) -> Moment {
        let clock = to_the_millisecond(clock);
        let recorded = touched.into_iter().fold(clock, Timestamp::max);
        let now = if recorded <= believed_until(clock) { recorded } else { clock };
        Moment { recorded, now, clock }
    }
}

/// Milliseconds are what the table keeps and what hashes cover.
fn to_the_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// The latest time that is believed at `now`: of two clocks, one may be ahead of the table's as far as the other is behind.
#[must_use]
pub fn believed_until(now: Timestamp) -> Timestamp {
    now.saturating_add(MAX_CLOCK_SKEW * 2).unwrap_or(Timestamp::MAX)
}
