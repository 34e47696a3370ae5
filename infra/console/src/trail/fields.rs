//! The fields of an event, as they were written.

use std::fmt::Debug;

use tracing::Event;
use tracing::field::{Field, Visit};
use wallet_domain::{TransactionId, WalletId};

/// Texts, whole numbers and flags of an event; of anything else nothing is kept.
#[derive(Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
}

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
        if let Value::Text(text) = self.get(name)? { Some(text) } else { None }
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        if let Value::Number(number) = self.get(name)? { Some(*number) } else { None }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Flag(true)))
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
        self.0.push((field.name(), Value::Text(value.to_owned())));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), Value::Number(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), Value::Number(u64::try_from(value).unwrap_or(0))));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), Value::Flag(value)));
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
