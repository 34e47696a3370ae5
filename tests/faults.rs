//! Faults below the SDK, in random schedules that a seed replays, and one at a time.
//!
//! The schedules run the real ledger and the real SDK on one thread in paused time, against an embedded DynamoDB behind
//! a network of our own ([`network`]): requests wait, are throttled, fail, get lost before or after they took effect or
//! arrive after their sender gave up; two transactions in flight on one item cancel one of them, as DynamoDB does and no
//! emulator; processes die at any await; their clocks are minutes apart; callers ask twice at once with the same key.
//! Afterwards [`check`] recomputes everything from the table and holds it against what callers were told.
//!
//! A seed fixes everything that these tests see: commands, strategies, deaths, delays, faults, back-off, and the order
//! in which they meet. What it doesn't fix is the code: another version of the ledger or the SDK makes other calls, and
//! then the same seed is another schedule. Serving requests in process skips the emulator's checks of signatures and
//! JSON types, which the tests over HTTP cover.
//!
//! ```text
//! WALLET_FAULT_SEED=<seed> cargo test -p wallet-tests faults                              replays one schedule
//! WALLET_FAULT_OPERATIONS=100000 cargo test -p wallet-tests faults -- --nocapture         the long form
//! ```

mod check;
mod fault;
mod handlers;
mod network;
mod schedule;
mod single;
mod table;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

pub(crate) use check::audit;
pub(crate) use fault::{Climate, Fault, Order, Treatment};
pub(crate) use handlers::event;
pub(crate) use network::{Call, Weather};
pub(crate) use world::{World, fair, runtime};

use schedule::{Counts, Report};

/// Commands of one schedule.
const OPERATIONS: usize = 60;
/// Commands of the short form.
const SHORT: usize = 2_400;
const SEED: &str = "WALLET_FAULT_SEED";
const LENGTH: &str = "WALLET_FAULT_OPERATIONS";

#[test]
fn nothing_is_lost_under_any_schedule_of_faults() {
    if let Some(seed) = chosen_seed() {
        println!("{:#?}", schedule(seed));
        return;
    }
    let length = number(LENGTH).map_or(SHORT, |length| usize::try_from(length).expect("a length that can be counted"));
    let first = fastrand::u64(..);
    println!("seeds from {first}");
    let (start, mut shown) = (Instant::now(), Instant::now());
    let mut total = Counts::new();
    let mut done = 0;
    for number in 0..length.div_ceil(OPERATIONS) as u64 {
        for (name, count) in schedule(first.wrapping_add(number)).counts {
            *total.entry(name).or_default() += count;
        }
        done += OPERATIONS;
        if shown.elapsed() >= Duration::from_secs(5) {
            shown = Instant::now();
            println!("{done} of {length} operations, {} s", start.elapsed().as_secs());
        }
    }
    println!("{done} operations in {:.1} s, nothing lost", start.elapsed().as_secs_f32());
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

/// Runs the schedule of `seed`; whatever goes wrong, it says the seed.
fn schedule(seed: u64) -> Report {
    match catch_unwind(AssertUnwindSafe(|| schedule::run(seed, OPERATIONS))) {
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
