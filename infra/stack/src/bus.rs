//! The event bus: what was published, in the order in which it came, so that a listener can go on after the last that it had.
//!
//! It is kept in the file of the queues, or in memory.

use std::sync::Arc;

use anyhow::Result;
use rusqlite::params;
use tokio::sync::watch;
use wallet_messaging::Message;

use crate::queue::QueueFile;
use crate::steps;

/// Older events than so many are forgotten.
const KEPT: i64 = 100_000;

/// An event of the bus.
pub(crate) struct Published {
    /// Higher than those of all before it.
    pub(crate) number: i64,
    pub(crate) detail: String,
}

/// The event bus.
pub(crate) struct Bus {
    file: Arc<QueueFile>,
    newest: watch::Sender<i64>,
}

impl Bus {
    /// The bus in the file.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub(crate) fn new(file: Arc<QueueFile>) -> Result<Bus> {
        let newest = file.lock().query_row("SELECT coalesce(max(number), 0) FROM event", [], |row| row.get(0))?;
        Ok(Bus { file, newest: watch::Sender::new(newest) })
    }

    /// Publishes events, all or none.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub(crate) fn put(&self, events: &[Message]) -> Result<()> {
        let mut connection = self.file.lock();
        let transaction = connection.transaction()?;
        let mut newest = None;
        for event in events {
            transaction.prepare_cached("INSERT INTO event (detail) VALUES (?1)")?.execute([&event.body])?;
            newest = Some(transaction.last_insert_rowid());
        }
        if let Some(newest) = newest {
            transaction.execute("DELETE FROM event WHERE number <= ?1", [newest - KEPT])?;
            transaction.commit()?;
            self.newest.send_replace(newest);
            events.iter().for_each(|event| steps::published(&event.body));
        }
        Ok(())
    }

    /// Up to `limit` events after `number`, oldest first.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub(crate) fn after(&self, number: i64, limit: u32) -> Result<Vec<Published>> {
        let connection = self.file.lock();
        let mut statement =
            connection.prepare_cached("SELECT number, detail FROM event WHERE number > ?1 ORDER BY number LIMIT ?2")?;
        let events = statement
            .query_map(params![number, limit], |row| Ok(Published { number: row.get(0)?, detail: row.get(1)? }))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(events)
    }

    /// The newest event's number, and whoever waits is told of a newer one; 0 before the first.
    pub(crate) fn newest(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }
}
