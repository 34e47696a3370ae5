//! How a command waits for leases of others: since when, how often it has looked, and when they are over. Knows no command,
//! and takes no lease.

use std::time::Duration;

use tokio::time::Instant;
use wallet_domain::Timestamp;

use crate::lease::Lease;
use crate::policy::Policy;
use crate::usage::Usage;

/// The time that a request has waited for leases of others.
#[derive(Default)]
pub(super) struct Waits {
    /// How often it has looked.
    polls: u32,
    /// Since when it waits.
    since: Option<Instant>,
    /// All earlier waits.
    before: Duration,
    /// When the leases that were seen last are over, if nobody gives them back before.
    until: Option<Timestamp>,
}

impl Waits {
    pub(super) fn begin(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn end(&mut self) {
        *self = Waits { before: self.time(), since: None, ..*self };
    }

    /// Notes the leases that are waited for; `false` if there is none.
    pub(super) fn are_for<'a>(&mut self, leases: impl Iterator<Item = &'a Lease>) -> bool {
        self.until = leases.map(|lease| lease.until).max();
        self.until.is_some()
    }

    /// When the leases that were seen last are over by themselves: a request that comes then meets none of them.
    pub(super) fn retry_after_seconds(&self, now: Timestamp) -> u64 {
        let left_ms = self.until.map_or(0, |until| until.duration_since(now).as_millis());
        u64::try_from(left_ms).unwrap_or(0).div_ceil(1000).max(1)
    }

    pub(super) fn time(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Waits before looking at a lease again: longer each time, so that many who wait do not slow the one who works.
    pub(super) async fn wait(&mut self, policy: &Policy, usage: &Usage) {
        let delay = policy.delay(2 + self.polls).min(policy.lock_wait.saturating_sub(self.time()));
        self.polls = self.polls.saturating_add(1);
        usage.sleep(delay).await;
    }
}
