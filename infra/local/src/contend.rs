//! `wallet contention`: runs the measurements one after the other, shows a table, and writes the figure.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use wallet_dynamodb::Strategy;
use wallet_local::contention::{self, Distribution, Measured, Mix, Setting};
use wallet_local::wire::Wire;

use crate::console;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
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
    distribution: Vec<Shape>,
    /// Which strategies, one or several
    #[arg(long, default_value = "optimistic,pessimistic", value_delimiter = ',')]
    strategy: Vec<Choice>,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    /// Any two wallets
    Uniform,
    /// Any two wallets, the nth with a weight of 1/n
    Zipf,
    /// From any wallet to the first
    Hot,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Choice {
    Optimistic,
    Pessimistic,
    /// Every other transfer pessimistic
    Mixed,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    // Before the minutes that it takes, not after them.
    let out = &arguments.out;
    if let Some(directory) = out.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).with_context(|| format!("--out {}", out.display()))?;
    }
    std::fs::write(out, "").with_context(|| format!("--out {} cannot be written", out.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to run on")?;
    let delay = Duration::from_millis(arguments.delay_ms);
    let wire = Wire { delay, conflicts: arguments.model_conflicts.unwrap_or(!delay.is_zero()) };
    let mut runs = vec![];
    for setting in settings(arguments, wire) {
        runs.push(runtime.block_on(measured(setting))?);
    }
    std::fs::write(out, contention::figure(&runs)).with_context(|| format!("--out {}", out.display()))?;
    console::line(&table(&runs).to_string());
    let (mut wallets, mut entries) = (0, 0);
    for run in &runs {
        (wallets, entries) = (wallets + run.checked.wallets, entries + run.checked.entries);
    }
    if wire != Wire::default() {
        let conflicts = if wire.conflicts { ", and conflicts of transactions in flight" } else { "" };
        console::line(&format!("simulated: {} ms per call{conflicts}", wire.delay.as_millis()));
    }
    console::line("WCU: of what went through; DynamoDB bills a cancelled try as well");
    console::line(&format!(
        "checked: {wallets} wallets with {entries} entries: nothing lost or made, every transfer once, no gap, chains whole"
    ));
    console::line(&format!("figure: {}", out.display()));
    Ok(())
}

fn settings(arguments: &Arguments, wire: Wire) -> Vec<Setting> {
    let (transfers, wallets, seed) = (arguments.transfers, arguments.wallets, arguments.seed);
    let mut settings = vec![];
    for shape in &arguments.distribution {
        let distribution = match shape {
            Shape::Uniform => Distribution::Uniform,
            Shape::Zipf => Distribution::Zipf,
            Shape::Hot => Distribution::Hot,
        };
        for &callers in &arguments.callers {
            for choice in &arguments.strategy {
                let mix = match choice {
                    Choice::Optimistic => Mix::All(Strategy::Optimistic),
                    Choice::Pessimistic => Mix::All(Strategy::Pessimistic),
                    Choice::Mixed => Mix::Mixed,
                };
                settings.push(Setting { distribution, mix, callers, transfers, wallets, wire, seed });
            }
        }
    }
    settings
}

async fn measured(setting: Setting) -> Result<Measured> {
    let name = format!("{}, {} callers, {}", setting.distribution, setting.callers, setting.mix);
    let style = ProgressStyle::with_template("{msg:36} {wide_bar} {pos}/{len} {per_sec} {eta}")
        .expect("the template is well-formed");
    let bar = ProgressBar::new(setting.transfers).with_style(style).with_message(name.clone());
    let (start, counter) = (Instant::now(), bar.clone());
    let run = contention::measure(setting, move || counter.inc(1)).await.with_context(|| name.clone())?;
    bar.finish_and_clear();
    anstream::eprintln!("{name}: done and checked in {:.1} s", start.elapsed().as_secs_f64());
    Ok(run)
}

fn table(runs: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "wallets",
        "callers",
        "strategy",
        "transfers/s",
        "p50 ms",
        "p99 ms",
        "conflicts",
        "calls",
        "WCU",
        "lock wait ms",
        "409s",
    ]);
    for run in runs {
        let ms = |quantile| format!("{:.1}", run.latency.value_at_quantile(quantile) as f64 / 1000.0);
        table.add_row([
            run.setting.distribution.to_string(),
            run.setting.callers.to_string(),
            run.setting.mix.to_string(),
            format!("{:.0}", run.rate()),
            ms(0.5),
            ms(0.99),
            format!("{:.2}", run.per_transfer(run.conflicts)),
            format!("{:.2}", run.per_transfer(run.calls)),
            format!("{:.1}", run.per_transfer(run.write_half_units) / 2.0),
            format!("{:.1}", run.per_transfer(run.lock_wait_ms)),
            run.repeated.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
