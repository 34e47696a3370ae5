//! Requests that were accepted and wait to be executed.
//!
//! A request takes the place of its transaction until that is written: the same item, so that a key is one movement whichever
//! of queued and direct comes first. The caller's authority is that of the acceptance; fees and rules are those of the execution.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::caller::{Caller, Order, Payment};
use crate::fee::FeeSchedule;
use crate::hash::{Digest, Hasher};
use crate::id::{TransactionId, WalletId};
use crate::money::Amount;
use crate::rebate::RebateTerms;
use crate::text::{IdempotencyKey, Metadata, Reference};
use crate::transaction::Kind;

/// How long a request waits at most: whoever finds it older ends it as failed.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// A request that was accepted and has no outcome yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the transaction that it will become.
    pub id: TransactionId,
    /// What was asked.
    pub kind: Kind,
    /// The wallet that it is about.
    pub wallet: WalletId,
    /// Where the money goes, if to another wallet.
    pub destination: Option<WalletId>,
    /// Of a payout: to whom and how much.
    pub payments: Vec<Payment>,
    /// Who asked, and with what authority.
    pub caller: Caller,
    /// The idempotency key that named the request.
    pub key: IdempotencyKey,
    /// How much.
    pub amount: Amount,
    /// The caller's reference.
    pub reference: Option<Reference>,
    /// The caller's labels.
    pub metadata: Metadata,
    /// Digest of the request.
    pub fingerprint: Digest,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// What the deployment adds to a request when it is executed.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The rebate rules.
    pub rules: Arc<[RebateTerms]>,
    /// What a movement costs.
    pub fee: Option<FeeSchedule>,
}

impl Request {
    /// Whether it has waited so long that it is not executed any more.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now.duration_since(self.accepted_at) >= LONGEST_WAIT
    }

    /// SHA-256 over every field.
    #[must_use]
    pub fn seal(&self) -> Digest {
        let hasher = Hasher::new("queued request:1")
            .shown(self.id)
            .field(self.kind.as_str())
            .shown(self.wallet)
            .maybe(self.destination)
            .field(self.caller.subject.as_str())
            .field(if self.caller.admin { "admin" } else { "owner" })
            .field(self.key.as_str())
            .field(self.amount.money().currency().code())
            .shown(self.amount.money())
            .maybe(self.reference.as_ref())
            .texts(self.metadata.labels())
            .shown(self.fingerprint)
            .shown(self.accepted_at.as_millisecond());
        let payments = self.payments.iter().fold(hasher, |hasher, payment| {
            hasher.shown(payment.destination).shown(payment.amount.money()).maybe(payment.reference.as_ref())
        });
        payments.finish()
    }

    pub(crate) fn order(&self) -> Order {
        Order {
            caller: self.caller.clone(),
            key: self.key.clone(),
            amount: self.amount,
            reference: self.reference.clone(),
            metadata: self.metadata.clone(),
            expected_version: None,
        }
    }
}
