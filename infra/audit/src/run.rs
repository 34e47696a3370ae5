//! Audits the whole table, its segments side by side, and then a second time whatever came out uneven; or audits one wallet.

mod again;
mod one;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use wallet_domain::{Credit, Mark, Timestamp, Transaction, Wallet, WalletId};
use wallet_dynamodb::scan::Scanned;
use wallet_dynamodb::{Fault, Ledger};

use crate::chain::Chain;
use crate::checkpoint::{Checkpoint, Seen, Window};
use crate::finding::{Check, Finding};
use crate::reader::Reader;
use crate::report::Report;
use crate::row::Row;
use crate::tally::Tally;
use crate::{holds, inbox, legs, months, overdraft, overdue, related};

/// Called for each page that an audit of a table goes through, with its number of items. Each item is counted once.
pub type Progress = Arc<dyn Fn(usize) + Send + Sync>;

/// How long after its deposit a rebate that was neither paid nor refused nor barred is overdue, by default: queues deliver
/// within seconds, and an alarm for what they can't deliver rings long before.
pub const REBATE_OVERDUE: Duration = Duration::from_secs(60 * 60);

/// An audit of one table.
#[derive(Clone)]
pub struct Audit {
    reader: Arc<Reader>,
    segments: u32,
    progress: Progress,
    now: Timestamp,
    rebate_overdue: Duration,
    checkpoints: Option<Arc<Window>>,
}

/// What one segment comes to.
struct Part {
    report: Report,
    tally: Tally,
    seen: Seen,
}

impl Audit {
    /// An audit that scans in so many segments side by side, at least one, and begins now by the ledger's clock.
    #[must_use]
    pub fn new(ledger: Ledger, segments: u32) -> Audit {
        let (now, reader) = (ledger.now(), Arc::new(Reader::new(ledger, None)));
        let (progress, rebate_overdue): (Progress, _) = (Arc::new(|_| {}), REBATE_OVERDUE);
        Audit { reader, segments: segments.max(1), progress, now, rebate_overdue, checkpoints: None }
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

    /// The same audit, giving rebates so long before they are overdue.
    #[must_use]
    pub fn with_rebate_overdue(self, after: Duration) -> Audit {
        Audit { rebate_overdue: after, ..self }
    }

    /// The same audit of the whole table, proving that all that `last` covers is still there, unchanged and with nothing put
    /// among it, and making the next checkpoint: [`Report::checkpoint`]. The first one has none to go by.
    #[must_use]
    pub fn with_checkpoint(self, last: Option<Checkpoint>) -> Audit {
        let window = Window::new(self.reader.ledger().table(), last, self.now);
        Audit { checkpoints: Some(Arc::new(window)), ..self }
    }

    /// How many items there are to go through, about, by the table's own count; `None` where it doesn't say, or may not be asked.
    pub async fn items(&self) -> Option<u64> {
        self.reader.ledger().item_count().await.ok().flatten()
    }

    /// Audits the whole table.
    ///
    /// # Errors
    /// [`Fault`] when the table cannot be read.
    pub async fn table(&self) -> Result<Report, Fault> {
        let empty = Tally::new();
        let mut all = Part { report: Report::default(), tally: empty.clone(), seen: Seen::new() };
        let first = |audit: Audit, segment| {
            let tally = empty.clone();
            async move { audit.segment(segment, tally).await }
        };
        for part in self.each_segment(first).await? {
            all.report.merge(part.report);
            all.tally.merge(&part.tally);
            all.seen.merge(&part.seen);
        }
        let Part { mut report, tally, mut seen } = all;
        let doubtful = self.checkpoints.as_ref().is_some_and(|window| window.differs(&seen).is_some());
        if doubtful || !tally.is_even() {
            let tally = Arc::new(tally);
            let second = |audit: Audit, segment| {
                let tally = Arc::clone(&tally);
                async move { audit.second_look(segment, &tally).await }
            };
            let mut again = Seen::new();
            for (found, part) in self.each_segment(second).await? {
                report.found(found);
                again.merge(&part);
            }
            seen = if doubtful { again } else { seen };
        }
        if let Some(window) = self.checkpoints.as_deref() {
            report.found(window.differs(&seen));
            // What is only late does not hold up the next checkpoint; with any other finding it would vouch for what is
            // wrong.
            if report.unlisted == 0 && report.findings.iter().all(|finding| finding.check == Check::Overdue) {
                report.checkpoint = Some(window.clone().checkpoint(seen));
            }
        }
        report.read_units = self.reader.units();
        Ok(report)
    }

    /// Does `work` for each segment, all side by side.
    async fn each_segment<T, F>(&self, work: impl Fn(Audit, u32) -> F) -> Result<Vec<T>, Fault>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let mut segments: JoinSet<_> = (0..self.segments).map(|segment| work(self.clone(), segment)).collect();
        let mut parts = vec![];
        while let Some(done) = segments.join_next().await {
            parts.push(done.expect("no segment is cancelled, and none panics")?);
        }
        Ok(parts)
    }

