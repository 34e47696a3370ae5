//! A tiny run: counts, not times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::run::measure;
use super::*;

#[tokio::test]
async fn a_tiny_run_adds_up() {
    // So few on each wallet that no rebate can lose all its rounds to others: it would come again after three minutes.
    let setting = Setting { rate: 200, deposits: 40, wallets: 40, seed: 1 };
    let told = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&told);
    let run = measure(setting, move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let run = run.await.expect("every rebate comes and the table adds up");
    assert_eq!((run.done.wallets, run.done.entries, run.done.transactions), (40, 40 + 2 * 40, 40 + 2 * 40));
    for (stage, name) in [(run.answer, "answer"), (run.delivery, "delivery"), (run.function, "function")] {
        assert_eq!(stage.len(), 40, "{name}");
    }
    assert_eq!((run.lag.len(), told.load(Ordering::Relaxed)), (40, 40));
    assert!(run.sending >= Duration::from_millis(39 * 5), "no faster than the rate");
}

#[tokio::test]
async fn without_wallets_there_is_nothing_to_measure() {
    let setting = Setting { rate: 1, deposits: 1, wallets: 0, seed: 1 };
    measure(setting, || {}).await.expect_err("refused");
}
