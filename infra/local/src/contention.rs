//! Contention measured: transfers by many callers at once, each a function instance with snapshots of its own.
//!
//! Every run has a table of its own in memory, reached through the real SDK over loopback. A caller that is told to try
//! again does so with the same key, after the time that it was told, until the transfer is done. Afterwards the whole
//! table is checked: see [`Checked`].

mod check;
mod figure;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wallet_domain::{
    Amount, Caller, Command, Deposit, IdempotencyKey, Metadata, Money, Open, Order, Outcome, Transfer, WalletId,
};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy, Usage};

pub use check::Checked;
pub use figure::figure;

use crate::stores::Stores;
use crate::template::Template;
use crate::wire::Wire;

/// More than any wallet sends in a run of this bench.
const SEED: &str = "1000000.00";
/// A transfer that was told to try again so often has met a defect, not contention.
const MAX_REPEATS: u32 = 1000;

/// Which wallets the transfers are between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Any two, equally likely.
    Uniform,
    /// Any two, the nth of them with a weight of 1/n.
    Zipf,
    /// From any to the first.
    Hot,
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Distribution::Uniform => "uniform",
            Distribution::Zipf => "zipf",
            Distribution::Hot => "hot",
        })
    }
}

/// Which strategies the callers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// All the same.
    All(Strategy),
    /// Every other transfer pessimistic.
    Mixed,
}

impl Mix {
    fn of(self, transfer: u64) -> Strategy {
        match self {
            Mix::All(strategy) => strategy,
            Mix::Mixed if transfer.is_multiple_of(2) => Strategy::Optimistic,
            Mix::Mixed => Strategy::Pessimistic,
        }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mix::All(strategy) => strategy.as_str(),
            Mix::Mixed => "mixed",
        })
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Which wallets.
    pub distribution: Distribution,
    /// Which strategies.
    pub mix: Mix,
    /// How many at once.
    pub callers: u32,
    /// How many in all.
    pub transfers: u64,
    /// How many wallets; at least two.
    pub wallets: u32,
    /// The network between callers and table.
    pub wire: Wire,
    /// Chooses the wallets of each transfer.
    pub seed: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Measured {
    /// What was run.
    pub setting: Setting,
    /// From the first transfer's start to the last one's end.
    pub took: Duration,
    /// From a transfer's first request to its success, in microseconds.
    pub latency: Histogram<u64>,
    /// Summed over all requests.
    pub calls: u64,
    /// Rounds lost to others.
    pub conflicts: u64,
    /// Time spent on leases of others, in milliseconds.
    pub lock_wait_ms: u64,
    /// Capacity of the transactions that went through, in halves; cancelled ones are not reported.
    pub write_half_units: u64,
    /// Requests that ended in 409 and were repeated.
    pub repeated: u64,
    /// What the table holds afterwards.
    pub checked: Checked,
}

impl Measured {
    /// So much per transfer.
    #[must_use]
    pub fn per_transfer(&self, total: u64) -> f64 {
        total as f64 / self.setting.transfers as f64
    }

    /// Transfers per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.setting.transfers as f64 / self.took.as_secs_f64()
    }
}

/// Runs `setting` on a table of its own and checks the table; `progress` is called once for each transfer done.
///
/// # Errors
/// When a transfer doesn't succeed in the end, or the table doesn't add up.
pub async fn measure(setting: Setting, progress: impl Fn() + Clone + Send + 'static) -> Result<Measured> {
    ensure!(setting.wallets >= 2, "a transfer needs two wallets");
    let stores = Stores::start(&Template::embedded()?, None, 0).await?;
    let plain = stores.database.client(None);
    let ledger = Ledger::new(plain.clone(), crate::TABLE);
    let wallets = Arc::new(seeded(&ledger, setting.wallets).await.context("seeding the wallets")?);
    let (next, http) = (Arc::new(AtomicU64::new(0)), setting.wire.http_client());
    let mut callers = JoinSet::new();
    let start = Instant::now();
    for caller in 0..setting.callers {
        let ledger = Ledger::new(stores.database.client(Some(http.clone())), crate::TABLE);
        let work = Work { ledger, setting, wallets: Arc::clone(&wallets), next: Arc::clone(&next) };
        callers.spawn(work.run(caller, progress.clone()));
    }
    let mut sum = Tally::new();
    while let Some(tally) = callers.join_next().await {
        sum.add(&tally.context("a caller panicked")??)?;
    }
    let took = start.elapsed();
    let checked = check::check(&ledger, &plain, &wallets, setting.transfers).await.context("checking the table")?;
    stores.stop().await;
    let Tally { latency, usage: (calls, conflicts, lock_wait_ms, write_half_units), repeated } = sum;
    Ok(Measured { setting, took, latency, calls, conflicts, lock_wait_ms, write_half_units, repeated, checked })
}

/// What one caller counts: calls, conflicts, lock wait and write units, and how often it had to repeat.
struct Tally {
    latency: Histogram<u64>,
    usage: (u64, u64, u64, u64),
    repeated: u64,
}

impl Tally {
    fn new() -> Tally {
        let latency = Histogram::new(3).expect("three digits are allowed");
        Tally { latency, usage: (0, 0, 0, 0), repeated: 0 }
    }

