//! What was asked and answered.

use wallet_domain::{Command, Refusal, Timestamp, Transaction};
use wallet_dynamodb::DryRun;

use crate::faults::truth::Window;

/// How one attempt at a command ended for its caller.
#[derive(Debug)]
pub(super) enum Answer {
    /// With what is on record.
    Done(Box<Transaction>),
    /// Refused, and the refusal is not recorded.
    Refused(Refusal),
    /// The caller was told that nothing has moved.
    Nothing(&'static str),
    Unknown,
    /// It waits, since it was accepted then.
    Waits(Timestamp),
    /// Its process died.
    Killed,
}

/// An attempt: when, by which clock, and how it ended.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) window: Window,
    pub(super) answer: Answer,
}

/// A dry run: when, by which clock, and what it was told. What could not be told is not kept.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) window: Window,
    pub(super) told: Result<DryRun, Refusal>,
}

/// A command and all its answers.
pub(super) struct Asked {
    pub(super) command: Command,
    pub(super) attempts: Vec<Attempt>,
    /// What dry runs of it were told.
    pub(super) tried: Vec<Tried>,
    /// Whether it was to wait, and the end that it was given when all was over.
    pub(super) queued: bool,
    pub(super) drained: Option<Attempt>,
    /// Asked by one caller, so that the last answer is about everything that was sent.
    pub(super) alone: bool,
}
