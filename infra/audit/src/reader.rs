//! The reads of an audit: what they cost, and no faster than they may.

use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use wallet_domain::{Entry, WalletId};
use wallet_dynamodb::scan::{Cursor, Key, Part, Scanned};
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
        self.paced(async |usage| self.ledger.scan(segment, segments, from, usage).await).await
    }

    pub(crate) fn pages(&self, part: Part, wallet: WalletId) -> Pages<'_> {
        Pages { reader: self, part, wallet, next: Some(None) }
    }

    pub(crate) async fn run_up_to(&self, wallet: WalletId, version: u64) -> Result<Vec<Entry>, Fault> {
        self.paced(async |usage| self.ledger.run_up_to(wallet, version, usage).await).await
    }

    pub(crate) async fn look_up(&self, keys: &[Key]) -> Result<Vec<Scanned>, Fault> {
        self.paced(async |usage| self.ledger.look_up(keys, usage).await).await
    }

    /// Reads, and waits until what was read so far may have been read.
    async fn paced<T>(&self, read: impl AsyncFnOnce(&mut Usage) -> T) -> T {
        let (start, mut usage) = (*self.start.get_or_init(Instant::now), Usage::default());
        let found = read(&mut usage).await;
        let mine = usage.read_half_units();
        let half_units = self.half_units.fetch_add(mine, Ordering::Relaxed) + mine;
        if let Some(pace) = self.pace {
            tokio::time::sleep_until(start + due(half_units, pace)).await;
        }
        found
    }
}

/// Reads part of what a wallet has, page by page.
pub(crate) struct Pages<'a> {
    reader: &'a Reader,
    part: Part,
    wallet: WalletId,
    /// Where the next page begins; `None` after the last.
    next: Option<Option<Cursor>>,
}

impl Pages<'_> {
    /// The next page; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Scanned>>, Fault> {
        let (Some(from), ledger) = (self.next.take(), &self.reader.ledger) else { return Ok(None) };
        let page = self.reader.paced(async |usage| ledger.page_of(self.part, self.wallet, from, usage).await).await?;
        self.next = page.next.map(Some);
        Ok(Some(page.items))
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
