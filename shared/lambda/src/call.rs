//! One request: its claims and its route have been read; the function asks for what else it needs.
//!
//! Each method answers with a valid value or with the [`Problem`] that names what is wrong. Nothing here does I/O.

pub(crate) mod headers;
mod query;

use lambda_http::http::HeaderMap;
use lambda_http::{Body, Request, RequestExt as _};
use serde::de::DeserializeOwned;
use wallet_domain::{Caller, Expected, IdempotencyKey, Timestamp, TransactionId, WalletId};
use wallet_dynamodb::Usage;

use crate::claims::Claims;
use crate::cursor::{List, Position};
use crate::json;
use crate::log::Line;
use crate::problem::Problem;
use crate::route::Route;
use query::Query;
#[cfg(feature = "openapi")]
pub(crate) use query::{DEFAULT_LIMIT, MAX_LIMIT};
pub use query::{DRY_RUN, PAGING};

/// The preference for an answer before the request is executed.
pub(crate) const RESPOND_ASYNC: &str = "respond-async";

/// One request.
#[derive(Debug)]
pub struct Call {
    claims: Claims,
    route: Route,
    query: Query,
    headers: HeaderMap,
    body: Body,
    /// What the log will say of the request.
    pub(crate) line: Line,
}

/// Which part of a list is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Paging<P> {
    /// Where the page before ended; `None` for the first page.
    pub after: Option<P>,
    /// How many items at most: 1 to 100.
    pub limit: u32,
}

impl Call {
    /// Reads what is the same for all requests.
    pub(crate) fn read(request: Request, claims: Claims, route: Route, line: &mut Line) -> Result<Call, Problem> {
        let query = Query::read(&request.query_string_parameters(), route.query)?;
        line.dry_run = query.is_dry_run()?;
        let (parts, body) = request.into_parts();
        Ok(Call { claims, route, query, headers: parts.headers, body, line: std::mem::take(line) })
    }

    /// The route, as in template.yaml.
    #[must_use]
    pub fn route(&self) -> &'static str {
        self.route.key
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.claims.caller
    }

    /// Who reads the answer: the caller, but no administrator without `wallets:read`.
    #[must_use]
    pub fn reader(&self) -> Caller {
        self.claims.reader()
    }

    /// What the request costs the database, and until when it may: every call of the ledger takes it.
    pub fn usage(&mut self) -> &mut Usage {
        &mut self.line.usage
    }

    /// # Errors
    /// `missing_scope`.
    pub fn require(&self, scope: &str) -> Result<(), Problem> {
        self.claims.require(scope)
    }

    /// The wallet in the path.
    ///
    /// # Errors
    /// `wallet_not_found` for what is no id at all.
    pub fn wallet_id(&mut self) -> Result<WalletId, Problem> {
        let text = self.route.parameter("wallet_id");
        let id = text.parse().map_err(|_| Problem::wallet_not_found(text))?;
        self.line.wallets = vec![id];
        Ok(id)
    }

    /// The transaction in the path.
    ///
    /// # Errors
    /// `transaction_not_found` for what is no id at all.
    pub fn transaction_id(&mut self) -> Result<TransactionId, Problem> {
        let id = self.route.parameter("transaction_id").parse().map_err(|_| Problem::transaction_not_found())?;
        self.line.transaction = Some(id);
        Ok(id)
    }

    /// The hold in the path, by the transaction that made it.
    ///
    /// # Errors
    /// `hold_not_found` for what is no id at all.
    pub fn hold_id(&mut self) -> Result<TransactionId, Problem> {
        let id = self.route.parameter("hold_id").parse().map_err(|_| Problem::hold_not_found())?;
        self.line.transaction = Some(id);
        Ok(id)
    }

    /// The body.
    ///
    /// # Errors
    /// `unsupported_media_type`, `body_too_large`, or `malformed_request` naming the field.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        headers::require_json(&self.headers)?;
        json::read(&self.body)
    }

    /// The body of a request that may come without one: an empty body is `{}`.
    ///
    /// # Errors
    /// As [`Call::json`].
    pub fn json_or_nothing<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// The `Idempotency-Key`. A dry run may do without.
    ///
    /// # Errors
    /// `idempotency_key_missing`, or `malformed_request`.
    pub fn idempotency_key(&self) -> Result<IdempotencyKey, Problem> {
        if self.line.dry_run && !self.has_key() {
            return Ok(IdempotencyKey::none());
        }
        headers::idempotency_key(&self.headers)
    }

    /// Whether the caller would rather not wait: `Prefer: respond-async` (RFC 7240).
    #[must_use]
    pub fn prefers_async(&self) -> bool {
        headers::prefers(&self.headers, RESPOND_ASYNC)
    }

    pub(crate) fn has_key(&self) -> bool {
        headers::has_key(&self.headers)
    }

    /// The version in `If-Match`, if the header is there.
    ///
    /// # Errors
    /// `malformed_request` for anything but one strong entity tag of a version.
    pub fn if_match(&self) -> Result<Option<u64>, Problem> {
        headers::if_match(&self.headers)
    }

    /// The version in `If-Match`, or the idempotency key where `If-Match` is `*`.
    ///
    /// # Errors
    /// `precondition_required` without the header, `idempotency_key_missing` for `*` without a key; otherwise as
    /// [`Call::if_match`].
    pub fn expected(&self) -> Result<Expected, Problem> {
        if headers::if_match_is_any(&self.headers)? {
            return self.idempotency_key().map(Expected::Any);
        }
        self.if_match()?.map(Expected::Version).ok_or_else(headers::precondition_required)
    }

    /// The query parameter `name`.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        self.query.get(name).map(str::to_owned)
    }

    /// The time in the query parameter `name`.
    ///
    /// # Errors
    /// `malformed_request` for what is not of RFC 3339.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.query.time(name)
    }

    /// Which part of `list` is asked for.
    ///
    /// # Errors
    /// `malformed_request` for a `limit` that is none, `invalid_cursor` for another list's cursor.
    pub fn paging<P: Position>(&self, list: &List) -> Result<Paging<P>, Problem> {
        let after = self.query.get("cursor").map(|cursor| list.position(cursor)).transpose()?;
        Ok(Paging { after, limit: self.query.limit()? })
    }
}
