//! A mark as an item beside the transaction that it is of.

use wallet_domain::{Mark, MarkName};

use crate::fault::Fault;
use crate::item::{Builder, Fields, Item};
use crate::names::{PK, SK, TRANSACTION_ID, transaction_pk};

pub(crate) fn mark_item(mark: &Mark) -> Item {
    Builder::at(transaction_pk(mark.of), mark.name.as_str()).text(TRANSACTION_ID, mark.by).build()
}

pub(crate) fn mark_from_item(item: &Item) -> Result<Mark, Fault> {
    let fields = Fields(item);
    Ok(Mark {
        of: fields.named(PK, |pk| pk.strip_prefix("TXN#")?.parse().ok())?,
        name: fields.named(SK, MarkName::from_name)?,
        by: fields.parsed(TRANSACTION_ID)?,
    })
}
