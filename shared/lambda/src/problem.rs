//! What a caller is told when something is not done: RFC 9457, from one table of codes.
//!
//! `detail` is for the caller; `cause` is for the log and is never shown.

mod code;
#[cfg(any(test, feature = "openapi"))]
pub(crate) mod examples;
mod from;

use lambda_http::Body;
use lambda_http::http::{HeaderValue, Response, header};
use serde::Serialize;
use wallet_domain::{AmountError, CurrencyError, Money, WalletId};

pub use code::Code;

use crate::response::{json_response, to_json};
#[cfg(feature = "openapi")]
use crate::schema;

/// Why something is not done, for the caller and for the log.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    reason: Box<Reason>,
    facts: Box<Facts>,
}

/// What the caller is told, in a problem or in a failed transaction.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub(crate) struct Reason {
    detail: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Code))]
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    wallet_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required = false, nullable = false, value_type = schema::Money))]
    available: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required = false, nullable = false, value_type = schema::Money))]
    requested: Option<String>,
    /// Which payment of a payout, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    payment: Option<u32>,
}

impl Reason {
    pub(crate) fn without_available(self) -> Reason {
        Reason { available: None, ..self }
    }
}

/// What goes into the headers and into the log.
#[derive(Debug, Default)]
struct Facts {
    retry_after_seconds: Option<u64>,
    challenge: Option<String>,
    /// True if asking again does not help, although it does for most problems of this code.
    for_good: bool,
    cause: Option<String>,
    replayed: bool,
}

/// Longer details are cut: they may echo what the caller sent.
const MAX_DETAIL_CHARS: usize = 400;
/// Longer causes are cut: the SDK's hold whole responses.
const MAX_CAUSE_CHARS: usize = 2_000;

impl Problem {
    /// A problem of `code`. `detail` tells the caller in a sentence or two.
    #[must_use]
    pub fn new(code: Code, detail: impl AsRef<str>) -> Problem {
        let detail = detail.as_ref().chars().take(MAX_DETAIL_CHARS).collect();
        let reason = Reason { detail, code: code.as_str(), ..Reason::default() };
        Problem { code, reason: Box::new(reason), facts: Box::default() }
    }

    /// The request cannot be read.
    #[must_use]
    pub fn malformed(detail: impl AsRef<str>) -> Problem {
        Problem::new(Code::MalformedRequest, detail)
    }

    /// No route has this method and path.
    #[must_use]
    pub fn route_not_found(method: &str, path: &str) -> Problem {
        Problem::new(Code::RouteNotFound, format!("There is no {method} {path}."))
    }

    /// The request line and the headers' values have more than `limit` bytes together.
    #[must_use]
    pub fn headers_too_large(limit: usize) -> Problem {
        let detail = format!("The request line and the headers have more than {limit} bytes together.");
        Problem::new(Code::HeadersTooLarge, detail)
    }

    /// No token, or one that says too little. `error` is the token's fault in the words of RFC 6750, if there is one.
    #[must_use]
    pub fn unauthenticated(detail: impl AsRef<str>, error: Option<&str>) -> Problem {
        let challenge = error.map_or_else(|| "Bearer".to_owned(), |error| format!("Bearer error=\"{error}\""));
        Problem::new(Code::Unauthenticated, detail).facts(|facts| facts.challenge = Some(challenge))
    }

    /// The token lacks `scope` (RFC 6750, section 3.1).
    #[must_use]
    pub fn missing_scope(scope: &str) -> Problem {
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        Problem::new(Code::MissingScope, format!("This needs a token with the scope {scope}."))
            .facts(|facts| facts.challenge = Some(challenge))
    }

    /// No such wallet, or none that the caller may see. `id` as the caller wrote it: one that is no id is answered
    /// alike.
    #[must_use]
    pub fn wallet_not_found(id: &str) -> Problem {
        let id: String = id.chars().take(64).collect();
        let mut problem = Problem::new(Code::WalletNotFound, format!("There is no wallet {id}."));
        problem.reason.wallet_id = Some(id);
        problem
    }

    /// No such transaction, or none that the caller may see.
    #[must_use]
    pub fn transaction_not_found() -> Problem {
        Problem::new(Code::TransactionNotFound, "There is no such transaction.")
    }

