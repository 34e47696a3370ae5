//! A wallet as it was: the newest row of its statement that is no later than a time, found by halving.
//!
//! Reads only, strongly consistent. Rows are never changed and their times never go back, so what the search finds is no less
//! true for being read bit by bit. How the times are spread does not matter, nor how many rows an item holds.
//!
//! Round trips: none where the time is not before the wallet's newest row. Else each probe reads [`ITEMS`] items and
//! halves the versions that are left around them: n versions take log2(n / ITEMS) probes at most, which is 18 for 1,000,000, and
//! fewer where items hold runs of rows. A probe's items are below 4 KB together, which is a read unit; with runs it is more.

use wallet_domain::{Entry, Money, Timestamp, Wallet, WalletId};

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::usage::Usage;

/// Items of one probe, of some 650 bytes where they hold one row.
const ITEMS: u8 = 4;

/// What a wallet's statement says of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// The version of then.
    pub version: u64,
    /// The balance of then.
    pub balance: Money,
    /// What holds kept back of it.
    pub held: Money,
    /// Since when it was so.
    pub since: Timestamp,
}

impl From<&Wallet> for Past {
    fn from(wallet: &Wallet) -> Past {
        Past { version: wallet.version, balance: wallet.balance, held: wallet.held, since: wallet.updated_at }
    }
}

impl From<&Entry> for Past {
    fn from(row: &Entry) -> Past {
        Past { version: row.version, balance: row.balance_after, held: row.held_after, since: row.created_at }
    }
}

impl Ledger {
    /// `wallet`, which was read for this request, as it was at `at`; `None` before its opening.
    ///
    /// # Errors
    /// [`Fault`] of the database or of the stored items.
    pub async fn wallet_at(&self, wallet: &Wallet, at: Timestamp, usage: &mut Usage) -> Result<Option<Past>, Fault> {
        if at < wallet.created_at {
            return Ok(None);
        }
        if at >= wallet.updated_at {
            return Ok(Some(Past::from(wallet)));
        }
        // Row `low` is no later than `at`, row `high` is later.
        let (mut low, mut high, mut found) = (0, wallet.version, None);
        while found.is_none() || high - low > 1 {
            let middle = low + (high - low) / 2;
            let top = (middle + u64::from(ITEMS) / 2).min(high.saturating_sub(1));
            let rows = self.visible(wallet.id, top, usage).await?;
            match rows.iter().find(|row| row.created_at <= at) {
                Some(row) => {
                    (low, found) = (row.version, Some(Past::from(row)));
                    if row.version < top {
                        // The row above it, which was read with it, is later.
                        break;
                    }
                }
                None => high = rows.last().map_or(low, |row| row.version),
            }
            if high <= low {
                return Err(Fault::damaged(format!("{}: rows that are later than those after them", wallet.id)));
            }
        }
        Ok(found)
    }

    /// Row `top` and some before it, newest first.
    async fn visible(&self, wallet: WalletId, top: u64, usage: &mut Usage) -> Result<Vec<Entry>, Fault> {
        for round in 0..self.policy.max_attempts {
            let rows = self.rows_between(wallet, 0..=top, ITEMS.into(), usage).await?;
            if rows.first().is_some_and(|row| row.version == top) {
                return Ok(rows);
            }
            // The wallet that a commit has written can be seen before the row that it wrote with it.
            usage.sleep(self.policy.delay(round)).await;
        }
        Err(Fault::damaged(format!("{wallet}: there is no row of version {top}")))
    }
}
