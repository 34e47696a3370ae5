//! Statements as CSV: a line for each row. What it moved besides, such as a fee, is in the row's amount.

use std::io::Write;

use anyhow::Result;
use wallet_domain::{Account, Entry, Reference};

use super::book::Book;

const HEAD: [&str; 13] = [
    "wallet_id",
    "version",
    "created_at",
    "type",
    "transaction_id",
    "currency",
    "amount",
    "balance_after",
    "counterparty",
    "reference",
    "caller",
    "changes",
    "hash",
];

pub(super) struct Sheet<W: Write>(csv::Writer<W>);

impl<W: Write> Sheet<W> {
    pub(super) fn new(out: W) -> Sheet<W> {
        Sheet(csv::Writer::from_writer(out))
    }
}

impl<W: Write> Book for Sheet<W> {
    const TRANSACTIONS: bool = false;

    fn open(&mut self) -> Result<()> {
        Ok(self.0.write_record(HEAD)?)
    }

    fn row(&mut self, row: &Entry) -> Result<()> {
        let changes = if row.changes.is_empty() { String::new() } else { serde_json::to_string(&row.changes)? };
        self.0.write_record([
            &row.wallet.to_string(),
            &row.version.to_string(),
            &format!("{:.3}", row.created_at),
            row.kind.as_str(),
            &row.transaction.to_string(),
            row.amount.currency().code(),
            &row.amount.to_string(),
            &row.balance_after.to_string(),
            &row.counterparty.as_ref().map(Account::to_string).unwrap_or_default(),
            row.reference.as_ref().map(Reference::as_str).unwrap_or_default(),
            row.caller.as_str(),
            &changes,
            &row.hash.to_string(),
        ])?;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}
