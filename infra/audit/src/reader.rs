//! The reads of an audit: what they cost, and no faster than they may.

use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use wallet_domain::{Entry, WalletId};
use wallet_dynamodb::scan::{Cursor, Key, Scanned};
use wallet_dynamodb::{Fault, Ledger, Page, Usage};

/// A ledger that is only read, by all segments together at one pace.
pub(crate) struct Reader {
    ledger: Ledger,
    pace: Option<NonZeroU32>,
    start: OnceLock<Instant>,
    half_units: AtomicU64,
}

impl Reader {
    /// Reads no more than `pace` capacity units in a second, on average since its first read; as fast as it can without.
    pub(crate) fn new(ledger: Ledger, pace: Option<NonZeroU32>) -> Reader {
        Reader { ledger, pace, start: OnceLock::new(), half_units: AtomicU64::new(0) }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Capacity units consumed so far.
    pub(crate) fn units(&self) -> u64 {
        self.half_units.load(Ordering::Relaxed).div_ceil(2)
    }

    pub(crate) async fn scan(
        &self,
        segment: u32,
        segments: u32,
        from: Option<Cursor>,
    ) -> Result<Page<Scanned, Cursor>, Fault> {
        let mut usage = self.begin();
        let page = self.ledger.scan(segment, segments, from, &mut usage).await;
        self.paid(usage).await;
        page
    }

    pub(crate) async fn history(
        &self,
        wallet: WalletId,
        oldest_first: bool,
        from: Option<Cursor>,
    ) -> Result<Page<Scanned, Cursor>, Fault> {
        let mut usage = self.begin();
        let page = self.ledger.history(wallet, oldest_first, from, &mut usage).await;
        self.paid(usage).await;
        page
    }

    pub(crate) async fn run_up_to(&self, wallet: WalletId, version: u64) -> Result<Vec<Entry>, Fault> {
        let mut usage = self.begin();
        let rows = self.ledger.run_up_to(wallet, version, &mut usage).await;
        self.paid(usage).await;
        rows
    }

    pub(crate) async fn inbox(&self, wallet: WalletId, from: Option<Cursor>) -> Result<Page<Scanned, Cursor>, Fault> {
        let mut usage = self.begin();
        let page = self.ledger.inbox(wallet, from, &mut usage).await;
        self.paid(usage).await;
        page
    }

    pub(crate) async fn holds(&self, wallet: WalletId, from: Option<Cursor>) -> Result<Page<Scanned, Cursor>, Fault> {
        let mut usage = self.begin();
        let page = self.ledger.scan_holds(wallet, from, &mut usage).await;
        self.paid(usage).await;
        page
    }

    pub(crate) async fn look_up(&self, keys: &[Key]) -> Result<Vec<Scanned>, Fault> {
        let mut usage = self.begin();
        let found = self.ledger.look_up(keys, &mut usage).await;
        self.paid(usage).await;
        found
    }

    fn begin(&self) -> Usage {
        self.start.get_or_init(Instant::now);
        Usage::default()
    }

    /// Waits until what was read so far may have been read.
    async fn paid(&self, usage: Usage) {
        let mine = usage.read_half_units();
        let half_units = self.half_units.fetch_add(mine, Ordering::Relaxed) + mine;
        if let (Some(pace), Some(start)) = (self.pace, self.start.get()) {
            tokio::time::sleep_until(*start + due(half_units, pace)).await;
        }
    }
}

/// How long so many half units take at least.
fn due(half_units: u64, pace: NonZeroU32) -> Duration {
    Duration::from_millis(half_units.saturating_mul(500) / u64::from(pace.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_take_their_time() {
        let check = |half_units, pace, ms| {
            let pace = NonZeroU32::new(pace).expect("a pace");
            assert_eq!(due(half_units, pace), Duration::from_millis(ms));
        };
        check(0, 1, 0);
        check(2, 1, 1000);
        check(3000, 1500, 1000);
        check(1, 1500, 0);
        check(2 * 1_350_000, 1500, 900_000);
    }
}
