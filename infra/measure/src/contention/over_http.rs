//! The same transfers over HTTP, through the whole local stack: how fast they are, and how many are answered 409.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wallet_dynamodb::Ledger;
use wallet_stack::{Options, Stack};

use super::pairs::{Distribution, pair};
use crate::check::{Done, check};
use crate::http::{Caller, Repeated};
use crate::text::histogram;

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) distribution: Distribution,
    pub(crate) callers: u32,
    pub(crate) transfers: u64,
    pub(crate) wallets: u32,
    pub(crate) seed: u64,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) setting: Setting,
    pub(crate) took: Duration,
    /// From a transfer's first request to its success, in microseconds.
    pub(crate) latency: Histogram<u64>,
    pub(crate) repeated: Repeated,
}

impl Measured {
    /// Transfers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.setting.transfers as f64 / self.took.as_secs_f64()
    }

    /// Of all answers, those that were 409.
    pub(crate) fn conflict_share(&self) -> f64 {
        self.repeated.conflicts as f64 / (self.setting.transfers + self.repeated.all()) as f64
    }
}

/// Runs `setting` on a stack of its own and checks its table.
///
/// # Errors
/// When a transfer doesn't succeed in the end, or the table doesn't add up.
pub(crate) async fn measure(setting: Setting) -> Result<Measured> {
    ensure!(setting.wallets >= 2, "a transfer needs two wallets");
    let rebates = ("REBATE_RULES".to_owned(), String::new());
    let stack = Stack::start(Options { env: [rebates].into(), ..Options::default() }).await?;
    let caller = Caller::new(&stack)?;
    let mut wallets = vec![];
    for number in 0..setting.wallets {
        let wallet = caller.open(number).await.with_context(|| format!("opening wallet {number}"))?;
        let (path, body) = (format!("/v1/wallets/{wallet}/deposits"), json!({"amount": "10000.00", "currency": "EUR"}));
        caller.post(&path, &format!("deposit {number}"), &body).await?;
        wallets.push(wallet);
    }
    let (wallets, next): (Arc<[String]>, _) = (wallets.into(), Arc::new(AtomicU64::new(0)));
    let (mut callers, start) = (JoinSet::new(), Instant::now());
    for _ in 0..setting.callers {
        callers.spawn(work(caller.clone(), setting, Arc::clone(&wallets), Arc::clone(&next)));
    }
    let (mut latency, mut repeated) = (histogram(), Repeated::default());
    while let Some(done) = callers.join_next().await {
        for (took, again) in done.context("a caller panicked")?? {
            latency.record(u64::try_from(took.as_micros())?)?;
            repeated.conflicts += again.conflicts;
            repeated.others += again.others;
        }
    }
    let took = start.elapsed();
    let done = Done::transfers(setting.wallets, 1_000_000, setting.transfers);
    check(Ledger::new(stack.own_client(), stack.table()), &done).await.context("checking the table")?;
    stack.stop().await;
    Ok(Measured { setting, took, latency, repeated })
}

async fn work(
    caller: Caller,
    setting: Setting,
    wallets: Arc<[String]>,
    next: Arc<AtomicU64>,
) -> Result<Vec<(Duration, Repeated)>> {
    let mut done = vec![];
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= setting.transfers {
            return Ok(done);
        }
        let mut rng = fastrand::Rng::with_seed(setting.seed.wrapping_mul(1 << 32).wrapping_add(number));
        let (source, destination) = pair(&mut rng, setting.distribution, wallets.len());
        let (source, destination) = (&wallets[source], &wallets[destination]);
        let body = json!({"source": source, "destination": destination, "amount": "0.01", "currency": "EUR"});
        let start = Instant::now();
        let (_, repeated) = caller.post("/v1/transfers", &format!("transfer {number}"), &body).await?;
        done.push((start.elapsed(), repeated));
    }
}
