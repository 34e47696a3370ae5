//! One table in memory that does what the ledger asks of DynamoDB, and remembers every state that it was ever in.
//!
//! It is here for what no emulator does. A transaction is committed at one moment and its items are applied one by one
//! after it, each visible at a moment of its own: until then reads show the state before, `BatchGetItem`, `Query` and
//! `GetItem` alike, and the item is in flight for every other transaction. Only `TransactGetItems` sees one moment. It is
//! ten times faster than the embedded database too. That one decides what is right, though: [`twin`] sends the same
//! requests to both. Whatever the ledger has not asked for so far makes it panic rather than guess.

mod expression;
mod twin;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use expression::Expression;
pub(crate) use expression::Item;
use twin::Twin;

/// The index of what is due some day: keys alone.
const DUE_INDEX: &str = "due-index";
/// The keys of indexes, which the place in a list names too.
const INDEXED: [&str; 6] = ["created_at", "owner", "attempt_wallet", "caller_reference", "due", "due_at"];

/// Partition and sort key.
pub(crate) type Key = (String, String);

/// A time, and the number of the commit that was made then: many are made in one millisecond.
pub(crate) type Moment = (Instant, u64);

/// One state of an item, from the moment of the commit that made it to that of the next.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// `None` once it is deleted.
    pub(crate) item: Option<Item>,
    pub(crate) committed: Moment,
    /// From here on reads show all that was committed with it.
    pub(crate) applied: Moment,
    /// From here on reads show it, and it is in flight no longer.
    pub(crate) visible: Instant,
}

/// What one action of a transaction came to, where it did not go through.
#[derive(Debug, Clone)]
pub(crate) enum Reason {
    /// Its condition failed on this item.
    Condition(Option<Item>),
    /// Its item is part of another transaction in flight.
    Conflict,
    Throttled,
}

/// Cheap to clone; clones are the same table.
#[derive(Clone, Default)]
pub(crate) struct Table {
    states: Arc<Mutex<BTreeMap<Key, Vec<State>>>>,
    commits: Arc<AtomicU64>,
    /// How far the indexes are behind the table, in milliseconds.
    lag_ms: Arc<AtomicU64>,
    twin: Option<Arc<Twin>>,
}

/// One action of a transaction, as it was sent.
pub(crate) struct Action<'a> {
    pub(crate) key: Key,
    pub(super) kind: &'a str,
    body: &'a Value,
}

impl<'a> Action<'a> {
    pub(crate) fn of(action: &'a Value) -> Action<'a> {
        let (kind, body) = action.as_object().and_then(|action| action.iter().next()).expect("an action of one kind");
        let key = if body["Key"].is_null() { &body["Item"] } else { &body["Key"] };
        Action { key: key_of(key), kind, body }
    }
}

pub(crate) fn key_of(item: &Value) -> Key {
    let text = |name: &str| item[name]["S"].as_str().expect("keys are texts").to_owned();
    (text("PK"), text("SK"))
}

impl Table {
    /// With the embedded database beside it.
    pub(crate) fn with_twin() -> Table {
        Table { twin: Some(Arc::new(Twin::new())), ..Table::default() }
    }

    /// From now on the indexes are so far behind the table.
    pub(crate) fn set_lag(&self, lag: Duration) {
        self.lag_ms.store(u64::try_from(lag.as_millis()).expect("a few hours"), Ordering::Relaxed);
    }

