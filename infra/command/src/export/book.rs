//! What is written of the items of a table, in the order in which they are read. The two ways to write them are beside it.

use anyhow::Result;
use wallet_domain::{Entry, Transaction, Wallet};

/// One way to write them.
pub(super) trait Book {
    /// Whether it writes transactions: for one wallet they are looked up, by its rows.
    const TRANSACTIONS: bool;

    /// What opens it.
    fn open(&mut self) -> Result<()>;

    /// A posted or failed transaction, before or after its rows.
    fn transaction(&mut self, _: &Transaction) -> Result<()> {
        Ok(())
    }

    /// A row, after the row before it.
    fn row(&mut self, row: &Entry) -> Result<()>;

    /// A wallet, after its last row.
    fn wallet(&mut self, _: &Wallet) -> Result<()> {
        Ok(())
    }

    /// Hands on what waits to be written.
    fn close(&mut self) -> Result<()>;
}
