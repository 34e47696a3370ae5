//! Each message of its queue is an event of ours, and goes to the event bus as it is: nothing is read but the message.
//!
//! A batch reports the messages that were not published and no others. One that is no event harms no other; it fails each
//! time it comes, until the queue moves it to the dead letters. An event may be published twice. Round trips: one for a batch
//! of ten.

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use serde_json::Value;
use tokio::time::Instant;
use wallet_lambda::Report;
use wallet_messaging::{Message, Place, Sender};

/// The function's name.
pub const NAME: &str = "publish";

/// The event bus's name.
pub struct Bus(String);

impl Bus {
    /// From the variable `EVENT_BUS_NAME`.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn from_vars(get: impl Fn(&str) -> Option<String>) -> Result<Bus, String> {
        let name = get("EVENT_BUS_NAME").filter(|name| !name.is_empty());
        name.map(Bus).ok_or_else(|| "EVENT_BUS_NAME is not set; set it to the name of an event bus".to_owned())
    }
}

/// Publishes a batch, and says which messages should come again, and why.
pub async fn report(bus: &Bus, sender: &Sender, event: SqsEvent) -> Report {
    let started = Instant::now();
    let mut report = Report::default();
    let (events, unreadable): (Vec<_>, Vec<_>) = event.records.into_iter().partition(is_event);
    let bodies: Vec<_> = events.iter().map(|event| event.body.clone().unwrap_or_default()).collect();
    let messages: Vec<_> = bodies.into_iter().map(|body| Message { body, group: None }).collect();
    let told = sender.send(Place::Bus(&bus.0), &messages).await;
    let refused =
        unreadable.iter().map(|message| (message, "malformed_request: The message is no event of ours.".to_owned()));
    let failed =
        events.iter().zip(told).filter_map(|(event, told)| Some((event, format!("not_sent: {}", told.err()?))));
    for (message, reason) in refused.chain(failed) {
        let id = message.message_id.as_deref();
        tracing::warn!(function = NAME, message_id = id, cause = reason, "not published");
        // An empty identifier in the answer would send the whole batch back.
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            report.fail(id, &reason);
        }
    }
    tracing::info!(
        function = NAME,
        events = messages.len(),
        failed = report.reasons.len(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "published"
    );
    report
}

/// Whether the message is an object that names a transaction, as each event of ours does.
fn is_event(message: &SqsMessage) -> bool {
    let body: Value = serde_json::from_str(message.body.as_deref().unwrap_or_default()).unwrap_or_default();
    body["version"].is_u64() && body["transaction_id"].is_string()
}
