//! The file of all queues, or memory: their messages, how far the stream has been read, and the events of the bus.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::data_file::{self, Kind};

/// Raised with every change to the tables below.
const VERSION: i64 = 3;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS message (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id TEXT NOT NULL UNIQUE,
        body TEXT NOT NULL,
        sent_at_ms INTEGER NOT NULL,
        visible_at_ms INTEGER NOT NULL,
        first_received_at_ms INTEGER,
        receive_count INTEGER NOT NULL DEFAULT 0,
        receipt TEXT UNIQUE,
        dead INTEGER NOT NULL DEFAULT 0,
        failure TEXT,
        queue TEXT NOT NULL DEFAULT 'RebateQueue',
        group_id TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS message_by_queue ON message (queue, dead, visible_at_ms);
    CREATE INDEX IF NOT EXISTS message_by_group ON message (queue, group_id) WHERE group_id IS NOT NULL;
    CREATE TABLE IF NOT EXISTS deduplication (
        queue TEXT NOT NULL,
        group_id TEXT NOT NULL,
        id TEXT NOT NULL,
        sent_at_ms INTEGER NOT NULL,
        PRIMARY KEY (queue, group_id, id)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS checkpoint (
        stream TEXT PRIMARY KEY,
        sequence_number TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS event (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        detail TEXT NOT NULL
    ) STRICT;";

/// Changes the table and its version together, or neither: a start that is broken off begins anew.
const FROM_VERSION_1: &str = "
    BEGIN;
    ALTER TABLE message ADD COLUMN failure TEXT;
    PRAGMA user_version = 2;
    COMMIT;";

/// In version 2 there was one queue, of rebates.
const FROM_VERSION_2: &str = "
    BEGIN;
    ALTER TABLE message ADD COLUMN queue TEXT NOT NULL DEFAULT 'RebateQueue';
    ALTER TABLE message ADD COLUMN group_id TEXT;
    DROP INDEX message_by_visibility;
    PRAGMA user_version = 3;
    COMMIT;";

/// What all queues are kept in. One process at a time: the file stays locked.
pub struct QueueFile(Mutex<Connection>);

impl QueueFile {
    /// In memory.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn memory() -> Result<Arc<QueueFile>> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(TABLES)?;
        Ok(Arc::new(QueueFile(Mutex::new(connection))))
    }

    /// The file at `path`, made if absent.
    ///
    /// # Errors
    /// When another process has it, when it is damaged or of another program, or cannot be written.
    pub fn open(path: &Path) -> Result<Arc<QueueFile>> {
        let connection = data_file::open(path, Kind::Queue)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        ensure!(
            version <= VERSION,
            "{} was written by a newer version of this program.\nUpdate it, or choose another --data path.",
            path.display()
        );
        let prepare = || -> rusqlite::Result<()> {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A crash of this process loses nothing; one of the machine may lose the last moves, messages first sent and
            // checkpoint later moved in their order, and then the records are read again.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            if version == 1 {
                connection.execute_batch(FROM_VERSION_1)?;
            }
            if version == 1 || version == 2 {
                connection.execute_batch(FROM_VERSION_2)?;
            }
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "user_version", VERSION)
        };
        prepare().with_context(|| format!("{} cannot be prepared", path.display()))?;
        Ok(Arc::new(QueueFile(Mutex::new(connection))))
    }

    /// Up to where the stream has been read and sent on; `None` before the first record.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn checkpoint(&self, stream: &str) -> Result<Option<String>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT sequence_number FROM checkpoint WHERE stream = ?1")?;
        Ok(statement.query_row([stream], |row| row.get(0)).optional()?)
    }

    /// Moves the checkpoint, once all up to there has been sent on.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn move_checkpoint(&self, stream: &str, sequence_number: &str) -> Result<()> {
        self.lock().execute(
            "INSERT INTO checkpoint (stream, sequence_number) VALUES (?1, ?2)
             ON CONFLICT (stream) DO UPDATE SET sequence_number = excluded.sequence_number",
            params![stream, sequence_number],
        )?;
        Ok(())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic cannot leave half a change behind: SQLite rolls back what was not committed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