    fn count(&mut self, usage: &Usage) {
        self.usage.0 += u64::from(usage.calls);
        self.usage.1 += u64::from(usage.conflicts);
        self.usage.2 += usage.lock_wait_ms;
        self.usage.3 += usage.write_half_units();
    }

    fn add(&mut self, other: &Tally) -> Result<()> {
        self.latency.add(&other.latency)?;
        self.usage.0 += other.usage.0;
        self.usage.1 += other.usage.1;
        self.usage.2 += other.usage.2;
        self.usage.3 += other.usage.3;
        self.repeated += other.repeated;
        Ok(())
    }
}

/// One caller's share.
struct Work {
    ledger: Ledger,
    setting: Setting,
    wallets: Arc<Vec<WalletId>>,
    next: Arc<AtomicU64>,
}

impl Work {
    async fn run(self, caller: u32, progress: impl Fn()) -> Result<Tally> {
        let mut pauses = fastrand::Rng::with_seed(self.setting.seed ^ u64::from(caller));
        let mut tally = Tally::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.setting.transfers {
                return Ok(tally);
            }
            let start = Instant::now();
            self.transfer(number, &mut pauses, &mut tally).await.with_context(|| format!("transfer {number}"))?;
            tally.latency.record(u64::try_from(start.elapsed().as_micros())?)?;
            progress();
        }
    }

    async fn transfer(&self, number: u64, pauses: &mut fastrand::Rng, tally: &mut Tally) -> Result<()> {
        let mut rng = fastrand::Rng::with_seed(self.setting.seed.wrapping_mul(1 << 32).wrapping_add(number));
        let (source, destination) = pair(&mut rng, self.setting.distribution, self.wallets.len());
        let order = order(format!("transfer {number}"), "0.01")?;
        let (source, destination) = (self.wallets[source], self.wallets[destination]);
        let command = Command::Transfer(Transfer { order, source, destination, fee: None });
        for _ in 0..MAX_REPEATS {
            let mut usage = Usage::default();
            let outcome = self.ledger.execute(&command, self.setting.mix.of(number), &mut usage).await;
            tally.count(&usage);
            let seconds = match outcome {
                Ok(Done::Executed(done) | Done::Replayed(done)) => match done.outcome {
                    Outcome::Posted { .. } => return Ok(()),
                    Outcome::Failed(refusal) => bail!("refused: {refusal}"),
                },
                Err(
                    ExecuteError::Conflict { retry_after_seconds }
                    | ExecuteError::LockTimeout { retry_after_seconds }
                    | ExecuteError::Throttled { retry_after_seconds },
                ) => retry_after_seconds,
                Err(ExecuteError::OutcomeUnknown) => 1,
                Err(error) => return Err(error.into()),
            };
            tally.repeated += 1;
            // About as long as it was told, not all at the same moment.
            tokio::time::sleep(Duration::from_millis(pauses.u64(seconds * 500..=seconds * 1500))).await;
        }
        bail!("not done after {MAX_REPEATS} repeats")
    }
}

/// Two wallets, by their place.
fn pair(rng: &mut fastrand::Rng, distribution: Distribution, wallets: usize) -> (usize, usize) {
    if distribution == Distribution::Hot {
        return (rng.usize(1..wallets), 0);
    }
    let mut one = || match distribution {
        Distribution::Zipf => zipf(rng, wallets),
        _ => rng.usize(..wallets),
    };
    let source = one();
    loop {
        let destination = one();
        if destination != source {
            return (source, destination);
        }
    }
}

fn zipf(rng: &mut fastrand::Rng, wallets: usize) -> usize {
    let weights = || (1..=wallets).map(|place| 1_000_000_000 / place);
    let mut left = rng.usize(..weights().sum::<usize>());
    for (place, weight) in weights().enumerate() {
        if left < weight {
            return place;
        }
        left -= weight;
    }
    unreachable!("the weights sum to more than was drawn")
}

/// Wallets with enough in each.
async fn seeded(ledger: &Ledger, wallets: u32) -> Result<Vec<WalletId>> {
    stream::iter(0..wallets).map(|number| seed(ledger, number)).buffered(8).try_collect().await
}

async fn seed(ledger: &Ledger, number: u32) -> Result<WalletId> {
    let currency = "EUR".parse()?;
    let (caller, key) = (caller()?, key(format!("open {number}"))?);
    let open = Open {
        owner: caller.subject.clone(),
        caller,
        key,
        currency,
        floor: Money::zero(currency),
        ceiling: None,
        limits: Default::default(),
        metadata: Metadata::default(),
    };
    let wallet = open.wallet();
    let order = order(format!("deposit {number}"), SEED)?;
    for command in [Command::Open(open), Command::Deposit(Deposit { order, wallet, rules: [].into() })] {
        // What is written is seen in the check of the table.
        let _ = ledger.execute(&command, Strategy::Optimistic, &mut Usage::default()).await?;
    }
    Ok(wallet)
}

fn order(name: String, amount: &str) -> Result<Order> {
    Ok(Order {
        caller: caller()?,
        key: key(name)?,
        amount: Amount::parse(amount, "EUR".parse()?)?,
        reference: None,
        metadata: Metadata::default(),
        expected_version: None,
    })
}

fn key(name: String) -> Result<IdempotencyKey> {
    Ok(name.parse()?)
}

fn caller() -> Result<Caller> {
    Ok(Caller { subject: "bench".parse()?, admin: true })
}

#[cfg(test)]
mod tests;
