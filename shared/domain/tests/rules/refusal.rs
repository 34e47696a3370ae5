//! Refusals: each with its code, whether it is kept, and what it says; what is kept survives being written and read.

use std::collections::BTreeSet;

use wallet_domain::*;

use crate::world::*;

/// Every refusal that there is, with its code and whether it is kept; those with optional facts twice.
pub(crate) fn every_refusal() -> Vec<(Refusal, &'static str, bool)> {
    let (wallet, requested) = (id("alice"), money("2"));
    let transaction = deposit("alice", "alice", "5").transaction();
    let newer = |available, requested| Refusal::Newer {
        code: "too_sunny".to_owned(),
        wallet,
        limit: Some(Limit::MaxMovement),
        holds: None,
        available,
        requested,
    };
    let refusals = vec![
        (not_found("alice"), "wallet_not_found", false),
        (Refusal::TransactionNotFound, "transaction_not_found", false),
        (Refusal::MissingScope { scope: "wallets:admin" }, "missing_scope", false),
        (Refusal::InvalidAmount { field: "amount", error: AmountError::NotPositive }, "invalid_amount", false),
        (Refusal::InvalidCurrency("EURO".parse::<Currency>().expect_err("no code")), "invalid_currency", false),
        (Refusal::SameWallet, "same_wallet", false),
        (Refusal::DuplicateDestination { wallet }, "duplicate_destination", false),
        (in_payment(3, "2", Refusal::DuplicateDestination { wallet }), "duplicate_destination", false),
        (in_payment(0, "2", closed("alice")), "wallet_closed", true),
        (in_payment(47, "2", too_full("alice", None, "2")), "max_balance_exceeded", true),
        (Refusal::IdempotencyKeyReused, "idempotency_key_reused", false),
        (Refusal::AlreadyReversed { transaction }, "already_reversed", false),
        (Refusal::NotReversible { transaction }, "not_reversible", false),
        (Refusal::HoldNotFound, "hold_not_found", false),
        (Refusal::HoldNotActive { hold: transaction, status: HoldStatus::Voided }, "hold_not_active", false),
        (Refusal::HoldExpired { hold: transaction }, "hold_expired", false),
        (
            Refusal::CaptureExceedsHold { hold: transaction, remaining: money("1"), requested },
            "capture_exceeds_hold",
            false,
        ),
        (wrong_version("alice", 1), "version_mismatch", false),
        (version_not_yours("alice"), "version_mismatch", false),
        (Refusal::WalletNotEmpty { wallet, balance: money("1") }, "wallet_not_empty", false),
        (Refusal::CeilingWithBatchedCredits { wallet }, "ceiling_with_batched_credits", false),
        (Refusal::CreditsInFlight { wallet, retry_after_seconds: 1 }, "credits_in_flight", false),
        (Refusal::RateLimited { wallet, limit: 1, retry_after_seconds: 1 }, "rate_limited", false),
        (too_little("alice", "1", "2"), "insufficient_funds", true),
        (Refusal::InsufficientFunds { wallet, available: None, requested }, "insufficient_funds", true),
        (too_full("alice", None, "2"), "max_balance_exceeded", true),
        (too_full("alice", Some("1"), "2"), "max_balance_exceeded", true),
        (limit_passed(Limit::MaxMovement, "alice", None, "2"), "limit_exceeded", true),
        (limit_passed(Limit::MaxDailyOutflow, "alice", Some("1"), "2"), "limit_exceeded", true),
        (frozen("alice"), "wallet_frozen", true),
        (closed("alice"), "wallet_closed", true),
        (wrong_currency("alice", "USD", "EUR"), "currency_mismatch", true),
        (Refusal::DepositReversed { wallet }, "deposit_reversed", true),
        (Refusal::RequestExpired { wallet }, "request_expired", true),
        (Refusal::RebateBelowMinimum { wallet, requested: money("0") }, "rebate_below_minimum", true),
        (Refusal::RebateCapReached { wallet, requested }, "rebate_cap_reached", true),
        (Refusal::RebateTooLate { wallet, requested }, "rebate_too_late", true),
        (newer(None, None), "too_sunny", true),
        (newer(Some(money("1")), Some(requested)), "too_sunny", true),
    ];
    let named: BTreeSet<_> = refusals.iter().map(|(refusal, ..)| name(refusal)).collect();
    assert_eq!(named.len(), 32, "every refusal is in the table");
    refusals
}

