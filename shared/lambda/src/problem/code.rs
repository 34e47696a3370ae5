//! The one table of codes: what callers may build on, with each code's status, title, and whether asking again helps.

use lambda_http::http::StatusCode;

/// Makes, from a table, the type [`Code`], the list of all codes, and the row of each.
macro_rules! codes {
    ($($code:ident $name:literal $status:literal $retry:ident $title:literal;)*) => {
        /// What went wrong, as callers see it. Codes are a contract: they may be added to, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// Every code, by status.
            pub const ALL: &[Code] = &[$(Code::$code),*];

            fn row(self) -> (&'static str, u16, bool, &'static str) {
                match self {
                    $(Code::$code => ($name, $status, stringify!($retry).eq("again"), $title),)*
                }
            }
        }
    };
}

// `again`: the very same request, with the same key, may yet succeed. `final`: it never will.
// `HeadersTooLarge` is only ever said by the gateway, `Refused` only of what a newer version of this code has recorded. The
// four of rebates and reversed deposits are only ever the reason of a failed rebate.
codes! {
    MalformedRequest      "malformed_request"       400 final "The request cannot be read";
    IdempotencyKeyMissing "idempotency_key_missing" 400 final "An Idempotency-Key is needed";
    InvalidCursor         "invalid_cursor"          400 final "The cursor is not of this list";
    Unauthenticated       "unauthenticated"         401 final "A token is needed";
    MissingScope          "missing_scope"           403 final "The token does not allow this";
    WalletNotFound        "wallet_not_found"        404 final "There is no such wallet";
    TransactionNotFound   "transaction_not_found"   404 final "There is no such transaction";
    HoldNotFound          "hold_not_found"          404 final "There is no such hold";
    RouteNotFound         "route_not_found"         404 final "There is no such route";
    ConcurrencyConflict   "concurrency_conflict"    409 again "Too many requests met on the wallet";
    LockTimeout           "lock_timeout"            409 again "The wallet stayed locked";
    WalletNotEmpty        "wallet_not_empty"        409 final "The wallet is not empty";
    CreditsInFlight       "credits_in_flight"       409 again "Credits may be on their way into the wallet";
    AlreadyReversed       "already_reversed"        409 final "The transaction has been reversed";
    HoldNotActive         "hold_not_active"         409 final "The hold has ended";
    HoldExpired           "hold_expired"            409 final "The hold has expired";
    VersionMismatch       "version_mismatch"        412 final "The wallet is at another version";
    BodyTooLarge          "body_too_large"          413 final "The body is too large";
    UnsupportedMediaType  "unsupported_media_type"  415 final "The body must be JSON";
    InsufficientFunds     "insufficient_funds"      422 final "The wallet has too little";
    MaxBalanceExceeded    "max_balance_exceeded"    422 final "The wallet has too little room";
    LimitExceeded         "limit_exceeded"          422 final "A limit of the wallet stands in the way";
    WalletFrozen          "wallet_frozen"           422 final "The wallet is frozen";
    WalletClosed          "wallet_closed"           422 final "The wallet is closed";
    CurrencyMismatch      "currency_mismatch"       422 final "The wallet holds another currency";
    RebateBelowMinimum    "rebate_below_minimum"    422 final "The rebate is too small to be paid";
    RebateCapReached      "rebate_cap_reached"      422 final "The month's rebates are used up";
    RebateTooLate         "rebate_too_late"         422 final "The rebate comes too late";
    DepositReversed       "deposit_reversed"        422 final "The deposit was reversed first";
    RequestExpired        "request_expired"         422 final "The request waited for too long";
    Refused               "refused"                 422 final "The wallet refused";
    NotReversible         "not_reversible"          422 final "The transaction cannot be reversed";
    InvalidAmount         "invalid_amount"          422 final "The amount is not valid";
    InvalidCurrency       "invalid_currency"        422 final "The currency is not known";
    CeilingWithBatchedCredits "ceiling_with_batched_credits" 422 final "A ceiling and batched credits exclude each other";
    CaptureExceedsHold    "capture_exceeds_hold"    422 final "The hold has less left";
    SameWallet            "same_wallet"             422 final "Source and destination are the same";
    DuplicateDestination  "duplicate_destination"   422 final "A wallet is paid more than once";
    IdempotencyKeyReused  "idempotency_key_reused"  422 final "The key belongs to another request";
    PreconditionRequired  "precondition_required"   428 final "An If-Match is needed";
    RateLimited           "rate_limited"            429 again "Too many transfers in this minute";
    HeadersTooLarge       "headers_too_large"       431 final "The headers are too large";
    Internal              "internal"                500 again "Something went wrong here";
    Throttled             "throttled"               503 again "The database asked to slow down";
    ClockSkew             "clock_skew"              503 again "A clock of ours is wrong";
    OutcomeUnknown        "outcome_unknown"         503 again "The outcome is not known";
}

impl Code {
    /// The code that callers spell `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == name)
    }

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

    /// Whether the very same request, with the same key, may yet succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        self.row().2
    }

    /// The same words for every occurrence (RFC 9457).
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().3
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Code {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let codes = utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some("What went wrong. Codes are added, never changed"))
            .enum_values(Some(Code::ALL.iter().map(|code| code.as_str())));
        codes.into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Code {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_a_contract() {
        let row = |code: &Code| {
            let retryable = if code.is_retryable() { "retryable" } else { "final" };
            format!("{} {:<23} {:<9} {}", code.status().as_u16(), code.as_str(), retryable, code.title())
        };
        insta::assert_snapshot!(Code::ALL.iter().map(row).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn names_are_unique_and_the_table_is_sorted_by_status() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.is_sorted_by_key(|code| code.status()));
        assert!(Code::ALL.iter().all(|code| Code::named(code.as_str()) == Some(*code)));
    }
}
