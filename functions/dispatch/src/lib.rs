//! The one reader of the table's stream: it sends to each queue what follows from a new item, and does nothing else.
//!
//! | new item | queue | message |
//! |---|---|---|
//! | a posted deposit that pinned a rebate rule | `rebate` | deposit, wallet and rule, by their ids |
//! | a queued request | `requests`, `publish` | the transaction that it will become, by its id; the event |
//! | a credit in an inbox | `settle` | the wallet, named once for a whole batch |
//! | a posted or failed transaction, openings and amendments aside | `publish` | the event |
//! | a record that cannot be read | its own dead letters | the record, whole |
//!
//! Each record is read by itself, so that one that cannot be read harms no other. If messages could not be sent, it answers
//! the lowest sequence number of their records, and Lambda tries again from there: what follows from later records is sent
//! twice, which is harmless. It never reads or writes the table. Round trips: one for ten messages of a queue, several at
//! once.

pub mod message;

use std::collections::BTreeMap;
use std::error::Error;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;
use wallet_domain::WalletId;
use wallet_lambda::stream::{Movement, New, NewItem, sequence_number};
use wallet_messaging::{Message, NotSent, Place, Sender};

/// The function's name.
pub const NAME: &str = "dispatch";

/// The URLs of the queues.
pub struct Queues {
    rebate: String,
    settle: String,
    requests: String,
    publish: String,
    dead_letters: String,
}

