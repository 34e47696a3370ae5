//! Wallets as pure values: money, ids, wallets, verbs, refusals, and [`decide`], which makes every choice.
//!
//! The domain knows no clock, no randomness, no I/O and no AWS type: time and identity come in as arguments.
//! What it returns is either a [`Plan`], which the storage writes in one transaction, or a [`Refusal`].
//!
//! Invariants that hold for every value that this crate hands out:
//! - a [`Money`] has its currency's scale exactly and stays within ±[`MAX_MINOR_UNITS`];
//! - the legs of a [`Transaction`] sum to zero;
//! - a [`Plan`] is whole: each wallet's version rises by one for each row of its statement, chained by hash.

mod caller;
mod clock;
mod command;
mod credit;
mod entry;
mod fee;
mod hash;
mod hold;
mod hold_terms;
mod id;
mod inbox;
mod mark;
mod money;
mod movement;
mod plan;
mod rebate;
mod rebated;
mod refusal;
mod refusal_facts;
mod request;
mod shape;
mod snapshots;
mod text;
mod together;
mod transaction;
mod verb;
mod verbs;
mod wallet;

pub use caller::{Caller, Order, Payment};
pub use clock::{MAX_CLOCK_SKEW, believed_until};
pub use command::{decide, replay};
pub use credit::Credit;
pub use entry::Entry;
pub use fee::{FeeError, FeeSchedule};
pub use hash::{Digest, GENESIS, Hasher};
pub use hold::{HOLD_LIFETIME, Hold, HoldChange, HoldKey, MAX_CAPTURES, MAX_RELEASED};
pub use hold_terms::{HoldStatus, HoldTerms, Release};
pub use id::{IdError, TransactionId, WalletId};
pub use inbox::{Fold, Incoming, MAX_FOLD};
pub use jiff::{SignedDuration, Timestamp};
pub use mark::{Mark, MarkName};
pub use money::{
    Amount, AmountError, BasisPoints, BasisPointsError, Bounds, BoundsError, Currency, CurrencyError, MAX_MINOR_UNITS,
    Money, MoneyError, Rounding,
};
pub use plan::{Guard, NoPlan, Plan, Posting, Unsound};
pub use rebate::{RebateRule, RebateTerms, RuleId};
pub use rebated::{Month, Rebated};
pub use refusal::{Limit, Refusal};
pub use refusal_facts::Facts;
pub use request::{LONGEST_WAIT, Request, Terms};
pub use shape::{Legs, Place, Shape};
pub use snapshots::{Reads, Snapshots};
pub use text::{IdempotencyKey, MAX_METADATA_BYTES, Metadata, Owner, Reference, TextError};
pub use together::Together;
pub use transaction::{Account, Kind, Leg, Outcome, Transaction};
pub use verbs::*;
pub use wallet::{Counters, Credits, Limits, Status, Wallet};
