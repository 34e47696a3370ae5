//! The fields of an event, as they were written.

use std::fmt::Debug;

use serde_json::Value;
use tracing::Event;
use tracing::field::{Field, Visit};
use wallet_domain::{TransactionId, WalletId};

/// Texts, whole numbers and flags of an event; of anything else nothing is kept.
#[derive(Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    pub(super) fn of(event: &Event<'_>) -> Fields {
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find_map(|(field, value)| (*field == name).then_some(value))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    pub(super) fn id(&self, name: &str) -> Option<TransactionId> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn wallet(&self, name: &str) -> Option<WalletId> {
        self.text(name)?.parse().ok()
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), u64::try_from(value).unwrap_or(0).into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
