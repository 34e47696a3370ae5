//! An entry of a wallet's statement, for its owner and for admins.

use std::collections::BTreeMap;

use serde::Serialize;
use wallet_domain::{Account, Entry, Kind, Reference};

use super::time::time;
#[cfg(feature = "openapi")]
use crate::schema;

/// One line of a statement. An amendment says what it changed and by whom.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Entry))]
pub struct EntryView<'a> {
    version: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::TransactionId))]
    transaction_id: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Kind))]
    r#type: &'a str,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    amount: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    balance_after: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Money))]
    held_after: String,
    #[cfg_attr(feature = "openapi", schema(required))]
    counterparty: Option<String>,
    #[cfg_attr(feature = "openapi", schema(required))]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Time))]
    created_at: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Hash))]
    previous_hash: String,
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Hash))]
    hash: String,
}

impl<'a> From<&'a Entry> for EntryView<'a> {
    fn from(entry: &'a Entry) -> EntryView<'a> {
        let amended = entry.kind == Kind::AMENDMENT;
        EntryView {
            version: entry.version,
            transaction_id: entry.transaction.to_string(),
            r#type: entry.kind.as_str(),
            amount: entry.amount.to_string(),
            balance_after: entry.balance_after.to_string(),
            held_after: entry.held_after.to_string(),
            counterparty: entry.counterparty.as_ref().map(Account::to_string),
            reference: entry.reference.as_ref().map(Reference::as_str),
            changes: amended.then_some(&entry.changes),
            by: amended.then(|| entry.caller.as_str()),
            created_at: time(entry.created_at),
            previous_hash: entry.previous.to_string(),
            hash: entry.hash.to_string(),
        }
    }
}
