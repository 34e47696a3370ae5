//! What a wallet is to its callers: a number with a version that moves, refuses to pass zero, and can be read.

use stateright::semantics::SequentialSpec;

/// What is asked of one wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// In cents; a debit is negative.
    Move(i64),
    Read,
}

/// What one wallet answers, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Where it stands after the movement.
    Moved {
        version: u64,
        balance: i64,
    },
    TooLittle,
    Balance {
        version: u64,
        balance: i64,
    },
}

/// The reference: one wallet, one request at a time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Balance {
    version: u64,
    cents: i64,
}

impl SequentialSpec for Balance {
    type Op = Request;
    type Ret = Answer;

    fn invoke(&mut self, request: &Request) -> Answer {
        match *request {
            Request::Read => Answer::Balance { version: self.version, balance: self.cents },
            Request::Move(cents) if self.cents + cents < 0 => Answer::TooLittle,
            Request::Move(cents) => {
                self.version += 1;
                self.cents += cents;
                Answer::Moved { version: self.version, balance: self.cents }
            }
        }
    }
}
