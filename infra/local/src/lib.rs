//! The local stack.

mod data_file;
pub mod database;
mod gateway;
mod pipe;
mod poller;
pub mod queue;
pub mod template;
pub mod token;

/// The region that the local stack pretends to be in.
pub const REGION: &str = "us-east-1";
/// The account that the local stack pretends to be.
pub const ACCOUNT: &str = "000000000000";
