//! The local stack: the whole system in one process, on one machine, without the cloud.
//!
//! Embedded DynamoDB with its stream, queues and an event bus, and a gateway that hands real API Gateway events to the same
//! handlers that Lambda runs. Routes, table, queues and event sources are read from `template.yaml`. Development only: listens on
//! loopback, and its tokens are signed with a key that everybody knows.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use wallet_stack::{Options, Stack};
//!
//! let stack = Stack::start(Options::default()).await?;
//! let token = stack.token("alice", "wallets:read");
//! println!("curl {}/v1/wallets -H 'authorization: Bearer {token}'", stack.url());
//! stack.stop().await;
//! # Ok(())
//! # }
//! ```

mod admin;
pub mod api;
mod around;
mod bus;
mod caller;
pub mod clock;
mod data_file;
mod database;
mod events;
mod functions;
mod gateway;
pub mod in_flight;
mod names;
mod poller;
mod post;
pub mod queue;
mod reader;
mod remote;
mod stack;
pub mod steps;
mod stores;
pub mod template;
pub mod token;

pub use admin::{Failure, answer};
pub use around::around;
pub use caller::Caller;
pub use database::listen;
pub use functions::invoke;
pub use gateway::{Observer, Served, authorize, refusal};
pub use names::{ACCOUNT, REGION, TABLE};
pub use stack::{AdaptBatch, AdaptLedger, Beside, Options, Stack, Surroundings};
pub use stores::Stores;
