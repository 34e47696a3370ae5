//! How a command ends: with a transaction on record, or with what kept it from one and what that says about the money.

use wallet_domain::{Refusal, Transaction};

use crate::fault::{Class, Fault};

/// How a command ended. The transaction may be a refusal that was recorded.
#[must_use = "the outcome is the caller's answer"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Written now.
    Executed(Transaction),
    /// Written before, by the same request.
    Replayed(Transaction),
}

/// Why a command has no outcome on record.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// Refused, and not recorded: the same key may try again.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// Too many others on the same wallet. Nothing has moved.
    #[error("every try was lost to another request on the same wallet")]
    Conflict {
        /// When trying again makes sense.
        retry_after_seconds: u64,
    },
    /// The leases were not to be had in time. Nothing has moved.
    #[error("another request held the wallet for too long")]
    LockTimeout {
        /// When trying again makes sense.
        retry_after_seconds: u64,
    },
    /// The database did not answer in time, or asked to slow down. This request has sent no commit that could have moved
    /// anything.
    #[error("DynamoDB was not to be had in time")]
    Throttled {
        /// When trying again makes sense.
        retry_after_seconds: u64,
    },
    /// The clock is too far from the table's to decide by. Nothing has moved.
    #[error("the clock is {seconds} s away from the table's")]
    ClockSkew {
        /// How far ahead of the table's it is; negative when it is behind.
        seconds: i64,
    },
    /// The commit may have happened, and reading it back failed as well. The same key will tell.
    #[error("the outcome is unknown")]
    OutcomeUnknown,
    /// A fault of ours or of the database. Nothing has moved.
    #[error(transparent)]
    Fault(Fault),
}

/// For the fault of a read, of a fold or release, or of the put of a queued request that was refused for good: none has
/// moved the request's own money, and the next read shows whether a fold or release was made.
impl From<Fault> for ExecuteError {
    fn from(fault: Fault) -> ExecuteError {
        match fault.class() {
            Class::Final => ExecuteError::Fault(fault),
            Class::Throttled | Class::Unknown => ExecuteError::Throttled { retry_after_seconds: 1 },
        }
    }
}
