//! A wallet below its floor: only reversals that an administrator asked for with `allow_overdraft` may take one there.
//!
//! The floor is not raised while the balance is below it, so the floor of now is the one that was passed.

use wallet_domain::{Entry, Transaction, Wallet};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Part};

use crate::finding::{Check, Finding, decimal};
use crate::known::Known;
use crate::matching::twice;
use crate::reader::Reader;
use crate::reversal::may_overdraw;

/// Every debit since `wallet` was at its floor or above must be such a reversal, and there must be one.
pub(crate) async fn check(reader: &Reader, wallet: &Wallet) -> Result<Vec<Finding>, Fault> {
    if wallet.balance.minor_units() >= wallet.floor.minor_units() {
        return Ok(vec![]);
    }
    twice(|| look(reader, wallet)).await
}

async fn look(reader: &Reader, wallet: &Wallet) -> Result<Vec<Finding>, Fault> {
    let floor = wallet.floor.minor_units();
    let (mut reversals, mut above, mut pages) = (0, false, reader.pages(Part::Newest, wallet.id));
    while !above && let Some(items) = pages.next().await? {
        let mut debits = vec![];
        let rows = items.into_iter().flat_map(|item| item.into_rows().into_iter().rev());
        for row in rows.filter(|row| row.version <= wallet.version) {
            above |= row.balance_after.minor_units() >= floor;
            if !above && row.amount.is_negative() {
                debits.push(row);
            }
        }
        reversals += debits.len();
        if !all_may(reader, &debits).await? {
            return Ok(vec![finding(wallet, "a debit that is no reversal with allow_overdraft took it there")]);
        }
    }
    let unexplained = reversals == 0;
    Ok(unexplained.then(|| finding(wallet, "no reversal with allow_overdraft took it there")).into_iter().collect())
}

async fn all_may(reader: &Reader, debits: &[Entry]) -> Result<bool, Fault> {
    let mut known = Known::default();
    known.read(reader, debits.iter().map(|debit| Key::Transaction(debit.transaction))).await?;
    let found: Vec<Transaction> =
        debits.iter().filter_map(|debit| known.transaction(debit.transaction)).cloned().collect();
    known.read(reader, found.iter().filter_map(|debit| debit.parent).map(Key::Transaction)).await?;
    let may = |debit: &Transaction| {
        debit.parent.and_then(|parent| known.transaction(parent)).is_some_and(|parent| may_overdraw(debit, parent))
    };
    Ok(found.len() == debits.len() && found.iter().all(may))
}

fn finding(wallet: &Wallet, why: &str) -> Finding {
    let beyond = decimal(wallet.floor.minor_units() - wallet.balance.minor_units(), wallet.currency());
    let difference = format!("balance {} passes the floor {} by {beyond}: {why}", wallet.balance, wallet.floor);
    Finding::wallet(wallet.id, wallet.version, Check::Bounds, difference)
}
