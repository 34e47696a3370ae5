//! The functions built as they are deployed: how large they are, and how fast they start.

mod start;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use comfy_table::Table;
use tokio::runtime::Runtime;
use wallet_stack::TABLE;
use wallet_stack::template::Template;

use crate::text::{self, line, ms, progress};
use start::{Binary, Pairs, Start, measure, median};

/// Above this, a function's download and its pages begin to show in a cold start.
const SIZE_LIMIT_BYTES: u64 = 8_000_000;
/// How many times as long as the bare function's a function's start may take.
const RATIO_LIMIT: f64 = 1.5;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Starts of each function that count, each after one of a bare function
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    rounds: u16,
    /// Only the sizes: a start is measured well on a quiet machine alone
    #[arg(long, conflicts_with = "rounds")]
    sizes: bool,
}

/// Builds the functions, and shows how large and how fast they are.
///
/// # Errors
/// When one cannot be built, doesn't start, or is larger or slower than it may be.
pub fn run(arguments: &Arguments) -> Result<()> {
    let template = Template::embedded()?;
    let callers: BTreeSet<&str> = template.routes.iter().map(|route| route.function.as_str()).collect();
    let readers = template.consumers.iter().map(|consumer| consumer.function.as_str());
    let names: Vec<&str> = callers.into_iter().chain(readers).collect();
    build(names.iter().map(|name| format!("--package=wallet-{name}")).collect())?;
    if !arguments.sizes {
        build(vec!["--package=wallet-lambda".to_owned(), "--example=bare".to_owned()])?;
    }
    // Beside the folder of this program, wherever cargo was told to build.
    let program = std::env::current_exe().context("where this program is")?;
    let release = program.parent().and_then(Path::parent).context("target/ has folders")?.join("release");

    let mut environment = template.environment;
    environment.insert("TABLE_NAME".to_owned(), TABLE.to_owned());
    let runtime = Runtime::new().context("no threads to run on")?;
    let bar = progress("", names.len() as u64);
    let mut rows = vec![];
    for name in names {
        bar.set_message(name.to_owned());
        let binary = Binary::at(name, &release.join(name))?;
        let pairs = if arguments.sizes {
            None
        } else {
            let bare = Binary::at("bare", &release.join("examples/bare"))?;
            Some(runtime.block_on(measure(&bare, &binary, &environment, arguments.rounds.into()))?)
        };
        rows.push((binary, pairs));
        bar.inc(1);
    }
    bar.finish_and_clear();
    line(table(&rows));
    if !arguments.sizes {
        line(format!(
            "init: from the start of the process until it asks for its first event; answered: until it has answered one that\n\
             needs no database. Medians of {} starts on this machine, each right after one of a bare function.",
            arguments.rounds
        ));
    }
    let over = over(&rows);
    ensure!(over.is_empty(), "{}", over.join("\n"));
    Ok(())
}

/// Has cargo build in release; its progress is shown.
fn build(packages: Vec<String>) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--locked"]).args(packages).current_dir(workspace);
    let status = command.status().context("cargo cannot be run")?;
    if !status.success() {
        bail!("the functions could not be built; cargo says why above");
    }
    Ok(())
}

fn table(rows: &[(Binary, Option<Pairs>)]) -> Table {
    let row = |(binary, pairs): &(Binary, Option<Pairs>)| {
        let measured = pairs.as_ref().map_or_else(Default::default, |pairs| {
            let asked = |starts| ms(median(starts, |start: &Start| start.asked));
            let answered = |starts| ms(median(starts, |start: &Start| start.answered));
            let Pairs { own, base } = pairs;
            [asked(own), asked(base), format!("{:.2}", pairs.ratio()), answered(own), answered(base)]
        });
        let size = format!("{:.2}", binary.size_bytes as f64 / 1e6);
        [binary.name.clone(), size].into_iter().chain(measured).collect()
    };
    let head = ["function", "MB", "init ms", "bare", "ratio", "answered ms", "bare"];
    text::table(head, 1, rows.iter().map(row))
}

/// What is larger or slower than it may be.
fn over(rows: &[(Binary, Option<Pairs>)]) -> Vec<String> {
    let mut over = vec![];
    for (Binary { name, size_bytes, .. }, pairs) in rows {
        if *size_bytes >= SIZE_LIMIT_BYTES {
            over.push(format!("`{name}` has {size_bytes} bytes; it must stay under {SIZE_LIMIT_BYTES}"));
        }
        if let Some(ratio) = pairs.as_ref().map(Pairs::ratio).filter(|ratio| *ratio >= RATIO_LIMIT) {
            over.push(format!(
                "`{name}` takes {ratio:.2} times as long as a bare function; the limit is {RATIO_LIMIT}"
            ));
        }
    }
    over
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_too_large_or_too_slow_is_named() {
        let binary = |size_bytes| Binary { name: "deposit".to_owned(), path: "deposit".into(), size_bytes };
        let start = |asked| vec![Start { asked, answered: asked }];
        let starts = |base, own| Some(Pairs { base: start(base), own: start(own) });
        let (ten, fifteen) = (Duration::from_millis(10), Duration::from_millis(15));
        let good = [(binary(SIZE_LIMIT_BYTES - 1), None), (binary(1), starts(ten, fifteen - Duration::from_micros(1)))];
        assert_eq!(over(&good), Vec::<String>::new());
        assert!(table(&good).to_string().contains("| deposit  | 8.00 |"), "{}", table(&good));
        let bad = over(&[(binary(SIZE_LIMIT_BYTES), starts(ten, fifteen))]);
        assert_eq!(
            bad,
            [
                "`deposit` has 8000000 bytes; it must stay under 8000000",
                "`deposit` takes 1.50 times as long as a bare function; the limit is 1.5"
            ]
        );
    }
}
