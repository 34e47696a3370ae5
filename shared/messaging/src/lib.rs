//! Where what follows from a movement is sent: queues (SQS) and the event bus (EventBridge).
//!
//! A sender cuts what it is given into batches as AWS takes them, has several under way at once, and says of each message
//! whether it was sent. Never reads or writes the ledger, and never looks into a message. Round trips: one for ten messages.

mod aws;
mod post;
mod sender;

pub use post::{EVENT_SOURCE, EVENT_TYPE, Group, Message, NotSent, Place, Post};
pub use sender::Sender;
