//! The queue's tables, and how its file is opened.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;

use crate::data_file::{self, Kind};

/// Raised with every change to the tables below.
const VERSION: i64 = 2;

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
        failure TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS message_by_visibility ON message (dead, visible_at_ms);
    CREATE TABLE IF NOT EXISTS checkpoint (
        stream TEXT PRIMARY KEY,
        sequence_number TEXT NOT NULL
    ) STRICT;";

/// Both or neither: a start that is broken off begins anew.
const FROM_VERSION_1: &str = "
    BEGIN;
    ALTER TABLE message ADD COLUMN failure TEXT;
    PRAGMA user_version = 2;
    COMMIT;";

pub(super) fn memory() -> Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

pub(super) fn open(path: &Path) -> Result<Connection> {
    let connection = data_file::open(path, Kind::Queue)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    ensure!(
        version <= VERSION,
        "{} was written by a newer version of this program.\nUpdate it, or choose another --data path.",
        path.display()
    );
    let prepare = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A crash of this process loses nothing; one of the machine may lose the last moves, messages and checkpoint
        // alike, and then the pipe carries them again.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        if version == 1 {
            connection.execute_batch(FROM_VERSION_1)?;
        }
        connection.execute_batch(TABLES)?;
        connection.pragma_update(None, "user_version", VERSION)
    };
    prepare().with_context(|| format!("{} cannot be prepared", path.display()))?;
    Ok(connection)
}
