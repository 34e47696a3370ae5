//! What was asked and answered.

use wallet_domain::{Command, Refusal, Transaction};

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
    /// Its process died.
    Killed,
}

/// An attempt: when, by which clock, and how it ended.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) window: Window,
    pub(super) answer: Answer,
}

/// A command and all its answers.
pub(super) struct Asked {
    pub(super) command: Command,
    pub(super) attempts: Vec<Attempt>,
    /// Asked by one caller, so that the last answer is about everything that was sent.
    pub(super) alone: bool,
}
