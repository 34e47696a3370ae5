//! The strategies side by side at several levels of contention: one run after the other, a table, and a figure.

mod figure;
mod folder;
mod network;
mod over_http;
mod pairs;
mod run;
mod show;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use crate::text::{line, progress};
use network::Network;
use pairs::Distribution;
use run::{Measured, Mix, Setting};

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
    /// Ledgers with snapshots of their own that the callers share; default: one for each caller
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    instances: Option<u32>,
    /// Begin no more transfers than so many in a second
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// A simulated delay added to each call, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = clap::value_parser!(u64).range(0..=1000))]
    delay_ms: u64,
    /// Let one of two transactions in flight on one item be cancelled, as DynamoDB does; default: with a delay
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL")]
    model_conflicts: Option<bool>,
    /// Chooses the wallets of each transfer
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Go through the whole local stack over HTTP, with its own strategy: no simulation, and no figures of the database
    #[arg(long, conflicts_with_all = ["strategy", "delay_ms", "model_conflicts", "instances", "rate"])]
    http: bool,
    /// Where the figure goes
    #[arg(long, default_value = "target/contention.svg", value_name = "FILE")]
    out: PathBuf,
    /// Print every figure as one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs each setting, and shows what it came to.
///
/// # Errors
/// When a transfer doesn't succeed in the end, a table doesn't add up, or the figure cannot be written.
pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.http {
        return run_over_http(arguments);
    }
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
    if arguments.json {
        line(format!("{:#}", show::json(&runs)));
        return Ok(());
    }
    line(show::table(&runs));
    if network != Network::default() {
        let conflicts = if network.conflicts { ", and conflicts of transactions in flight" } else { "" };
        line(format!("simulated: {} ms per call{conflicts}", delay.as_millis()));
    }
    line(
        "billed WCU: of what went through and of what was cancelled, for which DynamoDB takes as much; folds are in calls, conflicts and WCU",
    );
    line("last/first: transfers per second of a run's last tenth by those of its first");
    line("hot/uniform: transfers per second by those of the uniform run with the same callers and strategy");
    let sum = |of: fn(&Measured) -> u64| runs.iter().map(of).sum::<u64>();
    let (wallets, entries) = (sum(|run| run.done.wallets), sum(|run| run.done.entries));
    line(format!(
        "checked: {wallets} wallets with {entries} entries: the audit finds nothing, and every transfer is there once"
    ));
    line(format!("figure: {}", out.display()));
    Ok(())
}

fn run_over_http(arguments: &Arguments) -> Result<()> {
    let &Arguments { transfers, wallets, seed, .. } = arguments;
    let runtime = Runtime::new().context("no threads to run on")?;
    let mut runs = vec![];
    for &distribution in &arguments.distribution {
        for &callers in &arguments.callers {
            let setting = over_http::Setting { distribution, callers, transfers, wallets, seed };
            let run = runtime.block_on(over_http::measure(setting));
            runs.push(run.with_context(|| format!("{distribution}, {callers} callers"))?);
        }
    }
    if arguments.json {
        line(format!("{:#}", show::json_over_http(&runs)));
    } else {
        line(show::table_over_http(&runs));
    }
    Ok(())
}

fn settings(arguments: &Arguments, network: Network) -> Vec<Setting> {
    let &Arguments { transfers, wallets, instances, rate, seed, .. } = arguments;
    let mut settings = vec![];
    for &distribution in &arguments.distribution {
        for &callers in &arguments.callers {
            for &mix in &arguments.strategy {
                settings.push(Setting {
                    distribution,
                    mix,
                    callers,
                    transfers,
                    instances,
                    rate,
                    wallets,
                    network,
                    seed,
                });
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

#[cfg(test)]
mod tests;
