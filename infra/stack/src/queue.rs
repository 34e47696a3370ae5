//! A queue that behaves as SQS does: visibility time-out, receive count, dead letters; of a FIFO queue, groups whose messages wait
//! for one another, and deduplication.
//!
//! All queues share one SQLite file, or memory. Time is an argument; it never sleeps and starts nothing by itself.

mod file;

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};

use anyhow::Result;
use aws_lambda_events::event::sqs::SqsMessage;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::Notify;
use uuid::Uuid;
use wallet_messaging::{Group, Message};

use crate::names;
use crate::steps;
use crate::template::QueueSpec;

pub use file::QueueFile;

/// How long a FIFO queue knows what it was sent.
const DEDUPLICATION: SignedDuration = SignedDuration::from_mins(5);

/// A durable queue with a dead-letter queue behind it.
pub struct Queue {
    file: Arc<QueueFile>,
    spec: QueueSpec,
    arrivals: Notify,
}

/// A message that was received too often without being worked off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The id that it had in the queue.
    pub message_id: String,
    /// What it said.
    pub body: String,
    /// How often it was received.
    pub receive_count: u32,
    /// When it was put into the queue.
    pub sent_at: Timestamp,
    /// Why it failed last, as far as its function said.
    pub reason: Option<String>,
}

/// What is in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueState {
    /// Messages that wait or are being worked on.
    pub waiting: u64,
    /// When the oldest of them was sent.
    pub oldest: Option<Timestamp>,
    /// Dead letters.
    pub dead_letters: u64,
}

impl Queue {
    /// The queue of this name in the file.
    pub fn new(file: Arc<QueueFile>, spec: QueueSpec) -> Queue {
        Queue { file, spec, arrivals: Notify::new() }
    }

    /// Its logical name, which stands for its URL.
    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Puts a message in, visible at once; answers its id.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn send(&self, body: &str, now: Timestamp) -> Result<String> {
        let id = self.insert(&self.lock(), body, None, now)?;
        steps::sent(&self.spec.name, &id, body, now);
        self.arrivals.notify_one();
        Ok(id)
    }

    /// Puts the messages in, all or none, but those that a FIFO queue was sent before.
    ///
    /// # Errors
    /// When SQLite refuses; nothing was sent then.
    pub fn send_all(&self, messages: &[Message], now: Timestamp) -> Result<()> {
        let mut connection = self.lock();
        let transaction = begin(&mut connection)?;
        let mut sent = vec![];
        for Message { body, group } in messages {
            let again = match group {
                Some(group) => !self.is_new(&transaction, group, now)?,
                None => false,
            };
            if !again {
                sent.push((self.insert(&transaction, body, group.as_ref(), now)?, body));
            }
        }
        transaction.commit()?;
        sent.iter().for_each(|(id, body)| steps::sent(&self.spec.name, id, body, now));
        self.arrivals.notify_one();
        Ok(())
    }

