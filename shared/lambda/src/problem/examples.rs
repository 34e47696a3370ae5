//! Every refusal that there is, for the tests and the API's description.

use wallet_domain::{AmountError, Limit, Money, Refusal, WalletId};

pub(crate) fn wallet() -> WalletId {
    "wal_00000000000000000000000000000001".parse().expect("an id")
}

pub(crate) fn eur(text: &str) -> Money {
    Money::parse(text, "EUR".parse().expect("a currency")).expect("an amount")
}

/// Every refusal that there is.
pub(crate) fn every_refusal() -> Vec<Refusal> {
    let (wallet, requested, available) = (wallet(), eur("7.50"), Some(eur("5")));
    let (eur, usd) = ("EUR".parse().expect("a currency"), "USD".parse().expect("a currency"));
    let transaction = "txn_00000000000000000000000000000002".parse().expect("an id");
    let unknown = "XXQ".parse::<wallet_domain::Currency>().expect_err("no currency");
    vec![
        Refusal::WalletNotFound { wallet },
        Refusal::TransactionNotFound,
        Refusal::MissingScope { scope: "wallets:admin" },
        Refusal::InvalidAmount { field: "amount", error: AmountError::NotPositive },
        Refusal::InvalidCurrency(unknown),
        Refusal::SameWallet,
        Refusal::Payment { payment: 2, amount: requested, refusal: Box::new(Refusal::SameWallet) },
        Refusal::Payment { payment: 0, amount: requested, refusal: Box::new(Refusal::WalletClosed { wallet }) },
        Refusal::DuplicateDestination { wallet },
        Refusal::IdempotencyKeyReused,
        Refusal::VersionMismatch { wallet, expected: 1 },
        Refusal::VersionNotYours { wallet },
        Refusal::WalletNotEmpty { wallet, balance: requested },
        Refusal::CeilingWithBatchedCredits { wallet },
        Refusal::CreditsInFlight { wallet, retry_after_seconds: 840 },
        Refusal::RateLimited { wallet, limit: 3, retry_after_seconds: 17 },
        Refusal::InsufficientFunds { wallet, available, requested },
        Refusal::MaxBalanceExceeded { wallet, available: None, requested },
        Refusal::LimitExceeded { wallet, limit: Limit::MaxMovement, available, requested },
        Refusal::WalletFrozen { wallet },
        Refusal::WalletClosed { wallet },
        Refusal::CurrencyMismatch { wallet, holds: eur, requested: usd },
        Refusal::RebateBelowMinimum { wallet, requested },
        Refusal::RebateCapReached { wallet, requested },
        Refusal::RebateTooLate { wallet, requested },
        Refusal::AlreadyReversed { transaction },
        Refusal::NotReversible { transaction },
        Refusal::DepositReversed { wallet },
        Refusal::RequestExpired { wallet },
        Refusal::HoldNotFound,
        Refusal::HoldNotActive { hold: transaction, status: wallet_domain::HoldStatus::Voided },
        Refusal::HoldExpired { hold: transaction },
        Refusal::CaptureExceedsHold { hold: transaction, remaining: self::eur("5"), requested },
        Refusal::Newer { code: "too_sunny".to_owned(), wallet, limit: None, holds: None, available, requested: None },
    ]
}
