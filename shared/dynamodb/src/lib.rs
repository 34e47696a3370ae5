//! The ledger on one DynamoDB table: load, commit, and the loop between them that runs a command to its end.
//!
//! Every write is one `TransactWriteItems`; no other writing call exists in this crate. Nothing here asks a business
//! question: [`wallet_domain::decide`] makes every choice, and each write says what its failed condition means, so that
//! cancellation reasons are read by position and never by text.
//!
//! | request | DynamoDB calls |
//! |---|---|
//! | deposit, withdrawal, transfer or payout, optimistic, wallets not seen before | 2: read, commit |
//! | the same on wallets that this process wrote last | 1: commit |
//! | the same, pessimistic | 3: read, lease, commit (2 on wallets that this process wrote last) |
//! | each lost race | +1: the failed commit brought the fresh wallet along |
//! | a replay | 1 |
//! | a refusal that one wallet gave, and that is recorded | 2: read, record |
//! | any other refusal | 2: read, read all at one moment (and record it, where it is recorded) |
//! | a dry run | 1: read all at one moment |
//! | several requests of one wallet together | 2: read, commit; each lost race +2 |

mod cache;
mod commit;
mod dry_run;
mod execute;
mod expression;
mod fault;
mod holds;
mod inbox;
mod item;
mod items;
mod lease;
mod ledger;
mod lists;
mod names;
mod outcome;
mod past;
mod policy;
mod queued;
mod read;
pub mod scan;
mod skew;
pub mod stream;
mod together;
mod transact;
mod usage;

pub use aws_sdk_dynamodb;
pub use dry_run::DryRun;
pub use fault::Fault;
pub use holds::Swept;
pub use inbox::Settled;
pub use item::Item;
pub use items::{Queued, Record, item_of_queued, items_of, items_of_posting};
pub use lease::MAX_LEASE;
pub use ledger::{Ledger, timeouts};
pub use lists::{Page, Place};
pub use names::{ATTEMPTS_INDEX, DUE_INDEX, OWNER_INDEX, REFERENCE_INDEX};
pub use outcome::{Done, ExecuteError};
pub use past::Past;
pub use policy::{Policy, Strategy, StrategyError};
pub use queued::Accepted;
pub use skew::Clock;
pub use usage::Usage;
