//! Wallets, transactions and entries as callers see them: amounts as text at the currency's full scale, times in UTC
//! with milliseconds. Never shows a stranger's balance or version.

mod entry;
mod time;
mod transaction;
mod wallet;

pub use entry::EntryView;
pub use transaction::{TransactionView, may_see};
pub(crate) use wallet::AmendedView;
pub use wallet::WalletView;

#[cfg(test)]
mod tests;
