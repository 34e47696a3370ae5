//! The kinds of items, each in and out.

mod credit;
mod entry;
mod hold;
mod mark;
mod request;
mod transaction;
mod wallet;

use wallet_domain::{Plan, Posting};

pub(crate) use credit::{credit_from_item, credit_item, credit_key, credit_place};
pub(crate) use entry::{entries_from_item, entries_item};
pub(crate) use hold::{due_of, dues, hold_from_item, hold_item, hold_key, hold_key_from};
pub(crate) use mark::{mark_from_item, mark_item};
pub(crate) use request::{QUEUED, SHARES, due, record_from_item};
pub use request::{Queued, Record, request_item as item_of_queued};
pub(crate) use transaction::{transaction_from_item, transaction_item};
pub(crate) use wallet::{lease_of, wallet_from_item, wallet_item};

use crate::item::Item;

/// The items that `plan` leaves on the table, wallets as a whole: for filling a table that nobody uses yet, by whatever
/// means it has for that. Writes nothing.
#[must_use]
pub fn items_of(plan: &Plan) -> Vec<Item> {
    let records = [plan.transaction()].into_iter().chain(plan.bars()).map(transaction_item);
    let wallets = plan.postings().iter().flat_map(items_of_posting);
    let credits = plan.credits().iter().map(credit_item);
    let holds = plan.holds().iter().map(|change| hold_item(&change.after));
    let rest = credits.chain(holds).chain(plan.marks().iter().map(mark_item));
    records.chain(wallets).chain(rest).collect()
}

/// As [`items_of`], for one wallet's step, also a fold's: its rows and the wallet.
#[must_use]
pub fn items_of_posting(posting: &Posting) -> [Item; 2] {
    [entries_item(&posting.rows), wallet_item(&posting.after)]
}

#[cfg(test)]
mod tests;
