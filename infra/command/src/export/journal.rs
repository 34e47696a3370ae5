//! The ledger as a journal in double entry, as hledger reads it.
//!
//! A transaction and the rows of a statement that it made are written apart, each as it is stored, and meet on the account
//! `transit:<wallet>`: the transaction says there what it brings to the wallet or takes from it, and the row takes it on. So
//! hledger adds both up by itself, and what one says and the other doesn't is left in transit. Each row asserts the
//! balance that it holds, and a wallet's item asserts its own after the last row.

use std::io::Write;

use anyhow::Result;
use wallet_domain::{Account, Entry, Money, Timestamp, Transaction, TransactionId, Wallet};

use super::book::Book;

pub(super) struct Journal<W: Write>(W);

impl<W: Write> Journal<W> {
    pub(super) fn new(out: W) -> Journal<W> {
        Journal(out)
    }

    /// The first lines of a transaction. Comments take what callers wrote, since nothing in a transaction's comment has a
    /// meaning; a description would end at a semicolon.
    fn begin(&mut self, at: Timestamp, id: TransactionId, what: &str, comment: &str) -> Result<()> {
        writeln!(self.0, "\n{} * ({id}) {what}", at.strftime("%F"))?;
        Ok(writeln!(self.0, "    ; created_at:{at:.3}{comment}")?)
    }

    fn posting(&mut self, account: &str, amount: Money) -> Result<()> {
        Ok(writeln!(self.0, "    {account}  {}", shown(amount))?)
    }
}

fn shown(amount: Money) -> String {
    format!("{} {amount}", amount.currency().code())
}

impl<W: Write> Book for Journal<W> {
    const TRANSACTIONS: bool = true;

    fn open(&mut self) -> Result<()> {
        writeln!(
            self.0,
            "; A ledger of wallets. What is in transit comes to nothing, but for what waits to be settled."
        )?;
        writeln!(self.0, "decimal-mark .\n")?;
        for account in ["external", "fees", "rebates", "transit", "wallets"] {
            writeln!(self.0, "account {account}")?;
        }
        Ok(())
    }

    fn transaction(&mut self, transaction: &Transaction) -> Result<()> {
        if transaction.legs().is_empty() {
            return Ok(());
        }
        let reference = transaction.reference.as_ref().map(|text| format!(", reference:{text}")).unwrap_or_default();
        let comment = format!(", caller:{}{reference}", transaction.caller);
        self.begin(transaction.created_at, transaction.id, transaction.kind.as_str(), &comment)?;
        for leg in transaction.legs() {
            let account = match leg.account() {
                Account::Wallet(wallet) => format!("transit:{wallet}"),
                system => system.to_string(),
            };
            self.posting(&account, leg.amount())?;
        }
        Ok(())
    }

    fn row(&mut self, row: &Entry) -> Result<()> {
        self.begin(row.created_at, row.transaction, row.kind.as_str(), &format!(", version:{}", row.version))?;
        let balance = shown(row.balance_after);
        writeln!(self.0, "    wallets:{}  {} = {balance}", row.wallet, shown(row.amount))?;
        if row.amount.is_zero() {
            return Ok(());
        }
        self.posting(&format!("transit:{}", row.wallet), row.amount.negated())
    }

    fn wallet(&mut self, wallet: &Wallet) -> Result<()> {
        let (id, nothing) = (wallet.id, shown(Money::zero(wallet.currency())));
        writeln!(self.0, "\naccount wallets:{id}  ; status:{}, owner:{}", wallet.status.as_str(), wallet.owner)?;
        writeln!(self.0, "account transit:{id}")?;
        writeln!(self.0, "\n{} * balance of the wallet", wallet.updated_at.strftime("%F"))?;
        writeln!(self.0, "    ; updated_at:{:.3}, version:{}", wallet.updated_at, wallet.version)?;
        Ok(writeln!(self.0, "    wallets:{id}  {nothing} = {}", shown(wallet.balance))?)
    }

    fn close(&mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}