    /// There is no such hold, or it is not the caller's to see: the two cannot be told apart.
    #[must_use]
    pub fn hold_not_found() -> Problem {
        Problem::new(Code::HoldNotFound, "There is no such hold.")
    }

    /// The field `field` holds no amount that can be moved.
    #[must_use]
    pub fn invalid_amount(field: &str, error: &AmountError) -> Problem {
        Problem::new(Code::InvalidAmount, format!("`{field}`: {error}."))
    }

    /// The field `currency` holds no currency.
    #[must_use]
    pub fn invalid_currency(error: &CurrencyError) -> Problem {
        Problem::new(Code::InvalidCurrency, format!("`currency`: {error}."))
    }

    /// A fault of ours. `cause` is logged, never shown.
    #[must_use]
    pub fn internal(cause: impl AsRef<str>) -> Problem {
        let detail = "Something went wrong here. Sending the same request again, with its key if it has one, is safe.";
        Problem::new(Code::Internal, detail).caused_by(cause)
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What the caller is told.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.reason.detail
    }

    /// What is logged beside the code, if anything.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.facts.cause.as_deref()
    }

    pub(crate) fn replayed(self, replayed: bool) -> Problem {
        self.facts(|facts| facts.replayed = replayed)
    }

    pub(crate) fn is_replay(&self) -> bool {
        self.facts.replayed
    }

    fn caused_by(self, cause: impl AsRef<str>) -> Problem {
        self.facts(|facts| facts.cause = Some(cause.as_ref().chars().take(MAX_CAUSE_CHARS).collect()))
    }

    fn about(mut self, wallet: WalletId) -> Problem {
        self.reason.wallet_id = Some(wallet.to_string());
        self
    }

    fn moving(mut self, requested: Money, available: Option<Money>) -> Problem {
        self.reason.requested = Some(requested.to_string());
        self.reason.available = available.map(|money| money.to_string());
        self
    }

    /// Says which payment of a payout refuses the payout, and what it was to pay.
    fn of_payment(mut self, payment: u32, amount: Money) -> Problem {
        self.reason.detail = format!("`payments[{payment}]`: {}", self.reason.detail);
        self.reason.payment = Some(payment);
        self.reason.requested = Some(amount.to_string());
        self
    }

    fn after(self, seconds: u64) -> Problem {
        self.facts(|facts| facts.retry_after_seconds = Some(seconds))
    }

    /// The same without the wallet's figures, for a caller who may not read it.
    pub(crate) fn without_figures(mut self) -> Problem {
        if self.code == Code::WalletNotEmpty {
            self.reason.detail = format!("{}.", self.code.title());
        }
        *self.reason = Reason { available: None, requested: None, ..*self.reason };
        self
    }

    fn for_good(self) -> Problem {
        self.facts(|facts| facts.for_good = true)
    }

    fn facts(mut self, set: impl FnOnce(&mut Facts)) -> Problem {
        set(&mut self.facts);
        self
    }

    /// The part of it that a failed transaction shows.
    pub(crate) fn reason(self) -> Reason {
        *self.reason
    }
}

/// The body: RFC 9457's members first, then ours.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Problem))]
pub(crate) struct ProblemBody<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    reason: &'a Reason,
    retryable: bool,
    request_id: &'a str,
}

/// The response with `problem`. The functions answer with it, and the local gateway where it asks no function.
#[must_use]
pub fn problem_response(problem: &Problem, request_id: &str) -> Response<Body> {
    let Problem { code, reason, facts } = problem;
    let body = ProblemBody {
        r#type: format!("urn:wallet-functions:problem:{}", code.as_str()),
        title: code.title(),
        status: code.status().as_u16(),
        reason,
        retryable: code.is_retryable() && !facts.for_good,
        request_id,
    };
    let mut response = json_response(code.status(), "application/problem+json", to_json(&body), facts.replayed);
    let headers = response.headers_mut();
    if let Some(seconds) = facts.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(challenge) = &facts.challenge {
        let challenge = HeaderValue::from_str(challenge).expect("scopes and error codes are printable ASCII");
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
