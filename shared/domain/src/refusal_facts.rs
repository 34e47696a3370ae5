//! What the table keeps of a refusal, and the refusal that was kept: code, wallet, limit and amounts of each kind.

use crate::id::WalletId;
use crate::money::{Currency, Money};
use crate::refusal::{Limit, Refusal};

/// What a refusal says, in the fields that the table keeps of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The stable name that callers see.
    pub code: &'a str,
    /// Whether the refusal itself is kept on record, and replayed for its key.
    ///
    /// Those are the refusals that a wallet's state gave. What was wrong with the request as such, and what passes by
    /// itself, is not recorded: the same key may try again.
    pub recorded: bool,
    /// Which wallet refused.
    pub wallet: Option<WalletId>,
    /// Which limit of it.
    pub limit: Option<Limit>,
    /// What it holds.
    pub holds: Option<Currency>,
    /// What could move.
    pub available: Option<Money>,
    /// What should move.
    pub requested: Option<Money>,
    /// Which payment of a payout, counted from 0.
    pub payment: Option<u32>,
}

impl Refusal {
    /// The one table of refusals: the code of each, whether it is recorded, and what it says.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        let asked = |code| Facts {
            code,
            recorded: false,
            wallet: None,
            limit: None,
            holds: None,
            available: None,
            requested: None,
            payment: None,
        };
        let of = |code, wallet: &WalletId| Facts { wallet: Some(*wallet), ..asked(code) };
        let kept = |code, wallet: &WalletId| Facts { recorded: true, ..of(code, wallet) };
        let moving = |code, wallet, available: &Option<Money>, requested: &Money| Facts {
            available: *available,
            requested: Some(*requested),
            ..kept(code, wallet)
        };
        match self {
            Refusal::TransactionNotFound => asked("transaction_not_found"),
            Refusal::MissingScope { .. } => asked("missing_scope"),
            Refusal::InvalidAmount { .. } => asked("invalid_amount"),
            Refusal::InvalidCurrency(_) => asked("invalid_currency"),
            Refusal::SameWallet => asked("same_wallet"),
            Refusal::IdempotencyKeyReused => asked("idempotency_key_reused"),
            Refusal::AlreadyReversed { .. } => asked("already_reversed"),
            Refusal::NotReversible { .. } => asked("not_reversible"),
            Refusal::DuplicateDestination { wallet } => of("duplicate_destination", wallet),
            Refusal::Payment { payment, amount, refusal } => {
                Facts { payment: Some(*payment), requested: Some(*amount), ..refusal.facts() }
            }
            Refusal::HoldNotFound => asked("hold_not_found"),
            Refusal::HoldNotActive { .. } => asked("hold_not_active"),
            Refusal::HoldExpired { .. } => asked("hold_expired"),
            Refusal::CaptureExceedsHold { remaining, requested, .. } => {
                Facts { available: Some(*remaining), requested: Some(*requested), ..asked("capture_exceeds_hold") }
            }
            Refusal::WalletNotFound { wallet } => of("wallet_not_found", wallet),
            Refusal::VersionMismatch { wallet, .. } | Refusal::VersionNotYours { wallet } => {
                of("version_mismatch", wallet)
            }
            Refusal::WalletNotEmpty { wallet, .. } => of("wallet_not_empty", wallet),
            Refusal::CeilingWithBatchedCredits { wallet } => of("ceiling_with_batched_credits", wallet),
            Refusal::CreditsInFlight { wallet, .. } => of("credits_in_flight", wallet),
            Refusal::RateLimited { wallet, .. } => of("rate_limited", wallet),
            Refusal::WalletFrozen { wallet } => kept("wallet_frozen", wallet),
            Refusal::WalletClosed { wallet } => kept("wallet_closed", wallet),
            Refusal::DepositReversed { wallet } => kept("deposit_reversed", wallet),
            Refusal::RequestExpired { wallet } => kept("request_expired", wallet),
            Refusal::CurrencyMismatch { wallet, holds, .. } => {
                Facts { holds: Some(*holds), ..kept("currency_mismatch", wallet) }
            }
            Refusal::InsufficientFunds { wallet, available, requested } => {
                moving("insufficient_funds", wallet, available, requested)
            }
            Refusal::MaxBalanceExceeded { wallet, available, requested } => {
                moving("max_balance_exceeded", wallet, available, requested)
            }
            Refusal::LimitExceeded { wallet, limit, available, requested } => {
                Facts { limit: Some(*limit), ..moving("limit_exceeded", wallet, available, requested) }
            }
            Refusal::RebateBelowMinimum { wallet, requested } => {
                moving("rebate_below_minimum", wallet, &None, requested)
            }
            Refusal::RebateCapReached { wallet, requested } => moving("rebate_cap_reached", wallet, &None, requested),
            Refusal::RebateTooLate { wallet, requested } => moving("rebate_too_late", wallet, &None, requested),
            Refusal::Newer { code, wallet, limit, holds, available, requested } => Facts {
                limit: *limit,
                holds: *holds,
                available: *available,
                requested: *requested,
                ..kept(code.as_str(), wallet)
            },
        }
    }

    /// The refusal that was recorded with these `facts`, in a transaction of `currency`. One that a newer version of this
    /// code wrote is known by its code. `None` where a fact is missing.
    #[must_use]
    pub fn recorded(facts: Facts<'_>, currency: Currency) -> Option<Refusal> {
        if let Some(payment) = facts.payment {
            let refusal = Refusal::recorded(Facts { payment: None, ..facts }, currency)?;
            return Some(Refusal::Payment { payment, amount: facts.requested?, refusal: Box::new(refusal) });
        }
        let Facts { code, wallet, limit, holds, available, requested, .. } = facts;
        let wallet = wallet?;
        Some(match code {
            // Of a request that was queued: no wallet's state refused it, and no wallet's owner is told.
            "wallet_not_found" => Refusal::WalletNotFound { wallet },
            "wallet_frozen" => Refusal::WalletFrozen { wallet },
            "wallet_closed" => Refusal::WalletClosed { wallet },
            "deposit_reversed" => Refusal::DepositReversed { wallet },
            "request_expired" => Refusal::RequestExpired { wallet },
            "currency_mismatch" => Refusal::CurrencyMismatch { wallet, holds: holds?, requested: currency },
            "insufficient_funds" => Refusal::InsufficientFunds { wallet, available, requested: requested? },
            "max_balance_exceeded" => Refusal::MaxBalanceExceeded { wallet, available, requested: requested? },
            // By a limit that only a newer version knows.
            "limit_exceeded" if limit.is_some() => {
                Refusal::LimitExceeded { wallet, limit: limit?, available, requested: requested? }
            }
            "rebate_below_minimum" => Refusal::RebateBelowMinimum { wallet, requested: requested? },
            "rebate_cap_reached" => Refusal::RebateCapReached { wallet, requested: requested? },
            "rebate_too_late" => Refusal::RebateTooLate { wallet, requested: requested? },
            _ => Refusal::Newer { code: code.to_owned(), wallet, limit, holds, available, requested },
        })
    }

    /// The wallet whose state refused it, and whose owner the record names. None where a queued request found no wallet, or
    /// waited too long: no wallet was asked then, and its record names its caller as owner.
    #[must_use]
    pub fn refused_by(&self) -> Option<WalletId> {
        let facts = self.facts();
        facts.wallet.filter(|_| facts.recorded && facts.code != "request_expired")
    }

    /// The stable name that callers see.
    #[must_use]
    pub fn code(&self) -> &str {
        self.facts().code
    }
}