/// Fails to compile when a refusal is added that the table does not know.
fn name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::WalletNotFound { .. } => "WalletNotFound",
        Refusal::TransactionNotFound => "TransactionNotFound",
        Refusal::MissingScope { .. } => "MissingScope",
        Refusal::InvalidAmount { .. } => "InvalidAmount",
        Refusal::InvalidCurrency(_) => "InvalidCurrency",
        Refusal::SameWallet => "SameWallet",
        Refusal::DuplicateDestination { .. } => "DuplicateDestination",
        // By what it is about.
        Refusal::Payment { refusal, .. } => name(refusal),
        Refusal::IdempotencyKeyReused => "IdempotencyKeyReused",
        Refusal::AlreadyReversed { .. } => "AlreadyReversed",
        Refusal::NotReversible { .. } => "NotReversible",
        Refusal::HoldNotFound => "HoldNotFound",
        Refusal::HoldNotActive { .. } => "HoldNotActive",
        Refusal::HoldExpired { .. } => "HoldExpired",
        Refusal::CaptureExceedsHold { .. } => "CaptureExceedsHold",
        Refusal::DepositReversed { .. } => "DepositReversed",
        Refusal::RequestExpired { .. } => "RequestExpired",
        Refusal::VersionMismatch { .. } => "VersionMismatch",
        Refusal::VersionNotYours { .. } => "VersionNotYours",
        Refusal::WalletNotEmpty { .. } => "WalletNotEmpty",
        Refusal::CeilingWithBatchedCredits { .. } => "CeilingWithBatchedCredits",
        Refusal::CreditsInFlight { .. } => "CreditsInFlight",
        Refusal::RateLimited { .. } => "RateLimited",
        Refusal::InsufficientFunds { .. } => "InsufficientFunds",
        Refusal::MaxBalanceExceeded { .. } => "MaxBalanceExceeded",
        Refusal::LimitExceeded { .. } => "LimitExceeded",
        Refusal::WalletFrozen { .. } => "WalletFrozen",
        Refusal::WalletClosed { .. } => "WalletClosed",
        Refusal::CurrencyMismatch { .. } => "CurrencyMismatch",
        Refusal::RebateBelowMinimum { .. } => "RebateBelowMinimum",
        Refusal::RebateCapReached { .. } => "RebateCapReached",
        Refusal::RebateTooLate { .. } => "RebateTooLate",
        Refusal::Newer { .. } => "Newer",
    }
}

#[test]
fn each_has_its_code_and_is_kept_or_not() {
    for (refusal, code, recorded) in every_refusal() {
        assert_eq!((refusal.code(), refusal.facts().code, refusal.facts().recorded), (code, code, recorded));
    }
}

#[test]
fn no_two_share_a_code_but_those_that_must_not_be_told_apart() {
    let of_code: BTreeSet<_> = every_refusal().iter().map(|(refusal, code, _)| (*code, name(refusal))).collect();
    let mut codes: Vec<_> = of_code.iter().map(|(code, _)| *code).collect();
    let position = codes.iter().position(|code| *code == "version_mismatch").expect("in the table");
    codes.remove(position);
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "{codes:?}");
}

#[test]
fn every_refusal_reads_as_a_sentence_without_amounts_of_a_strangers_wallet() {
    for (refusal, code, _) in every_refusal() {
        let text = refusal.to_string();
        assert!(!text.is_empty() && !text.contains("Some") && !text.contains("None"), "{code}: {text}");
    }
}

#[test]
fn what_is_kept_survives_being_written_and_read() {
    for (refusal, code, recorded) in every_refusal() {
        if recorded {
            let again = Refusal::recorded(refusal.facts(), currency("EUR"));
            assert_eq!(again.as_ref(), Some(&refusal), "{code}");
            assert_eq!(again.as_ref().map(Refusal::facts), Some(refusal.facts()), "{code}");
        }
    }
}

#[test]
fn what_was_asked_for_in_another_currency_is_known_from_the_transaction() {
    let refusal = wrong_currency("alice", "EUR", "JPY");
    assert_eq!(Refusal::recorded(refusal.facts(), currency("JPY")), Some(refusal));
}

#[test]
fn what_a_newer_version_recorded_is_known_by_its_code() {
    let (wallet, available, requested) = (id("alice"), Some(money("1")), Some(money("2")));
    let facts = Facts {
        code: "too_sunny",
        recorded: true,
        wallet: Some(wallet),
        limit: None,
        holds: None,
        available,
        requested,
        payment: None,
    };
    let refusal = Refusal::recorded(facts, currency("EUR")).expect("by its code");
    assert_eq!((refusal.code(), refusal.facts()), ("too_sunny", facts));
    assert_eq!(refusal.to_string(), format!("wallet {wallet} refused it: too_sunny"));
}

#[test]
fn a_record_that_lacks_a_fact_is_no_refusal() {
    for (refusal, code, recorded) in every_refusal() {
        let facts = refusal.facts();
        if recorded {
            assert_eq!(Refusal::recorded(Facts { wallet: None, ..facts }, currency("EUR")), None, "{code}");
        }
    }
    let lacks = |facts: Facts| assert_eq!(Refusal::recorded(facts, currency("EUR")), None, "{}", facts.code);
    // By a limit that only a newer version knows it is known by its code.
    let passed = limit_passed(Limit::MaxMovement, "alice", None, "2");
    let newer = Refusal::recorded(Facts { limit: None, ..passed.facts() }, currency("EUR"));
    assert!(matches!(newer, Some(Refusal::Newer { code, .. }) if code == "limit_exceeded"));
    lacks(Facts { holds: None, ..wrong_currency("alice", "USD", "EUR").facts() });
    let (wallet, requested) = (id("alice"), money("2"));
    for refusal in [
        too_little("alice", "1", "2"),
        too_full("alice", None, "2"),
        passed,
        Refusal::RebateBelowMinimum { wallet, requested },
        Refusal::RebateCapReached { wallet, requested },
        Refusal::RebateTooLate { wallet, requested },
    ] {
        lacks(Facts { requested: None, ..refusal.facts() });
    }
}
