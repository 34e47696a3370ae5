//! What was looked up to hold a transaction against: consistent reads, each item as it is at that moment.

use std::collections::{HashMap, HashSet};

use wallet_domain::{MarkName, Transaction, TransactionId, Wallet, WalletId};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Scanned};

use crate::reader::Reader;

/// What was found. `None` stands for an item that is there and cannot be read, which is a finding of its own.
#[derive(Default)]
pub(crate) struct Known {
    transactions: HashMap<TransactionId, Option<Transaction>>,
    wallets: HashMap<WalletId, Option<Wallet>>,
    marks: HashMap<(TransactionId, MarkName), TransactionId>,
    /// Places in inboxes where something is, readable or not.
    waiting: HashSet<(WalletId, TransactionId)>,
}

impl Known {
    /// Reads what is under `keys` on top of what is known.
    pub(crate) async fn read(&mut self, reader: &Reader, keys: impl IntoIterator<Item = Key>) -> Result<(), Fault> {
        // A key may be asked for once in a call.
        let keys: Vec<Key> = keys.into_iter().collect::<HashSet<_>>().into_iter().collect();
        for item in reader.look_up(&keys).await? {
            match item {
                Scanned::Transaction(found) => drop(self.transactions.insert(found.id, Some(*found))),
                Scanned::Queued(found) => drop(self.transactions.entry(found.request.id).or_default()),
                Scanned::Mark(mark) => drop(self.marks.insert((mark.of, mark.name), mark.by)),
                Scanned::Wallet(found) => drop(self.wallets.insert(found.id, Some(*found))),
                Scanned::Credit(credit) => drop(self.waiting.insert((credit.wallet, credit.transaction))),
                Scanned::Unreadable(item) => match (item.wallet, item.transaction) {
                    (Some(wallet), Some(transaction)) => drop(self.waiting.insert((wallet, transaction))),
                    (wallet, transaction) => {
                        transaction.map(|id| self.transactions.entry(id).or_default());
                        wallet.map(|id| self.wallets.entry(id).or_default());
                    }
                },
                Scanned::Entries(_) | Scanned::Hold(_) => {}
            }
        }
        Ok(())
    }

    pub(crate) fn transaction(&self, id: TransactionId) -> Option<&Transaction> {
        self.transactions.get(&id)?.as_ref()
    }

    pub(crate) fn wallet(&self, id: WalletId) -> Option<&Wallet> {
        self.wallets.get(&id)?.as_ref()
    }

    /// The transaction that the mark `name` of `of` says did it.
    pub(crate) fn mark(&self, of: TransactionId, name: MarkName) -> Option<TransactionId> {
        self.marks.get(&(of, name)).copied()
    }

    /// Whether a credit of `transaction` waits for `wallet`, readable or not.
    pub(crate) fn waits(&self, wallet: WalletId, transaction: TransactionId) -> bool {
        self.waiting.contains(&(wallet, transaction))
    }

    /// Whether there is nothing under this id, readable or not.
    pub(crate) fn lacks(&self, id: TransactionId) -> bool {
        !self.transactions.contains_key(&id)
    }

    /// Whether there is no such wallet, readable or not.
    pub(crate) fn lacks_wallet(&self, id: WalletId) -> bool {
        !self.wallets.contains_key(&id)
    }
}
