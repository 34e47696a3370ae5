//! Checkpoints: what an audit has seen, in a few kilobytes that are kept outside of the table, so that the next audit can prove
//! that all of it is still there, unchanged, and that nothing was put among it. A history that was rewritten with all its
//! hashes is seen by this and by nothing else.
//!
//! A checkpoint is the set hash over every entry and posted transaction up to a moment that is safely past when the
//! audit begins. Entries and transactions never change, so all that carries a time up to that moment is complete before the scan
//! starts, and stays as it is. See [`SAFELY_PAST`].
//!
//! Never reads the table, and never touches a file that it does not understand.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use wallet_domain::{Entry, Outcome, Timestamp, Transaction};

use crate::finding::{Check, Finding};
use crate::set_hash::SetHash;

/// How long before the beginning of an audit its moment is. What is written once the scan has begun must not carry an earlier
/// time: a record's time is never earlier than the clock of the function that decided it, which may be 5 minutes late (one that
/// is later writes nothing) and which decided at most 5 minutes before the write (a function is ended long before); and the
/// audit's own clock may be 5 minutes fast. That a wallet's times may run ahead of the clocks does no harm: such a record is
/// taken into a later checkpoint.
pub const SAFELY_PAST: Duration = Duration::from_secs(15 * 60);

/// The format that this code reads and writes.
const FORMAT: u64 = 1;

/// What an audit has seen up to a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    table: String,
    moment: Timestamp,
    sum: Sum,
}

/// A set of entries and transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    entries: u64,
    transactions: u64,
    hash: SetHash,
}

impl Sum {
    fn new() -> Sum {
        Sum { entries: 0, transactions: 0, hash: SetHash::new() }
    }

    fn merge(&mut self, other: &Sum) {
        self.entries += other.entries;
        self.transactions += other.transactions;
        self.hash.merge(&other.hash);
    }
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("the checkpoint cannot be read or written")]
    File(#[from] io::Error),
    /// No checkpoint, or half of one, or one that was changed.
    #[error("it is no whole checkpoint: it was damaged, or is something else")]
    Damaged,
    /// A newer version of this program wrote it.
    #[error(
        "the checkpoint has format {0}, which a newer version of this program wrote; this one knows format {FORMAT}"
    )]
    Newer(u64),
    /// It is of another table.
    #[error("the checkpoint is of the table {theirs:?}, and the audit of {ours:?}")]
    AnotherTable {
        /// The checkpoint's.
        theirs: String,
        /// The audit's.
        ours: String,
    },
}

impl Checkpoint {
    /// The moment up to which it covers all.
    #[must_use]
    pub fn moment(&self) -> Timestamp {
        self.moment
    }

    /// How many entries and posted transactions it covers.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.sum.entries, self.sum.transactions)
    }

    /// Reads a checkpoint of `table`.
    ///
    /// # Errors
    /// [`CheckpointError`] for anything else.
    pub fn parse(text: &[u8], table: &str) -> Result<Checkpoint, CheckpointError> {
        let json: Value = serde_json::from_slice(text).map_err(|_| CheckpointError::Damaged)?;
        match json["format"].as_u64() {
            Some(FORMAT) => {}
            Some(newer) if newer > FORMAT => return Err(CheckpointError::Newer(newer)),
            _ => return Err(CheckpointError::Damaged),
        }
        let read = || {
            let moment = json["up_to"].as_str()?.parse().ok()?;
            let hash = SetHash::parse(json["set_hash"].as_str()?)?;
            let sum = Sum { entries: json["entries"].as_u64()?, transactions: json["transactions"].as_u64()?, hash };
            Some(Checkpoint { table: json["table"].as_str()?.to_owned(), moment, sum })
        };
        let checkpoint = read().ok_or(CheckpointError::Damaged)?;
        if json["checksum"] != checkpoint.checksum() {
            return Err(CheckpointError::Damaged);
        }
        if checkpoint.table != table {
            return Err(CheckpointError::AnotherTable { theirs: checkpoint.table, ours: table.to_owned() });
        }
        Ok(checkpoint)
    }

    /// As [`Checkpoint::parse`] reads it: one JSON document of some 4.5 KB.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Checkpoint { table, moment, sum } = self;
        let json = json!({
            "format": FORMAT,
            "table": table,
            "up_to": format!("{moment:.3}"),
            "entries": sum.entries,
            "transactions": sum.transactions,
            "set_hash": sum.hash.to_string(),
            "checksum": self.checksum(),
        });
        format!("{json:#}\n")
    }

    /// Detects accidents. Who can write the file can write the checksum too: keep the file where others can't.
    fn checksum(&self) -> String {
        let Sum { entries, transactions, hash } = &self.sum;
        let text = format!("{FORMAT} {} {:.3} {entries} {transactions} {hash}", self.table, self.moment);
        blake3::hash(text.as_bytes()).to_string()
    }

    /// Reads the checkpoint of `table` that `file` holds; `None` if there is no such file yet, in a directory that there is.
    ///
    /// # Errors
    /// As [`Checkpoint::parse`], and when the file cannot be read.
    pub fn read(file: &Path, table: &str) -> Result<Option<Checkpoint>, CheckpointError> {
        match std::fs::read(file) {
            Ok(text) => Checkpoint::parse(&text, table).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound && has_directory(file) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts this checkpoint in the place of what `file` holds. It is written beside the file first: whatever interrupts this,
    /// the file holds the old checkpoint or the new one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), CheckpointError> {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let beside = file.with_file_name(name);
        let mut new = File::create(&beside)?;
        new.write_all(self.to_text().as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&beside, file)?;
        Ok(())
    }
}

