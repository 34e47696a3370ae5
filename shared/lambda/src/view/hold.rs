//! A hold, for the owners of both its wallets, for who made it and for admins.

use std::collections::BTreeMap;

use serde::Serialize;
use wallet_domain::{Hold, Reference, Timestamp};

use super::time::time;
#[cfg(feature = "openapi")]
use crate::schema;

/// A hold as it stands by the reader's clock.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Hold))]
pub struct HoldView<'a> {
    /// `null` of what was not to be written.
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<schema::TransactionId>))]
    id: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::HoldStatus))]
    status: &'static str,
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::WalletId))]
    source: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::WalletId>, required))]
    destination: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    amount: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Currency))]
    currency: &'static str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    captured: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    released: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    remaining: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    expires_at: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Reference>, required))]
    reference: Option<&'a str>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Labels))]
    metadata: &'a BTreeMap<String, String>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    created_at: String,
}

impl<'a> HoldView<'a> {
    /// The hold at `now`. One whose time is over is shown as expired, and as released, although the release may be to come.
    #[must_use]
    pub fn new(hold: &'a Hold, now: Timestamp) -> HoldView<'a> {
        let (mut released, mut remaining) = (hold.released(), hold.remaining());
        if hold.is_overdue(now) {
            std::mem::swap(&mut released, &mut remaining);
        }
        HoldView {
            id: Some(hold.id.to_string()),
            status: hold.status_at(now).as_str(),
            dry_run: None,
            source: hold.source.to_string(),
            destination: hold.destination.map(|id| id.to_string()),
            amount: hold.amount.to_string(),
            currency: hold.amount.currency().code(),
            captured: hold.captured.to_string(),
            released: released.to_string(),
            remaining: remaining.to_string(),
            expires_at: time(hold.terms.expires_at),
            reference: hold.reference.as_ref().map(Reference::as_str),
            metadata: hold.metadata.labels(),
            created_at: time(hold.created_at),
        }
    }

    /// The same as what would be made. Without a key it has no id.
    pub(crate) fn with_dry_run(mut self, named: bool) -> Self {
        self.dry_run = Some(true);
        self.id = self.id.filter(|_| named);
        self
    }
}
