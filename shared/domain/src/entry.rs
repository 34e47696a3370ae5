//! Entries: the rows of a wallet's statement, one for each version, each holding the hash of the one before.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::hash::{Digest, Hasher};
use crate::id::{TransactionId, WalletId};
use crate::money::Money;
use crate::text::{Owner, Reference};
use crate::transaction::{Account, Kind};

/// The format of the hashes that this code writes; see [`Entry::format`].
pub(crate) const FORMAT: u32 = 1;

/// One row of a wallet's statement. Never changed, never deleted.
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
    /// Signed: credits are positive, debits negative. Zero where no balance moves: openings, amendments, holds and their
    /// release.
    pub amount: Money,
    /// The balance after it.
    pub balance_after: Money,
    /// What holds keep back after it.
    pub held_after: Money,
    /// Where the money came from or went to, or what it is held for; `None` where there is no such account, or more than one.
    pub counterparty: Option<Account>,
    /// The caller's reference.
    pub reference: Option<Reference>,
    /// What an amendment changed, by field name; empty for everything else.
    pub changes: BTreeMap<String, String>,
    /// Who asked for it.
    pub caller: Owner,
    /// When it was decided. Never earlier than the entry before.
    pub created_at: Timestamp,
    /// The seal of the transaction that made it.
    pub seal: Digest,
    /// [`crate::Wallet::state`] after it.
    pub state: Digest,
    /// Hash of the entry before, or [`crate::GENESIS`].
    pub previous: Digest,
    /// What `hash` and `state` cover: the number of their format.
    pub format: u32,
    /// [`Entry::computed_hash`] at the time of writing.
    pub hash: Digest,
}

impl Entry {
    /// SHA-256 over every other field: an entry that was tampered with no longer matches its `hash`. `None` for a format
    /// that a newer version of this code wrote.
    #[must_use]
    pub fn computed_hash(&self) -> Option<Digest> {
        if self.format != FORMAT {
            return None;
        }
        let hasher = Hasher::new("entry:1")
            .shown(self.previous)
            .shown(self.wallet)
            .shown(self.version)
            .shown(self.transaction)
            .field(self.kind.as_str())
            .field(self.amount.currency().code())
            .shown(self.amount)
            .shown(self.balance_after)
            .maybe(self.counterparty)
            .maybe(self.reference.as_ref())
            .field(self.caller.as_str())
            .shown(self.created_at.as_millisecond())
            .shown(self.seal)
            .shown(self.state)
            .texts(&self.changes);
        // Behind the rest, so that a wallet without holds keeps the chain that it has always had.
        let held = self.held_after;
        let hasher = if held.is_zero() { hasher } else { hasher.field("held").shown(held) };
        Some(hasher.finish())
    }

    /// The same entry with its hash filled in.
    #[must_use]
    pub(crate) fn hashed(mut self) -> Entry {
        self.hash = self.computed_hash().expect("an entry is made in the format that this code writes");
        self
    }
}
