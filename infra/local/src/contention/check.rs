//! What must hold after a run, recomputed from everything that the table holds. Never changes anything.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Select;
use wallet_domain::{GENESIS, Kind, Money, TransactionId, WalletId};
use wallet_dynamodb::{Ledger, Usage};

use super::SEED;

/// What was checked: every wallet's entries are gapless and chained by hash, and add up to its balance; no balance is
/// below its floor; every transfer moved money once; the balances sum to what was paid in; nothing else is in the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many wallets.
    pub wallets: u64,
    /// How many entries.
    pub entries: u64,
}

pub(super) async fn check(ledger: &Ledger, client: &Client, wallets: &[WalletId], transfers: u64) -> Result<Checked> {
    let eur = "EUR".parse()?;
    let (seed, zero) = (Money::parse(SEED, eur)?, Money::zero(eur));
    let (mut paid_in, mut total, mut checked) = (zero, zero, Checked::default());
    let mut legs: HashMap<TransactionId, (u64, Money)> = HashMap::new();
    for id in wallets {
        let wallet = ledger.wallet(*id, &mut Usage::default()).await?.with_context(|| format!("{id} is gone"))?;
        let (mut version, mut balance, mut head) = (wallet.version, wallet.balance, wallet.head);
        let mut before = None;
        loop {
            let page = ledger.entries(*id, before, 100, &mut Usage::default()).await?;
            for entry in &page.items {
                ensure!(entry.version == version, "{id}: entry {version} is missing");
                ensure!(entry.hash == head && entry.computed_hash() == head, "{id}: the chain breaks at {version}");
                ensure!(entry.balance_after == balance, "{id}: the balance is off at {version}");
                ensure!(!balance.is_less_than(wallet.floor)?, "{id}: below its floor at {version}");
                if entry.kind == Kind::Transfer {
                    let (count, sum) = legs.entry(entry.transaction).or_insert((0, zero));
                    (*count, *sum) = (*count + 1, sum.plus(entry.amount)?);
                }
                balance = balance.minus(entry.amount)?;
                head = entry.previous;
                version = version.wrapping_sub(1);
            }
            checked.entries += page.items.len() as u64;
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        ensure!(version == u64::MAX && head == GENESIS, "{id}: the entries don't reach back to the opening");
        ensure!(balance.is_zero(), "{id}: the entries don't add up to the balance");
        (paid_in, total) = (paid_in.plus(seed)?, total.plus(wallet.balance)?);
        checked.wallets += 1;
    }
    ensure!(total == paid_in, "the wallets hold {total}, but {paid_in} was paid in");
    let moved = legs.len() as u64;
    ensure!(moved == transfers, "{transfers} transfers were confirmed, but {moved} have moved money");
    for (transaction, (count, sum)) in legs {
        ensure!(count == 2 && sum.is_zero(), "{transaction} has {count} entries that sum to {sum}");
    }
    // Of each wallet its opening and its deposit, and the transfers.
    let expected = checked.wallets + checked.entries + 2 * checked.wallets + transfers;
    let items = items(client).await?;
    ensure!(items == expected, "the table has {items} items instead of {expected}");
    Ok(checked)
}

async fn items(client: &Client) -> Result<u64> {
    let (mut items, mut start) = (0, None);
    loop {
        let scan = client.scan().table_name(crate::TABLE).select(Select::Count).consistent_read(true);
        let page = scan.set_exclusive_start_key(start).send().await?;
        items += u64::try_from(page.count())?;
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}
