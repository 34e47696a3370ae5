//! What is sent, where to, and why it was not sent: the words that the ways of sending share.

use futures::future::BoxFuture;

/// The `source` of our events.
pub const EVENT_SOURCE: &str = "wallet-functions";
/// The `detail-type` of our events.
pub const EVENT_TYPE: &str = "wallet.transaction";

/// Where something is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A queue, by its URL.
    Queue(&'a str),
    /// An event bus, by its name. What is sent is the `detail` of an event.
    Bus(&'a str),
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its text.
    pub body: String,
    /// For a FIFO queue.
    pub group: Option<Group>,
}

/// How a FIFO queue treats a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The messages of one group are given out in order, and none while one of them is worked on.
    pub id: String,
    /// Of the messages of a group that have this in common within five minutes, one is kept. At most 128 characters.
    pub deduplication: String,
}

/// Why a message was not sent. For operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotSent(pub String);

/// Takes messages to where they belong: AWS, or the local stack.
pub trait Post: Send + Sync {
    /// Sends a batch of ten messages at most, and says of each, in their order, what became of it.
    fn deliver<'a>(&'a self, place: Place<'a>, batch: &'a [Message]) -> BoxFuture<'a, Vec<Result<(), NotSent>>>;
}
