//! Snapshots of wallets that this process wrote last, so that its next commit on them needs no read.
//!
//! A snapshot may be stale: the version condition of the commit tells. A refusal never rests on one.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use wallet_domain::{Wallet, WalletId};

/// About half a kilobyte each: 4,096 snapshots are 2 MB of a function's memory.
const DEFAULT_SNAPSHOTS: usize = 4096;

pub(crate) struct Cache(Option<Mutex<LruCache<WalletId, Wallet>>>);

impl Cache {
    /// Room for `snapshots`; none for 0.
    pub(crate) fn new(snapshots: usize) -> Cache {
        Cache(NonZeroUsize::new(snapshots).map(|room| Mutex::new(LruCache::new(room))))
    }

    /// All of `ids`, or nothing.
    pub(crate) fn all(&self, ids: &[WalletId]) -> Option<Vec<Wallet>> {
        if ids.is_empty() {
            return Some(vec![]);
        }
        let mut snapshots = self.lock()?;
        ids.iter().map(|id| snapshots.get(id).cloned()).collect()
    }

    pub(crate) fn keep(&self, wallet: &Wallet) {
        if let Some(mut snapshots) = self.lock() {
            // Two requests of one process may report in either order; the newer version is the one to keep.
            if snapshots.peek(&wallet.id).is_none_or(|kept| kept.version < wallet.version) {
                snapshots.put(wallet.id, wallet.clone());
            }
        }
    }

    pub(crate) fn forget(&self, ids: &[WalletId]) {
        if let Some(mut snapshots) = self.lock() {
            for id in ids {
                snapshots.pop(id);
            }
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, LruCache<WalletId, Wallet>>> {
        // A panic while the lock was held leaves at worst a stale snapshot, which the version condition tolerates.
        self.0.as_ref().map(|cache| cache.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Cache {
    fn default() -> Cache {
        Cache::new(DEFAULT_SNAPSHOTS)
    }
}
