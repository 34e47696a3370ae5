//! What must hold after a run: the audit has nothing to say, and the table holds what the run did, once, and nothing else.

use anyhow::{Context, Result, ensure};
use wallet_audit::Audit;
use wallet_dynamodb::Ledger;

/// What a run has done, all in EUR: as many transactions as were asked for show that each happened once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) wallets: u64,
    pub(crate) entries: u64,
    pub(crate) transactions: u64,
    /// Paid in, in cents.
    pub(crate) deposited: i128,
    /// Of that given back as rebates, in cents.
    pub(crate) rebates: i128,
}

/// # Errors
/// When the audit finds anything, or the table holds anything but what was done.
pub(crate) async fn check(ledger: Ledger, done: &Done) -> Result<()> {
    let report = Audit::new(ledger, 1).table().await?;
    ensure!(report.is_clean(), "the audit finds: {:?}", report.findings);
    let sums = report.sums.get("EUR").context("no money has moved")?;
    let (wallets, entries, transactions) = (report.wallets, report.entries, report.transactions);
    let found = Done { wallets, entries, transactions, deposited: -sums.external, rebates: -sums.rebates };
    ensure!(found == *done, "the table holds {found:?} and not {done:?}");
    Ok(())
}
