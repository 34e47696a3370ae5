//! A request that waits, for who made it: in the shape of the transaction that it will become.

use std::collections::BTreeMap;

use serde::Serialize;
use wallet_domain::{Caller, Reference, Request};

use super::time::time;
#[cfg(feature = "openapi")]
use crate::schema;

/// A request that waits. What it costs and moves is known when it is executed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Queued))]
pub struct QueuedView<'a> {
    #[cfg_attr(feature = "openapi", schema(value_type = schema::TransactionId))]
    id: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Kind))]
    r#type: &'a str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Waiting))]
    status: &'static str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    amount: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Currency))]
    currency: &'static str,
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::Money>))]
    fee: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>, max_items = 0))]
    legs: [(); 0],
    #[cfg_attr(feature = "openapi", schema(required))]
    reference: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::TransactionId>))]
    parent_id: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
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
