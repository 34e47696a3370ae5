//! Update expressions and their conditions. Makes texts only; sends nothing.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_domain::Timestamp;

use crate::item::Item;
use crate::lease::{Holder, latest_end};
use crate::names::{LEASE_HOLDER, LEASE_UNTIL};

/// An update expression and its condition under construction. Every attribute goes in by placeholder, since many of
/// the names are reserved words.
#[derive(Default)]
pub(crate) struct Expression {
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: Item,
    set: Vec<String>,
    removed: Vec<String>,
    conditions: Vec<String>,
}

impl Expression {
    /// The update that changes an item from `old` to `new`.
    pub(crate) fn from(old: &Item, new: Item) -> Expression {
        let mut change = Expression::default();
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            change.remove(name);
        }
        for (name, value) in new.into_iter().filter(|(name, value)| old.get(name) != Some(value)) {
            change.set(&name, value);
        }
        change
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let removed = self.name(name);
        self.removed.push(removed);
    }

    pub(crate) fn set(&mut self, name: &str, value: AttributeValue) {
        let set = format!("{} = {}", self.name(name), self.value(value));
        self.set.push(set);
    }

    /// Adds to a number by arithmetic in the table.
    pub(crate) fn add(&mut self, name: &str, amount: AttributeValue) {
        let (name, amount) = (self.name(name), self.value(amount));
        self.set.push(format!("{name} = {name} + {amount}"));
    }

    /// A condition on an attribute. DynamoDB refuses placeholders that no expression uses, so names and values only go in
    /// with their use.
    pub(crate) fn require(&mut self, name: &str, comparison: &str, value: AttributeValue) {
        let (name, value) = (self.name(name), self.value(value));
        self.conditions.push(format!("{name} {comparison} {value}"));
    }

    /// The attribute is not there.
    pub(crate) fn require_absent(&mut self, name: &str) {
        let name = self.name(name);
        self.conditions.push(format!("attribute_not_exists({name})"));
    }

    /// The `holder` holds the lease; without one, nobody holds it at `now`.
    pub(crate) fn require_lease(&mut self, holder: Option<&Holder>, now: Timestamp) {
        match holder {
            Some(holder) => self.require(LEASE_HOLDER, "=", AttributeValue::S(holder.0.clone())),
            None => {
                let free = self.free(now);
                self.conditions.push(free);
            }
        }
    }

    /// Free to take: nobody holds it at `now`, or `holder` does already.
    pub(crate) fn require_free_or(&mut self, holder: &Holder, now: Timestamp) {
        let name = self.name(LEASE_HOLDER);
        let mine = self.value(AttributeValue::S(holder.0.clone()));
        let free = self.free(now);
        self.conditions.push(format!("({free} OR {name} = {mine})"));
    }

    pub(crate) fn release(&mut self) {
        self.remove(LEASE_HOLDER);
        self.remove(LEASE_UNTIL);
    }

    /// No lease, one that is over, or one that ends later than any could: a wrong clock wrote that.
    fn free(&mut self, now: Timestamp) -> String {
        let until = self.name(LEASE_UNTIL);
        let over = self.value(AttributeValue::N(now.as_millisecond().to_string()));
        let latest = self.value(AttributeValue::N(latest_end(now).as_millisecond().to_string()));
        format!("(attribute_not_exists({until}) OR {until} <= {over} OR {until} > {latest})")
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    pub(crate) fn texts(&self) -> (String, String) {
        let mut update = vec![];
        if !self.set.is_empty() {
            update.push(format!("SET {}", self.set.join(", ")));
        }
        if !self.removed.is_empty() {
            update.push(format!("REMOVE {}", self.removed.join(", ")));
        }
        (update.join(" "), self.conditions.join(" AND "))
    }
}
