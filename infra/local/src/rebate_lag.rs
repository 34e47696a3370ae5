//! `wallet rebates`: runs the measurement and shows how long rebates take, stage by stage.

use std::time::Instant;

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use wallet_local::rebates::{self, Measured, Setting};

use crate::console;

/// At 100 deposits a second, 99 of 100 rebates shall be committed so soon after their deposits' answers.
const GOAL_MS: f64 = 250.0;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
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

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { rate, seconds, wallets, seed } = *arguments;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to run on")?;
    let deposits = u64::from(rate) * u64::from(seconds);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}");
    let style = style.expect("the template is well-formed");
    let bar = ProgressBar::new(deposits).with_style(style).with_message("rebates paid");
    let (start, counter) = (Instant::now(), bar.clone());
    let setting = Setting { rate, deposits, wallets, seed };
    let run = runtime.block_on(rebates::measure(setting, move || counter.inc(1)))?;
    bar.finish_and_clear();
    anstream::eprintln!("done and checked in {:.1} s", start.elapsed().as_secs_f64());

    console::line(&table(&run).to_string());
    let sent = deposits as f64 / run.sending.as_secs_f64();
    let build = if cfg!(debug_assertions) { "development" } else { "release" };
    let repeated = run.repeated;
    console::line(&format!("{deposits} deposits, {sent:.1}/s sent, {repeated} repeated; {build} build"));
    let checked = run.checked;
    console::line(&format!(
        "checked: {} wallets, {} entries, {} transactions: nothing lost or made, one rebate for each deposit, to the cent",
        checked.wallets, checked.entries, checked.transactions
    ));
    let verdict = if milliseconds(run.lag.value_at_quantile(0.99)) < GOAL_MS { "met" } else { "missed" };
    console::line(&format!("goal: p99 of answer to rebate below {GOAL_MS:.0} ms: {verdict}"));
    let release = if cfg!(debug_assertions) { "cargo wallet" } else { "cargo run --release --bin wallet --" };
    console::line(&format!(
        "again: {release} rebates --rate {rate} --seconds {seconds} --wallets {wallets} --seed {seed}"
    ));
    Ok(())
}

fn table(run: &Measured) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["from, to", "p50 ms", "p99 ms", "max ms"]);
    for (stage, times) in [
        ("deposit, answer", &run.answer),
        ("answer, message at the function", &run.delivery),
        ("message at the function, rebate committed", &run.function),
        ("answer, rebate committed", &run.lag),
    ] {
        let ms = |micros| format!("{:.1}", milliseconds(micros));
        table.add_row([
            stage.to_owned(),
            ms(times.value_at_quantile(0.5)),
            ms(times.value_at_quantile(0.99)),
            ms(times.max()),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1000.0
}
