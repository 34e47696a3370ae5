//! How long and how often to try. Everything here is finite.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How a request meets others on the same wallet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Decide, then commit on the version; a lost race decides again.
    #[default]
    Optimistic,
    /// Take the wallets' leases first, then commit.
    Pessimistic,
}

impl Strategy {
    /// As callers and the environment spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Optimistic => "optimistic",
            Strategy::Pessimistic => "pessimistic",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be \"optimistic\" or \"pessimistic\"")]
pub struct StrategyError;

impl FromStr for Strategy {
    type Err = StrategyError;

    /// # Errors
    /// [`StrategyError`] for any other text.
    fn from_str(text: &str) -> Result<Strategy, StrategyError> {
        [Strategy::Optimistic, Strategy::Pessimistic]
            .into_iter()
            .find(|strategy| strategy.as_str() == text)
            .ok_or(StrategyError)
    }
}

/// Bounds on trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Rounds of deciding and committing before a request gives up. With the default back-off, ten rounds wait 0.9 s on
    /// average and 1.8 s at most.
    pub max_attempts: u32,
    /// The first back-off is at most this; each later one at most twice the one before.
    pub base_delay: Duration,
    /// No back-off is longer.
    pub max_delay: Duration,
    /// How long a lease holds. A function that dies with one blocks its wallets for no longer.
    pub lease: Duration,
    /// How long a pessimistic request waits for the leases of others.
    pub lock_wait: Duration,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            max_attempts: 10,
            base_delay: Duration::from_millis(10),
            max_delay: Duration::from_millis(250),
            lease: Duration::from_secs(3),
            lock_wait: Duration::from_secs(5),
        }
    }
}

impl Policy {
    /// Full jitter: anything from nothing to the exponential bound, so that those who collided once don't again.
    /// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    pub(crate) fn delay(&self, round: u32) -> Duration {
        let bound = self.base_delay.saturating_mul(1 << round.min(16)).min(self.max_delay);
        let micros = u64::try_from(bound.as_micros()).expect("a back-off is shorter than 584,000 years");
        Duration::from_micros(fastrand::u64(0..=micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_stay_within_the_exponential_bound_and_the_cap() {
        let policy = Policy::default();
        for round in [0, 1, 4, 5, 31, u32::MAX] {
            let bound = policy.base_delay.saturating_mul(1 << round.min(16)).min(policy.max_delay);
            assert!((0..200).all(|_| policy.delay(round) <= bound));
        }
    }
}
