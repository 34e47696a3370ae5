//! Transactions: what a request did, or why it was refused, with legs that sum to zero.

use std::fmt;

use jiff::Timestamp;

use crate::hash::Digest;
use crate::id::{TransactionId, WalletId};
use crate::money::Money;
use crate::rebate::RebateRule;
use crate::refusal::Refusal;
use crate::text::{Metadata, Owner, Reference};
use crate::wallet::Wallet;

/// The record of one request, written once in the same transaction as what it moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Derived from the caller and the idempotency key, or from what it stands for.
    pub id: TransactionId,
    /// What was asked.
    pub kind: Kind,
    /// The wallet that the request was about: the one credited or debited, the source of a transfer.
    pub wallet: WalletId,
    /// Where a transfer goes, or would have gone: a failed one has no legs that tell.
    pub destination: Option<WalletId>,
    /// What was asked to move; zero for openings and amendments.
    pub amount: Money,
    /// What was paid for it on top.
    pub fee: Money,
    /// What came of it.
    pub outcome: Outcome,
    /// On whose behalf; with the owners of the legs' wallets, who may read it.
    pub principal: Owner,
    /// The caller's reference.
    pub reference: Option<Reference>,
    /// The caller's labels.
    pub metadata: Metadata,
    /// The deposit of a rebate, the original of a reversal.
    pub parent: Option<TransactionId>,
    /// The rebate rule in force when a deposit was made.
    pub rule: Option<RebateRule>,
    /// Digest of the request: the same key with another request is refused.
    pub fingerprint: Digest,
    /// When it was decided.
    pub created_at: Timestamp,
}

impl Transaction {
    /// The legs of a posted transaction; a failed one has none.
    #[must_use]
    pub fn legs(&self) -> &[Leg] {
        match &self.outcome {
            Outcome::Posted { legs, .. } => legs,
            Outcome::Failed(_) => &[],
        }
    }

    /// The id of the rebate that it earns: of a posted deposit that pinned a rule.
    #[must_use]
    pub fn rebate(&self) -> Option<TransactionId> {
        let rule = self.rule.as_ref().filter(|_| !self.legs().is_empty())?;
        Some(TransactionId::rebate_of(self.id, &rule.id))
    }

    /// Whether `owner` may see it.
    #[must_use]
    pub fn concerns(&self, owner: &Owner) -> bool {
        self.principal == *owner || self.legs().iter().any(|leg| leg.owner() == Some(owner))
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Written.
    Posted {
        /// What moved, summing to zero.
        legs: Vec<Leg>,
        /// The wallet as an opening or amendment left it, so that a repeated request gets the first answer.
        wallet: Option<Box<Wallet>>,
    },
    /// Refused, and kept on record.
    Failed(Refusal),
}

/// What a transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A wallet comes to be.
    Opening,
    /// A wallet's status, bounds or limits change.
    Amendment,
    /// Money comes in.
    Deposit,
    /// Money goes out.
    Withdrawal,
    /// Money moves between wallets.
    Transfer,
    /// A share of a deposit comes back.
    Rebate,
    /// A movement is undone.
    Reversal,
}

impl Kind {
    const ALL: [Kind; 7] =
        [Kind::Opening, Kind::Amendment, Kind::Deposit, Kind::Withdrawal, Kind::Transfer, Kind::Rebate, Kind::Reversal];

    /// As callers and the table spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Opening => "opening",
            Kind::Amendment => "amendment",
            Kind::Deposit => "deposit",
            Kind::Withdrawal => "withdrawal",
            Kind::Transfer => "transfer",
            Kind::Rebate => "rebate",
            Kind::Reversal => "reversal",
        }
    }

    /// The kind spelled `text`, if any.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where money can be: in a wallet, or in one of the system accounts that exist only as legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Account {
    /// A wallet.
    Wallet(WalletId),
    /// The outside world: deposits come from it, withdrawals go to it.
    External,
    /// What fees have earned.
    Fees,
    /// What rebates have cost.
    Rebates,
}

impl Account {
    /// The system account spelled `text`, if any.
    #[must_use]
    pub fn system(text: &str) -> Option<Account> {
        match text {
            "external" => Some(Account::External),
            "fees" => Some(Account::Fees),
            "rebates" => Some(Account::Rebates),
            _ => None,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::Wallet(id) => id.fmt(f),
            Account::External => f.write_str("external"),
            Account::Fees => f.write_str("fees"),
            Account::Rebates => f.write_str("rebates"),
        }
    }
}

/// One side of a movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leg {
    /// What a wallet gained (positive) or gave (negative).
    Wallet {
        /// Which.
        wallet: WalletId,
        /// Whose, so that others can be kept from reading its balance.
        owner: Owner,
        /// Signed.
        amount: Money,
        /// Its balance after.
        balance_after: Money,
        /// Its version after.
        version_after: u64,
    },
    /// What a system account gained or gave.
    System {
        /// Which; never [`Account::Wallet`].
        account: Account,
        /// Signed.
        amount: Money,
    },
}

impl Leg {
    /// What this side gained (positive) or gave (negative).
    #[must_use]
    pub fn amount(&self) -> Money {
        match self {
            Leg::Wallet { amount, .. } | Leg::System { amount, .. } => *amount,
        }
    }

    /// The wallet, for a wallet's leg.
    #[must_use]
    pub fn wallet(&self) -> Option<WalletId> {
        match self {
            Leg::Wallet { wallet, .. } => Some(*wallet),
            Leg::System { .. } => None,
        }
    }

    /// The owner of the wallet, for a wallet's leg.
    #[must_use]
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Leg::Wallet { owner, .. } => Some(owner),
            Leg::System { .. } => None,
        }
    }
}
