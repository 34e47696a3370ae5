//! Wallets, transactions and entries as callers see them: amounts as text at the currency's full scale, times in UTC
//! with milliseconds. No caller is shown the balance or version of a wallet that he may not read.

mod entry;
mod hold;
mod past;
mod queued;
mod time;
mod transaction;
mod wallet;

pub use entry::EntryView;
pub use hold::HoldView;
pub use past::PastView;
pub use queued::QueuedView;
pub use transaction::{TransactionView, may_see};
#[allow(unreachable_pub, reason = "the API's description takes it")]
pub use wallet::AmendedView;
pub use wallet::WalletView;

#[cfg(test)]
mod tests;
