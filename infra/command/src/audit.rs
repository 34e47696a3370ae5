//! `wallet audit`: runs the audit and tells a person, or a program, what it found.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use indicatif::ProgressBar;
use owo_colors::OwoColorize as _;
use wallet_audit::{Audit, Checkpoint, REBATE_OVERDUE, Report};
use wallet_domain::WalletId;
use wallet_dynamodb::{Fault, Ledger};

use crate::console;
use crate::target::{Target, progress};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pass: Pass,
    /// Only this wallet and the transactions of its entries
    #[arg(long, value_name = "ID")]
    wallet: Option<WalletId>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Prove that all that an earlier audit saw is still there, unchanged and with nothing put among it, by this file, and move the
    /// file on; the first audit makes it. Keep it where nobody can write who can write to the table
    #[arg(long, value_name = "FILE", conflicts_with = "wallet")]
    checkpoint: Option<PathBuf>,
}

/// How a table is gone through.
#[derive(Debug, clap::Args)]
pub(crate) struct Pass {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Parts of the table that are read side by side
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    segments: u32,
    /// Read no more capacity units than so many in a second, so that the table's other readers are not held up
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u32).range(1..))]
    read_units_per_second: Option<u32>,
    /// Minutes after which a deposit's rebate must be paid, refused or barred
    #[arg(long, value_name = "MINUTES", default_value_t = REBATE_OVERDUE.as_secs() / 60, value_parser = clap::value_parser!(u64).range(1..=5_256_000))]
    rebate_overdue: u64,
}

impl Pass {
    pub(crate) fn audit(&self, ledger: Ledger) -> Audit {
        let audit = Audit::new(ledger, self.segments);
        let audit = audit.with_rebate_overdue(Duration::from_secs(60 * self.rebate_overdue));
        match self.read_units_per_second.and_then(NonZeroU32::new) {
            Some(pace) => audit.with_pace(pace),
            None => audit,
        }
    }
}

/// The audit of the whole table, which shows how far it is.
pub(crate) async fn whole(audit: Audit) -> Result<Report, Fault> {
    let bar = progress(audit.items()).await;
    let report = showing(audit, &bar).table().await;
    bar.finish_and_clear();
    report
}

fn showing(audit: Audit, bar: &ProgressBar) -> Audit {
    let bar = bar.clone();
    audit.with_progress(Arc::new(move |items| bar.inc(u64::try_from(items).unwrap_or(0))))
}

async fn one(audit: Audit, wallet: WalletId) -> Result<Option<Report>, Fault> {
    let bar = progress(async { None }).await;
    let report = showing(audit, &bar).wallet(wallet).await;
    bar.finish_and_clear();
    report
}

/// Findings that a person is shown; `--json` lists more.
const SHOWN: usize = 50;

pub(crate) async fn run(arguments: &Arguments) -> ExitCode {
    match audited(arguments).await {
        Ok(report) if report.is_clean() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            anstream::eprintln!("{} {error:#}", "error:".red().bold());
            ExitCode::from(2)
        }
    }
}

async fn audited(arguments: &Arguments) -> Result<Report> {
    let target = &arguments.pass.target;
    let audit = arguments.pass.audit(target.connect().await?);
    let named = |file: &Path| format!("--checkpoint {}", file.display());
    let audit = match arguments.checkpoint.as_deref() {
        Some(file) => {
            let last = Checkpoint::read(file, &target.table).with_context(|| named(file))?;
            audit.with_checkpoint(last)
        }
        None => audit,
    };
    let start = Instant::now();
    let outcome = match arguments.wallet {
        None => whole(audit).await,
        Some(id) => match one(audit, id).await {
            Ok(None) => return Err(anyhow!("there is no {id} in table {:?}", target.table)),
            Ok(Some(report)) => Ok(report),
            Err(fault) => Err(fault),
        },
    };
    let report = outcome.map_err(|fault| target.unreadable(&fault))?;
    if let Some((file, next)) = arguments.checkpoint.as_deref().zip(report.checkpoint.as_ref()) {
        next.write(file).with_context(|| named(file))?;
    }
    if arguments.json {
        console::line(&format!("{:#}", report.to_json()));
    } else {
        show(&report, arguments.wallet.is_some(), start.elapsed().as_millis());
    }
    Ok(report)
}

fn show(report: &Report, one_wallet: bool, took_ms: u128) {
    let Report { wallets, entries, transactions, .. } = report;
    let wallets = counted(*wallets, "wallet", "wallets");
    let entries = counted(*entries, "entry", "entries");
    let transactions = counted(*transactions, "transaction", "transactions");
    console::line(&format!("{wallets}, {entries}, {transactions} in {took_ms} ms"));
    if report.waiting > 0 {
        let credits = counted(report.waiting, "credit waits", "credits wait");
        console::line(&format!("{credits} to be settled, the oldest for {} ms", report.waiting_ms));
    }
    for (code, sums) in report.sums.iter().filter(|_| !one_wallet) {
        for (name, sum) in sums.lines() {
            console::line(&format!("  {code} {name:<9} {sum:>24}"));
        }
    }
    for finding in report.findings.iter().take(SHOWN) {
        console::line(&format!("{} {finding}", "finding:".red().bold()));
    }
    if let Some(checkpoint) = &report.checkpoint {
        let (entries, transactions) = checkpoint.counts();
        let up_to = checkpoint.moment();
        console::line(&format!("checkpoint: {entries} entries and {transactions} transactions up to {up_to:.0}"));
    }
    let count = report.count();
    match count {
        0 => console::line(&"everything adds up".green().to_string()),
        1 => console::line("1 finding"),
        more if more > SHOWN as u64 => console::line(&format!("{more} findings; --json lists more of them")),
        more => console::line(&format!("{more} findings")),
    }
}

fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "entry", "entries")), ["0 entries", "1 entry", "2 entries"]);
    }
}
