//! What a wallet is to its callers: a number with a version that moves, refuses to pass zero, and can be read.

use std::collections::BTreeMap;

use stateright::semantics::SequentialSpec;

/// What is asked of one wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// In cents; a debit is negative.
    Move(i64),
    /// Pays the rebate of a deposit, unless that was undone.
    Pay {
        deposit: u32,
        cents: i64,
    },
    /// Undoes a deposit, and takes its rebate along if that was paid; else it never will be.
    Undo {
        deposit: u32,
        cents: i64,
        rebate: i64,
    },
    /// Keeps money back under a number of its own.
    Hold {
        number: u32,
        cents: i64,
    },
    /// Takes some of what a hold keeps back, and releases the rest; all is released where nothing is taken.
    End {
        hold: u32,
        cents: i64,
    },
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
    /// It has moved, and nothing is said of where it stands: credits wait, and are settled at any time.
    Done,
    TooLittle,
    /// The rebate of a deposit that was undone.
    Barred,
    /// A hold that another has ended.
    Ended,
    Balance {
        version: u64,
        balance: i64,
    },
}

/// The reference: one wallet, one request at a time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Balance {
    version: u64,
    cents: i64,
    /// Whether the rebate of a deposit was paid; it is barred if not.
    rebates: BTreeMap<u32, bool>,
    /// What each active hold keeps back.
    holds: BTreeMap<u32, i64>,
    /// Credits wait: what was paid in can be spent, and answers name neither version nor balance.
    batched: bool,
}

impl Balance {
    /// Of a wallet whose credits wait, or not.
    pub(crate) fn new(batched: bool) -> Balance {
        Balance { batched, ..Balance::default() }
    }

    /// What a debit may take.
    fn available(&self) -> i64 {
        self.cents - self.holds.values().sum::<i64>()
    }

    fn moved(&mut self, cents: i64) -> Answer {
        self.version += 1;
        self.cents += cents;
        if self.batched {
            return Answer::Done;
        }
        Answer::Moved { version: self.version, balance: self.cents }
    }
}

impl SequentialSpec for Balance {
    type Op = Request;
    type Ret = Answer;

    fn invoke(&mut self, request: &Request) -> Answer {
        match *request {
            Request::Read => Answer::Balance { version: self.version, balance: self.cents },
            Request::Move(cents) if cents < 0 && self.available() + cents < 0 => Answer::TooLittle,
            Request::Hold { cents, .. } if self.available() < cents => Answer::TooLittle,
            Request::Hold { number, cents } => {
                self.holds.insert(number, cents);
                self.moved(0)
            }
            // Two who end one hold are two that were told that they have.
            Request::End { hold, cents } => match self.holds.remove(&hold) {
                Some(_) => self.moved(-cents),
                None => Answer::Ended,
            },
            Request::Move(cents) => self.moved(cents),
            Request::Pay { deposit, cents } => {
                if *self.rebates.entry(deposit).or_insert(true) {
                    self.moved(cents)
                } else {
                    Answer::Barred
                }
            }
            Request::Undo { deposit, cents, rebate } => {
                let paid = self.rebates.get(&deposit).copied().unwrap_or(false);
                let back = if paid { cents + rebate } else { cents };
                if self.available() < back {
                    return Answer::TooLittle;
                }
                self.rebates.entry(deposit).or_insert(false);
                self.moved(-back)
            }
        }
    }
}
