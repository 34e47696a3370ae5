//! Snapshots of wallets that this process wrote last, so that its next commit on them needs no read; used only as long as
//! they prove fresh.
//!
//! A snapshot may be stale: then the version condition of the commit fails, and no refusal rests on a snapshot. But a stale
//! one wastes a whole transaction, and where many processes write the same wallets nearly every one is stale. So the cache
//! estimates the share of stale ones, from commits that rest on snapshots and from reads of wallets that it has snapshots of.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use wallet_domain::{Credits, Wallet, WalletId};

/// About half a kilobyte each: 4,096 snapshots are 2 MB of a function's memory.
const SNAPSHOTS: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");

/// A share of one: all snapshots are stale.
const WHOLE: u32 = 1 << 16;
/// A stale snapshot costs a transfer 10 write units, a fresh one saves it 3 read units, and a write unit costs five read
/// units (list price of on-demand tables, 2026): snapshots pay while fewer than 3 in 50 are stale. For a deposit it is 2
/// read units against 6 write units: 2 in 30, about the same.
const MOST_STALE: u32 = WHOLE * 3 / 50;
/// Each outcome counts for a sixteenth: one stale snapshot is enough to read again until others prove fresh.
const WEIGHT: u32 = 16;

pub(crate) struct Cache {
    snapshots: Mutex<LruCache<WalletId, Wallet>>,
    /// The share of snapshots that proved stale of late, in parts of [`WHOLE`].
    stale: AtomicU32,
}

impl Cache {
    /// The snapshots of all of `ids`, whether they pay or not; `None` if one is missing.
    pub(crate) fn all(&self, ids: &[WalletId]) -> Option<Vec<Wallet>> {
        let mut snapshots = self.lock();
        ids.iter().map(|id| snapshots.get(id).cloned()).collect()
    }

    /// Whether a snapshot is likely enough fresh to rest a commit on it.
    pub(crate) fn pays(&self) -> bool {
        self.stale.load(Ordering::Relaxed) <= MOST_STALE
    }

    /// Notes that snapshots were, or would have been, fresh or stale.
    pub(crate) fn proved(&self, fresh: bool) {
        let seen = if fresh { 0 } else { WHOLE };
        // Two at once may count as one; the share is an estimate.
        let before = self.stale.load(Ordering::Relaxed);
        self.stale.store(before - before / WEIGHT + seen / WEIGHT, Ordering::Relaxed);
    }

    pub(crate) fn keep(&self, wallet: &Wallet) {
        if wallet.credits == Credits::Batched {
            // Folds change it all the time.
            return self.forget(&[wallet.id]);
        }
        let mut snapshots = self.lock();
        // Two requests of one process may report in either order; the newer version is the one to keep.
        if snapshots.peek(&wallet.id).is_none_or(|kept| kept.version < wallet.version) {
            snapshots.put(wallet.id, wallet.clone());
        }
    }

    pub(crate) fn forget(&self, ids: &[WalletId]) {
        let mut snapshots = self.lock();
        for id in ids {
            snapshots.pop(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<WalletId, Wallet>> {
        // A panic while the lock was held leaves at worst a stale snapshot, which the version condition tolerates.
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Cache {
    fn default() -> Cache {
        Cache { snapshots: Mutex::new(LruCache::new(SNAPSHOTS)), stale: AtomicU32::new(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stale_snapshot_ends_their_use_until_others_prove_fresh() {
        let cache = Cache::default();
        assert!(cache.pays());
        cache.proved(false);
        assert!(!cache.pays());
        cache.proved(true);
        assert!(cache.pays());
        (0..100).for_each(|_| cache.proved(false));
        let fresh = (1..).find(|_| {
            cache.proved(true);
            cache.pays()
        });
        assert!((30..60).contains(&fresh.expect("it ends")), "{fresh:?} in a row");
        // Where one in twenty is stale they pay for most of the time, where one in five is they never do for long.
        let paid = |one_in: u32| {
            (0..10_000u32)
                .filter(|at| {
                    cache.proved(at % one_in != 0);
                    cache.pays()
                })
                .count()
        };
        assert!(paid(50) > 9_000 && paid(5) < 100, "{} {}", paid(50), paid(5));
    }
}
