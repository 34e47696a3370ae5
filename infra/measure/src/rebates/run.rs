//! One run: how long it is from the answer to a deposit until its rebate is committed, through the whole local stack.
//!
//! Deposits go in over HTTP at a steady rate, whether earlier ones were answered or not, so that a slow stretch is met by
//! as many deposits as it would be. From there everything goes its own way: table stream, dispatch, queue, function, commit.
//! Nobody asks for the rebates; their commits are seen where the function's own SDK gets the answers. Afterwards the
//! whole table is checked.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use wallet_dynamodb::Ledger;
use wallet_stack::{Options, Stack};

use super::deposits::Deposited;
use super::watch::Watch;
use crate::check::{Done, check};
use crate::http::Caller;
use crate::text::histogram;

/// A hundredth comes back. It is set here, so that the check knows it whatever the template says.
const RULES: &str = r#"[{"id":"bench","basis_points":100}]"#;
/// Without a rebate for so long, none will come: longer than the visibility time-out of a message whose batch died.
const PATIENCE: Duration = Duration::from_secs(240);
const GLANCE: Duration = Duration::from_millis(5);

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Deposits in a second.
    pub(crate) rate: u32,
    /// How many in all.
    pub(crate) deposits: u64,
    /// How many wallets they go to, each as likely.
    pub(crate) wallets: u32,
    /// Chooses wallet and amount of each deposit.
    pub(crate) seed: u64,
}

/// What a run came to. Times are in microseconds.
#[derive(Debug)]
pub(crate) struct Measured {
    /// From the first deposit's request to the last one's.
    pub(crate) sending: Duration,
    /// From a deposit's request to its answer.
    pub(crate) answer: Histogram<u64>,
    /// From a deposit's answer until the function is given its message: dispatch and queue.
    pub(crate) delivery: Histogram<u64>,
    /// From there until the rebate is committed: the function, and the records of its batch before this one.
    pub(crate) function: Histogram<u64>,
    /// From a deposit's answer until its rebate is committed.
    pub(crate) lag: Histogram<u64>,
    /// Requests that were told to come again or got no answer, and were repeated with their keys.
    pub(crate) repeated: u64,
    /// What the table holds afterwards.
    pub(crate) done: Done,
}

/// Runs `setting` on a stack of its own and checks its table; `progress` is called once for each rebate paid.
///
/// # Errors
/// When a deposit is refused, a rebate doesn't come, or the table doesn't add up.
pub(crate) async fn measure(setting: Setting, progress: impl Fn() + Send + Sync + 'static) -> Result<Measured> {
    ensure!(setting.wallets > 0 && setting.rate > 0, "a rate and a wallet are needed");
    let watch = Watch::new(progress);
    let stack = Stack::start(Options {
        env: [("REBATE_RULES".to_owned(), RULES.to_owned())].into(),
        http_client: Some(watch.http_client()),
        adapt_batch: Some(watch.deliveries()),
        ..Options::default()
    })
    .await?;
    let client = Caller::new(&stack)?;
    let mut wallets = vec![];
    for number in 0..setting.wallets {
        wallets.push(client.open(number).await.with_context(|| format!("opening wallet {number}"))?);
    }
    let (deposits, sending) = sent(setting, &client, &wallets).await?;
    settled(&stack, &watch, setting.deposits).await?;
    let (opened, deposited) = (wallets.len() as u64, deposits.len() as u64);
    // One percent, rounded toward zero to the cent: worked out apart from the domain. One entry for each transaction.
    let cents = |of: fn(&Deposited) -> u64| deposits.iter().map(|deposit| i128::from(of(deposit))).sum();
    let done = Done {
        wallets: opened,
        entries: opened + 2 * deposited,
        transactions: opened + 2 * deposited,
        deposited: cents(|deposit| deposit.cents),
        rebates: cents(|deposit| deposit.cents / 100),
    };
    check(Ledger::new(stack.own_client(), stack.table()), &done).await.context("checking the table")?;
    let mut measured = Measured {
        sending,
        answer: histogram(),
        delivery: histogram(),
        function: histogram(),
        lag: histogram(),
        repeated: deposits.iter().map(|deposit| deposit.repeated).sum(),
        done,
    };
    for deposit in &deposits {
        let delivered = watch.delivered(&deposit.id).with_context(|| format!("{} was never delivered", deposit.id))?;
        let paid = watch.paid(&deposit.rebate).with_context(|| format!("{} was never paid", deposit.rebate))?;
        record(&mut measured.answer, deposit.sent, deposit.answered)?;
        record(&mut measured.delivery, deposit.answered, delivered)?;
        record(&mut measured.function, delivered, paid)?;
        record(&mut measured.lag, deposit.answered, paid)?;
    }
    stack.stop().await;
    Ok(measured)
}

/// Sends all deposits at their times; they come back answered, with how long the sending took.
async fn sent(setting: Setting, client: &Caller, wallets: &[String]) -> Result<(Vec<Deposited>, Duration)> {
    let mut rng = fastrand::Rng::with_seed(setting.seed);
    let mut ticks = interval(Duration::from_secs(1) / setting.rate);
    // Deposits that are behind their time are sent at once: the rate is an average that holds.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut at_work = JoinSet::new();
    let start = Instant::now();
    for number in 0..setting.deposits {
        ticks.tick().await;
        // From 1.00, so that each earns a cent at least.
        let cents = rng.u64(100..=50_000);
        let (client, id) = (client.clone(), wallets[rng.usize(..wallets.len())].clone());
        at_work.spawn(async move {
            let deposit = client.deposit(number, &id, cents).await;
            deposit.with_context(|| format!("deposit {number}"))
        });
    }
    let sending = start.elapsed();
    let mut deposits = vec![];
    while let Some(done) = at_work.join_next().await {
        deposits.push(done.context("a deposit panicked")??);
    }
    Ok((deposits, sending))
}

/// Waits until every rebate is paid and its message deleted.
async fn settled(stack: &Stack, watch: &Watch, expected: u64) -> Result<()> {
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        let (paid, waiting) = (watch.count(), stack.queue("rebate").depth()?);
        if paid >= expected && waiting == 0 {
            return Ok(());
        }
        if paid > seen {
            (seen, since) = (paid, Instant::now());
        }
        let dead = stack.queue("rebate").dead_letters()?.len();
        ensure!(dead == 0, "{dead} messages became dead letters");
        ensure!(since.elapsed() < PATIENCE, "{paid} of {expected} rebates were paid, and no more come");
        sleep(GLANCE).await;
    }
}

/// Records the time between two instants; none, if `to` is the earlier: a rebate may be committed before its deposit's answer
/// is read.
fn record(histogram: &mut Histogram<u64>, from: Instant, to: Instant) -> Result<()> {
    let micros = to.saturating_duration_since(from).as_micros();
    Ok(histogram.record(u64::try_from(micros)?)?)
}
