//! The rules that the record of a posted transaction keeps to, said for each kind beside the verb that makes it.
//!
//! The legs said here are a statement of the contract. No decision reads them: the audit compares records with them.

use crate::transaction::{Account, Kind};

/// The rules that a kind's records keep to.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The kind.
    pub kind: Kind,
    /// What moves.
    pub legs: Legs,
    /// Whether it may cost a fee, which its wallet pays to [`Account::Fees`] on top.
    pub has_fee: bool,
    /// Whether it can be undone.
    pub is_reversible: bool,
}

/// What the legs of a kind are, given amount and fee. Each account has one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legs {
    /// There are none, and the record keeps the wallet as it left it.
    KeptWallet,
    /// The amount goes from one place to another.
    Movement(Place, Place),
    /// One, of its wallet, that moves nothing: money is kept back or released.
    Held,
    /// Those of its parent with their signs turned.
    Mirrored,
}

/// Where an amount leaves from, or comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The wallet that the request is about.
    Wallet,
    /// The other wallet, which the record must name.
    Destination,
    /// The other wallet, and out of the system where the record names none.
    DestinationOrOut,
    /// One or more other wallets, each once; the amount is what they get together.
    Payees,
    /// Always the same account.
    Account(Account),
}

impl Shape {
    /// Of a kind that costs nothing and cannot be undone.
    pub(crate) const fn of(kind: Kind, legs: Legs) -> Shape {
        Shape { kind, legs, has_fee: false, is_reversible: false }
    }

    pub(crate) const fn with_fee(self) -> Shape {
        Shape { has_fee: true, ..self }
    }

    pub(crate) const fn reversible(self) -> Shape {
        Shape { is_reversible: true, ..self }
    }
}