    /// Now, as the next commit.
    fn moment(&self) -> Moment {
        (Instant::now(), self.commits.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Sends the twin, if there is one, what was answered with `status` and `answer`.
    pub(crate) fn compare(&self, operation: &str, request: &Value, status: u16, answer: &Value) {
        if let Some(twin) = &self.twin {
            twin.agrees(operation, request, status, answer);
        }
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<State>>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of everything that is there.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let states = self.states();
        states.iter().filter(|(_, states)| newest(states).is_some()).map(|(key, _)| key.clone()).collect()
    }

    /// Every state of every item, oldest first.
    pub(crate) fn history(&self) -> Vec<(Key, State)> {
        let states = self.states();
        states.iter().flat_map(|(key, states)| states.iter().map(|state| (key.clone(), state.clone()))).collect()
    }

    /// Whether a commit is being applied that the item is part of.
    pub(crate) fn in_flight(&self, key: &Key) -> bool {
        let states = self.states();
        states.get(key).and_then(|states| states.last()).is_some_and(|state| state.visible > Instant::now())
    }

    /// What a strongly consistent read of one item shows now.
    pub(crate) fn get(&self, key: &Key) -> Option<Item> {
        visible(self.states().get(key)?, Duration::ZERO)
    }

    /// Changes or makes an item behind everybody's back.
    pub(crate) fn change(&self, key: &Key, change: impl FnOnce(&mut Item)) {
        let mut states = self.states();
        let states = states.entry(key.clone()).or_default();
        let mut item = newest(states).cloned().unwrap_or_default();
        change(&mut item);
        let now = self.moment();
        states.push(State { item: Some(item), committed: now, applied: now, visible: now.0 });
    }

    /// Forgets items that were made behind everybody's back.
    pub(crate) fn forget(&self, which: impl Fn(&Key) -> bool) {
        self.states().retain(|key, _| !which(key));
    }

    /// What each action's condition says of the item as it was committed last.
    pub(crate) fn reasons(&self, actions: &[Action]) -> Vec<Option<Reason>> {
        let states = self.states();
        let failed = |action: &Action| {
            let item = states.get(&action.key).and_then(|states| newest(states));
            let condition = Expression::of(action.body, "ConditionExpression")?;
            (!condition.holds(item)).then(|| Reason::Condition(item.cloned()))
        };
        actions.iter().map(failed).collect()
    }

    /// Commits `actions` now; the one at each position can be seen from the moment that `seen` gives.
    pub(crate) fn commit(&self, actions: &[Action], seen: impl Fn(usize) -> Instant) {
        let committed = self.moment();
        let applied = ((0..actions.len()).map(&seen).max().expect("an action at least"), committed.1);
        let mut states = self.states();
        for (position, action) in actions.iter().enumerate() {
            let states = states.entry(action.key.clone()).or_default();
            let before = newest(states);
            let item = match action.kind {
                "Put" => Some(action.body["Item"].as_object().expect("an item").clone()),
                "Update" => {
                    let update = Expression::of(action.body, "UpdateExpression").expect("an update says what");
                    let key = action.body["Key"].as_object().expect("a key");
                    Some(update.updated(before.unwrap_or(key).clone()))
                }
                "Delete" => None,
                "ConditionCheck" => continue,
                other => panic!("the table in memory knows no {other}"),
            };
            states.push(State { item: item.map(normal), committed, applied, visible: seen(position) });
        }
    }

    /// What `Query` answers now.
    pub(crate) fn query(&self, body: &Value) -> Value {
        let condition = Expression::of(body, "KeyConditionExpression").expect("a query says which");
        let index = body["IndexName"].as_str();
        let states = self.states();
        let lag = index.map_or(Duration::ZERO, |_| Duration::from_millis(self.lag_ms.load(Ordering::Relaxed)));
        let found = states.iter().filter_map(|(key, states)| Some((key, visible(states, lag)?)));
        let mut found: Vec<_> = found.filter(|(_, item)| condition.holds(Some(item))).collect();
        // All indexes of the table go by time.
        let time = if index == Some(DUE_INDEX) { "due_at" } else { "created_at" };
        let place = |(key, item): &(&Key, Item)| {
            (index.map(|_| item[time]["S"].as_str().unwrap_or_default().to_owned()), (*key).clone())
        };
        found.sort_by_key(place);
        if body["ScanIndexForward"] == false {
            found.reverse();
        }
        if let Some(start) = body["ExclusiveStartKey"].as_object() {
            let start = key_of(&Value::Object(start.clone()));
            let at = found.iter().position(|(key, _)| **key == start).map_or(0, |at| at + 1);
            found.drain(..at);
        }
        let limit = body["Limit"].as_u64().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let more = found.len() >= limit;
        found.truncate(limit);
        let mut answer = json!({ "Count": found.len(), "ScannedCount": found.len() });
        if let Some((key, item)) = found.last().filter(|_| more) {
            let mut last = json!({ "PK": { "S": key.0 }, "SK": { "S": key.1 } });
            for (name, value) in item.iter().filter(|_| index.is_some()) {
                if INDEXED.contains(&name.as_str()) {
                    last[name] = value.clone();
                }
            }
            answer["LastEvaluatedKey"] = last;
        }
        if index == Some(DUE_INDEX) {
            let keys = ["PK", "SK", "due", "due_at"];
            found.iter_mut().for_each(|(_, item)| item.retain(|name, _| keys.contains(&name.as_str())));
        }
        answer["Items"] = found.into_iter().map(|(_, item)| Value::Object(item)).collect();
        answer
    }
}

fn newest(states: &[State]) -> Option<&Item> {
    states.last()?.item.as_ref()
}

/// The item as it was seen so long ago.
fn visible(states: &[State], ago: Duration) -> Option<Item> {
    let now = Instant::now();
    states.iter().rev().find(|state| state.visible + ago <= now)?.item.clone()
}

/// The item with its numbers as DynamoDB keeps them: without zeros that say nothing.
fn normal(mut item: Item) -> Item {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(typed) => match typed.get_mut("N") {
                Some(Value::String(number)) => *number = expression::shortest(number),
                _ => typed.values_mut().for_each(walk),
            },
            Value::Array(values) => values.iter_mut().for_each(walk),
            _ => {}
        }
    }
    item.values_mut().for_each(walk);
    item
}
