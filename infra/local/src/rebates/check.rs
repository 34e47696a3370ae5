//! What must hold after a run, recomputed from everything that the table holds. Never changes anything.

use anyhow::{Context, Result, ensure};
use wallet_audit::Audit;
use wallet_domain::WalletId;
use wallet_dynamodb::{Ledger, Usage};

use super::deposits::Deposited;
use crate::stack::Stack;

/// What was checked: the audit has nothing to say; each wallet holds its deposits and of each the hundredth, to the cent;
/// there is one rebate for each deposit and nothing else on record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many wallets.
    pub wallets: u64,
    /// How many entries.
    pub entries: u64,
    /// How many transactions: openings, deposits, rebates.
    pub transactions: u64,
}

pub(super) async fn check(stack: &Stack, wallets: &[String], deposits: &[Deposited]) -> Result<Checked> {
    let ledger = Ledger::new(stack.own_client(), stack.table());
    let report = Audit::new(ledger.clone(), 4).table().await?;
    ensure!(report.is_clean(), "the audit finds: {:?}", report.findings);
    let (opened, paid_in) = (wallets.len() as u64, deposits.len() as u64);
    let expected = opened + 2 * paid_in;
    ensure!(report.transactions == expected, "{} transactions are on record, not {expected}", report.transactions);

    let mut balances = vec![0; wallets.len()];
    let (mut deposited, mut rebates) = (0, 0);
    for Deposited { wallet, cents, .. } in deposits {
        // One percent, rounded toward zero to the cent: worked out apart from the domain.
        let (cents, rebate) = (i128::from(*cents), i128::from(cents / 100));
        balances[*wallet] += cents + rebate;
        (deposited, rebates) = (deposited + cents, rebates + rebate);
    }
    for (id, expected) in wallets.iter().zip(balances) {
        let id: WalletId = id.parse().context("a wallet's id")?;
        let wallet = ledger.wallet(id, &mut Usage::default()).await?.with_context(|| format!("{id} is gone"))?;
        let balance = wallet.balance.minor_units();
        ensure!(balance == expected, "{id} holds {balance} cents instead of {expected}");
    }
    let sums = report.sums.get("EUR").context("money has moved")?;
    ensure!(sums.external == -deposited, "{} cents came in, and {deposited} were deposited", -sums.external);
    ensure!(sums.rebates == -rebates, "rebates cost {} cents, and the rule says {rebates}", -sums.rebates);
    Ok(Checked { wallets: report.wallets, entries: report.entries, transactions: report.transactions })
}
