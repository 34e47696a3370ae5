//! Checks a table after a run: the audit finds nothing, and the table holds what the run did, once, and nothing else.

use anyhow::{Context, Result, ensure};
use wallet_audit::{Audit, Report};
use wallet_domain::{GENESIS, WalletId};
use wallet_dynamodb::{Ledger, Usage};

/// What a run has done, all in EUR. That the table has as many transactions as were asked for shows that each happened once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) wallets: u64,
    pub(crate) entries: u64,
    pub(crate) transactions: u64,
    /// Paid in, in cents.
    pub(crate) deposited: i128,
    /// What of that came back as rebates, in cents.
    pub(crate) rebates: i128,
}

impl Done {
    /// Transfers between wallets that were opened and got `deposited` cents each first.
    pub(crate) fn transfers(wallets: u32, deposited: i128, transfers: u64) -> Done {
        let wallets = u64::from(wallets);
        let (entries, transactions) = (2 * wallets + 2 * transfers, 2 * wallets + transfers);
        Done { wallets, entries, transactions, deposited: deposited * i128::from(wallets), rebates: 0 }
    }
}

/// # Errors
/// When the audit finds anything, or the table holds anything but what was done.
pub(crate) async fn check(ledger: Ledger, done: &Done) -> Result<()> {
    let report = Audit::new(ledger, 1).table().await?;
    ensure!(report.is_clean(), "the audit finds: {:?}", report.findings);
    found(&report, done)
}

/// The same where the credits of `hot` were batched and are settled: its rows are looked at here, one by one.
///
/// # Errors
/// As [`check`].
pub(crate) async fn check_settled(ledger: Ledger, done: &Done, hot: WalletId) -> Result<()> {
    let mut usage = Usage::default();
    let wallet = ledger.wallet(hot, &mut usage).await?.context("the hot wallet is gone")?;
    let (wallet, incoming, _) = ledger.incoming(&wallet, &mut usage).await?;
    ensure!(incoming.count == 0, "{} credits are not settled", incoming.count);
    let (mut before, mut expected) = (Some(wallet.version + 1), (wallet.version, wallet.balance, wallet.head));
    while let Some(from) = before {
        let page = ledger.entries(hot, Some(from), 100, &mut usage).await?;
        for row in page.items {
            ensure!((row.version, row.balance_after, row.hash) == expected, "{row:?} does not follow: {expected:?}");
            ensure!(row.computed_hash() == Some(row.hash), "{row:?} has another hash");
            expected = (row.version.wrapping_sub(1), row.balance_after.minus(row.amount)?, row.previous);
        }
        before = page.next;
    }
    ensure!(expected.1.is_zero() && expected.2 == GENESIS, "the hot wallet does not begin with nothing");
    let report = Audit::new(ledger, 1).table().await?;
    let others: Vec<_> = report.findings.iter().filter(|finding| finding.wallet != Some(hot)).collect();
    ensure!(others.is_empty(), "the audit finds: {others:?}");
    found(&report, done)
}

fn found(report: &Report, done: &Done) -> Result<()> {
    let sums = report.sums.get("EUR").context("no money has moved")?;
    let (wallets, entries, transactions) = (report.wallets, report.entries, report.transactions);
    let found = Done { wallets, entries, transactions, deposited: -sums.external, rebates: -sums.rebates };
    ensure!(found == *done, "the table holds {found:?} and not {done:?}");
    Ok(())
}
