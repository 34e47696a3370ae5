//! Opens a data file of ours, or says in a sentence or two why not: never touches the file of another program.
//!
//! Both files are SQLite databases and carry a mark in SQLite's `application_id`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// What a file of ours holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The embedded DynamoDB.
    Ledger,
    /// The queue; it stays locked while it is open, which makes it the lock of the whole data path.
    Queue,
}

impl Kind {
    /// `WalL`, `WalQ`: SQLite keeps it in the file's header.
    fn mark(self) -> i32 {
        i32::from_be_bytes(match self {
            Kind::Ledger => *b"WalL",
            Kind::Queue => *b"WalQ",
        })
    }
}

/// The two files of a data path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFiles {
    pub(crate) ledger: PathBuf,
    pub(crate) queue: PathBuf,
}

impl DataFiles {
    /// `path` is the ledger's file, and the queue's lies beside it. In an existing directory it is `wallet.db`.
    pub(crate) fn at(path: &Path) -> Result<DataFiles> {
        let path = std::path::absolute(path).with_context(|| format!("--data {}", path.display()))?;
        let ledger = if path.is_dir() { path.join("wallet.db") } else { path };
        let mut queue = ledger.clone().into_os_string();
        queue.push(".queue");
        Ok(DataFiles { ledger, queue: queue.into() })
    }
}

/// Opens the file, or makes it.
///
/// # Errors
/// When its directory is missing, it cannot be written, another process has it, it is damaged or not of this kind.
pub(crate) fn open(path: &Path, kind: Kind) -> Result<Connection> {
    let shown = path.display();
    if let Some(directory) = path.parent() {
        ensure!(
            directory.is_dir(),
            "the directory {} does not exist.\nMake it, or choose another --data path.",
            directory.display()
        );
    }
    if let Ok(found) = fs::metadata(path) {
        ensure!(found.is_file(), "{shown} is no regular file.\nChoose another --data path.");
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).ok().with_context(|| {
        format!("{shown} cannot be opened for writing.\nCheck its permissions, or choose another --data path.")
    })?;
    connection.busy_timeout(Duration::from_millis(200))?;
    let complaint = match check(&connection, kind) {
        Ok(None) => return Ok(connection),
        Ok(Some(complaint)) => complaint,
        Err(error) => explain(&error),
    };
    bail!("{shown} {complaint}")
}

/// Why a file cannot be used, if it cannot. Marks a new file as ours.
fn check(connection: &Connection, kind: Kind) -> rusqlite::Result<Option<String>> {
    if kind == Kind::Queue {
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    let mark: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_new = mark == 0 && tables == 0;
    if !is_new && mark != kind.mark() {
        let foreign = "belongs to another program, and was left as it is.\nChoose another --data path.";
        return Ok(Some(foreign.to_owned()));
    }
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        let read_only = "cannot be written.\nCheck its permissions, or choose another --data path.";
        return Ok(Some(read_only.to_owned()));
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        let what = verdict.lines().last().unwrap_or_default();
        let damaged = format!("is damaged ({what}).\nPut a good copy in its place, or choose another --data path.");
        return Ok(Some(damaged));
    }
    if is_new {
        connection.pragma_update(None, "application_id", kind.mark())?;
    }
    if kind == Kind::Queue {
        // Takes the lock that `locking_mode` then keeps.
        connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
    }
    Ok(None)
}

fn explain(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "is in use by another `wallet up`.\nStop that one, or choose another --data path.".to_owned()
        }
        Some(ErrorCode::NotADatabase) => "is damaged or belongs to another program, and was left as it is.\n\
             Put a good copy in its place, or choose another --data path."
            .to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => {
            "is damaged.\nPut a good copy in its place, or choose another --data path.".to_owned()
        }
        _ => format!("cannot be used: {error}.\nCheck its permissions and the disk, or choose another --data path."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(path: &Path, kind: Kind, expected: &str) {
        let before = fs::read(path).ok();
        let error = open(path, kind).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains(&path.parent().expect("a parent").display().to_string()), "{error}");
        assert_eq!(fs::read(path).ok(), before, "a refused file stays as it is");
    }

    #[test]
    fn what_is_not_ours_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data");

        fs::write(&path, "not a database, but long enough to be taken for one ".repeat(40)).expect("written");
        check_refused(&path, Kind::Ledger, "damaged or belongs to another program");

        fs::remove_file(&path).expect("removed");
        Connection::open(&path).and_then(|other| other.execute_batch("CREATE TABLE t (a)")).expect("made");
        check_refused(&path, Kind::Ledger, "belongs to another program");
        check_refused(&directory.path().join("absent/data"), Kind::Ledger, "does not exist");
        check_refused(directory.path(), Kind::Ledger, "no regular file");
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data");
        let file = open(&path, Kind::Ledger).expect("made");
        file.execute_batch("CREATE TABLE t (a); INSERT INTO t SELECT hex(randomblob(900)) FROM pragma_function_list")
            .expect("filled");
        drop(file);
        open(&path, Kind::Ledger).expect("a good file opens again");
        check_refused(&path, Kind::Queue, "another program");

        let mut bytes = fs::read(&path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle..middle + 8192].fill(0xAB);
        fs::write(&path, bytes).expect("written");
        check_refused(&path, Kind::Ledger, "damaged");
    }

    #[test]
    fn a_directory_holds_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = DataFiles::at(directory.path()).expect("a path");
        assert_eq!(files.ledger, directory.path().join("wallet.db"));
        assert_eq!(files.queue, directory.path().join("wallet.db.queue"));
    }
}
