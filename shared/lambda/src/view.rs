//! Wallets, transactions and entries as callers see them: amounts as text at the currency's full scale, times in UTC
//! with milliseconds. Never shows a stranger's balance or version.

mod entry;
mod transaction;
mod wallet;

use wallet_domain::Timestamp;

pub use entry::EntryView;
pub use transaction::{TransactionView, may_see};
pub use wallet::WalletView;

/// RFC 3339 with milliseconds, which is what the table keeps: `2026-11-21T03:07:00.000Z`.
fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests;
