//! What a caller asked for under a reference: the third index, which has the keys of transactions alone.
//!
//! The index is eventually consistent: a new transaction may take a moment to be listed. The transactions themselves are then
//! read consistently.
//!
//! Round trips: two, the index and the transactions.

use std::collections::HashMap;

use wallet_domain::{Owner, Reference, Transaction};

use crate::fault::Fault;
use crate::item::{Fields, Item};
use crate::items::transaction_from_item;
use crate::ledger::Ledger;
use crate::names::{CALLER_REFERENCE, CREATED_AT, PK, REFERENCE_INDEX, TXN, caller_reference, transaction_pk};
use crate::read::{Page, Place, key};
use crate::usage::Usage;

impl Ledger {
    /// What `caller` asked for under `reference`, posted and failed, newest first.
    ///
    /// # Errors
    /// [`Fault`] of the database or of the stored items.
    pub async fn referred(
        &self,
        caller: &Owner,
        reference: &Reference,
        after: Option<Place>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Transaction, Place>, Fault> {
        let start = after.map(|place| (format!("TXN#{}", place.id), TXN, place.created_at));
        let asked = caller_reference(caller, reference);
        let found = self.index(REFERENCE_INDEX, CALLER_REFERENCE, asked, false, start, limit, usage).await?;
        let mut page = Page::cut(found, limit, place);
        let order: Vec<&str> = page.items.iter().map(|item| Fields(item).text(PK)).collect::<Result<_, _>>()?;
        let keys = order.iter().map(|pk| key((*pk).to_owned(), TXN)).collect();
        let mut transactions = HashMap::new();
        for item in self.get(keys, usage).await? {
            let transaction = transaction_from_item(&item)?;
            transactions.insert(transaction_pk(transaction.id), transaction);
        }
        let items = order.into_iter().filter_map(|pk| transactions.remove(pk)).collect();
        Ok(Page { items, next: page.next.take().transpose()? })
    }
}

/// Where a transaction's keys are in the index.
fn place(item: &Item) -> Result<Place, Fault> {
    let fields = Fields(item);
    let id = fields.named(PK, |pk| pk.strip_prefix("TXN#").map(str::to_owned))?;
    Ok(Place { created_at: fields.parsed(CREATED_AT)?, id })
}
