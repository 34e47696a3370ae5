//! How fast the audit is, and whether its memory grows with the table.
//!
//! For each size it fills a data file, serves it by one process and audits it by another, which alone is measured. Reads
//! Linux's `/proc`; elsewhere memory and processor time are left out.

pub mod bulk;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::text::{line, progress, table};
use bulk::Filled;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Entries of each table, one or several sizes
    #[arg(long, default_value = "10000,1000000", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
    entries: Vec<u64>,
    /// Parts of the table that are read side by side
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    segments: u32,
    /// Where the data files are made, and removed again; a gigabyte for each million entries
    #[arg(long, value_name = "DIRECTORY", default_value_os_t = std::env::temp_dir())]
    scratch: PathBuf,
}

/// How often the audit's process is looked at. Its peak is kept by the system, so only its last moments can be missed.
const LOOK: Duration = Duration::from_millis(5);

/// Audits a table of each size, and shows what it took.
///
/// # Errors
/// When a table cannot be made, or the audit finds anything in it.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut rows = vec![];
    for entries in &arguments.entries {
        let (filled, measured) = one(arguments, *entries).with_context(|| format!("{entries} entries"))?;
        let (seconds, known) = (measured.took.as_secs_f64(), |text: Option<String>| text.unwrap_or("-".to_owned()));
        rows.push(vec![
            filled.entries.to_string(),
            filled.transactions.to_string(),
            filled.items.to_string(),
            format!("{seconds:.2}"),
            format!("{:.0}", filled.entries as f64 / seconds),
            format!("{:.0}", filled.items as f64 / seconds),
            known(measured.cpu_hundredths.map(|hundredths| format!("{:.2}", hundredths as f64 / 100.0))),
            known(measured.peak_kb.map(|kb| format!("{:.1}", kb as f64 / 1000.0))),
        ]);
    }
    let head = ["entries", "transactions", "items", "seconds", "entries/s", "items/s", "CPU seconds", "peak MB"];
    line(table(head, 0, rows));
    line("CPU seconds and peak memory are of the audit's process; the database is another one on this machine");
    Ok(())
}

fn one(arguments: &Arguments, entries: u64) -> Result<(Filled, Measured)> {
    let directory = tempfile::tempdir_in(&arguments.scratch).context("--scratch")?;
    let data = directory.path().join("ledger.db");
    let start = Instant::now();
    let filled = fill(&data, entries)?;
    anstream::eprintln!("{} items written in {:.1} s", filled.items, start.elapsed().as_secs_f64());
    let (server, endpoint) = serve(&data)?;
    let measured = audit(&endpoint, arguments.segments)?;
    drop(server);
    let counted = ["wallets", "entries", "transactions"].map(|name| measured.report[name].as_u64());
    let expected = [filled.wallets, filled.entries, filled.transactions].map(Some);
    ensure!(
        counted == expected,
        "the audit went through {counted:?} wallets, entries and transactions of {expected:?}"
    );
    Ok((filled, measured))
}

fn fill(data: &Path, entries: u64) -> Result<Filled> {
    let runtime = Runtime::new().context("no threads to run on")?;
    let bar = progress("filling", entries);
    let filled = runtime.block_on(bulk::fill(data, entries, |done| bar.set_position(done)));
    bar.finish_and_clear();
    filled
}

/// A process of ours, stopped when it goes out of sight.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wallet() -> Result<Command> {
    Ok(Command::new(std::env::current_exe().context("this program's own path")?))
}

/// The embedded database over `data`, and where it answers.
fn serve(data: &Path) -> Result<(Process, String)> {
    let mut command = wallet()?;
    command.args(["up", "--dynamodb-only", "--data"]).arg(data).stdout(Stdio::piped());
    let mut process = Process(command.spawn().context("the database's process")?);
    let output = BufReader::new(process.0.stdout.take().context("its output is ours")?);
    for line in output.lines() {
        if let Some(url) = line?.strip_prefix("dynamodb ") {
            return Ok((process, url.to_owned()));
        }
    }
    anyhow::bail!("the database does not start")
}

struct Measured {
    took: Duration,
    peak_kb: Option<u64>,
    cpu_hundredths: Option<u64>,
    report: Value,
}

fn audit(endpoint: &str, segments: u32) -> Result<Measured> {
    let mut command = wallet()?;
    command.args(["audit", "--json", "--endpoint", endpoint, "--segments", &segments.to_string()]);
    let start = Instant::now();
    let mut process = Process(command.stdout(Stdio::piped()).spawn().context("the audit's process")?);
    let (mut peak_kb, mut cpu_hundredths) = (None, None);
    let status = loop {
        let id = process.0.id();
        peak_kb = peak_kb.max(peak_of(id));
        cpu_hundredths = cpu_hundredths.max(cpu_of(id));
        if let Some(status) = process.0.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    let took = start.elapsed();
    let mut text = String::new();
    process.0.stdout.take().context("its output is ours")?.read_to_string(&mut text)?;
    ensure!(status.success(), "the audit ended with {status}: {text}");
    Ok(Measured { took, peak_kb, cpu_hundredths, report: serde_json::from_str(&text)? })
}

/// The most memory that a process has had, by the system's own account.
fn peak_of(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// Processor time of a process, its own and the system's for it. Linux counts it in hundredths of a second.
fn cpu_of(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}
