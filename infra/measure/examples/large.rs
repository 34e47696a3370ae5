//! Writes the data file that `LARGE=1 infra/check-console` shows: 10,000 wallets of one owner, and a wallet of 100,000 rows.

use std::path::PathBuf;

use anyhow::Context as _;
use wallet_measure::audit_speed::bulk;

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1).map(PathBuf::from).context("usage: large PATH")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let filled = runtime.block_on(bulk::fill_one_owner(&path, "crowd", 10_000, 100_000))?;
    anstream::println!("{} wallets, {} entries in {}", filled.wallets, filled.entries, path.display());
    Ok(())
}
