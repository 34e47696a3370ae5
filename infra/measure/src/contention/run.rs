//! One run: transfers by many callers at once, each a function instance with snapshots of its own unless told otherwise.
//!
//! It has a table of its own in memory, reached through the real SDK over loopback. A caller that is told to try again does so
//! with the same key until the transfer is done. Afterwards the whole table is checked.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wallet_domain::{Command, Credits, Deposit, Open, Outcome, TransactionId, Transfer, WalletId};
use wallet_dynamodb::{Done as Executed, ExecuteError, Ledger, Strategy, Usage};
use wallet_stack::template::Template;
use wallet_stack::{Stores, TABLE};

use super::folder::Folder;
use super::network::{Network, Who, Wire};
use super::pairs::{Distribution, pair};
use crate::caller::Repeats;
use crate::check::{Done, check, check_settled};
use crate::requests::{open, order};
use crate::text::histogram;

/// More than any wallet sends in a run of this bench.
const SEED: &str = "1000000.00";
const SEED_CENTS: i128 = 100_000_000;

/// Which strategies the callers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    Optimistic,
    Pessimistic,
    /// Every other transfer pessimistic
    Mixed,
    /// Optimistic, and the first wallet's credits are batched
    Batched,
}

impl Mix {
    fn of(self, transfer: u64) -> Strategy {
        match self {
            Mix::Optimistic | Mix::Batched => Strategy::Optimistic,
            Mix::Mixed if transfer.is_multiple_of(2) => Strategy::Optimistic,
            Mix::Pessimistic | Mix::Mixed => Strategy::Pessimistic,
        }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().expect("none is skipped").get_name())
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) distribution: Distribution,
    pub(crate) mix: Mix,
    /// How many at once.
    pub(crate) callers: u32,
    /// How many in all.
    pub(crate) transfers: u64,
    /// How many ledgers with snapshots of their own the callers share; without it, each caller has one.
    pub(crate) instances: Option<u32>,
    /// How many transfers are begun in a second, at most.
    pub(crate) rate: Option<u32>,
    /// How many wallets; at least two.
    pub(crate) wallets: u32,
    /// The network between callers and table.
    pub(crate) network: Network,
    /// Chooses the wallets of each transfer.
    pub(crate) seed: u64,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} callers, {}", self.distribution, self.callers, self.mix)
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) setting: Setting,
    /// From the first transfer's start to the last one's end.
    pub(crate) took: Duration,
    /// Transfers per second of the last tenth by those of the first: whether it gets slower with what it has done.
    pub(crate) last_by_first: f64,
    /// From a transfer's first request to its success, in microseconds.
    pub(crate) latency: Histogram<u64>,
    /// Summed over all requests.
    pub(crate) calls: u64,
    /// Rounds lost to others.
    pub(crate) conflicts: u64,
    /// Time spent on leases of others, in milliseconds.
    pub(crate) lock_wait_ms: u64,
    /// Capacity of the transactions that went through, in halves; those of folds among them.
    pub(crate) write_half_units: u64,
    /// Write units of those that were cancelled.
    pub(crate) cancelled_units: u64,
    /// Requests that ended in 409 and were repeated.
    pub(crate) repeated: u64,
    /// What became of the credits that were batched; `None` where none were.
    pub(crate) batched: Option<Batched>,
    /// What the table holds afterwards.
    pub(crate) done: Done,
}

/// What became of the credits that went through an inbox.
#[derive(Debug)]
pub(crate) struct Batched {
    pub(crate) credits: u64,
    /// Those that were rows when the last transfer was answered.
    pub(crate) settled_by_then: u64,
    /// From a credit's answer to its row, in microseconds.
    pub(crate) lag: Histogram<u64>,
}

impl Measured {
    /// `total` divided by the transfers.
    pub(crate) fn per_transfer(&self, total: u64) -> f64 {
        total as f64 / self.setting.transfers as f64
    }

    /// Write units that DynamoDB bills for each transfer: what was cancelled too.
    pub(crate) fn billed(&self) -> f64 {
        self.per_transfer(self.write_half_units) / 2.0 + self.per_transfer(self.cancelled_units)
    }

