//! Entries: what happened to one wallet, one per version, each holding the hash of the one before.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::hash::{Digest, Hasher};
use crate::id::{TransactionId, WalletId};
use crate::money::Money;
use crate::text::{Owner, Reference};
use crate::transaction::{Account, Kind};

/// What the first entry of every wallet follows: 64 zeros.
pub const GENESIS: Digest = Digest::from_bytes([0; 32]);

/// One line of a wallet's statement. Never changed, never deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose statement.
    pub wallet: WalletId,
    /// The wallet's version after it.
    pub version: u64,
    /// The transaction that made it.
    pub transaction: TransactionId,
    /// The kind of that transaction.
    pub kind: Kind,
    /// Signed: credits are positive, debits negative, openings and amendments zero.
    pub amount: Money,
    /// The balance after it.
    pub balance_after: Money,
    /// Where the money came from or went to; openings and amendments have none.
    pub counterparty: Option<Account>,
    /// The caller's reference.
    pub reference: Option<Reference>,
    /// What an amendment changed, by field name; empty for everything else.
    pub changes: BTreeMap<String, String>,
    /// Who asked for it.
    pub by: Owner,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Hash of the entry before, or [`GENESIS`].
    pub previous: Digest,
    /// [`Entry::computed_hash`] at the time of writing.
    pub hash: Digest,
}

impl Entry {
    /// SHA-256 over every other field: an entry that was tampered with no longer matches its `hash`.
    #[must_use]
    pub fn computed_hash(&self) -> Digest {
        let mut hasher = Hasher::new("entry")
            .field(&self.previous.to_string())
            .field(&self.wallet.to_string())
            .field(&self.version.to_string())
            .field(&self.transaction.to_string())
            .field(self.kind.as_str())
            .field(self.amount.currency().code())
            .field(&self.amount.to_string())
            .field(&self.balance_after.to_string())
            .maybe(self.counterparty)
            .maybe(self.reference.as_ref())
            .field(self.by.as_str())
            .field(&self.created_at.as_millisecond().to_string());
        for (name, value) in &self.changes {
            hasher = hasher.field(name).field(value);
        }
        hasher.finish()
    }

    /// The same entry with its hash filled in.
    #[must_use]
    pub(crate) fn sealed(mut self) -> Entry {
        self.hash = self.computed_hash();
        self
    }
}
