//! From every error of the parts below to its problem: one exhaustive match each, without `_`, so that a new one is
//! not forgotten here.

use wallet_domain::{Refusal, reversible_kinds};
use wallet_dynamodb::{ExecuteError, Fault};

use super::{Code, Problem};

const SAME_KEY: &str = "Send the same request again with the same Idempotency-Key";

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Problem {
        // Only what a newer version of this code has recorded has a code that is not in the table.
        let code = Code::named(refusal.code()).unwrap_or(Code::Refused);
        let problem = Problem::new(code, sentence(&refusal.to_string()));
        match refusal {
            // The edge refuses these too, before the domain is asked: in the same words.
            Refusal::WalletNotFound { wallet } => Problem::wallet_not_found(&wallet.to_string()),
            Refusal::TransactionNotFound => Problem::transaction_not_found(),
            Refusal::HoldNotFound => Problem::hold_not_found(),
            Refusal::MissingScope { scope } => Problem::missing_scope(scope),
            Refusal::InvalidAmount { field, error } => Problem::invalid_amount(field, error),
            Refusal::InvalidCurrency(error) => Problem::invalid_currency(error),
            Refusal::Payment { payment, amount, refusal } => Problem::from(&**refusal).of_payment(*payment, *amount),
            Refusal::NotReversible { .. } => {
                Problem::new(code, sentence(&format!("{refusal}: only a posted {} can", reversible_kinds())))
            }
            Refusal::SameWallet
            | Refusal::IdempotencyKeyReused
            | Refusal::AlreadyReversed { .. }
            | Refusal::HoldNotActive { .. }
            | Refusal::HoldExpired { .. } => problem,
            Refusal::CaptureExceedsHold { remaining, requested, .. } => problem.moving(*requested, Some(*remaining)),
            Refusal::CreditsInFlight { wallet, retry_after_seconds } => {
                problem.about(*wallet).after(*retry_after_seconds)
            }
            Refusal::VersionMismatch { wallet, .. }
            | Refusal::CeilingWithBatchedCredits { wallet }
            | Refusal::DuplicateDestination { wallet }
            | Refusal::VersionNotYours { wallet }
            | Refusal::WalletNotEmpty { wallet, .. }
            | Refusal::WalletFrozen { wallet }
            | Refusal::WalletClosed { wallet }
            | Refusal::DepositReversed { wallet }
            | Refusal::RequestExpired { wallet }
            | Refusal::CurrencyMismatch { wallet, .. } => problem.about(*wallet),
            // A limit of 0: no minute has room for a transfer.
            Refusal::RateLimited { wallet, limit: 0, .. } => problem.about(*wallet).for_good(),
            Refusal::RateLimited { wallet, retry_after_seconds, .. } => {
                problem.about(*wallet).after(*retry_after_seconds)
            }
            Refusal::InsufficientFunds { wallet, available, requested }
            | Refusal::MaxBalanceExceeded { wallet, available, requested }
            | Refusal::LimitExceeded { wallet, available, requested, .. } => {
                problem.about(*wallet).moving(*requested, *available)
            }
            Refusal::RebateBelowMinimum { wallet, requested }
            | Refusal::RebateCapReached { wallet, requested }
            | Refusal::RebateTooLate { wallet, requested } => problem.about(*wallet).moving(*requested, None),
            Refusal::Newer { wallet, available, requested: Some(requested), .. } => {
                problem.about(*wallet).moving(*requested, *available)
            }
            Refusal::Newer { wallet, requested: None, .. } => problem.about(*wallet),
        }
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Problem {
        match error {
            ExecuteError::Refused(refusal) => Problem::from(&refusal),
            ExecuteError::Conflict { retry_after_seconds } => {
                let detail =
                    format!("Other requests kept changing the wallet. This attempt has moved nothing. {SAME_KEY}.");
                Problem::new(Code::ConcurrencyConflict, detail).after(retry_after_seconds)
            }
            ExecuteError::LockTimeout { retry_after_seconds } => {
                let detail =
                    format!("Other requests kept the wallet locked. This attempt has moved nothing. {SAME_KEY}.");
                Problem::new(Code::LockTimeout, detail).after(retry_after_seconds)
            }
            ExecuteError::Throttled { retry_after_seconds } => throttled().after(retry_after_seconds),
            ExecuteError::OutcomeUnknown => {
                let detail = format!("The database's answer was lost. {SAME_KEY} to learn whether anything has moved.");
                Problem::new(Code::OutcomeUnknown, detail).after(1)
            }
            ExecuteError::ClockSkew { seconds } => {
                let detail = format!(
                    "The clock here is not to be trusted. This attempt has moved nothing. {SAME_KEY}: another instance may answer it."
                );
                let cause = format!("this clock is {seconds} s ahead of DynamoDB's");
                Problem::new(Code::ClockSkew, detail).after(5).caused_by(cause)
            }
            ExecuteError::Fault(fault) => fault.into(),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        if fault.is_passing() { Problem::throttled(fault.to_string()) } else { Problem::internal(fault.to_string()) }
    }
}

fn throttled() -> Problem {
    Problem::new(Code::Throttled, format!("The database is busy. This attempt has moved nothing. {SAME_KEY}."))
}

impl Problem {
    /// The database had no time for the request, or the function none for the database. `cause` is logged, never shown.
    #[must_use]
    pub fn throttled(cause: impl AsRef<str>) -> Problem {
        throttled().after(1).caused_by(cause)
    }
}

/// A refusal's text as a sentence.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::examples::{eur, every_refusal, wallet};
    use crate::problem::problem_response;

    #[test]
    fn a_refusal_has_the_same_code_here_as_in_the_domain() {
        for refusal in every_refusal() {
            let newer = matches!(refusal, Refusal::Newer { .. });
            assert_eq!(Problem::from(&refusal).code().as_str(), if newer { "refused" } else { refusal.code() });
        }
    }

    #[test]
    fn a_limit_of_no_transfers_is_not_worth_another_try() {
        let told = |limit| {
            let refusal = Refusal::RateLimited { wallet: wallet(), limit, retry_after_seconds: 17 };
            let response = problem_response(&Problem::from(&refusal), "r");
            let body: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
            (body["retryable"].as_bool(), response.headers().contains_key("retry-after"))
        };
        assert_eq!((told(3), told(0)), ((Some(true), true), (Some(false), false)));
    }

    #[test]
    fn refusals_read_as_sentences() {
        let told: Vec<_> = every_refusal()
            .iter()
            .map(|refusal| serde_json::to_string(&Problem::from(refusal).reason()).expect("strings"))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_cause_is_never_shown_and_a_wait_is_a_header() {
        let response = problem_response(&Problem::internal("table missing"), "r-1");
        let body = String::from_utf8(response.body().to_vec()).expect("text");
        assert!(!body.contains("table missing") && body.contains("\"request_id\":\"r-1\""), "{body}");

        let problem = Problem::from(ExecuteError::Conflict { retry_after_seconds: 2 });
        assert_eq!(problem_response(&problem, "r").headers()["retry-after"], "2");
    }

    #[test]
    fn a_problem_is_a_problem_document() {
        let refusal = Refusal::InsufficientFunds { wallet: wallet(), available: Some(eur("5")), requested: eur("7.5") };
        let response = problem_response(&Problem::from(&refusal).replayed(true), "r-1");
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["idempotent-replayed"], "true");
        insta::assert_snapshot!(String::from_utf8(response.body().to_vec()).expect("text"), @r#"{"type":"urn:wallet-functions:problem:insufficient_funds","title":"The wallet has too little","status":422,"detail":"Wallet wal_00000000000000000000000000000001 has too little.","code":"insufficient_funds","wallet_id":"wal_00000000000000000000000000000001","available":"5.00","requested":"7.50","retryable":false,"request_id":"r-1"}"#);
    }
}
