//! An entry as an item. Its hash is checked by whoever recomputes the chain, not on every read.

use wallet_domain::{Account, Currency, Entry, Kind, WalletId};

use crate::fault::Fault;
use crate::items::{Builder, Fields, Item};
use crate::names::{
    AMOUNT, BALANCE_AFTER, BY, CHANGES, COUNTERPARTY, CREATED_AT, CURRENCY, ENTRY, HASH, PK, PREVIOUS_HASH, REFERENCE,
    SK, TRANSACTION_ID, TYPE, entry_sk, wallet_pk,
};

pub(crate) fn entry_item(entry: &Entry) -> Item {
    Builder::default()
        .text(PK, wallet_pk(entry.wallet))
        .text(SK, entry_sk(entry.version))
        .text(TRANSACTION_ID, entry.transaction)
        .text(TYPE, entry.kind.as_str())
        .text(CURRENCY, entry.amount.currency())
        .number(AMOUNT, entry.amount)
        .number(BALANCE_AFTER, entry.balance_after)
        .maybe_text(COUNTERPARTY, entry.counterparty)
        .maybe_text(REFERENCE, entry.reference.as_ref())
        .texts(CHANGES, &entry.changes)
        .text(BY, &entry.by)
        .time(CREATED_AT, entry.created_at)
        .text(PREVIOUS_HASH, entry.previous)
        .text(HASH, entry.hash)
        .build()
}

pub(crate) fn entry_from_item(item: &Item) -> Result<Entry, Fault> {
    let fields = Fields(item);
    let currency: Currency = fields.parsed(CURRENCY)?;
    let wallet: WalletId = fields.named(PK, |pk| pk.strip_prefix("WALLET#")?.parse().ok())?;
    let counterparty = match fields.maybe_text(COUNTERPARTY)? {
        Some(_) => Some(fields.named(COUNTERPARTY, account)?),
        None => None,
    };
    Ok(Entry {
        wallet,
        version: fields.named(SK, |sk| sk.strip_prefix(ENTRY)?.parse().ok())?,
        transaction: fields.parsed(TRANSACTION_ID)?,
        kind: fields.named(TYPE, Kind::from_name)?,
        amount: fields.money(AMOUNT, currency)?,
        balance_after: fields.money(BALANCE_AFTER, currency)?,
        counterparty,
        reference: fields.maybe_parsed(REFERENCE)?,
        changes: fields.texts(CHANGES)?,
        by: fields.parsed(BY)?,
        created_at: fields.parsed(CREATED_AT)?,
        previous: fields.parsed(PREVIOUS_HASH)?,
        hash: fields.parsed(HASH)?,
    })
}

fn account(text: &str) -> Option<Account> {
    Account::system(text).or_else(|| text.parse().ok().map(Account::Wallet))
}
