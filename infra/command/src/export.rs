//! `wallet export`: the statement of a wallet, or all of a table, as CSV or as a journal for hledger.
//!
//! Reads only, page by page, and keeps nothing of a page once it is written: memory does not grow with the table. What was
//! recorded after the moment that the export is of is left out, so that a table in use gives whole books all the same.

mod book;
mod journal;
mod sheet;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind};
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use indicatif::ProgressBar;
use wallet_domain::{Entry, Timestamp, Transaction, TransactionId, WalletId};
use wallet_dynamodb::scan::{Key, Part, Scanned};
use wallet_dynamodb::{Fault, Ledger, Usage};
use wallet_stack::clock;

use crate::target::{Target, progress};
use book::Book;
use journal::Journal;
use sheet::Sheet;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// The statement of this wallet alone; without it, all of the table
    #[arg(long, value_name = "ID")]
    wallet: Option<WalletId>,
    /// What to write
    #[arg(long)]
    format: Format,
    /// Leave out what was recorded later, a time such as 2026-11-21T00:00:00Z; without it, later than the export's start
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Each row of a statement, with its wallet
    Csv,
    /// Double entry, with each balance asserted: for `hledger check`, `hledger balance` ..
    Hledger,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let ledger = arguments.target.connect().await?;
    let bar = match arguments.wallet {
        None if goes_to_a_file() => progress(async { ledger.item_count().await.ok().flatten() }).await,
        _ => ProgressBar::hidden(),
    };
    let source = Source { ledger, until: arguments.until.unwrap_or_else(clock::now), bar };
    let out = BufWriter::new(std::io::stdout().lock());
    let written = match arguments.format {
        Format::Csv => source.export(arguments.wallet, &mut Sheet::new(out)).await,
        Format::Hledger => source.export(arguments.wallet, &mut Journal::new(out)).await,
    };
    source.bar.finish_and_clear();
    written.or_else(|error| {
        if let Some(fault) = error.downcast_ref::<Fault>() {
            return Err(arguments.target.unreadable(fault));
        }
        // Who reads it has read enough.
        let closed = error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::BrokenPipe);
        if closed { Ok(()) } else { Err(error) }
    })
}

/// Where it comes from.
struct Source {
    ledger: Ledger,
    until: Timestamp,
    bar: ProgressBar,
}

/// Elsewhere, what is written would be mixed with how far it is.
fn goes_to_a_file() -> bool {
    let stdout = std::io::stdout().as_fd().try_clone_to_owned().map(File::from);
    stdout.and_then(|stdout| stdout.metadata()).is_ok_and(|stdout| stdout.is_file())
}

impl Source {
    async fn export<B: Book>(&self, wallet: Option<WalletId>, book: &mut B) -> Result<()> {
        book.open()?;
        match wallet {
            None => self.table(book).await?,
            Some(wallet) => self.statement(wallet, book).await?,
        }
        book.close()
    }

    /// In one pass of one segment, in which a wallet's items come one after the other, its entries first and oldest first.
    async fn table<B: Book>(&self, book: &mut B) -> Result<()> {
        let mut from = None;
        loop {
            let page = self.ledger.scan(0, 1, from, &mut Usage::default()).await?;
            self.bar.inc(page.items.len() as u64);
            for item in page.items {
                match item {
                    Scanned::Wallet(wallet) if wallet.updated_at <= self.until => book.wallet(&wallet)?,
                    Scanned::Transaction(transaction) if transaction.created_at <= self.until => {
                        book.transaction(&transaction)?;
                    }
                    Scanned::Entries(rows) => {
                        rows.iter().filter(|row| row.created_at <= self.until).try_for_each(|row| book.row(row))?;
                    }
                    Scanned::Unreadable(item) => bail!("{}; `cargo wallet audit` says more", item.reason),
                    Scanned::Wallet(_)
                    | Scanned::Transaction(_)
                    | Scanned::Queued(_)
                    | Scanned::Mark(_)
                    | Scanned::Credit(_)
                    | Scanned::Hold(_) => {}
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    /// Up to the version that the wallet is at when it begins.
    async fn statement<B: Book>(&self, id: WalletId, book: &mut B) -> Result<()> {
        let mut usage = Usage::default();
        let wallet = self.ledger.wallet(id, &mut usage).await?;
        let wallet = wallet.with_context(|| format!("there is no {id} in table {:?}", self.ledger.table()))?;
        let wanted = |row: &Entry| row.created_at <= self.until && row.version <= wallet.version;
        let mut from = None;
        loop {
            let page = self.ledger.page_of(Part::History, id, from, &mut usage).await?;
            let mut rows = vec![];
            for item in page.items {
                match item {
                    Scanned::Entries(run) => rows.extend(run.into_iter().filter(wanted)),
                    Scanned::Unreadable(item) => bail!("{}; `cargo wallet audit` says more", item.reason),
                    other => bail!("a statement holds {other:?}"),
                }
            }
            let transactions = if B::TRANSACTIONS { self.transactions(&rows).await? } else { HashMap::new() };
            for row in &rows {
                transactions.get(&row.transaction).map_or(Ok(()), |transaction| book.transaction(transaction))?;
                book.row(row)?;
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        if wallet.updated_at <= self.until { book.wallet(&wallet) } else { Ok(()) }
    }

    /// Those that made `rows`.
    async fn transactions(&self, rows: &[Entry]) -> Result<HashMap<TransactionId, Transaction>> {
        let mut ids: Vec<_> = rows.iter().map(|row| row.transaction).collect();
        ids.sort_unstable();
        ids.dedup();
        let keys: Vec<_> = ids.into_iter().map(Key::Transaction).collect();
        let found = self.ledger.look_up(&keys, &mut Usage::default()).await?;
        found
            .into_iter()
            .map(|item| match item {
                Scanned::Transaction(transaction) => Ok((transaction.id, *transaction)),
                Scanned::Unreadable(item) => bail!("{}; `cargo wallet audit` says more", item.reason),
                other => bail!("a transaction's key leads to {other:?}"),
            })
            .collect()
    }
}
