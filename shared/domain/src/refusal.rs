//! Every way in which a request is refused, with what its caller needs to know. A refusal moves nothing.
//!
//! Amounts of a wallet that the caller doesn't own are left out where the refusal is made, not where it is shown.

use crate::hold_terms::HoldStatus;
use crate::id::{TransactionId, WalletId};
use crate::money::{AmountError, Currency, CurrencyError, Money};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such wallet, or a stranger's: the two cannot be told apart.
    #[error("there is no wallet {wallet}")]
    WalletNotFound {
        /// As asked for.
        wallet: WalletId,
    },
    /// No such transaction, or a stranger's.
    #[error("there is no such transaction")]
    TransactionNotFound,
    /// The caller's token does not allow this part of the request.
    #[error("this needs the scope {scope}")]
    MissingScope {
        /// What the token lacks.
        scope: &'static str,
    },
    /// Not an amount of the currency.
    #[error("{field} {error}")]
    InvalidAmount {
        /// Which field of the request.
        field: &'static str,
        /// What is wrong with it.
        error: AmountError,
    },
    /// Not a currency.
    #[error("currency {0}")]
    InvalidCurrency(CurrencyError),
    /// A transfer from a wallet to itself.
    #[error("source and destination are the same wallet")]
    SameWallet,
    /// A payout that pays one wallet twice.
    #[error("wallet {wallet} is paid more than once; a payout pays each wallet one sum")]
    DuplicateDestination {
        /// The wallet.
        wallet: WalletId,
    },
    /// One payment of a payout is refused, and with it the payout.
    #[error("`payments[{payment}]`: {refusal}")]
    Payment {
        /// Its place, counted from 0.
        payment: u32,
        /// What it was to pay.
        amount: Money,
        /// Why it is refused.
        refusal: Box<Refusal>,
    },
    /// The key has been used for a different request.
    #[error("this idempotency key belongs to a different request; use a new key for a new request")]
    IdempotencyKeyReused,
    /// The transaction has been reversed before.
    #[error("transaction {transaction} has been reversed")]
    AlreadyReversed {
        /// The transaction that was to be reversed.
        transaction: TransactionId,
    },
    /// Only a posted transaction of a kind that can be undone is reversed.
    #[error("transaction {transaction} cannot be reversed")]
    NotReversible {
        /// The transaction that was to be reversed.
        transaction: TransactionId,
    },
    /// No such hold, or one that is not the caller's to see or to capture.
    #[error("there is no such hold")]
    HoldNotFound,
    /// The hold was captured or voided before.
    #[error("hold {hold} is {} and keeps nothing back any more", status.as_str())]
    HoldNotActive {
        /// The hold.
        hold: TransactionId,
        /// What has become of it.
        status: HoldStatus,
    },
    /// The hold's time is over, and it was released.
    #[error("hold {hold} has expired, and what it kept back was released")]
    HoldExpired {
        /// The hold.
        hold: TransactionId,
    },
    /// More than the hold keeps back.
    #[error("hold {hold} has less left than that")]
    CaptureExceedsHold {
        /// The hold.
        hold: TransactionId,
        /// What can be captured still.
        remaining: Money,
        /// What should be captured.
        requested: Money,
    },
    /// The deposit was reversed before its rebate was paid.
    #[error("the deposit of this rebate was reversed before the rebate was paid")]
    DepositReversed {
        /// The wallet that the rebate would have gone to.
        wallet: WalletId,
    },
    /// The wallet is not at the version that the caller pinned. Which version it is at is for those who may read it.
    #[error("wallet {wallet} is not at version {expected}; read it again and decide anew")]
    VersionMismatch {
        /// The wallet that refused.
        wallet: WalletId,
        /// Pinned by `If-Match`.
        expected: u64,
    },
    /// The caller pinned the version of a wallet that isn't the caller's. Says nothing of that version.
    #[error("wallet {wallet} is of another owner, so its version cannot be pinned; leave the version out")]
    VersionNotYours {
        /// The wallet that refused.
        wallet: WalletId,
    },
    /// Closing needs a balance of zero, and nothing held.
    #[error("wallet {wallet} still holds {balance}; only an empty wallet can be closed")]
    WalletNotEmpty {
        /// The wallet that refused.
        wallet: WalletId,
        /// What it holds.
        balance: Money,
    },
    /// A ceiling cannot be held where credits ask nothing of the wallet.
    #[error("wallet {wallet} cannot have both a ceiling and batched credits; take one of them away")]
    CeilingWithBatchedCredits {
        /// The wallet that refused.
        wallet: WalletId,
    },
    /// Closing, and setting a ceiling, wait until no credit can be on its way into the inbox.
    #[error(
        "credits may still be on their way into the inbox of wallet {wallet}: its credits must have been immediate for 15 minutes, and all of them settled"
    )]
    CreditsInFlight {
        /// The wallet that refused.
        wallet: WalletId,
        /// When trying again makes sense.
        retry_after_seconds: u64,
    },
    /// More transfers than the wallet's limit allows in this minute.
    #[error("wallet {wallet} has made all {limit} transfers of this minute")]
    RateLimited {
        /// The wallet that refused.
        wallet: WalletId,
        /// Transfers per minute.
        limit: u32,
        /// Seconds until the next minute.
        retry_after_seconds: u64,
    },
    /// The balance would pass the floor, or cut into what is held.
    #[error("wallet {wallet} has too little")]
    InsufficientFunds {
        /// The wallet that refused.
        wallet: WalletId,
        /// What could leave; `None` when it is not the caller's to know.
        available: Option<Money>,
        /// What should leave, fee included.
        requested: Money,
    },
    /// The balance would pass the ceiling.
    #[error("wallet {wallet} has too little room")]
    MaxBalanceExceeded {
        /// The wallet that refused.
        wallet: WalletId,
        /// What could come in; `None` when it is not the caller's to know.
        available: Option<Money>,
        /// What should come in.
        requested: Money,
    },
    /// The movement would pass one of the wallet's limits.
    #[error("wallet {wallet} may not move this much: its {} stands in the way", limit.as_str())]
    LimitExceeded {
        /// The wallet that refused.
        wallet: WalletId,
        /// The limit that it would pass.
        limit: Limit,
        /// What is left of it.
        available: Option<Money>,
        /// What should move.
        requested: Money,
    },
    /// A frozen wallet gives nothing.
    #[error("wallet {wallet} is frozen: it takes credits and refuses debits")]
    WalletFrozen {
        /// The wallet that refused.
        wallet: WalletId,
    },
    /// A closed wallet neither gives nor takes.
    #[error("wallet {wallet} is closed")]
    WalletClosed {
        /// The wallet that refused.
        wallet: WalletId,
    },
    /// The wallet holds another currency.
    #[error("wallet {wallet} holds {holds}, not {requested}")]
    CurrencyMismatch {
        /// The wallet that refused.
        wallet: WalletId,
        /// What it holds.
        holds: Currency,
        /// What was asked for.
        requested: Currency,
    },
    /// It has waited in the queue for longer than requests may.
    #[error("the request waited for a day and could not be executed")]
    RequestExpired {
        /// The wallet that it was about.
        wallet: WalletId,
    },
    /// A rebate that comes to less than its rule's minimum, or to nothing.
    #[error("the rebate comes to {requested}, too little to be paid")]
    RebateBelowMinimum {
        /// The wallet that the rebate would have gone to.
        wallet: WalletId,
        /// What it came to.
        requested: Money,
    },
    /// The rule's rebates for the wallet's deposits of that month have come to the rule's monthly cap.
    #[error("the rule's cap on rebates for deposits of one calendar month is reached")]
    RebateCapReached {
        /// The wallet that the rebate would have gone to.
        wallet: WalletId,
        /// What it would have come to.
        requested: Money,
    },
    /// What a newer version of this code has recorded.
    #[error("wallet {wallet} refused it: {code}")]
    Newer {
        /// The stable name.
        code: String,
        /// Which wallet refused.
        wallet: WalletId,
        /// Which limit of it.
        limit: Option<Limit>,
        /// What it holds.
        holds: Option<Currency>,
        /// What could move.
        available: Option<Money>,
        /// What should.
        requested: Option<Money>,
    },
    /// The deposit's month is no longer counted, so nobody knows what is left of the rule's monthly cap.
    #[error("the rebate comes too late: rebates for deposits of that month are no longer counted")]
    RebateTooLate {
        /// The wallet that the rebate would have gone to.
        wallet: WalletId,
        /// What it would have come to.
        requested: Money,
    },
}

/// A limit that a movement can pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// The largest single movement.
    MaxMovement,
    /// The outflow of one day.
    MaxDailyOutflow,
}

impl Limit {
    /// As callers and the table spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Limit::MaxMovement => "max_movement",
            Limit::MaxDailyOutflow => "max_daily_outflow",
        }
    }

    /// The limit spelled `text`, if any.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Limit> {
        [Limit::MaxMovement, Limit::MaxDailyOutflow].into_iter().find(|limit| limit.as_str() == text)
    }
}
