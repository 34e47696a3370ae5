//! DynamoDB's conflicts, which the embedded database never has: of two transactions in flight on one item one is cancelled.
//!
//! The embedded database runs one transaction at a time, so two never meet in it. Whoever stands between the SDK and the
//! database puts each transaction in flight here, keeps it there for as long as it is to take, and answers with what comes
//! back if another has one of its items. Holds no connection, never waits, and knows nothing of time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// The items of transactions under way. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<String>>>);

impl InFlight {
    /// Puts the transaction in flight that `request`, the body of a `TransactWriteItems`, asks for; dropping what comes back
    /// ends it, so that an abandoned call blocks nothing. Any other request has no items and conflicts with nothing.
    ///
    /// # Errors
    /// When one of its items is another's: the answer that cancels it, see [`cancelled`].
    pub fn enter(&self, request: &Value) -> Result<Held, Value> {
        let (items, mut taken) = (items(request), self.taken());
        if items.iter().any(|item| taken.contains(item)) {
            let code = |item| if taken.contains(item) { "TransactionConflict" } else { "None" };
            return Err(cancelled(items.iter().map(|item| json!({ "Code": code(item) })).collect()));
        }
        taken.extend(items.iter().cloned());
        Ok(Held { items, in_flight: self.clone() })
    }

    /// Which items of `request`, the body of a `TransactWriteItems` or a `TransactGetItems`, are those of a transaction in
    /// flight, in the order of its actions.
    #[must_use]
    pub fn met(&self, request: &Value) -> Vec<bool> {
        let taken = self.taken();
        items(request).iter().map(|item| taken.contains(item)).collect()
    }

    fn taken(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction in flight, until it is dropped.
#[derive(Debug)]
pub struct Held {
    items: Vec<String>,
    in_flight: InFlight,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.in_flight.taken();
        for item in &self.items {
            taken.remove(item);
        }
    }
}

/// The body of DynamoDB's answer, with status 400, to a transaction that was cancelled: for each of its actions in order what
/// is the matter with it.
#[must_use]
pub fn cancelled(reasons: Vec<Value>) -> Value {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    })
}

/// The items that a transaction names, in the order of its actions.
fn items(request: &Value) -> Vec<String> {
    let name = |action: &Value| {
        let key = action.get("Key").or(action.get("Item")).unwrap_or(&Value::Null);
        format!("{} {} {}", action["TableName"], key["PK"]["S"], key["SK"]["S"])
    };
    let actions = request["TransactItems"].as_array().into_iter().flatten();
    actions.filter_map(Value::as_object).flat_map(|action| action.values()).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(keys: &[&str]) -> Value {
        let actions: Vec<Value> = keys
            .iter()
            .map(|key| json!({"Put": {"TableName": "t", "Item": {"PK": {"S": key}, "SK": {"S": "x"}}}}))
            .collect();
        json!({ "TransactItems": actions })
    }

    #[test]
    fn two_transactions_on_one_item_meet_until_the_first_is_done() {
        let in_flight = InFlight::default();
        let first = in_flight.enter(&transaction(&["a", "b"])).expect("nothing is in flight");
        let _other = in_flight.enter(&transaction(&["c"])).expect("another item");
        let answer = in_flight.enter(&transaction(&["d", "b"])).expect_err("b is taken");
        assert_eq!(answer["CancellationReasons"], json!([{"Code": "None"}, {"Code": "TransactionConflict"}]));
        assert_eq!(in_flight.met(&transaction(&["d", "b"])), [false, true]);
        drop(first);
        in_flight.enter(&transaction(&["d", "b"])).expect("given back");
    }

    #[test]
    fn reads_never_meet() {
        let in_flight = InFlight::default();
        let _first = in_flight.enter(&transaction(&["a"])).expect("nothing is in flight");
        let read = json!({"RequestItems": {"t": {"Keys": [{"PK": {"S": "a"}, "SK": {"S": "x"}}]}}});
        in_flight.enter(&read).expect("a read");
    }
}
