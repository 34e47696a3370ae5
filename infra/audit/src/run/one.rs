//! One wallet, with the transactions of its entries and of what waits for it.

use std::collections::HashSet;

use wallet_domain::{Credit, Entry, MarkName, TransactionId, WalletId};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Part, Scanned};

use super::Audit;
use crate::inbox::{self, Credited};
use crate::report::Report;
use crate::{holds, matching, overdue};

/// Entries whose transactions are read at once.
const AT_ONCE: usize = 1_000;

impl Audit {
    /// Audits one wallet and the transactions of its entries; `None` if there is nothing under its id.
    ///
    /// # Errors
    /// As [`Audit::table`].
    pub async fn wallet(&self, id: WalletId) -> Result<Option<Report>, Fault> {
        let mut report = Report::default();
        let mut exists = false;
        if let Some(Scanned::Wallet(wallet)) = self.reader.look_up(&[Key::Wallet(id)]).await?.pop() {
            report.wallets = 1;
            report.balance(&wallet);
            report.found(self.by_itself(&wallet).await?);
        }
        let mut has_holds = false;
        let mut pages = self.reader.pages(Part::Holds, id);
        while let Some(items) = pages.next().await? {
            has_holds |= !items.is_empty();
            (self.progress)(items.len());
            for item in items {
                if let Scanned::Unreadable(item) = item {
                    report.unreadable(item);
                }
            }
        }
        let mut pages = self.reader.pages(Part::History, id);
        while let Some(items) = pages.next().await? {
            exists |= !items.is_empty();
            (self.progress)(items.len());
            let entries: Vec<Entry> = items.into_iter().flat_map(Scanned::into_rows).collect();
            report.entries += entries.len() as u64;
            has_holds |= entries.iter().any(holds::has_holds);
            // A page of runs has many rows.
            for entries in entries.chunks(AT_ONCE) {
                report.found(matching::entries(&self.reader, entries).await?);
                self.with_transactions(id, entries.iter().map(|entry| entry.transaction), &mut report).await?;
            }
        }
        let mut pages = self.reader.pages(Part::Inbox, id);
        while let Some(items) = pages.next().await? {
            exists |= !items.is_empty();
            (self.progress)(items.len());
            let mut credits = vec![];
            for item in items {
                match item {
                    Scanned::Credit(credit) => credits.push(*credit),
                    Scanned::Unreadable(item) => report.unreadable(item),
                    // Whatever else is there is none of the ledger's, and cannot be read.
                    _ => {}
                }
            }
            let placed = credits.iter().map(|credit| {
                let Credit { wallet, transaction, created_at, .. } = *credit;
                Credited { wallet, transaction, created_at }
            });
            report.found(inbox::settled(&self.reader, placed.collect()).await?);
            self.with_transactions(id, credits.iter().map(|credit| credit.transaction), &mut report).await?;
            self.waiting(credits, &mut report).await?;
        }
        if has_holds {
            report.found(holds::check(&self.reader, id, self.now).await?);
        }
        report.found(self.recomputed(id).await?);
        report.read_units = self.reader.units();
        Ok((exists || has_holds || report.wallets > 0 || !report.is_clean()).then_some(report))
    }

    /// Checks transactions that the wallet `of` names, with all their entries. Its own rows are those that name them.
    async fn with_transactions(
        &self,
        of: WalletId,
        ids: impl Iterator<Item = TransactionId>,
        report: &mut Report,
    ) -> Result<(), Fault> {
        // A forged entry may name a transaction twice, and a key may be asked for once in a call.
        let ids: HashSet<TransactionId> = ids.collect();
        let keys: Vec<Key> =
            ids.iter().flat_map(|id| [Key::Transaction(*id), Key::Mark(*id, MarkName::REVERSAL)]).collect();
        let (mut transactions, mut marks) = (vec![], vec![]);
        for item in self.reader.look_up(&keys).await? {
            match item {
                Scanned::Transaction(transaction) => transactions.push(*transaction),
                Scanned::Mark(mark) => marks.push(mark),
                // Nothing else was asked for; what cannot be read is told elsewhere.
                _ => {}
            }
        }
        report.found(overdue::check(&self.reader, &transactions, self.due()).await?);
        report.found(matching::transactions(&self.reader, &transactions).await?);
        let credited = transactions.iter().flat_map(Credited::by).filter(|credit| credit.wallet != of);
        report.found(inbox::settled(&self.reader, credited.collect()).await?);
        self.transactions(&transactions, &marks, report).await
    }
}
