//! The rebates' lag: how long rebates take at a steady rate of deposits, stage by stage.

mod deposits;
mod run;
mod watch;

use std::time::Instant;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use crate::text::{line, micros, progress, table};
use run::{Measured, Setting};

/// At 100 deposits a second, 99 of 100 rebates shall be committed so soon after their deposits' answers.
const GOAL_MS: u64 = 250;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Deposits in a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// For so many seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// Wallets that they go to, each as likely
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    wallets: u32,
    /// Chooses wallet and amount of each deposit
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the measurement and shows what it came to.
///
/// # Errors
/// When a deposit is refused, a rebate doesn't come, or the table doesn't add up.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { rate, seconds, wallets, seed } = *arguments;
    let runtime = Runtime::new().context("no threads to run on")?;
    let deposits = u64::from(rate) * u64::from(seconds);
    let bar = progress("rebates paid", deposits);
    let (start, counter) = (Instant::now(), bar.clone());
    let setting = Setting { rate, deposits, wallets, seed };
    let run = runtime.block_on(run::measure(setting, move || counter.inc(1)))?;
    bar.finish_and_clear();
    anstream::eprintln!("done and checked in {:.1} s", start.elapsed().as_secs_f64());

    show(&run);
    let sent = deposits as f64 / run.sending.as_secs_f64();
    let build = if cfg!(debug_assertions) { "development" } else { "release" };
    let (repeated, done) = (run.repeated, run.done);
    line(format!("{deposits} deposits, {sent:.1}/s sent, {repeated} repeated; {build} build"));
    line(format!(
        "checked: {} wallets, {} entries, {} transactions: the audit finds nothing, and one rebate for each deposit, to the cent",
        done.wallets, done.entries, done.transactions
    ));
    let verdict = if run.lag.value_at_quantile(0.99) < GOAL_MS * 1000 { "met" } else { "missed" };
    line(format!("goal: p99 of answer to rebate below {GOAL_MS} ms: {verdict}"));
    let release = if cfg!(debug_assertions) { "cargo wallet" } else { "cargo run --release --bin wallet --" };
    line(format!("again: {release} rebates --rate {rate} --seconds {seconds} --wallets {wallets} --seed {seed}"));
    Ok(())
}

fn show(run: &Measured) {
    let stages = [
        ("deposit, answer", &run.answer),
        ("answer, message at the function", &run.delivery),
        ("message at the function, rebate committed", &run.function),
        ("answer, rebate committed", &run.lag),
    ];
    let rows = stages.map(|(stage, times)| {
        let [p50, p99, max] = [times.value_at_quantile(0.5), times.value_at_quantile(0.99), times.max()].map(micros);
        vec![stage.to_owned(), p50, p99, max]
    });
    line(table(["from, to", "p50 ms", "p99 ms", "max ms"], 1, rows));
}

#[cfg(test)]
mod tests;
