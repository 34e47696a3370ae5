//! The one table of codes: what callers may build on, with each code's status, title, and whether asking again helps.

use lambda_http::http::StatusCode;

/// What went wrong, as callers see it. Codes are a contract: they may be added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request cannot be read.
    MalformedRequest,
    /// A POST without its key.
    IdempotencyKeyMissing,
    /// A cursor of another list, or a damaged one.
    InvalidCursor,
    /// No token.
    Unauthenticated,
    /// A token that doesn't allow this.
    MissingScope,
    /// No such wallet, or a stranger's.
    WalletNotFound,
    /// No such transaction, or a stranger's.
    TransactionNotFound,
    /// No such route.
    RouteNotFound,
    /// Too many requests met on one wallet.
    ConcurrencyConflict,
    /// Others kept their leases for too long.
    LockTimeout,
    /// Closing a wallet that holds money.
    WalletNotEmpty,
    /// A second reversal of the same transaction.
    AlreadyReversed,
    /// The wallet has moved on from the version in `If-Match`.
    VersionMismatch,
    /// `If-Match` is needed here.
    PreconditionRequired,
    /// More than 16 KiB.
    BodyTooLarge,
    /// A request line and headers of more than 10,240 bytes. Only ever said by the gateway.
    HeadersTooLarge,
    /// Not JSON.
    UnsupportedMediaType,
    /// The balance would pass the floor.
    InsufficientFunds,
    /// The balance would pass the ceiling.
    MaxBalanceExceeded,
    /// A limit of the wallet stands in the way.
    LimitExceeded,
    /// A frozen wallet gives nothing.
    WalletFrozen,
    /// A closed wallet neither gives nor takes.
    WalletClosed,
    /// The wallet holds another currency.
    CurrencyMismatch,
    /// A rebate too small to be paid. Only ever the reason of a failed rebate.
    RebateBelowMinimum,
    /// The rule's monthly cap is reached. Only ever the reason of a failed rebate.
    RebateCapReached,
    /// The month of the deposit is no longer counted. Only ever the reason of a failed rebate.
    RebateTooLate,
    /// The deposit was reversed first. Only ever the reason of a failed rebate.
    DepositReversed,
    /// Not something that can be undone.
    NotReversible,
    /// Not an amount of the currency.
    InvalidAmount,
    /// Not a currency.
    InvalidCurrency,
    /// A transfer from a wallet to itself.
    SameWallet,
    /// The key belongs to a different request.
    IdempotencyKeyReused,
    /// More transfers than the wallet's limit allows in this minute.
    RateLimited,
    /// The database asked to slow down.
    Throttled,
    /// The answer was lost; the same key learns it.
    OutcomeUnknown,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// Every code, in the order of their statuses.
    pub const ALL: [Code; 36] = [
        Code::MalformedRequest,
        Code::IdempotencyKeyMissing,
        Code::InvalidCursor,
        Code::Unauthenticated,
        Code::MissingScope,
        Code::WalletNotFound,
        Code::TransactionNotFound,
        Code::RouteNotFound,
        Code::ConcurrencyConflict,
        Code::LockTimeout,
        Code::WalletNotEmpty,
        Code::AlreadyReversed,
        Code::VersionMismatch,
        Code::BodyTooLarge,
        Code::UnsupportedMediaType,
        Code::InsufficientFunds,
        Code::MaxBalanceExceeded,
        Code::LimitExceeded,
        Code::WalletFrozen,
        Code::WalletClosed,
        Code::CurrencyMismatch,
        Code::RebateBelowMinimum,
        Code::RebateCapReached,
        Code::RebateTooLate,
        Code::DepositReversed,
        Code::NotReversible,
        Code::InvalidAmount,
        Code::InvalidCurrency,
        Code::SameWallet,
        Code::IdempotencyKeyReused,
        Code::PreconditionRequired,
        Code::RateLimited,
        Code::HeadersTooLarge,
        Code::Internal,
        Code::Throttled,
        Code::OutcomeUnknown,
    ];

    /// As callers spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The status of the response.
    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().1).expect("the table holds statuses")
    }

    /// The same words for every occurrence (RFC 9457).
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// Whether the very same request, with the same key, may yet succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        self.row().3
    }

    fn row(self) -> (&'static str, u16, &'static str, bool) {
        match self {
            Code::MalformedRequest => ("malformed_request", 400, "The request cannot be read", false),
            Code::IdempotencyKeyMissing => ("idempotency_key_missing", 400, "An Idempotency-Key is needed", false),
            Code::InvalidCursor => ("invalid_cursor", 400, "The cursor is not of this list", false),
            Code::Unauthenticated => ("unauthenticated", 401, "A token is needed", false),
            Code::MissingScope => ("missing_scope", 403, "The token does not allow this", false),
            Code::WalletNotFound => ("wallet_not_found", 404, "There is no such wallet", false),
            Code::TransactionNotFound => ("transaction_not_found", 404, "There is no such transaction", false),
            Code::RouteNotFound => ("route_not_found", 404, "There is no such route", false),
            Code::ConcurrencyConflict => ("concurrency_conflict", 409, "Too many requests met on the wallet", true),
            Code::LockTimeout => ("lock_timeout", 409, "The wallet stayed locked", true),
            Code::WalletNotEmpty => ("wallet_not_empty", 409, "The wallet is not empty", false),
            Code::AlreadyReversed => ("already_reversed", 409, "The transaction has been reversed", false),
            Code::VersionMismatch => ("version_mismatch", 412, "The wallet is at another version", false),
            Code::BodyTooLarge => ("body_too_large", 413, "The body is too large", false),
            Code::UnsupportedMediaType => ("unsupported_media_type", 415, "The body must be JSON", false),
            Code::InsufficientFunds => ("insufficient_funds", 422, "The wallet has too little", false),
            Code::MaxBalanceExceeded => ("max_balance_exceeded", 422, "The wallet has too little room", false),
            Code::LimitExceeded => ("limit_exceeded", 422, "A limit of the wallet stands in the way", false),
            Code::WalletFrozen => ("wallet_frozen", 422, "The wallet is frozen", false),
            Code::WalletClosed => ("wallet_closed", 422, "The wallet is closed", false),
            Code::CurrencyMismatch => ("currency_mismatch", 422, "The wallet holds another currency", false),
            Code::RebateBelowMinimum => ("rebate_below_minimum", 422, "The rebate is too small to be paid", false),
            Code::RebateCapReached => ("rebate_cap_reached", 422, "The month's rebates are used up", false),
            Code::RebateTooLate => ("rebate_too_late", 422, "The rebate comes too late", false),
            Code::DepositReversed => ("deposit_reversed", 422, "The deposit was reversed first", false),
            Code::NotReversible => ("not_reversible", 422, "The transaction cannot be reversed", false),
            Code::InvalidAmount => ("invalid_amount", 422, "The amount is not valid", false),
            Code::InvalidCurrency => ("invalid_currency", 422, "The currency is not known", false),
            Code::SameWallet => ("same_wallet", 422, "Source and destination are the same", false),
            Code::IdempotencyKeyReused => ("idempotency_key_reused", 422, "The key belongs to another request", false),
            Code::PreconditionRequired => ("precondition_required", 428, "An If-Match is needed", false),
            Code::RateLimited => ("rate_limited", 429, "Too many transfers in this minute", true),
            Code::HeadersTooLarge => ("headers_too_large", 431, "The headers are too large", false),
            Code::Internal => ("internal", 500, "Something went wrong here", true),
            Code::Throttled => ("throttled", 503, "The database asked to slow down", true),
            Code::OutcomeUnknown => ("outcome_unknown", 503, "The outcome is not known", true),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_a_contract() {
        let rows = Code::ALL.map(|code| {
            let retryable = if code.is_retryable() { "retryable" } else { "final" };
            format!("{} {:<23} {:<9} {}", code.status().as_u16(), code.as_str(), retryable, code.title())
        });
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn every_code_is_listed_once() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.is_sorted_by_key(|code| code.status()));
    }
}
