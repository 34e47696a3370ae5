//! What follows from a movement, from the stream's event to the queues and the bus: `dispatch`, `publish`, `settle`, `requests` and `sweep` by
//! themselves, over queues that refuse what the test says.

mod dispatch;
mod publish;
mod requests;
mod settle;
mod sweep;
mod together;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use futures::future::BoxFuture;
use serde_json::Value;
use wallet_messaging::{Message, NotSent, Place, Post, Sender};

/// Keeps what it is sent, by place, and refuses what holds one of the test's words.
#[derive(Default)]
struct Office {
    sent: Mutex<BTreeMap<String, Vec<Message>>>,
    refused: Mutex<Vec<String>>,
}

impl Office {
    fn sender(self: &Arc<Office>) -> Sender {
        Sender::by(Arc::clone(self) as Arc<dyn Post>)
    }

    /// What holds one of these words is refused from now on.
    fn refuse(&self, words: &[&str]) {
        *self.refused.lock().expect("no panic") = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// What this place was sent since it was last asked.
    fn take(&self, place: &str) -> Vec<Message> {
        self.sent.lock().expect("no panic").remove(place).unwrap_or_default()
    }

    fn bodies(&self, place: &str) -> Vec<Value> {
        self.take(place).iter().map(|message| serde_json::from_str(&message.body).expect("JSON")).collect()
    }
}

impl Post for Office {
    fn deliver<'a>(&'a self, place: Place<'a>, batch: &'a [Message]) -> BoxFuture<'a, Vec<Result<(), NotSent>>> {
        assert!(batch.len() <= 10, "as many as AWS takes");
        let (Place::Queue(name) | Place::Bus(name)) = place;
        let refused = self.refused.lock().expect("no panic");
        let take = |message: &Message| {
            if refused.iter().any(|word| message.body.contains(word)) {
                return Err(NotSent("refused".to_owned()));
            }
            self.sent.lock().expect("no panic").entry(name.to_owned()).or_default().push(message.clone());
            Ok(())
        };
        let told = batch.iter().map(take).collect();
        Box::pin(async { told })
    }
}

/// A batch of messages, by id and body.
pub(crate) fn batch<'a>(messages: impl IntoIterator<Item = (impl Into<String>, &'a str)>) -> SqsEvent {
    let mut event = SqsEvent::default();
    for (id, body) in messages {
        let mut message = SqsMessage::default();
        (message.message_id, message.body) = (Some(id.into()), Some(body.to_owned()));
        event.records.push(message);
    }
    event
}

/// A batch of messages, each named after its place.
pub(crate) fn numbered<'a>(bodies: impl IntoIterator<Item = &'a str>) -> SqsEvent {
    batch(bodies.into_iter().enumerate().map(|(place, body)| (place.to_string(), body)))
}
