//! One problem of each code that a caller can meet, made by whatever makes it in earnest.

use lambda_http::http::HeaderMap;
use wallet_dynamodb::ExecuteError;

use crate::call::headers;
use crate::claims::{absent, scope};
use crate::cursor::List;
use crate::json;
use crate::order::OrderBody;
use crate::problem::Problem;
use crate::problem::examples::{every_refusal, wallet};

/// Every problem: of a request that cannot be read, of one that is refused, and of one without an outcome.
pub(crate) fn every() -> Vec<Problem> {
    let nothing = HeaderMap::new();
    let cursor = List::entries(wallet()).position::<u64>("AAAA");
    let unread = [
        json::read::<OrderBody>(br#"{"amuont": "12.50", "currency": "EUR"}"#).err(),
        json::read::<OrderBody>(&[b' '; 16 * 1024 + 1]).err(),
        headers::idempotency_key(&nothing).err(),
        headers::require_json(&nothing).err(),
        cursor.err(),
    ];
    let unread = unread.map(|problem| problem.expect("none of them can be read"));
    let unanswered = [
        ExecuteError::Conflict { retry_after_seconds: 1 },
        ExecuteError::LockTimeout { retry_after_seconds: 1 },
        ExecuteError::Throttled { retry_after_seconds: 1 },
        ExecuteError::ClockSkew { seconds: 600 },
        ExecuteError::OutcomeUnknown,
    ];
    let own = [
        absent(),
        Problem::missing_scope(scope::WALLETS_WRITE),
        headers::precondition_required(),
        Problem::route_not_found("DELETE", "/v1/wallets"),
        Problem::headers_too_large(10_240),
        Problem::internal(""),
    ];
    let refused = every_refusal().iter().map(Problem::from).collect::<Vec<_>>();
    unread.into_iter().chain(own).chain(unanswered.map(Problem::from)).chain(refused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn there_is_one_of_every_code() {
        let every: Vec<_> = every().iter().map(Problem::code).collect();
        let missing: Vec<_> = Code::ALL.iter().filter(|code| !every.contains(code)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