    /// Goes through one segment of the table for the first time.
    async fn segment(&self, segment: u32, tally: Tally) -> Result<Part, Fault> {
        let (mut part, mut from) = (Part { report: Report::default(), tally, seen: Seen::new() }, None);
        let mut current: Option<Chain> = None;
        loop {
            let page = self.reader.scan(segment, self.segments, from).await?;
            (self.progress)(page.items.len());
            let (mut transactions, mut marks, mut credits) = (vec![], vec![], vec![]);
            for item in page.items {
                let report = &mut part.report;
                match item {
                    Scanned::Entries(rows) => {
                        for entry in &rows {
                            report.entries += 1;
                            part.tally.row(&Row::of_entry(entry));
                            self.sum(|window| part.seen.entry(window, entry));
                            self.turn_to(entry.wallet, &mut current, report).await?.entry(entry);
                        }
                    }
                    Scanned::Wallet(wallet) => {
                        report.wallets += 1;
                        report.balance(&wallet);
                        self.turn_to(wallet.id, &mut current, report).await?.close(&wallet);
                        report.found(self.by_itself(&wallet).await?);
                        if current.as_ref().is_some_and(|chain| chain.has_holds) {
                            report.found(holds::check(&self.reader, wallet.id, self.now).await?);
                        }
                        if let Some(chain) = current.take()
                            && !chain.findings.is_empty()
                        {
                            report.found(self.recomputed(chain.id).await?);
                        }
                    }
                    Scanned::Transaction(transaction) => {
                        part.tally.transaction(&transaction);
                        self.sum(|window| part.seen.transaction(window, &transaction));
                        transactions.push(*transaction);
                    }
                    Scanned::Queued(queued) => report.found(overdue::request(&queued.request, self.now)),
                    Scanned::Mark(mark) => marks.push(mark),
                    Scanned::Credit(credit) => {
                        part.tally.row(&Row::of_credit(&credit));
                        credits.push(*credit);
                    }
                    Scanned::Hold(hold) => self.turn_to(hold.source, &mut current, report).await?.has_holds = true,
                    Scanned::Unreadable(item) => match (item.wallet, item.version) {
                        (Some(wallet), Some(_)) => {
                            report.entries += 1;
                            self.turn_to(wallet, &mut current, report).await?.unreadable(&item);
                        }
                        _ => report.unreadable(item),
                    },
                }
            }
            self.transactions(&transactions, &marks, &mut part.report).await?;
            self.waiting(credits, &mut part.report).await?;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        if let Some(chain) = current {
            self.without_wallet(&chain, &mut part.report).await?;
        }
        Ok(part)
    }

    /// Sums up for a checkpoint, if one is asked for.
    fn sum(&self, add: impl FnOnce(&Window)) {
        if let Some(window) = self.checkpoints.as_deref() {
            add(window);
        }
    }

    /// A deposit that was made before this should have its rebate.
    fn due(&self) -> Timestamp {
        self.now.saturating_sub(self.rebate_overdue).unwrap_or(Timestamp::MIN)
    }

    /// Checks credits that wait.
    async fn waiting(&self, credits: Vec<Credit>, report: &mut Report) -> Result<(), Fault> {
        credits.iter().for_each(|credit| report.waits(credit, self.now));
        let due = self.now.saturating_sub(inbox::OVERDUE).unwrap_or(Timestamp::MIN);
        report.found(inbox::waiting(&self.reader, credits, due).await?);
        Ok(())
    }

    /// What a wallet's item says beside its chain: the rebates that it counts by month, and how it got below its floor. Most
    /// wallets count none and are not below it.
    async fn by_itself(&self, wallet: &Wallet) -> Result<Vec<Finding>, Fault> {
        let mut findings = overdraft::check(&self.reader, wallet).await?;
        if wallet.rebated.all().next().is_some() {
            findings.extend(months::check(&self.reader, wallet.id).await?);
        }
        Ok(findings)
    }

    /// The chain of `wallet`. If that of another wallet is open still, its wallet's item has not come up: it is recomputed by
    /// itself.
    async fn turn_to<'a>(
        &self,
        wallet: WalletId,
        current: &'a mut Option<Chain>,
        report: &mut Report,
    ) -> Result<&'a mut Chain, Fault> {
        if let Some(left) = current.take_if(|chain| chain.id != wallet) {
            self.without_wallet(&left, report).await?;
        }
        Ok(current.get_or_insert_with(|| Chain::new(wallet)))
    }

    /// Recomputes a wallet whose item has not come up among its entries and holds.
    async fn without_wallet(&self, chain: &Chain, report: &mut Report) -> Result<(), Fault> {
        report.found(self.recomputed(chain.id).await?);
        if chain.has_holds {
            report.found(holds::check(&self.reader, chain.id, self.now).await?);
        }
        Ok(())
    }

    /// Checks transactions by themselves, and with those that they rest on.
    async fn transactions(
        &self,
        transactions: &[Transaction],
        marks: &[Mark],
        report: &mut Report,
    ) -> Result<(), Fault> {
        for transaction in transactions {
            report.transactions += 1;
            report.legs(transaction);
            report.found(legs::seal(transaction));
            report.found(legs::check(transaction));
        }
        report.found(related::check(&self.reader, transactions, marks).await?);
        Ok(())
    }
}
