//! Faults below the SDK, in random schedules that a seed replays, and one at a time.
//!
//! The schedules run the real ledger and the real SDK on one thread in paused time, against a table in memory ([`table`])
//! behind a network of our own ([`network`]): requests wait, are throttled, fail, get lost before or after they took
//! effect or arrive after their sender gave up; a commit is applied item by item and seen half applied; transactions that
//! meet in flight on one item are cancelled, for any of the reasons that hold; processes die at any await; their clocks are
//! minutes apart, some of them days; callers ask twice at once with the same key. Afterwards [`check`] recomputes
//! everything from the table and holds it against what callers were told, and [`truth`] finds for each refusal a moment at
//! which it was true.
//!
//! A seed fixes everything that these tests see: commands, strategies, deaths, delays, faults, back-off, and the order
//! in which they meet. What it doesn't fix is the code: another version of the ledger or the SDK makes other calls, and
//! then the same seed is another schedule.
//!
//! ```text
//! WALLET_FAULT_SEED=<seed> cargo test -p wallet-tests faults                              replays one schedule
//! WALLET_FAULT_OPERATIONS=1000000 cargo test --release -p wallet-tests nothing_is_lost -- --nocapture   the long form
//! ```

mod call;
mod check;
mod fault;
mod handlers;
mod network;
mod schedule;
mod single;
mod table;
mod truth;
mod weather;
mod world;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub(crate) use call::Call;
pub(crate) use check::{Clocks, audit, audit_by};
pub(crate) use fault::{Climate, Fault, Order, Treatment};
pub(crate) use handlers::event;
pub(crate) use network::Weather;
pub(crate) use weather::{LONG, always, fair, first, slow};
pub(crate) use world::{World, function, runtime};

use wallet_domain::SHAPES;

use schedule::{Counts, RECORDED, Report};

/// Commands of one schedule.
const OPERATIONS: usize = 60;
/// Commands of the short form.
const SHORT: usize = 2_400;
/// Schedules between two lines that show how far it is.
const SHOWN: u64 = 500;
/// Schedules in which everything that can happen should have happened.
const ENOUGH: u64 = 200;
/// The codes of the refusals that are recorded. [`wallet_domain::Refusal::facts`] decides; one that is missing
/// here is missed in the tally.
const RECORDED_CODES: [&str; 12] = [
    "currency_mismatch",
    "deposit_reversed",
    "insufficient_funds",
    "limit_exceeded",
    "max_balance_exceeded",
    "rebate_below_minimum",
    "rebate_cap_reached",
    "rebate_too_late",
    "request_expired",
    "wallet_closed",
    "wallet_frozen",
    "wallet_not_found",
];
const SEED: &str = "WALLET_FAULT_SEED";
const LENGTH: &str = "WALLET_FAULT_OPERATIONS";

#[test]
fn nothing_is_lost_and_nothing_untrue_is_said_under_any_schedule_of_faults() {
    if let Some(seed) = chosen_seed() {
        println!("{:#?}", schedule(seed));
        return;
    }
    let length = number(LENGTH).map_or(SHORT, |length| usize::try_from(length).expect("a length that can be counted"));
    let first = fastrand::u64(..);
    println!("seeds from {first}");
    let (schedules, next) = (length.div_ceil(OPERATIONS) as u64, AtomicU64::new(0));
    let (start, total) = (Instant::now(), Mutex::new(Counts::new()));
    // Schedules share nothing: one after the other on each core.
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= schedules {
                        return;
                    }
                    let counts = schedule(first.wrapping_add(number)).counts;
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    counts.into_iter().for_each(|(name, count)| *total.entry(name).or_default() += count);
                    if number % SHOWN == SHOWN - 1 {
                        println!("{number} of {schedules} schedules, {} s", start.elapsed().as_secs());
                    }
                }
            });
        }
    });
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{} operations in {:.1} s, nothing lost", total["operations"], start.elapsed().as_secs_f32());
    for (name, count) in &total {
        println!("{count:>9} {name}");
    }
}

#[test]
fn a_seed_replays_its_schedule() {
    let (first, again, other) = (schedule(7), schedule(7), schedule(8));
    assert_eq!((first.trace, first.counts), (again.trace, again.counts));
    assert_ne!(first.trace, other.trace);
}

/// The table in memory is no second truth.
#[test]
fn the_table_in_memory_answers_as_the_embedded_database_does() {
    let first = fastrand::u64(..);
    for seed in (0..10).map(|number| first.wrapping_add(number)) {
        schedule_by(seed, schedule::beside_twin);
    }
}

/// The schedules get everywhere: each code under which a refusal is recorded, and each kind of movement, is met.
#[test]
fn the_schedules_meet_every_refusal_that_is_recorded() {
    let mut unmet: BTreeSet<String> = RECORDED_CODES.iter().map(|code| format!("{RECORDED}{code}")).collect();
    unmet.extend(SHAPES.iter().map(|shape| format!("posted: {}", shape.kind.as_str())));
    unmet.insert(network::TOGETHER.to_owned());
    for seed in 0..ENOUGH {
        for name in schedule(seed).counts.keys() {
            unmet.remove(name);
        }
        if unmet.is_empty() {
            return;
        }
    }
    panic!("not met in {ENOUGH} schedules: {unmet:?}");
}

/// Runs the schedule of `seed`; whatever goes wrong, it says the seed.
fn schedule(seed: u64) -> Report {
    schedule_by(seed, schedule::run)
}

fn schedule_by(seed: u64, run: fn(u64, usize) -> Result<Report, String>) -> Report {
    match catch_unwind(AssertUnwindSafe(|| run(seed, OPERATIONS))) {
        Ok(Ok(report)) => report,
        Ok(Err(broken)) => panic!("seed {seed}: {broken}\n{}", replay(seed)),
        Err(panicked) => {
            eprintln!("seed {seed} panicked\n{}", replay(seed));
            resume_unwind(panicked)
        }
    }
}

/// The one schedule to replay, if the environment names one.
pub(crate) fn chosen_seed() -> Option<u64> {
    number(SEED)
}

fn replay(seed: u64) -> String {
    format!("Replay it: {SEED}={seed} cargo test -p wallet-tests faults -- --nocapture")
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, not a number")))
}
