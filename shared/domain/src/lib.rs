//! Wallets as pure values: money, ids, wallets, commands, refusals, and [`decide`], which makes every choice.
//!
//! The domain knows no clock, no randomness, no I/O and no AWS type: time and identity come in as arguments.
//! What it returns is either a [`Plan`], which the storage writes in one transaction, or a [`Refusal`].
//!
//! Invariants that hold for every value that this crate hands out:
//! - a [`Money`] has its currency's scale exactly and stays within ±[`MAX_MINOR_UNITS`];
//! - the legs of a [`Transaction`] sum to zero;
//! - a [`Plan`] raises the version of each wallet by exactly one, with exactly one [`Entry`] each, chained by hash.

mod command;
mod decide;
mod entry;
mod fee;
mod hash;
mod id;
mod money;
mod rebate;
mod rebated;
mod refusal;
mod text;
mod transaction;
mod wallet;

pub use command::{Amend, Caller, Change, Command, Deposit, Open, Order, PayRebate, Reverse, Transfer, Withdraw};
pub use decide::{Guard, Plan, Posting, Snapshots, decide, replay};
pub use entry::{Entry, GENESIS};
pub use fee::{FeeError, FeeSchedule};
pub use hash::{Digest, Hasher};
pub use id::{IdError, TransactionId, WalletId};
pub use jiff::Timestamp;
pub use money::{
    Amount, AmountError, BasisPoints, BasisPointsError, Bounds, BoundsError, Currency, CurrencyError, MAX_MINOR_UNITS,
    Money, MoneyError, Rounding,
};
pub use rebate::{RebateRule, RebateTerms, RuleId};
pub use rebated::{Month, Rebated};
pub use refusal::{Limit, Refusal};
pub use text::{IdempotencyKey, MAX_METADATA_BYTES, Metadata, Owner, Reference, TextError};
pub use transaction::{Account, Kind, Leg, Outcome, Transaction};
pub use wallet::{Counters, Limits, Status, Wallet};
