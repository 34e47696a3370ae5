//! The second look, at what came out uneven, each with its counterpart; and at a wallet by itself.

use std::time::Duration;

use tokio::time::sleep;
use wallet_domain::WalletId;
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Part, Scanned};

use super::Audit;
use crate::chain::Chain;
use crate::checkpoint::Seen;
use crate::finding::{Check, Finding};
use crate::inbox::{self, Credited};
use crate::matching::twice_pausing;
use crate::tally::Tally;
use crate::{matching, overdue};

/// Credits that are looked for at once, each page of a wallet's rows being read once for all of them: half a megabyte. Fewer
/// would read the statement of a wallet with many more often.
const SETTLED_AT_ONCE: usize = 10_000;

impl Audit {
    /// Goes through one segment again: what `tally` suspects is compared with its counterpart, and the checkpoint summed up
    /// anew.
    pub(super) async fn second_look(&self, segment: u32, tally: &Tally) -> Result<(Vec<Finding>, Seen), Fault> {
        let (mut findings, mut seen, mut credited, mut from) = (vec![], Seen::new(), vec![], None);
        loop {
            let page = self.reader.scan(segment, self.segments, from).await?;
            let (mut entries, mut transactions, mut deposits) = (vec![], vec![], vec![]);
            for item in page.items {
                match item {
                    Scanned::Entries(rows) => {
                        for entry in rows {
                            self.sum(|window| seen.entry(window, &entry));
                            if tally.suspects(entry.transaction) {
                                entries.push(entry);
                            }
                        }
                    }
                    Scanned::Transaction(transaction) => {
                        self.sum(|window| seen.transaction(window, &transaction));
                        if transaction.rebate().is_some_and(|rebate| tally.suspects(rebate)) {
                            deposits.push(transaction.clone());
                        }
                        if tally.suspects(transaction.id) {
                            credited.extend(Credited::by(&transaction));
                            transactions.push(*transaction);
                        }
                    }
                    Scanned::Wallet(_)
                    | Scanned::Queued(_)
                    | Scanned::Mark(_)
                    | Scanned::Credit(_)
                    | Scanned::Hold(_)
                    | Scanned::Unreadable(_) => {}
                }
            }
            findings.extend(matching::entries(&self.reader, &entries).await?);
            findings.extend(matching::transactions(&self.reader, &transactions).await?);
            findings.extend(overdue::check(&self.reader, deposits.iter().map(|deposit| &**deposit), self.due()).await?);
            from = page.next;
            if from.is_none() || credited.len() >= SETTLED_AT_ONCE {
                findings.extend(inbox::settled(&self.reader, std::mem::take(&mut credited)).await?);
            }
            if from.is_none() {
                return Ok((findings, seen));
            }
        }
    }

    /// One wallet by itself.
    pub(super) async fn recomputed(&self, id: WalletId) -> Result<Vec<Finding>, Fault> {
        twice_pausing(|pause| self.recompute(id, pause)).await
    }

    /// The wallet is read, recomputed up to the version read, and read again for entries beyond it. With a `pause` in between,
    /// what one commit wrote is seen whole.
    async fn recompute(&self, id: WalletId, pause: Duration) -> Result<Vec<Finding>, Fault> {
        let before = self.reader.look_up(&[Key::Wallet(id)]).await?.pop();
        sleep(pause).await;
        let (mut chain, mut last, mut pages) = (Chain::new(id), None, self.reader.pages(Part::History, id));
        let upto = if let Some(Scanned::Wallet(wallet)) = &before { wallet.version } else { u64::MAX };
        while let Some(items) = pages.next().await? {
            for item in items {
                match item {
                    Scanned::Entries(rows) => {
                        last = last.max(rows.last().map(|row| row.version));
                        rows.iter().filter(|row| row.version <= upto).for_each(|row| chain.entry(row));
                    }
                    Scanned::Unreadable(item) => {
                        last = last.max(item.version);
                        if item.version.is_none_or(|version| version <= upto) {
                            chain.unreadable(&item);
                        }
                    }
                    // A statement has nothing else.
                    _ => {}
                }
            }
        }
        if let Some(Scanned::Wallet(wallet)) = &before {
            chain.close(wallet);
        }
        let mut findings = std::mem::take(&mut chain.findings);
        sleep(pause).await;
        let wrong = |version, difference: String| Finding::wallet(id, version, Check::Versions, difference);
        match (self.reader.look_up(&[Key::Wallet(id)]).await?.pop(), last) {
            (Some(Scanned::Wallet(after)), Some(last)) if last > after.version => {
                let difference = format!("there are entries up to version {last}, the wallet is at {}", after.version);
                findings.push(wrong(after.version + 1, difference));
            }
            (Some(Scanned::Unreadable(item)), _) => findings.push(Finding::unreadable(item)),
            (None, Some(last)) => findings.push(wrong(last, "there are entries and no wallet".to_owned())),
            _ => {}
        }
        Ok(findings)
    }
}
