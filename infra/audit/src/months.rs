//! Compares what a wallet has counted of its rebates, month by month, with the rebates themselves.
//!
//! Only a wallet that counts any is looked at, and only its entries since the first month that it counts. That a wallet
//! counts where it should is checked from each rebate, in `rebate.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;
use wallet_domain::{Entry, Kind, Money, Month, RuleId, TransactionId, WalletId, believed_until};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Part, Scanned};

use crate::finding::{Check, Finding, decimal};
use crate::known::Known;
use crate::matching::twice_pausing;
use crate::reader::Reader;
use crate::rebate::capped;

/// The wallet's sums, recomputed from its entries and the transactions that they name.
pub(crate) async fn check(reader: &Reader, id: WalletId) -> Result<Vec<Finding>, Fault> {
    twice_pausing(|pause| look(reader, id, pause)).await
}

/// What was paid for one month under one rule.
#[derive(Default)]
struct Sum {
    /// In minor units.
    paid: i128,
    /// The highest cap that was pinned: it may have been lowered or raised within the month.
    cap: Option<Money>,
}

type Sums = BTreeMap<(Month, RuleId), Sum>;

async fn look(reader: &Reader, id: WalletId, pause: Duration) -> Result<Vec<Finding>, Fault> {
    let Some(Scanned::Wallet(wallet)) = reader.look_up(&[Key::Wallet(id)]).await?.pop() else { return Ok(vec![]) };
    let Some((oldest, ..)) = wallet.rebated.all().next() else { return Ok(vec![]) };
    sleep(pause).await;
    let (mut sums, mut pages, mut begun) = (Sums::new(), reader.pages(Part::Newest, id), false);
    while !begun && let Some(items) = pages.next().await? {
        let rows: Vec<Entry> = items.into_iter().flat_map(|item| item.into_rows().into_iter().rev()).collect();
        // A rebate is paid after its deposit, and the times of a statement never go back: entries older than the oldest month
        // are about older months. But a deposit into an inbox is on no statement yet, and its rebate's row is older than it
        // by as much as their functions' clocks may differ.
        let recent = rows.iter().take_while(|entry| Month::of(believed_until(entry.created_at)) >= oldest);
        let counted: Vec<&Entry> = recent.clone().filter(|entry| entry.version <= wallet.version).collect();
        begun = recent.count() < rows.len();
        add(reader, &counted, oldest, &mut sums).await?;
    }
    let currency = wallet.currency();
    let mut findings = vec![];
    let mut found = |difference| findings.push(Finding::wallet(id, wallet.version, Check::Rebate, difference));
    for (month, rule, counted) in wallet.rebated.all() {
        let (counted, sum) = (counted.minor_units(), sums.entry((month, rule.clone())).or_default());
        if counted != sum.paid {
            let [says, comes, off] = [counted, sum.paid, counted - sum.paid].map(|minor| decimal(minor, currency));
            let rule = rule.as_str();
            found(format!("it counts {says} of rule {rule} in {month}, the rebates come to {comes}: off by {off}"));
        }
    }
    for ((month, rule), Sum { paid, cap }) in &sums {
        let over = cap.map_or(0, |cap| paid - cap.minor_units());
        if over > 0 {
            let [paid, over] = [*paid, over].map(|minor| decimal(minor, currency));
            let rule = rule.as_str();
            found(format!("rule {rule} has paid {paid} in {month}, {over} more than its cap"));
        }
    }
    Ok(findings)
}

/// Adds what `entries` say of rebates paid and taken back.
async fn add(reader: &Reader, entries: &[&Entry], oldest: Month, sums: &mut Sums) -> Result<(), Fault> {
    let about = entries.iter().filter(|entry| matches!(entry.kind, Kind::REBATE | Kind::REVERSAL));
    let about: Vec<_> = about.map(|entry| entry.transaction).collect();
    let mut known = Known::default();
    known.read(reader, about.iter().copied().map(Key::Transaction)).await?;
    let parents: Vec<_> = about.iter().filter_map(|id| known.transaction(*id)?.parent).map(Key::Transaction).collect();
    known.read(reader, parents).await?;
    let reversed = |id: &TransactionId| known.transaction(*id).filter(|found| found.kind == Kind::REVERSAL)?.parent;
    let rebates = about.iter().filter_map(reversed).filter_map(|parent| known.transaction(parent)?.rebate());
    let rebates: Vec<_> = rebates.map(Key::Transaction).collect();
    known.read(reader, rebates).await?;
    for transaction in about.iter().filter_map(|id| known.transaction(*id)) {
        let Some(deposit) = transaction.parent.and_then(|parent| known.transaction(parent)) else { continue };
        let Some((month, rule, cap)) = capped(deposit).filter(|(month, ..)| *month >= oldest) else { continue };
        let sum = sums.entry((month, rule)).or_default();
        sum.cap = sum.cap.into_iter().chain([cap]).max_by_key(|cap| cap.minor_units());
        if transaction.kind == Kind::REBATE {
            sum.paid += transaction.amount.minor_units();
        } else if let Some(rebate) = deposit.rebate().and_then(|id| known.transaction(id)) {
            let paid = !rebate.legs().is_empty();
            sum.paid -= if paid { rebate.amount.minor_units() } else { 0 };
        }
    }
    Ok(())
}
