//! Going through the table: segments side by side, then whatever came out uneven a second time.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::task::JoinSet;
use wallet_domain::{Entry, Transaction, TransactionId, Wallet, WalletId};
use wallet_dynamodb::scan::{Key, Reversed, Scanned};
use wallet_dynamodb::{Fault, Ledger};

use crate::chain::Chain;
use crate::finding::{Check, Finding};
use crate::reader::Reader;
use crate::report::Report;
use crate::tally::{Posting, Tally};
use crate::{legs, matching, months, related};

/// Called with the number of items of each page.
pub type Progress = Arc<dyn Fn(usize) + Send + Sync>;

/// An audit of one table.
#[derive(Clone)]
pub struct Audit {
    reader: Arc<Reader>,
    segments: u32,
    progress: Progress,
}

impl Audit {
    /// An audit that scans in so many segments side by side, at least one.
    #[must_use]
    pub fn new(ledger: Ledger, segments: u32) -> Audit {
        let reader = Arc::new(Reader::new(ledger, None));
        Audit { reader, segments: segments.max(1), progress: Arc::new(|_| {}) }
    }

    /// The same audit, reading no more than so many capacity units in a second: others want to read the table too.
    #[must_use]
    pub fn with_pace(self, units_per_second: NonZeroU32) -> Audit {
        let reader = Reader::new(self.reader.ledger().clone(), Some(units_per_second));
        Audit { reader: Arc::new(reader), ..self }
    }

    /// The same audit, telling how far it is.
    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Audit {
        Audit { progress, ..self }
    }

