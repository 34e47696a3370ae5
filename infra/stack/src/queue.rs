//! A queue that behaves as SQS does: visibility time-out, receive count, dead letters.
//!
//! One SQLite file, or memory. It holds the pipe's checkpoint too, so that messages and checkpoint move in one
//! transaction. Time is an argument; it never sleeps and starts nothing by itself.

mod schema;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use aws_lambda_events::event::sqs::SqsMessage;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::names;
use crate::template::QueueSpec;

/// A durable queue with a dead-letter queue behind it.
pub struct Queue {
    connection: Mutex<Connection>,
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

impl Queue {
    /// A queue in memory.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn memory(spec: QueueSpec) -> Result<Queue> {
        Ok(Queue::over(schema::memory()?, spec))
    }

    /// The queue in the file at `path`, made if absent. One process at a time: the file stays locked.
    ///
    /// # Errors
    /// When another process has it, when it is damaged or of another program, or cannot be written.
    pub fn open(path: &Path, spec: QueueSpec) -> Result<Queue> {
        Ok(Queue::over(schema::open(path)?, spec))
    }

    fn over(connection: Connection, spec: QueueSpec) -> Queue {
        Queue { connection: Mutex::new(connection), spec, arrivals: Notify::new() }
    }

    /// Its Amazon Resource Name.
    pub fn arn(&self) -> String {
        format!("arn:aws:sqs:{}:{}:{}", names::REGION, names::ACCOUNT, self.spec.name)
    }

    /// Puts a message in, visible at once; answers its id.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn send(&self, body: &str, now: Timestamp) -> Result<String> {
        let id = insert(&self.lock(), body, now)?;
        self.arrivals.notify_one();
        Ok(id)
    }

    /// Puts the messages in and moves the stream's checkpoint, both or neither.
    ///
    /// # Errors
    /// When SQLite refuses; nothing has moved then.
    pub fn carry(&self, stream: &str, sequence_number: &str, bodies: &[String], now: Timestamp) -> Result<()> {
        let mut connection = self.lock();
        let transaction = begin(&mut connection)?;
        for body in bodies {
            insert(&transaction, body, now)?;
        }
        transaction.execute(
            "INSERT INTO checkpoint (stream, sequence_number) VALUES (?1, ?2)
             ON CONFLICT (stream) DO UPDATE SET sequence_number = excluded.sequence_number",
            params![stream, sequence_number],
        )?;
        transaction.commit()?;
        if !bodies.is_empty() {
            self.arrivals.notify_one();
        }
        Ok(())
    }

    /// Up to where the stream has been carried; `None` before the first record.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn checkpoint(&self, stream: &str) -> Result<Option<String>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT sequence_number FROM checkpoint WHERE stream = ?1")?;
        Ok(statement.query_row([stream], |row| row.get(0)).optional()?)
    }

    /// Receives up to `limit` visible messages, oldest first, and hides them for the visibility time-out. A message
    /// that was received as often as it may be becomes a dead letter instead.
    ///
    /// # Errors
    /// When SQLite refuses; nothing has been received then.
    pub fn receive(&self, limit: u32, now: Timestamp) -> Result<Vec<SqsMessage>> {
        let mut connection = self.lock();
        let transaction = begin(&mut connection)?;
        let dead = transaction.execute(
            "UPDATE message SET dead = 1 WHERE dead = 0 AND visible_at_ms <= ?1 AND receive_count >= ?2",
            params![now.as_millisecond(), self.spec.max_receive_count],
        )?;
        let hidden_until = self.hidden_until(now)?;
        let messages = transaction
            .prepare_cached(
                "UPDATE message SET receive_count = receive_count + 1, visible_at_ms = ?2,
                     receipt = lower(hex(randomblob(16))), first_received_at_ms = coalesce(first_received_at_ms, ?1)
                 WHERE number IN (SELECT number FROM message WHERE dead = 0 AND visible_at_ms <= ?1
                     ORDER BY number LIMIT ?3)
                 RETURNING message_id, receipt, body, receive_count, sent_at_ms, first_received_at_ms, number",
            )?
            .query_map(params![now.as_millisecond(), hidden_until.as_millisecond(), limit], |row| {
                Ok((row.get::<_, i64>(6)?, self.message(row)?))
            })?
            .collect::<rusqlite::Result<BTreeMap<_, _>>>()?;
        transaction.commit()?;
        if dead > 0 {
            tracing::error!(queue = self.spec.name, messages = dead, "received too often: now dead letters");
        }
        Ok(messages.into_values().collect())
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
            "SELECT message_id, body, receive_count, sent_at_ms, failure FROM message WHERE dead = 1 ORDER BY number",
        )?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)?, row.get(4)?)))?;
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
             WHERE dead = 1 AND (?1 IS NULL OR message_id = ?1)",
            params![message_id, now.as_millisecond()],
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
        Ok(self.lock().query_row("SELECT count(*) FROM message WHERE dead = 0", [], |row| row.get(0))?)
    }

    /// When the next message becomes visible, if any is there.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn next_visible_at(&self) -> Result<Option<Timestamp>> {
        let earliest: Option<i64> =
            self.lock().query_row("SELECT min(visible_at_ms) FROM message WHERE dead = 0", [], |row| row.get(0))?;
        Ok(earliest.map(Timestamp::from_millisecond).transpose()?)
    }

    /// Waits until a message is sent. One sent since the last wait counts.
    pub async fn arrival(&self) {
        self.arrivals.notified().await;
    }

    /// How long a received message stays hidden.
    pub fn visibility_timeout(&self) -> Duration {
        self.spec.visibility_timeout
    }

    fn hidden_until(&self, now: Timestamp) -> Result<Timestamp> {
        Ok(now.checked_add(SignedDuration::try_from(self.spec.visibility_timeout)?)?)
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
        message.event_source = Some("aws:sqs".to_owned());
        message.event_source_arn = Some(self.arn());
        message.aws_region = Some(names::REGION.to_owned());
        Ok(message)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic cannot leave half a change behind: SQLite rolls back what was not committed.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn insert(connection: &Connection, body: &str, now: Timestamp) -> Result<String> {
    let id = Uuid::new_v4().to_string();
    connection
        .prepare_cached("INSERT INTO message (message_id, body, sent_at_ms, visible_at_ms) VALUES (?1, ?2, ?3, ?3)")?
        .execute(params![id, body, now.as_millisecond()])?;
    Ok(id)
}

#[cfg(test)]
mod tests;