    /// Receives up to `limit` visible messages, oldest first, and hides them for the visibility time-out. A message
    /// that was received as often as it may be becomes a dead letter instead. Of a group of which a message is hidden none is
    /// received.
    ///
    /// # Errors
    /// When SQLite refuses; nothing has been received then.
    pub fn receive(&self, limit: u32, now: Timestamp) -> Result<Vec<SqsMessage>> {
        let mut connection = self.lock();
        let transaction = begin(&mut connection)?;
        let dead = transaction.execute(
            "UPDATE message SET dead = 1 WHERE queue = ?3 AND dead = 0 AND visible_at_ms <= ?1 AND receive_count >= ?2",
            params![now.as_millisecond(), self.spec.max_receive_count, self.spec.name],
        )?;
        let hidden_until = now.checked_add(SignedDuration::try_from(self.spec.visibility_timeout)?)?;
        let messages = transaction
            .prepare_cached(
                "UPDATE message SET receive_count = receive_count + 1, visible_at_ms = ?2,
                     receipt = lower(hex(randomblob(16))), first_received_at_ms = coalesce(first_received_at_ms, ?1)
                 WHERE number IN (SELECT number FROM message
                     WHERE queue = ?4 AND dead = 0 AND visible_at_ms <= ?1 AND (group_id IS NULL OR NOT EXISTS (
                         SELECT 1 FROM message other WHERE other.queue = ?4 AND other.group_id = message.group_id
                             AND other.dead = 0 AND other.visible_at_ms > ?1))
                     ORDER BY number LIMIT ?3)
                 RETURNING message_id, receipt, body, receive_count, sent_at_ms, first_received_at_ms, number, group_id",
            )?
            .query_map(params![now.as_millisecond(), hidden_until.as_millisecond(), limit, self.spec.name], |row| {
                Ok((row.get::<_, i64>(6)?, (row.get(4)?, self.message(row)?)))
            })?
            .collect::<rusqlite::Result<BTreeMap<_, (i64, SqsMessage)>>>()?;
        transaction.commit()?;
        for (sent_at_ms, message) in messages.values() {
            if let (Some(id), Some(body)) = (&message.message_id, &message.body) {
                steps::received(&self.spec.name, id, body, now, *sent_at_ms);
            }
        }
        if dead > 0 {
            tracing::error!(queue = self.spec.name, messages = dead, "received too often: now dead letters");
        }
        Ok(messages.into_values().map(|(_, message)| message).collect())
    }

