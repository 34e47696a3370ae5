//! `wallet audit`: runs the audit and tells a person, or a program, what it found.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::OwoColorize as _;
use wallet_audit::{Audit, Checkpoint, REBATE_OVERDUE, Report};
use wallet_domain::WalletId;
use wallet_dynamodb::Fault;
use wallet_stack::TABLE;

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
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u32).range(1..))]
    read_units_per_second: Option<u32>,
    /// Prove that all that an earlier audit saw is still there, unchanged and with nothing put among it, by this file, and move the
    /// file on; the first audit makes it. Keep it where nobody can write who can write to the table
    #[arg(long, value_name = "FILE", conflicts_with = "wallet")]
    checkpoint: Option<PathBuf>,
    /// Minutes after which a deposit's rebate must be paid, refused or barred
    #[arg(long, value_name = "MINUTES", default_value_t = REBATE_OVERDUE.as_secs() / 60, value_parser = clap::value_parser!(u64).range(1..=5_256_000))]
    rebate_overdue: u64,
}

/// Where the environment may name an endpoint: the first that is set counts.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"];
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
        let pace = arguments.read_units_per_second.and_then(NonZeroU32::new);
        let audit = pace.map_or(audit.clone(), |pace| audit.with_pace(pace));
        let audit = audit.with_rebate_overdue(Duration::from_secs(60 * arguments.rebate_overdue));
        let named = |file: &Path| format!("--checkpoint {}", file.display());
        let audit = match arguments.checkpoint.as_deref() {
            Some(file) => {
                let last = Checkpoint::read(file, &arguments.table).with_context(|| named(file))?;
                audit.with_checkpoint(last)
            }
            None => audit,
        };
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
        let report = outcome.map_err(|fault| unreadable(&fault, &arguments.table, endpoint))?;
        if let Some((file, next)) = arguments.checkpoint.as_deref().zip(report.checkpoint.as_ref()) {
            next.write(file).with_context(|| named(file))?;
        }
        if arguments.json {
            console::line(&format!("{:#}", report.to_json()));
        } else {
            show(&report, arguments.wallet.is_some(), start.elapsed().as_millis());
        }
        Ok(report)
    })
}

/// What to do about a table that cannot be read at `endpoint`, or where the environment says.
pub(crate) fn unreadable(fault: &Fault, table: &str, endpoint: Option<&str>) -> anyhow::Error {
    let set = |name: &&str| std::env::var(name).ok().filter(|url| !url.is_empty());
    let named = endpoint.map(str::to_owned).or_else(|| ENDPOINTS.iter().find_map(set));
    anyhow!(explained(&fault.to_string(), table, named.as_deref()))
}

/// What to do about a table that cannot be read at the endpoint that is named, or in AWS.
fn explained(fault: &str, table: &str, named: Option<&str>) -> String {
    let asked = match named {
        Some(_) => "",
        None => "no --endpoint is given and AWS_ENDPOINT_URL_DYNAMODB is not set, so AWS itself was asked:\n",
    };
    let place = named.unwrap_or("AWS");
    let line = "the URL of the line `dynamodb` that `cargo wallet up` prints";
    let advice = if fault.contains("ResourceNotFound") {
        format!("there is no table {table:?} at {place}.\nName it with --table.")
    } else if fault.contains("dispatch failure") || fault.contains("timeout") {
        let running = if named.is_some() { "Is it running? " } else { "" };
        format!("{place} cannot be reached.\n{running}For a table on this machine give --endpoint {line}.")
    } else if fault.contains("route_not_found") {
        format!("{place} is the gateway, not the database.\nGive --endpoint {line}.")
    } else {
        format!("table {table:?} at {place} cannot be read")
    };
    format!("{asked}{advice}\n  cause: {fault}")
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
    use super::{counted, explained};

    #[track_caller]
    fn check(fault: &str, named: Option<&str>, told: &str) {
        let text = explained(fault, "t", named);
        assert!(text.starts_with(told) && text.ends_with(fault), "{text}");
    }

    #[test]
    fn a_table_that_cannot_be_read_is_told_with_who_was_asked() {
        let url = Some("http://127.0.0.1:9");
        check("Scan: dispatch failure: io error", url, "http://127.0.0.1:9 cannot be reached.\nIs it running?");
        check("Scan: dispatch failure: other", None, "no --endpoint is given and AWS_ENDPOINT_URL_DYNAMODB is not set");
        check("Scan: route_not_found (404)", url, "http://127.0.0.1:9 is the gateway, not the database.");
        check("Scan: ResourceNotFoundException", url, "there is no table \"t\" at http://127.0.0.1:9.");
        check("Scan: AccessDenied", url, "table \"t\" at http://127.0.0.1:9 cannot be read");
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "entry", "entries")), ["0 entries", "1 entry", "2 entries"]);
    }
}
