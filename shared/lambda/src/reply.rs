//! What a caller is told when something is done: status, headers and a JSON body.

use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::{Serialize, Serializer, ser::SerializeMap};
use wallet_domain::{Caller, Hold, Kind, Outcome, Request, Transaction, Wallet};
use wallet_dynamodb::{Done, DryRun};

use crate::call::RESPOND_ASYNC;
use crate::cursor::{List, Position};
use crate::problem::Problem;
use crate::response::{json_response, to_json};
use crate::view::{AmendedView, HoldView, QueuedView, TransactionView, WalletView};

/// Which preference was heeded (RFC 7240).
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// An answer that is not a problem.
#[derive(Debug, Default)]
#[must_use]
pub struct Reply {
    status: StatusCode,
    body: String,
    location: Option<String>,
    version: Option<u64>,
    replayed: bool,
    /// Whether the request was queued, as the caller preferred.
    queued: bool,
}

impl Reply {
    /// 200 with `body`.
    pub fn ok(body: &impl Serialize) -> Reply {
        Reply { status: StatusCode::OK, body: to_json(body), ..Reply::default() }
    }

    /// 200 with a `view` of the wallet, and its version as `ETag`.
    pub fn wallet(wallet: &Wallet, view: &impl Serialize) -> Reply {
        Reply { version: Some(wallet.version), ..Reply::ok(view) }
    }

    /// 200 with one page of a list, and the cursor of the next page if there is one.
    pub fn page(list: &List, items: &[impl Serialize], next: Option<&impl Position>) -> Reply {
        let next_cursor = next.map(|position| list.cursor(position));
        Reply::ok(&PageView { name: list.name(), items, next_cursor })
    }

    /// What came of a command, as far as `reader` may see it: 201 with `Location` when it made something, 200 for an
    /// amendment, and 200 when this is the first answer again.
    pub(crate) fn done(done: &Done, reader: &Caller) -> Result<Reply, Problem> {
        let (transaction, replayed) = match done {
            Done::Executed(transaction) => (transaction, false),
            Done::Replayed(transaction) => (transaction, true),
        };
        let reply = match &transaction.outcome {
            Outcome::Failed { refusal, .. } => return Err(Problem::from(refusal).replayed(replayed)),
            // The answer to an opening shows nothing that its caller did not send.
            Outcome::Posted { wallet: Some(wallet), .. }
                if reader.owns(wallet) || transaction.kind == Kind::OPENING =>
            {
                Reply::wallet(wallet, &WalletView::from(&**wallet))
            }
            Outcome::Posted { wallet: Some(wallet), .. } => Reply::wallet(wallet, &AmendedView::from(&**wallet)),
            // The hold as it was made: the same answer whenever the request is repeated.
            Outcome::Posted { wallet: None, .. } if transaction.kind == Kind::HOLD => {
                let hold = Hold::made_by(transaction).expect("a posted hold has its terms");
                Reply::ok(&HoldView::new(&hold, hold.created_at))
            }
            Outcome::Posted { wallet: None, .. } => Reply::ok(&TransactionView::new(transaction, reader)),
        };
        let made = !replayed && transaction.kind != Kind::AMENDMENT;
        let status = if made { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Reply { status, location: location_of(transaction), replayed, ..reply })
    }

    /// 202 for a request that waits; `replayed` if it waited before.
    pub(crate) fn queued(request: &Request, replayed: bool) -> Reply {
        let location = Some(format!("/v1/transactions/{}", request.id));
        let status = StatusCode::ACCEPTED;
        Reply { status, location, replayed, queued: true, ..Reply::ok(&QueuedView::from(request)) }
    }

    /// 200 with what would come of a movement, as far as `reader` may see it. A request without a key is not `named`: the
    /// transaction that it would become has no id yet.
    pub(crate) fn dry_run(decided: &DryRun, named: bool, reader: &Caller) -> Result<Reply, Problem> {
        let (transaction, replayed) = match decided {
            DryRun::Decided(transaction) => (transaction, false),
            DryRun::Replayed(transaction) => (transaction, true),
        };
        if let Outcome::Failed { refusal, .. } = &transaction.outcome {
            return Err(Problem::from(refusal).replayed(replayed));
        }
        let reply = match Hold::made_by(transaction) {
            Some(hold) => Reply::ok(&HoldView::new(&hold, hold.created_at).with_dry_run(named)),
            None => Reply::ok(&TransactionView::new(transaction, reader).with_dry_run(named)),
        };
        Ok(Reply { replayed, ..reply })
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn is_replay(&self) -> bool {
        self.replayed
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = json_response(self.status, "application/json", self.body, self.replayed);
        let headers = response.headers_mut();
        if let Some(location) = self.location {
            let location = HeaderValue::from_str(&location).expect("ids are ASCII");
            headers.insert(header::LOCATION, location);
        }
        if self.queued {
            headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static(RESPOND_ASYNC));
        }
        if let Some(version) = self.version {
            // A strong entity tag (RFC 9110): `"3"`.
            let etag = HeaderValue::from_str(&format!("\"{version}\"")).expect("digits are ASCII");
            headers.insert(header::ETAG, etag);
        }
        response
    }
}

fn location_of(transaction: &Transaction) -> Option<String> {
    match transaction.kind {
        Kind::AMENDMENT => None,
        Kind::OPENING => Some(format!("/v1/wallets/{}", transaction.wallet)),
        Kind::HOLD => Some(format!("/v1/holds/{}", transaction.id)),
        _ => Some(format!("/v1/transactions/{}", transaction.id)),
    }
}

struct PageView<'a, T> {
    name: &'static str,
    items: &'a [T],
    next_cursor: Option<String>,
}

impl<T: Serialize> Serialize for PageView<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.name, self.items)?;
        map.serialize_entry("next_cursor", &self.next_cursor)?;
        map.end()
    }
}