impl Queues {
    /// From variables: `REBATE_QUEUE_URL`, `SETTLE_QUEUE_URL`, `REQUESTS_QUEUE_URL`, `PUBLISH_QUEUE_URL`, `DEAD_LETTERS_URL`.
    ///
    /// # Errors
    /// The first variable that is not set.
    pub fn from_vars(get: impl Fn(&str) -> Option<String>) -> Result<Queues, String> {
        let url = |name: &str| {
            let url = get(name).filter(|url| !url.is_empty());
            url.ok_or_else(|| format!("{name} is not set; set it to the URL of a queue"))
        };
        Ok(Queues {
            rebate: url("REBATE_QUEUE_URL")?,
            settle: url("SETTLE_QUEUE_URL")?,
            requests: url("REQUESTS_QUEUE_URL")?,
            publish: url("PUBLISH_QUEUE_URL")?,
            dead_letters: url("DEAD_LETTERS_URL")?,
        })
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

/// Sends what follows from a batch of records, and answers with the record from which on it should come again, if any.
///
/// # Errors
/// When the event is no batch of records, or what could not be sent has no place to begin again from: then all of it comes again.
pub async fn handle(queues: &Queues, sender: &Sender, event: &str) -> Result<Value, Box<dyn Error + Send + Sync>> {
    let started = Instant::now();
    let Event { records } = serde_json::from_str(event).map_err(|_| "the event is no batch of stream records")?;
    let mut mail = Mail::default();
    for (place, record) in records.iter().enumerate() {
        mail.add(place, record.get());
    }
    let (rebate, requests, publish, dead) = (mail.rebate, mail.requests, mail.publish, mail.dead);
    let settle: Vec<_> = mail.settle.into_iter().map(|(wallet, wake_up)| wake_up.mail(wallet)).collect();
    let lowest = futures::future::join_all([
        send(sender, &queues.rebate, &rebate),
        send(sender, &queues.settle, &settle),
        send(sender, &queues.requests, &requests),
        send(sender, &queues.publish, &publish),
        send(sender, &queues.dead_letters, &dead),
    ]);
    let lowest = lowest.await.into_iter().flatten().min();
    tracing::info!(
        function = NAME,
        records = records.len(),
        rebates = rebate.len(),
        wallets_to_settle = settle.len(),
        requests = requests.len(),
        events = publish.len(),
        dead_letters = dead.len(),
        sent_up_to = lowest,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "sent on"
    );
    let Some(lowest) = lowest else { return Ok(json!({"batchItemFailures": []})) };
    // If its own number cannot be read, that of a record before it will do.
    let known = |record: &&RawValue| Some(sequence_number(&serde_json::from_str(record.get()).ok()?)?.to_owned());
    let number = records[..=lowest].iter().rev().find_map(known);
    let number = number.ok_or("what could not be sent has no sequence number")?;
    Ok(json!({"batchItemFailures": [{"itemIdentifier": number}]}))
}

/// A message, and the place in the batch of the first record that it is about.
type Mailed = (usize, Message);

/// What follows from a batch, by queue.
#[derive(Default)]
struct Mail {
    rebate: Vec<Mailed>,
    settle: BTreeMap<WalletId, WakeUp>,
    requests: Vec<Mailed>,
    publish: Vec<Mailed>,
    dead: Vec<Mailed>,
}

impl Mail {
    fn add(&mut self, place: usize, text: &str) {
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        let number = sequence_number(&record).ok_or("the record has no sequence number");
        let read = number.map_err(str::to_owned).and_then(|number| {
            let new = NewItem::read(&record).map_err(|fault| fault.to_string())?;
            Ok((number, new))
        });
        match read {
            Ok((_, None)) => {}
            Ok((number, Some(NewItem { table, what }))) => match what {
                New::Other => {}
                New::Credit { wallet } => {
                    let wake_up =
                        self.settle.entry(wallet).or_insert_with(|| WakeUp { place, table, last: String::new() });
                    number.clone_into(&mut wake_up.last);
                }
                New::Request(movement) => {
                    self.requests.push((place, message::request(&table, movement.id)));
                    self.publish.push((place, message::plain(&event(&movement))));
                }
                New::Movement(movement) => {
                    if let Some(rule) = movement.rule.as_ref().filter(|_| movement.earns_rebate()) {
                        self.rebate.push((place, message::rebate(&table, movement.id, movement.wallet, rule)));
                    }
                    self.publish.push((place, message::plain(&event(&movement))));
                }
            },
            Err(cause) => {
                tracing::warn!(function = NAME, code = "unreadable_record", cause, "kept");
                self.dead.push((place, Message { body: text.to_owned(), group: None }));
            }
        }
    }
}

/// A wallet to be settled: where the batch first names it, and its last record's sequence number.
struct WakeUp {
    place: usize,
    table: String,
    last: String,
}

impl WakeUp {
    /// The message of the same records, sent again, is dropped as a duplicate; that of a later credit never is, for its
    /// number is another.
    fn mail(self, wallet: WalletId) -> Mailed {
        (self.place, message::settle(&self.table, wallet, &self.last))
    }
}

/// The event that tells of a movement. It is a contract: fields may come, none may go or change without another `version`. No
/// balance is ever in it, so that both parties may be sent what was posted.
fn event(movement: &Movement) -> Value {
    json!({
        "version": 1,
        "transaction_id": movement.id.to_string(),
        "type": movement.kind.as_str(),
        "status": movement.status,
        "code": movement.code,
        "wallet_id": movement.wallet.to_string(),
        "counterparty": movement.counterparty,
        "amount": movement.amount,
        "currency": movement.currency,
        "parent_id": movement.parent.map(|parent| parent.to_string()),
        "created_at": movement.created_at,
    })
}

/// Sends to a queue; returns the lowest place of what could not be sent.
async fn send(sender: &Sender, queue: &str, mail: &[Mailed]) -> Option<usize> {
    let messages: Vec<_> = mail.iter().map(|(_, message)| message.clone()).collect();
    let told = sender.send(Place::Queue(queue), &messages).await;
    let failed = mail.iter().zip(&told).filter_map(|((place, _), told)| Some((place, told.as_ref().err()?)));
    let failed: Vec<(&usize, &NotSent)> = failed.collect();
    let (_, why) = failed.first()?;
    tracing::warn!(function = NAME, code = "not_sent", queue, messages = failed.len(), cause = %why, "not sent");
    failed.iter().map(|(place, _)| **place).min()
}