    /// Transfers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.setting.transfers as f64 / self.took.as_secs_f64()
    }
}

/// Runs `setting` on a table of its own and checks the table; `progress` is called once for each transfer done.
///
/// # Errors
/// When a transfer doesn't succeed in the end, or the table doesn't add up.
pub(crate) async fn measure(setting: Setting, progress: impl Fn() + Clone + Send + 'static) -> Result<Measured> {
    ensure!(setting.wallets >= 2, "a transfer needs two wallets");
    let stores = Stores::start(&Template::embedded()?, None, 0).await?;
    let ledger = Ledger::new(stores.client(None), TABLE);
    let batched = setting.mix == Mix::Batched;
    let wallets = seeded(&ledger, setting.wallets, batched).await.context("seeding the wallets")?;
    let (wallets, hot): (Arc<[WalletId]>, _) = (wallets.as_slice().into(), wallets[0]);
    let (next, wire) = (Arc::new(AtomicU64::new(0)), Wire::new(setting.network));
    let folder =
        batched.then(|| Folder::start(Ledger::new(stores.client(Some(wire.http_client(Who::Folder))), TABLE), hot));
    let http = wire.http_client(Who::Caller);
    let instance = || Ledger::new(stores.client(Some(http.clone())), TABLE);
    let instances: Vec<_> = (0..setting.instances.unwrap_or(setting.callers)).map(|_| instance()).collect();
    let (mut callers, start) = (JoinSet::new(), Instant::now());
    for ledger in instances.iter().cycle().take(setting.callers as usize).cloned() {
        let (wallets, next, bell) = (Arc::clone(&wallets), Arc::clone(&next), folder.as_ref().map(Folder::bell));
        let work = Work { ledger, setting, wallets, next, bell, start };
        callers.spawn(work.run(progress.clone()));
    }
    let mut all: Vec<Transferred> = vec![];
    while let Some(transfers) = callers.join_next().await {
        all.extend(transfers.context("a caller panicked")??);
    }
    let end = Instant::now();
    let folds = match folder {
        Some(folder) => folder.finish().await.context("folding")?,
        None => Usage::default(),
    };
    let done = Done::transfers(setting.wallets, SEED_CENTS, setting.transfers);
    let checked = if batched { check_settled(ledger, &done, hot).await } else { check(ledger, &done).await };
    checked.context("checking the table")?;
    stores.stop().await;
    let mut latency = histogram();
    for one in &all {
        latency.record(u64::try_from(one.ended.duration_since(one.started).as_micros())?)?;
    }
    let batched = if batched { Some(settled(&all, hot, &wire, end)?) } else { None };
    let sum = |of: fn(&Transferred) -> u64| all.iter().map(of).sum();
    Ok(Measured {
        setting,
        took: end - start,
        last_by_first: last_by_first(start, all.iter().map(|one| one.ended).collect()),
        latency,
        calls: sum(|one| one.usage.calls.into()) + u64::from(folds.calls),
        conflicts: sum(|one| one.usage.conflicts.into()) + u64::from(folds.conflicts),
        lock_wait_ms: sum(|one| one.usage.lock_wait_ms),
        write_half_units: sum(|one| one.usage.write_half_units()) + folds.write_half_units(),
        cancelled_units: wire.cancelled_units(),
        repeated: sum(|one| one.repeated),
        batched,
        done,
    })
}

/// What became of the credits of `hot`.
fn settled(all: &[Transferred], hot: WalletId, wire: &Wire, end: Instant) -> Result<Batched> {
    let rows = wire.settled();
    let (mut credits, mut settled_by_then, mut lag) = (0, 0, histogram());
    for one in all.iter().filter(|one| one.destination == hot) {
        let id = one.transaction;
        let row = *rows.get(&id.to_string()).with_context(|| format!("the credit of {id} was never settled"))?;
        credits += 1;
        settled_by_then += u64::from(row <= end);
        // A fold may be answered before the credit that it settles.
        lag.record(u64::try_from(row.saturating_duration_since(one.ended).as_micros())?)?;
    }
    Ok(Batched { credits, settled_by_then, lag })
}

