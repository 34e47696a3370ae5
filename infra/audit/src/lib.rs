//! The audit: recomputes every wallet from its entries and every transaction from its legs, and says what disagrees.
//!
//! Reads only. Memory stays flat as the table grows: each item is forgotten once the next page is read. What is kept are the
//! findings (bounded), for each segment 1 MiB of sums and the two sums of a checkpoint, the holds of the wallet at hand, and in
//! a second look some 10,000 credits.
//!
//! A scan is not one moment in time: while money moves, a wallet may be newer than its entries that were read before
//! it. So whatever looks wrong about a wallet is looked at again by itself before it is reported: the wallet is read, then
//! its entries, which never change once written, up to that version, then the wallet again. Entries and transactions
//! are matched by sums of keyed hashes in 65,536 buckets, where an entry adds what its transaction's leg takes away, and a
//! deposit adds what the record of its rebate takes away; only what falls into a bucket that doesn't come out at zero is read
//! again, each with its counterpart. docs/auditing.md says of everything else how it is settled.

pub mod bucket;
mod chain;
pub mod checkpoint;
mod finding;
pub mod function;
mod holds;
mod inbox;
mod known;
mod legs;
mod matching;
mod months;
mod overdraft;
mod overdue;
mod reader;
mod rebate;
mod related;
mod report;
mod reversal;
mod row;
mod run;
mod set_hash;
mod tally;
mod target;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use finding::{Check, Finding};
pub use report::{Report, Sums};
pub use run::{Audit, Progress, REBATE_OVERDUE};
pub use target::connect;