    /// Audits the whole table.
    ///
    /// # Errors
    /// [`Fault`] when the table cannot be read.
    pub async fn table(&self) -> Result<Report, Fault> {
        let empty = Tally::new();
        let mut segments = JoinSet::new();
        for segment in 0..self.segments {
            let (audit, tally) = (self.clone(), empty.clone());
            segments.spawn(async move { audit.segment(segment, tally).await });
        }
        let (mut report, mut tally) = (Report::default(), empty);
        while let Some(done) = segments.join_next().await {
            let (part, sums) = done.expect("no segment is cancelled, and none panics")?;
            report.merge(part);
            tally.merge(&sums);
        }
        report.read_units = self.reader.units();
        if tally.is_even() {
            return Ok(report);
        }
        let (tally, mut segments) = (Arc::new(tally), JoinSet::new());
        for segment in 0..self.segments {
            let (audit, tally) = (self.clone(), Arc::clone(&tally));
            segments.spawn(async move { audit.second_look(segment, &tally).await });
        }
        while let Some(done) = segments.join_next().await {
            report.found(done.expect("no segment is cancelled, and none panics")?.findings);
        }
        report.read_units = self.reader.units();
        Ok(report)
    }

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
            report.found(self.months(&wallet).await?);
        }
        let mut from = None;
        loop {
            let page = self.reader.history(id, true, from).await?;
            exists |= !page.items.is_empty();
            (self.progress)(page.items.len());
            let read = |item| if let Scanned::Entry(entry) = item { Some(*entry) } else { None };
            let entries: Vec<Entry> = page.items.into_iter().filter_map(read).collect();
            report.entries += entries.len() as u64;
            self.with_transactions(&entries, &mut report).await?;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        report.found(self.recomputed(id).await?);
        report.read_units = self.reader.units();
        Ok((exists || report.wallets > 0 || !report.is_clean()).then_some(report))
    }

    /// Entries of one wallet with their transactions, and those with all their entries.
    async fn with_transactions(&self, entries: &[Entry], report: &mut Report) -> Result<(), Fault> {
        report.found(matching::entries(&self.reader, entries).await?);
        // A forged entry may name a transaction twice, and a key may be asked for once in a call.
        let ids: HashSet<TransactionId> = entries.iter().map(|entry| entry.transaction).collect();
        let keys: Vec<Key> = ids.iter().flat_map(|id| [Key::Transaction(*id), Key::Reversal(*id)]).collect();
        let (mut transactions, mut marks) = (vec![], vec![]);
        for item in self.reader.look_up(&keys).await? {
            match item {
                Scanned::Transaction(transaction) => transactions.push(*transaction),
                Scanned::Reversed(mark) => marks.push(mark),
                Scanned::Wallet(_) | Scanned::Entry(_) | Scanned::Unreadable(_) => {}
            }
        }
        report.found(matching::transactions(&self.reader, &transactions).await?);
        self.transactions(&transactions, &marks, report).await
    }

    /// One segment of the table, once.
    async fn segment(&self, segment: u32, mut tally: Tally) -> Result<(Report, Tally), Fault> {
        let (mut report, mut from) = (Report::default(), None);
        let mut current: Option<Chain> = None;
        loop {
            let page = self.reader.scan(segment, self.segments, from).await?;
            (self.progress)(page.items.len());
            let (mut transactions, mut marks) = (vec![], vec![]);
            for item in page.items {
                match item {
                    Scanned::Entry(entry) => {
                        report.entries += 1;
                        tally.entry(&Posting::of_entry(&entry));
                        self.turn_to(entry.wallet, &mut current, &mut report).await?.entry(&entry);
                    }
                    Scanned::Wallet(wallet) => {
                        report.wallets += 1;
                        report.balance(&wallet);
                        self.turn_to(wallet.id, &mut current, &mut report).await?.close(&wallet);
                        report.found(self.months(&wallet).await?);
                        if let Some(chain) = current.take()
                            && !chain.findings.is_empty()
                        {
                            report.found(self.recomputed(chain.id).await?);
                        }
                    }
                    Scanned::Transaction(transaction) => {
                        Posting::of_transaction(&transaction).iter().for_each(|posting| tally.leg(posting));
                        transactions.push(*transaction);
                    }
                    Scanned::Reversed(mark) => marks.push(mark),
                    Scanned::Unreadable(item) => match (item.wallet, item.version) {
                        (Some(wallet), Some(_)) => {
                            report.entries += 1;
                            self.turn_to(wallet, &mut current, &mut report).await?.unreadable(&item);
                        }
                        _ => report.found([Finding {
                            wallet: item.wallet,
                            version: item.version,
                            transaction: item.transaction,
                            check: Check::Readable,
                            difference: item.reason,
                        }]),
                    },
                }
            }
            self.transactions(&transactions, &marks, &mut report).await?;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        if let Some(chain) = current {
            report.found(self.recomputed(chain.id).await?);
        }
        Ok((report, tally))
    }

    /// The rebates that `wallet` counts by month; most count none.
    async fn months(&self, wallet: &Wallet) -> Result<Vec<Finding>, Fault> {
        if wallet.rebated.all().next().is_none() {
            return Ok(vec![]);
        }
        months::check(&self.reader, wallet.id).await
    }

    /// The chain of `wallet`. If another was at work its wallet has not come up, so it is recomputed by itself.
    async fn turn_to<'a>(
        &self,
        wallet: WalletId,
        current: &'a mut Option<Chain>,
        report: &mut Report,
    ) -> Result<&'a mut Chain, Fault> {
        if let Some(left) = current.take_if(|chain| chain.id != wallet) {
            report.found(self.recomputed(left.id).await?);
        }
        Ok(current.get_or_insert_with(|| Chain::new(wallet)))
    }

    /// Transactions by themselves, and with those that they rest on.
    async fn transactions(
        &self,
        transactions: &[Transaction],
        marks: &[Reversed],
        report: &mut Report,
    ) -> Result<(), Fault> {
        for transaction in transactions {
            report.transactions += 1;
            report.legs(transaction);
            report.found(legs::check(transaction));
        }
        report.found(related::check(&self.reader, transactions, marks).await?);
        Ok(())
    }

    /// One segment again: what `tally` suspects, with its counterpart.
    async fn second_look(&self, segment: u32, tally: &Tally) -> Result<Report, Fault> {
        let (mut report, mut from) = (Report::default(), None);
        loop {
            let page = self.reader.scan(segment, self.segments, from).await?;
            let (mut entries, mut transactions) = (vec![], vec![]);
            for item in page.items {
                match item {
                    Scanned::Entry(entry) if tally.suspects(entry.transaction) => entries.push(*entry),
                    Scanned::Transaction(transaction) if tally.suspects(transaction.id) => {
                        transactions.push(*transaction);
                    }
                    _ => {}
                }
            }
            report.found(matching::entries(&self.reader, &entries).await?);
            report.found(matching::transactions(&self.reader, &transactions).await?);
            from = page.next;
            if from.is_none() {
                return Ok(report);
            }
        }
    }

    /// One wallet by itself: read, recomputed up to the version read, read again for entries beyond it.
    async fn recomputed(&self, id: WalletId) -> Result<Vec<Finding>, Fault> {
        let before = self.reader.look_up(&[Key::Wallet(id)]).await?.pop();
        let (mut chain, mut last, mut from) = (Chain::new(id), None, None);
        let upto = if let Some(Scanned::Wallet(wallet)) = &before { wallet.version } else { u64::MAX };
        loop {
            let page = self.reader.history(id, true, from).await?;
            for item in page.items {
                let version = match &item {
                    Scanned::Entry(entry) => Some(entry.version),
                    Scanned::Unreadable(item) => item.version,
                    Scanned::Wallet(_) | Scanned::Transaction(_) | Scanned::Reversed(_) => None,
                };
                last = last.max(version);
                match item {
                    Scanned::Entry(entry) if entry.version <= upto => chain.entry(&entry),
                    Scanned::Unreadable(item) if item.version.is_none_or(|version| version <= upto) => {
                        chain.unreadable(&item);
                    }
                    _ => {}
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        if let Some(Scanned::Wallet(wallet)) = &before {
            chain.close(wallet);
        }
        let mut findings = std::mem::take(&mut chain.findings);
        let wrong = |version, difference: String| Finding::wallet(id, version, Check::Versions, difference);
        match (self.reader.look_up(&[Key::Wallet(id)]).await?.pop(), last) {
            (Some(Scanned::Wallet(after)), Some(last)) if last > after.version => {
                let difference = format!("there are entries up to version {last}, the wallet is at {}", after.version);
                findings.push(wrong(after.version + 1, difference));
            }
            (Some(Scanned::Unreadable(item)), _) => findings.push(Finding {
                wallet: Some(id),
                version: None,
                transaction: None,
                check: Check::Readable,
                difference: item.reason,
            }),
            (None, Some(last)) => findings.push(wrong(last, "there are entries and no wallet".to_owned())),
            _ => {}
        }
        Ok(findings)
    }
}
