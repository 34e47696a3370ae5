//! Who asks, and what every movement of money carries.

use crate::id::WalletId;
use crate::money::Amount;
use crate::text::{IdempotencyKey, Metadata, Owner, Reference};
use crate::wallet::Wallet;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject.
    pub subject: Owner,
    /// Whether the token carries `wallets:admin`, which opens every wallet.
    pub admin: bool,
}

impl Caller {
    /// Whether the caller may read and debit `wallet`.
    #[must_use]
    pub fn owns(&self, wallet: &Wallet) -> bool {
        self.admin || wallet.owner == self.subject
    }
}

/// What every movement of money carries.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who asks.
    pub caller: Caller,
    /// Names this request for ever.
    pub key: IdempotencyKey,
    /// How much.
    pub amount: Amount,
    /// The caller's own name for it.
    pub reference: Option<Reference>,
    /// The caller's labels.
    pub metadata: Metadata,
    /// The version that the (source) wallet must be at (`If-Match`).
    pub expected_version: Option<u64>,
}

/// One payment of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Where to. No other payment of the payout goes there.
    pub destination: WalletId,
    /// How much.
    pub amount: Amount,
    /// The caller's own name for it, in the place of the payout's.
    pub reference: Option<Reference>,
}