    /// Deletes the message that was received with this receipt; whether it was still the newest receipt.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn delete(&self, receipt_handle: &str) -> Result<bool> {
        Ok(self.lock().execute("DELETE FROM message WHERE receipt = ?1 AND dead = 0", [receipt_handle])? == 1)
    }

    /// Keeps with the message that was received with this receipt why it failed.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn note_failure(&self, receipt_handle: &str, reason: &str) -> Result<()> {
        self.lock().execute("UPDATE message SET failure = ?2 WHERE receipt = ?1", [receipt_handle, reason])?;
        Ok(())
    }

    /// Hides the message that was received with this receipt until `visible_at` and no longer.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn change_visibility(&self, receipt_handle: &str, visible_at: Timestamp) -> Result<()> {
        self.lock().execute(
            "UPDATE message SET visible_at_ms = ?2 WHERE receipt = ?1 AND dead = 0",
            params![receipt_handle, visible_at.as_millisecond()],
        )?;
        self.arrivals.notify_one();
        Ok(())
    }

    /// The messages in the dead-letter queue, oldest first.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT message_id, body, receive_count, sent_at_ms, failure FROM message
             WHERE queue = ?1 AND dead = 1 ORDER BY number",
        )?;
        let rows = statement.query_map([&self.spec.name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)?, row.get(4)?))
        })?;
        rows.map(|row| {
            let (message_id, body, receive_count, sent_at_ms, reason) = row?;
            let sent_at = Timestamp::from_millisecond(sent_at_ms)?;
            Ok(DeadLetter { message_id, body, receive_count, sent_at, reason })
        })
        .collect()
    }

    /// Drives dead letters back into the queue, the one with this id or all: visible at once, as if never received.
    /// Answers how many.
    ///
    /// # Errors
    /// When SQLite refuses; nothing has moved then.
    pub fn redrive(&self, message_id: Option<&str>, now: Timestamp) -> Result<usize> {
        let driven = self.lock().execute(
            "UPDATE message SET dead = 0, receive_count = 0, receipt = NULL, first_received_at_ms = NULL,
                 visible_at_ms = ?2
             WHERE queue = ?3 AND dead = 1 AND (?1 IS NULL OR message_id = ?1)",
            params![message_id, now.as_millisecond(), self.spec.name],
        )?;
        if driven > 0 {
            self.arrivals.notify_one();
        }
        Ok(driven)
    }

    /// How many messages wait or are being worked on, dead letters not counted.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn depth(&self) -> Result<u64> {
        let count = "SELECT count(*) FROM message WHERE queue = ?1 AND dead = 0";
        Ok(self.lock().query_row(count, [&self.spec.name], |row| row.get(0))?)
    }

    /// How many messages wait or are being worked on, and when the oldest of them was sent; and how many are dead letters.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn state(&self) -> Result<QueueState> {
        let counts = "SELECT count(*) FILTER (WHERE dead = 0), min(sent_at_ms) FILTER (WHERE dead = 0),
                 count(*) FILTER (WHERE dead = 1) FROM message WHERE queue = ?1";
        let (waiting, oldest, dead_letters) = self.lock().query_row(counts, [&self.spec.name], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?, row.get(2)?))
        })?;
        Ok(QueueState { waiting, oldest: oldest.map(Timestamp::from_millisecond).transpose()?, dead_letters })
    }

    /// When the next message becomes visible, if any is there.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn next_visible_at(&self) -> Result<Option<Timestamp>> {
        let earliest = "SELECT min(visible_at_ms) FROM message WHERE queue = ?1 AND dead = 0";
        let earliest: Option<i64> = self.lock().query_row(earliest, [&self.spec.name], |row| row.get(0))?;
        Ok(earliest.map(Timestamp::from_millisecond).transpose()?)
    }

    /// Waits until a message is sent. One sent since the last wait counts.
    pub async fn arrival(&self) {
        self.arrivals.notified().await;
    }

    fn message(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<SqsMessage> {
        let body: String = row.get(2)?;
        let attribute = |name: &str, value: i64| (name.to_owned(), value.to_string());
        let mut message = SqsMessage::default();
        message.message_id = Some(row.get(0)?);
        message.receipt_handle = Some(row.get(1)?);
        message.md5_of_body = Some(format!("{:x}", md5::compute(&body)));
        message.body = Some(body);
        message.attributes = [
            attribute("ApproximateReceiveCount", row.get(3)?),
            attribute("SentTimestamp", row.get(4)?),
            attribute("ApproximateFirstReceiveTimestamp", row.get(5)?),
        ]
        .into();
        if let Some(group) = row.get(7)? {
            message.attributes.insert("MessageGroupId".to_owned(), group);
        }
        message.event_source = Some("aws:sqs".to_owned());
        let arn = format!("arn:aws:sqs:{}:{}:{}", names::REGION, names::ACCOUNT, self.spec.name);
        message.event_source_arn = Some(arn);
        message.aws_region = Some(names::REGION.to_owned());
        Ok(message)
    }

    /// True if a FIFO queue was sent no such message in the last five minutes; notes that it was now.
    fn is_new(&self, connection: &Connection, group: &Group, now: Timestamp) -> Result<bool> {
        let forgotten = now.checked_sub(DEDUPLICATION)?.as_millisecond();
        connection.execute(
            "DELETE FROM deduplication WHERE queue = ?1 AND sent_at_ms <= ?2",
            params![self.spec.name, forgotten],
        )?;
        let noted = connection.execute(
            "INSERT OR IGNORE INTO deduplication (queue, group_id, id, sent_at_ms) VALUES (?1, ?2, ?3, ?4)",
            params![self.spec.name, group.id, group.deduplication, now.as_millisecond()],
        )?;
        Ok(noted == 1)
    }

    fn insert(&self, connection: &Connection, body: &str, group: Option<&Group>, now: Timestamp) -> Result<String> {
        let id = Uuid::new_v4().to_string();
        connection
            .prepare_cached(
                "INSERT INTO message (message_id, body, sent_at_ms, visible_at_ms, queue, group_id, dead)
                 VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                id,
                body,
                now.as_millisecond(),
                self.spec.name,
                group.map(|group| &group.id),
                self.spec.of_dead_letters
            ])?;
        Ok(id)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.file.lock()
    }
}

fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

#[cfg(test)]
mod tests;