/// The rate of the last tenth of what ended by that of the first tenth.
fn last_by_first(start: Instant, mut ends: Vec<Instant>) -> f64 {
    ends.sort_unstable();
    let (count, tenth) = (ends.len(), ends.len() / 10);
    let Some(last) = (tenth > 0).then(|| ends[count - 1] - ends[count - 1 - tenth]) else { return 1.0 };
    (ends[tenth - 1] - start).as_secs_f64() / last.as_secs_f64()
}

/// A transfer that was done.
struct Transferred {
    transaction: TransactionId,
    destination: WalletId,
    started: Instant,
    ended: Instant,
    usage: Usage,
    repeated: u64,
}

/// One caller's share.
struct Work {
    ledger: Ledger,
    setting: Setting,
    wallets: Arc<[WalletId]>,
    next: Arc<AtomicU64>,
    /// Wakes the folder.
    bell: Option<Arc<Notify>>,
    start: Instant,
}

impl Work {
    async fn run(self, progress: impl Fn()) -> Result<Vec<Transferred>> {
        let mut done = vec![];
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.setting.transfers {
                return Ok(done);
            }
            if let Some(rate) = self.setting.rate {
                sleep_until(self.start + Duration::from_secs(number) / rate).await;
            }
            done.push(self.transfer(number).await.with_context(|| format!("transfer {number}"))?);
            progress();
        }
    }

    async fn transfer(&self, number: u64) -> Result<Transferred> {
        let mut rng = fastrand::Rng::with_seed(self.setting.seed.wrapping_mul(1 << 32).wrapping_add(number));
        let (source, destination) = pair(&mut rng, self.setting.distribution, self.wallets.len());
        let order = order("bench", &format!("transfer {number}"), "0.01")?;
        let (source, destination) = (self.wallets[source], self.wallets[destination]);
        let command = Command::Transfer(Transfer { order, source, destination, fee: None });
        let (strategy, started) = (self.setting.mix.of(number), Instant::now());
        let (mut usage, mut repeats) = (Usage::default(), Repeats::default());
        let transaction = command.transaction();
        loop {
            let seconds = match self.ledger.execute(&command, strategy, &mut usage).await {
                Ok(Executed::Executed(done) | Executed::Replayed(done)) => match done.outcome {
                    Outcome::Posted { .. } => break,
                    Outcome::Failed { refusal, .. } => bail!("refused: {refusal}"),
                },
                Err(
                    ExecuteError::Conflict { retry_after_seconds }
                    | ExecuteError::LockTimeout { retry_after_seconds }
                    | ExecuteError::Throttled { retry_after_seconds },
                ) => retry_after_seconds,
                Err(ExecuteError::OutcomeUnknown) => 1,
                Err(error) => return Err(error.into()),
            };
            repeats.wait(Duration::from_secs(seconds)).await?;
        }
        if let Some(bell) = self.bell.as_ref().filter(|_| destination == self.wallets[0]) {
            bell.notify_one();
        }
        let (ended, repeated) = (Instant::now(), repeats.count());
        Ok(Transferred { transaction, destination, started, ended, usage, repeated })
    }
}

/// Wallets with enough in each; the first with batched credits, if so asked.
async fn seeded(ledger: &Ledger, wallets: u32, batched: bool) -> Result<Vec<WalletId>> {
    let wallets: Vec<_> = stream::iter(0..wallets)
        .map(|number| seed(ledger, number, if batched && number == 0 { Credits::Batched } else { Credits::Immediate }))
        .buffered(8)
        .try_collect()
        .await?;
    if batched {
        ledger.settle(wallets[0], &mut Usage::default()).await?;
    }
    Ok(wallets)
}

async fn seed(ledger: &Ledger, number: u32, credits: Credits) -> Result<WalletId> {
    let open = Open { credits, ..open("bench", &format!("open {number}"))? };
    let wallet = open.wallet();
    let order = order("bench", &format!("deposit {number}"), SEED)?;
    for command in [Command::Open(open), Command::Deposit(Deposit { order, wallet, rules: [].into() })] {
        // What is written is seen in the check of the table.
        let _ = ledger.execute(&command, Strategy::Optimistic, &mut Usage::default()).await?;
    }
    Ok(wallet)
}
