//! Holds: money that a wallet keeps back for one payee until it is captured, voided or released.
//!
//! What a hold keeps back is in its wallet's `held` and in no other balance. `active` is the only status that changes, and
//! each change of a hold is a step of its wallet too, so that the wallet's version orders them.

use jiff::{SignedDuration, Timestamp};

use crate::hold_terms::{HoldStatus, HoldTerms};
use crate::id::{TransactionId, WalletId};
use crate::money::{Money, MoneyError};
use crate::text::{Metadata, Reference};
use crate::transaction::{Account, Kind, Outcome, Transaction};

/// The most holds that one transaction releases: with the wallet, its entry and the record that is 52 of the 100 actions that
/// DynamoDB takes, and the record that names them stays below 6 KB.
pub const MAX_RELEASED: usize = 49;

/// The most captures of one hold: the last of them ends it, whatever it asks for.
pub const MAX_CAPTURES: u32 = 50;

/// How long a hold lives where its request does not say.
pub const HOLD_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Where a hold is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldKey {
    /// The wallet whose money it keeps back.
    pub wallet: WalletId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The transaction that made it.
    pub id: TransactionId,
}

/// One hold as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The transaction that made it.
    pub id: TransactionId,
    /// The wallet whose money it keeps back.
    pub source: WalletId,
    /// Where captures go; `None` is out of the system.
    pub destination: Option<WalletId>,
    /// What can be captured in all.
    pub amount: Money,
    /// Its end and its price.
    pub terms: HoldTerms,
    /// What has become of it.
    pub status: HoldStatus,
    /// What was captured so far.
    pub captured: Money,
    /// How many captures have taken it.
    pub captures: u32,
    /// The caller's own name for it.
    pub reference: Option<Reference>,
    /// The caller's labels.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Hold {
    /// The hold that `transaction` made, as it was then; `None` of any other transaction, and of one that was refused.
    #[must_use]
    pub fn made_by(transaction: &Transaction) -> Option<Hold> {
        let posted = matches!(transaction.outcome, Outcome::Posted { .. }) && transaction.kind == Kind::HOLD;
        let terms = transaction.hold.clone().filter(|_| posted)?;
        Some(Hold {
            id: transaction.id,
            source: transaction.wallet,
            destination: transaction.destination,
            amount: transaction.amount,
            terms,
            status: HoldStatus::Active,
            captured: Money::zero(transaction.amount.currency()),
            captures: 0,
            reference: transaction.reference.clone(),
            metadata: transaction.metadata.clone(),
            created_at: transaction.created_at,
        })
    }

    /// Where it is kept.
    #[must_use]
    pub fn key(&self) -> HoldKey {
        HoldKey { wallet: self.source, created_at: self.created_at, id: self.id }
    }

    /// Where captures go.
    #[must_use]
    pub fn payee(&self) -> Account {
        self.destination.map_or(Account::External, Account::Wallet)
    }

    /// The wallet whose owner captures and voids.
    #[must_use]
    pub fn beneficiary(&self) -> WalletId {
        self.destination.unwrap_or(self.source)
    }

    /// What can be captured still.
    #[must_use]
    pub fn remaining(&self) -> Money {
        if self.status == HoldStatus::Active { self.uncaptured() } else { Money::zero(self.amount.currency()) }
    }

    /// What was given back.
    #[must_use]
    pub fn released(&self) -> Money {
        if self.status == HoldStatus::Active { Money::zero(self.amount.currency()) } else { self.uncaptured() }
    }

    fn uncaptured(&self) -> Money {
        self.amount.minus(self.captured).unwrap_or_else(|_| Money::zero(self.amount.currency()))
    }

    /// What it keeps back: all that its captures could still take, fees included.
    ///
    /// # Errors
    /// When that is more than money can be, which only a damaged item says.
    pub fn held(&self) -> Result<Money, MoneyError> {
        if self.status != HoldStatus::Active {
            return Ok(Money::zero(self.amount.currency()));
        }
        self.cost(self.amount)?.minus(self.cost(self.captured)?)
    }

    /// What captures of `captured` in all take from the source.
    fn cost(&self, captured: Money) -> Result<Money, MoneyError> {
        captured.plus(self.fee_on(captured))
    }

    /// What captures of `captured` in all cost: nothing costs nothing, whatever the least fee is.
    pub(crate) fn fee_on(&self, captured: Money) -> Money {
        let zero = Money::zero(captured.currency());
        if captured.is_zero() { zero } else { self.terms.fee.as_ref().map_or(zero, |fee| fee.fee_on(captured)) }
    }

    /// Whether it is to be released at `now`.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.status == HoldStatus::Active && self.terms.expires_at <= now
    }

    /// Its status to whoever reads it at `now`: expired from its end on, released or not.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> HoldStatus {
        if self.is_overdue(now) { HoldStatus::Expired } else { self.status }
    }

    /// The same hold after it has ended.
    pub(crate) fn ended(&self, status: HoldStatus) -> Hold {
        Hold { status, ..self.clone() }
    }
}

/// A hold's way from one state to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldChange {
    /// As it was read; `None` when it is being made.
    pub before: Option<Hold>,
    /// As it will be.
    pub after: Hold,
}

impl HoldChange {
    /// What the change adds to its wallet's `held`.
    pub(crate) fn adds(&self) -> Result<Money, MoneyError> {
        let before = self.before.as_ref().map_or(Ok(Money::zero(self.after.amount.currency())), Hold::held)?;
        self.after.held()?.minus(before)
    }
}
