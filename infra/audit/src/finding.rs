//! What an audit finds: where, which check, and by how much.

use std::fmt;

use wallet_domain::{Currency, TransactionId, WalletId};
use wallet_dynamodb::scan::Unreadable;

/// A check that an item fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The item can be read.
    Readable,
    /// Every version has exactly one entry, from 0 to the wallet's.
    Versions,
    /// An entry's hash is the hash of what it says.
    Hash,
    /// An entry names the hash of the one before it.
    Chain,
    /// An entry's balance is the one before it plus its amount.
    RunningBalance,
    /// An entry is no older than the one before it.
    Times,
    /// The wallet's item says what its newest entry says.
    Wallet,
    /// The balance is between floor and ceiling.
    Bounds,
    /// A transaction's seal is the hash of what it says.
    Seal,
    /// A transaction's legs sum to zero and are what its kind, amount and fee make.
    Legs,
    /// A failed transaction names the owner of the wallet that refused it.
    Refusal,
    /// Every entry, and every credit that waits, has its transaction's leg, and every leg one of them.
    Matching,
    /// The wallet that a credit waits for is there, and can hold it.
    Inbox,
    /// A rebate is what the deposit's rule gives, once.
    Rebate,
    /// A deposit's rebate was paid, refused or barred in time; a credit was settled, and a hold released, in time.
    Overdue,
    /// A reversal gives back what its parent moved, once, with the rebate; both say so.
    Reversal,
    /// Holds are what their transactions make of them, and a wallet keeps back what they do.
    Holds,
    /// What an earlier audit saw is all there, unchanged, and nothing was put before it.
    Checkpoint,
}

impl Check {
    /// As reports spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Check::Readable => "readable",
            Check::Versions => "versions",
            Check::Hash => "hash",
            Check::Chain => "chain",
            Check::RunningBalance => "running_balance",
            Check::Times => "times",
            Check::Wallet => "wallet",
            Check::Bounds => "bounds",
            Check::Seal => "seal",
            Check::Legs => "legs",
            Check::Refusal => "refusal",
            Check::Matching => "matching",
            Check::Inbox => "inbox",
            Check::Rebate => "rebate",
            Check::Overdue => "overdue",
            Check::Reversal => "reversal",
            Check::Holds => "holds",
            Check::Checkpoint => "checkpoint",
        }
    }
}

/// One thing that doesn't add up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Whose statement.
    pub wallet: Option<WalletId>,
    /// At which version.
    pub version: Option<u64>,
    /// In which transaction.
    pub transaction: Option<TransactionId>,
    /// What was looked at.
    pub check: Check,
    /// What is there, and what should be.
    pub difference: String,
}

impl Finding {
    pub(crate) fn wallet(id: WalletId, version: u64, check: Check, difference: impl Into<String>) -> Finding {
        let (wallet, version) = (Some(id), Some(version));
        Finding { wallet, version, transaction: None, check, difference: difference.into() }
    }

    pub(crate) fn transaction(id: TransactionId, check: Check, difference: impl Into<String>) -> Finding {
        Finding { wallet: None, version: None, transaction: Some(id), check, difference: difference.into() }
    }

    pub(crate) fn unreadable(item: Unreadable) -> Finding {
        let Unreadable { wallet, version, transaction, reason: difference } = item;
        Finding { wallet, version, transaction, check: Check::Readable, difference }
    }

    /// A finding about the credit that `of` has brought to `wallet`.
    pub(crate) fn credit(wallet: WalletId, of: TransactionId, check: Check, difference: impl Into<String>) -> Finding {
        Finding { wallet: Some(wallet), ..Finding::transaction(of, check, difference) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(wallet) = self.wallet {
            write!(f, "{wallet} ")?;
        }
        if let Some(version) = self.version {
            write!(f, "version {version} ")?;
        }
        if let Some(transaction) = self.transaction {
            write!(f, "{transaction} ")?;
        }
        write!(f, "{}: {}", self.check.as_str(), self.difference)
    }
}

/// Minor units as a decimal of the currency: sums may be larger than any money that exists.
pub(crate) fn decimal(minor_units: i128, currency: Currency) -> String {
    let scale = currency.scale() as usize;
    let sign = if minor_units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor_units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
