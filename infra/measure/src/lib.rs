//! The measurements: contention, the rebates' lag, cold starts, and the audit's speed.
//!
//! Each runs on a table of its own, says what it measured in a table of text, and fails if what it leaves behind doesn't add
//! up by the audit. Times are of this machine. Development only, and never part of a function.

pub mod audit_speed;
mod caller;
mod check;
pub mod cold_start;
pub mod contention;
mod http;
pub mod rebates;
mod requests;
mod text;

pub use http::{Caller, Repeated};
