//! What happened to each of the newest movements, step by step, as the functions' canonical lines and the stack's own steps tell it.
//!
//! | step | who | at |
//! |---|---|---|
//! | `request` | the function that answered | when it was asked |
//! | `commit` | `table` | the time that the record, or the row of the statement, says |
//! | `stream` | `dispatch` | when it was handed the record |
//! | `sent`, `received` | `dispatch`, the function | the queue's own times |
//! | `done` | the function that worked on the message | when it was done |
//! | `bus` | `publish` | when the bus took the event |
//!
//! A batched credit is settled by a fold, which knows wallets and no movements. The rows that it writes name the credits and the
//! time; the pass over that wallet that was at work then is theirs, and each credit bears its share of the pass's units.
//!
//! Bounded: the 10,000 newest movements with 40 steps each at most, and 4,096 passes and wake-ups: some 20 MB where a movement has
//! ten steps, 80 MB at most. What is older is forgotten. It never reads the table, and decides nothing.

mod fields;
mod kept;
mod shown;
mod step;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use wallet_domain::{Timestamp, TransactionId};
use wallet_stack::clock;
use wallet_stack::steps::TARGET as STEPS;
use wallet_stack::template::Template;

use fields::Fields;
use kept::{Kept, Pass, WakeUp};
use step::{Kind, Step};

/// Where the canonical lines come from: `shared/lambda/src/log.rs`.
const LINES: &str = "wallet_lambda::log";

/// The newest movements.
pub(crate) struct Trail {
    kept: Mutex<Kept>,
    /// Whose conflicts are counted.
    followed: Mutex<Option<Followed>>,
    /// Lost races of those that are followed.
    conflicts: AtomicU64,
    /// The function that reads a queue, by the queue's name.
    readers: HashMap<String, String>,
}

/// Whose requests, and what settles which wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Followed {
    pub(crate) caller: String,
    pub(crate) wallet: String,
}

impl Trail {
    pub(crate) fn new() -> Arc<Trail> {
        let template = Template::embedded().expect("the template is complete");
        let readers = template.consumers.into_iter().map(|consumer| (consumer.queue.name, consumer.function));
        Arc::new(Trail {
            kept: Mutex::default(),
            followed: Mutex::default(),
            conflicts: AtomicU64::new(0),
            readers: readers.collect(),
        })
    }

    /// What feeds it, beside whatever else listens. Its filter is its own, and changes nobody else's.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(self: &Arc<Trail>) -> impl Layer<S> + use<S> {
        let wanted = Targets::new().with_target(LINES, LevelFilter::INFO).with_target(STEPS, LevelFilter::DEBUG);
        Listener(Arc::clone(self)).with_filter(wanted)
    }

    /// What happened to a movement, if anything of it was seen.
    pub(crate) fn of(&self, id: TransactionId) -> Option<Value> {
        shown::shown(&self.lock(), id)
    }

    /// Counts, from now on, the lost races of these requests alone.
    pub(crate) fn follow(&self, followed: Followed) {
        *self.followed.lock().unwrap_or_else(PoisonError::into_inner) = Some(followed);
        self.conflicts.store(0, Ordering::Relaxed);
    }

    /// The races that they have lost.
    pub(crate) fn conflicts(&self) -> u64 {
        self.conflicts.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A canonical line of a function.
    fn line(&self, line: &Fields) {
        let route = line.text("route");
        // What only asks has moved nothing.
        if line.text("function").is_none() || route.is_some_and(|route| route.starts_with("GET ")) || line.is("dry_run")
        {
            return;
        }
        let (ended, took_ms) = (clock::now(), line.number("duration_ms").unwrap_or(0));
        // The duration is rounded down: it began up to a millisecond earlier than that says.
        let began = step::before(ended, took_ms + 1);
        let (kind, at) = if route.is_some() { (Kind::Request, began) } else { (Kind::Done, ended) };
        let step = Step::of_line(line, kind, at);
        self.count(line, &step);
        let mut kept = self.lock();
        if let Some(id) = line.id("transaction_id") {
            kept.push(id, step);
            if let Some(parent) = line.id("deposit_id") {
                kept.relate(parent, id);
            }
        } else if let (Some(wallet), Some(folded @ 1..)) = (line.wallet("wallet_ids"), line.number("credits_folded")) {
            let messages = line.text("message_id").unwrap_or_default().to_owned();
            let pass = Pass { wallet, began, ended, messages, folded, step };
            kept.pass(pass);
        }
    }

    /// Counts the lost races of a line, if it is followed.
    fn count(&self, line: &Fields, step: &Step) {
        let lost = step.units.map_or(0, |units| units.conflicts);
        if lost == 0 {
            return;
        }
        if let Some(followed) = &*self.followed.lock().unwrap_or_else(PoisonError::into_inner) {
            let settles = line.text("wallet_ids") == Some(&followed.wallet) && line.text("transaction_id").is_none();
            if settles || line.text("caller") == Some(&followed.caller) {
                self.conflicts.fetch_add(lost, Ordering::Relaxed);
            }
        }
    }

    /// A step of the stack.
    fn step(&self, seen: &Fields) {
        let text = |name: &str| seen.text(name).unwrap_or_default();
        let now = clock::now();
        let at = seen.number("at_ms").and_then(|ms| Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok());
        let at = at.unwrap_or(now);
        match text("step") {
            "record" => self.lock().record(seen, now),
            step @ ("sent" | "received") => {
                let reader = self.readers.get(text("queue")).map_or("", String::as_str);
                let (kind, who) = if step == "sent" { (Kind::Sent, "dispatch") } else { (Kind::Received, reader) };
                let mut step = Step::new(kind, who, at);
                (step.queue, step.waited_ms) = (Some(reader.into()), seen.number("waited_ms"));
                match seen.id("about") {
                    Some(id) => self.lock().push(id, step),
                    None if reader == "settle" => {
                        self.lock().wake_up(WakeUp { message: text("message_id").to_owned(), step });
                    }
                    None => {}
                }
            }
            "bus" => {
                if let Some(id) = seen.id("about") {
                    self.lock().push(id, Step::new(Kind::Bus, "publish", at));
                }
            }
            _ => {}
        }
    }
}

struct Listener(Arc<Trail>);

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let fields = Fields::of(event);
        if event.metadata().target() == STEPS { self.0.step(&fields) } else { self.0.line(&fields) }
    }
}

#[cfg(test)]
mod tests;
