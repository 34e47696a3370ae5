//! Both strategies side by side at several levels of contention: one run after the other, a table, and a figure.

mod figure;
mod network;
mod run;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use crate::text::{line, micros, progress, table};
use network::Network;
use run::{Distribution, Measured, Mix, Setting};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Transfers of each run
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    transfers: u64,
    /// How many at once, one or several: 1,8,64
    #[arg(long, default_value = "1,8,64", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1024))]
    callers: Vec<u32>,
    /// Wallets of each run
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    wallets: u32,
    /// Which wallets the transfers are between, one or several
    #[arg(long, default_value = "uniform,zipf,hot", value_delimiter = ',')]
    distribution: Vec<Distribution>,
    /// Which strategies, one or several
    #[arg(long, default_value = "optimistic,pessimistic", value_delimiter = ',')]
    strategy: Vec<Mix>,
    /// A simulated delay added to each call, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = clap::value_parser!(u64).range(0..=1000))]
    delay_ms: u64,
    /// Let one of two transactions in flight on one item be cancelled, as DynamoDB does; default: with a delay
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL")]
    model_conflicts: Option<bool>,
    /// Chooses the wallets of each transfer
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the figure goes
    #[arg(long, default_value = "target/contention.svg", value_name = "FILE")]
    out: PathBuf,
}

/// Runs each setting, and shows what it came to.
///
/// # Errors
/// When a transfer doesn't succeed in the end, a table doesn't add up, or the figure cannot be written.
pub fn run(arguments: &Arguments) -> Result<()> {
    // Before the minutes that it takes, not after them.
    let out = &arguments.out;
    if let Some(directory) = out.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).with_context(|| format!("--out {}", out.display()))?;
    }
    std::fs::write(out, "").with_context(|| format!("--out {} cannot be written", out.display()))?;
    let runtime = Runtime::new().context("no threads to run on")?;
    let delay = Duration::from_millis(arguments.delay_ms);
    let network = Network { delay, conflicts: arguments.model_conflicts.unwrap_or(!delay.is_zero()) };
    let mut runs = vec![];
    for setting in settings(arguments, network) {
        runs.push(runtime.block_on(measured(setting))?);
    }
    std::fs::write(out, figure::figure(&runs)).with_context(|| format!("--out {}", out.display()))?;
    show(&runs);
    if network != Network::default() {
        let conflicts = if network.conflicts { ", and conflicts of transactions in flight" } else { "" };
        line(format!("simulated: {} ms per call{conflicts}", delay.as_millis()));
    }
    line("WCU: of what went through; DynamoDB bills a cancelled try as well");
    line("last/first: transfers per second of a run's last tenth by those of its first");
    let sum = |of: fn(&Measured) -> u64| runs.iter().map(of).sum::<u64>();
    let (wallets, entries) = (sum(|run| run.done.wallets), sum(|run| run.done.entries));
    line(format!(
        "checked: {wallets} wallets with {entries} entries: the audit finds nothing, and every transfer is there once"
    ));
    line(format!("figure: {}", out.display()));
    Ok(())
}

fn settings(arguments: &Arguments, network: Network) -> Vec<Setting> {
    let &Arguments { transfers, wallets, seed, .. } = arguments;
    let mut settings = vec![];
    for &distribution in &arguments.distribution {
        for &callers in &arguments.callers {
            for &mix in &arguments.strategy {
                settings.push(Setting { distribution, mix, callers, transfers, wallets, network, seed });
            }
        }
    }
    settings
}

async fn measured(setting: Setting) -> Result<Measured> {
    let (name, start) = (setting.to_string(), Instant::now());
    let bar = progress(name.clone(), setting.transfers);
    let counter = bar.clone();
    let run = run::measure(setting, move || counter.inc(1)).await.with_context(|| name.clone())?;
    bar.finish_and_clear();
    anstream::eprintln!("{name}: done and checked in {:.1} s", start.elapsed().as_secs_f64());
    Ok(run)
}

fn show(runs: &[Measured]) {
    let head = [
        "wallets",
        "callers",
        "strategy",
        "transfers/s",
        "last/first",
        "p50 ms",
        "p99 ms",
        "conflicts",
        "calls",
        "WCU",
        "lock wait ms",
        "409s",
    ];
    let row = |run: &Measured| {
        vec![
            run.setting.distribution.to_string(),
            run.setting.callers.to_string(),
            run.setting.mix.to_string(),
            format!("{:.0}", run.rate()),
            format!("{:.2}", run.last_by_first),
            micros(run.latency.value_at_quantile(0.5)),
            micros(run.latency.value_at_quantile(0.99)),
            format!("{:.2}", run.per_transfer(run.conflicts)),
            format!("{:.2}", run.per_transfer(run.calls)),
            format!("{:.1}", run.per_transfer(run.write_half_units) / 2.0),
            format!("{:.1}", run.per_transfer(run.lock_wait_ms)),
            run.repeated.to_string(),
        ]
    };
    line(table(head, 3, runs.iter().map(row)));
}

#[cfg(test)]
mod tests;
