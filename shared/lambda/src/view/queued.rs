//! A request that waits, for who made it: in the shape of the transaction that it will become.

use std::collections::BTreeMap;

use serde::Serialize;
use wallet_domain::{Caller, Reference, Request};

use super::time::time;

/// A request that waits. What it costs and moves is known when it is executed.
#[derive(Debug, Serialize)]
pub struct QueuedView<'a> {
    id: String,
    r#type: &'a str,
    status: &'static str,
    amount: String,
    currency: &'static str,
    fee: Option<String>,
    legs: [(); 0],
    reference: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    parent_id: Option<String>,
    created_at: String,
}

impl QueuedView<'_> {
    /// Whether `caller` may see `request`.
    #[must_use]
    pub fn may_see(caller: &Caller, request: &Request) -> bool {
        caller.admin || caller.subject == request.caller.subject
    }
}

impl<'a> From<&'a Request> for QueuedView<'a> {
    fn from(request: &'a Request) -> QueuedView<'a> {
        QueuedView {
            id: request.id.to_string(),
            r#type: request.kind.as_str(),
            status: "queued",
            amount: request.amount.money().to_string(),
            currency: request.amount.money().currency().code(),
            fee: None,
            legs: [],
            reference: request.reference.as_ref().map(Reference::as_str),
            metadata: request.metadata.labels(),
            parent_id: None,
            created_at: time(request.accepted_at),
        }
    }
}