fn has_directory(file: &Path) -> bool {
    file.parent().is_some_and(|parent| parent.as_os_str().is_empty() || parent.is_dir())
}

/// The last checkpoint, which is to be proved, and the moment up to which the audit sums up for the next one.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    table: String,
    last: Option<Checkpoint>,
    moment: Timestamp,
}

/// What a scan has come across: what the last checkpoint covers, and what has come after it up to the new moment.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    covered: Sum,
    since: Sum,
}

impl Window {
    /// From `last`, if there is one, to a moment that is safely past at `now`. The moment never moves back.
    pub(crate) fn new(table: &str, last: Option<Checkpoint>, now: Timestamp) -> Window {
        let past = now.saturating_sub(SAFELY_PAST).unwrap_or(Timestamp::MIN);
        // Milliseconds are what records and checkpoints keep.
        let past = Timestamp::from_millisecond(past.as_millisecond()).unwrap_or(past);
        let moment = last.as_ref().map_or(past, |last| past.max(last.moment));
        Window { table: table.to_owned(), last, moment }
    }

    /// Whether `seen` is what the last checkpoint covers; the finding if not.
    pub(crate) fn differs(&self, seen: &Seen) -> Option<Finding> {
        let last = self.last.as_ref().filter(|last| last.sum != seen.covered)?;
        let counts = |sum: &Sum| format!("{} entries and {} transactions", sum.entries, sum.transactions);
        let (then, now) = (counts(&last.sum), counts(&seen.covered));
        let what = if then == now {
            format!("the {then} up to {:.3} are not those that an earlier audit saw", last.moment)
        } else {
            format!("up to {:.3} an earlier audit saw {then}, and now there are {now}", last.moment)
        };
        let difference = format!("{what}: history was rewritten, removed or added to");
        Some(Finding { wallet: None, version: None, transaction: None, check: Check::Checkpoint, difference })
    }

    /// The checkpoint of what was seen.
    pub(crate) fn checkpoint(self, seen: Seen) -> Checkpoint {
        let Seen { covered: mut sum, since } = seen;
        sum.merge(&since);
        Checkpoint { table: self.table, moment: self.moment, sum }
    }

    /// The set that an entry or transaction of this time belongs to, if any.
    fn sum<'a>(&self, seen: &'a mut Seen, time: Timestamp) -> Option<&'a mut Sum> {
        if self.last.as_ref().is_some_and(|last| time <= last.moment) {
            Some(&mut seen.covered)
        } else {
            (time <= self.moment).then_some(&mut seen.since)
        }
    }
}

impl Seen {
    pub(crate) fn new() -> Seen {
        Seen { covered: Sum::new(), since: Sum::new() }
    }

    pub(crate) fn entry(&mut self, window: &Window, entry: &Entry) {
        if let Some(sum) = window.sum(self, entry.created_at) {
            sum.entries += 1;
            sum.hash.add("entry", entry.hash.as_bytes());
        }
    }

    /// A posted transaction; what was refused has moved nothing.
    pub(crate) fn transaction(&mut self, window: &Window, transaction: &Transaction) {
        let posted = matches!(transaction.outcome, Outcome::Posted { .. });
        if let Some(sum) = window.sum(self, transaction.created_at).filter(|_| posted) {
            sum.transactions += 1;
            sum.hash.add("transaction", transaction.seal.as_bytes());
        }
    }

    pub(crate) fn merge(&mut self, other: &Seen) {
        self.covered.merge(&other.covered);
        self.since.merge(&other.since);
    }
}
