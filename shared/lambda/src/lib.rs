//! The edge of every function: event in, one command or query, JSON or RFC 9457 problem out, one line in the log.
//!
//! A function implements [`Function`] and asks its [`Call`] for what the request holds; each answer is a valid value of
//! the domain or the [`Problem`] that says what is wrong. Nothing here decides about money, and nothing here but [`App`]
//! and the functions' own reads does I/O.

mod amount;
mod app;
mod call;
mod claims;
mod cursor;
mod deadline;
#[cfg(test)]
mod event;
mod function;
mod json;
mod log;
mod metrics;
#[cfg(feature = "openapi")]
pub mod openapi;
mod order;
mod problem;
mod queue;
mod reply;
mod request;
mod response;
mod route;
#[cfg(feature = "openapi")]
mod schema;
mod settings;
mod view;

pub use amount::{AmountText, currency, metadata};
pub use app::App;
pub use call::{Call, DRY_RUN, PAGING, Paging};
pub use claims::scope;
pub use cursor::{List, Position};
pub use deadline::{bounded, caught, deadline};
pub use function::{Function, answer, serve, serve_queue, serve_schedule, serve_sender};
pub use json::{Count, Object, Texts};
pub use log::{Line, log_to};
pub use metrics::{Metric, Unit, emit};
pub use order::{OrderBody, optional, order, parsed};
pub use problem::{Code, Problem, problem_response};
pub use queue::{Message, Report, Task, work, work_until};
pub use reply::Reply;
pub use request::request;
pub use route::Routes;
pub use settings::{Settings, SettingsError};
pub use view::{EntryView, HoldView, PastView, QueuedView, TransactionView, WalletView, may_see};
pub use wallet_dynamodb::{Done, Record, Strategy, Usage, stream};
