//! `wallet audit`: runs the audit and tells a person, or a program, what it found.

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::OwoColorize as _;
use wallet_audit::{Audit, Report};
use wallet_domain::WalletId;
use wallet_local::TABLE;

use crate::console;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// DynamoDB's URL, such as the one that `up` prints; without it, the environment's AWS configuration
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The table
    #[arg(long, value_name = "NAME", env = "TABLE_NAME", default_value = TABLE)]
    table: String,
    /// Only this wallet and the transactions of its entries
    #[arg(long, value_name = "ID")]
    wallet: Option<WalletId>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Parts of the table that are read side by side
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    segments: u32,
    /// Read no more capacity units than so many in a second, so that the table's other readers are not held up
    #[arg(long, value_name = "UNITS")]
    read_units_per_second: Option<NonZeroU32>,
}

/// Findings that a person is shown; `--json` lists more.
const SHOWN: usize = 50;

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match audited(arguments) {
        Ok(report) if report.is_clean() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            anstream::eprintln!("{} {error:#}", "error:".red().bold());
            ExitCode::from(2)
        }
    }
}

fn audited(arguments: &Arguments) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to run on")?;
    runtime.block_on(async {
        let endpoint = arguments.endpoint.as_deref();
        let ledger = wallet_audit::connect(endpoint, &arguments.table).await.map_err(|message| anyhow!(message))?;
        // Hidden by itself where stderr is no terminal.
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {human_pos} items, {per_sec}, {elapsed}");
        bar.set_style(style.expect("the template is a constant"));
        let progress = bar.clone();
        let audit = Audit::new(ledger, arguments.segments)
            .with_progress(Arc::new(move |items| progress.inc(u64::try_from(items).unwrap_or(0))));
        let audit = arguments.read_units_per_second.map_or(audit.clone(), |pace| audit.with_pace(pace));
        let start = Instant::now();
        let outcome = match arguments.wallet {
            None => audit.table().await,
            Some(id) => match audit.wallet(id).await {
                Ok(None) => return Err(anyhow!("there is no {id} in table {:?}", arguments.table)),
                Ok(Some(report)) => Ok(report),
                Err(fault) => Err(fault),
            },
        };
        bar.finish_and_clear();
        let report = outcome.map_err(|fault| explained(&fault.to_string(), arguments))?;
        if arguments.json {
            console::line(&format!("{:#}", report.to_json()));
        } else {
            show(&report, arguments.wallet.is_some(), start.elapsed().as_millis());
        }
        Ok(report)
    })
}

/// What to do about a table that cannot be read.
fn explained(fault: &str, arguments: &Arguments) -> anyhow::Error {
    let place = arguments.endpoint.as_deref().unwrap_or("the endpoint that the environment names");
    let advice = if fault.contains("ResourceNotFound") {
        format!("there is no table {:?} at {place}.\nName it with --table.", arguments.table)
    } else if fault.contains("dispatch failure") || fault.contains("timeout") {
        format!(
            "{place} cannot be reached.\nIs it running? `cargo wallet up` prints its endpoint; give it with --endpoint."
        )
    } else {
        format!("table {:?} at {place} cannot be read", arguments.table)
    };
    anyhow!("{advice}\n  cause: {fault}")
}

fn show(report: &Report, one_wallet: bool, took_ms: u128) {
    let Report { wallets, entries, transactions, .. } = report;
    console::line(&format!("{wallets} wallets, {entries} entries, {transactions} transactions in {took_ms} ms"));
    for (code, sums) in report.sums.iter().filter(|_| !one_wallet) {
        for (name, sum) in sums.lines() {
            console::line(&format!("  {code} {name:<9} {sum:>24}"));
        }
    }
    for finding in report.findings.iter().take(SHOWN) {
        console::line(&format!("{} {finding}", "finding:".red().bold()));
    }
    let count = report.count();
    match count {
        0 => console::line(&"everything adds up".green().to_string()),
        1 => console::line("1 finding"),
        more if more > SHOWN as u64 => console::line(&format!("{more} findings; --json lists more of them")),
        more => console::line(&format!("{more} findings")),
    }
}
