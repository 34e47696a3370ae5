//! Rows of a statement that one commit made, as one item. What is the same for all of them is said once; each row's
//! version, balance and hash follow from the row before, and the item holds those of the last.

use wallet_domain::{Account, Currency, Digest, Entry, Kind, Money, Timestamp, WalletId};

use crate::fault::Fault;
use crate::item::{Builder, Fields, Item};
use crate::names::{
    AMOUNT, BALANCE_AFTER, CALLER, CHANGES, COUNTERPARTY, CREATED_AT, CURRENCY, ENTRY, FORMAT, HASH, HELD_AFTER, PK,
    PREVIOUS_HASH, REFERENCE, ROWS, SEAL, SK, STATE, TRANSACTION_ID, TYPE, entry_sk, wallet_pk,
};

/// The item of `rows`: of one wallet, consecutive, never none, all of one time and one state.
pub(crate) fn entries_item(rows: &[Entry]) -> Item {
    let (first, last) = rows.first().zip(rows.last()).expect("a posting has a row");
    let row = |entry: &Entry| {
        Builder::default()
            .text(TRANSACTION_ID, entry.transaction)
            .text(TYPE, entry.kind.as_str())
            .number(AMOUNT, entry.amount)
            .maybe_text(COUNTERPARTY, entry.counterparty)
            .maybe_text(REFERENCE, entry.reference.as_ref())
            .texts(CHANGES, &entry.changes)
            .text(CALLER, &entry.caller)
            .digest(SEAL, entry.seal)
            .build()
    };
    Builder::at(wallet_pk(first.wallet), entry_sk(first.version))
        .text(CURRENCY, first.amount.currency())
        .time(CREATED_AT, first.created_at)
        .digest(STATE, first.state)
        .number(FORMAT, first.format)
        .digest(PREVIOUS_HASH, first.previous)
        .maps(ROWS, rows.iter().map(row))
        .number(BALANCE_AFTER, last.balance_after)
        .maybe_number(HELD_AFTER, Some(last.held_after).filter(|held| !held.is_zero()))
        .digest(HASH, last.hash)
        .build()
}

/// The rows of an item, oldest first. The last one's hash is the one stored: whoever recomputes the chain checks it, not
/// every read.
pub(crate) fn entries_from_item(item: &Item) -> Result<Vec<Entry>, Fault> {
    let fields = Fields(item);
    let currency = fields.parsed(CURRENCY)?;
    let common = Common {
        currency,
        held_after: fields.maybe_money(HELD_AFTER, currency)?.unwrap_or_else(|| Money::zero(currency)),
        wallet: fields.named(PK, |pk| pk.strip_prefix("WALLET#")?.parse().ok())?,
        created_at: fields.parsed(CREATED_AT)?,
        state: fields.digest(STATE)?,
        format: fields.number(FORMAT)?,
    };
    let first: u64 = fields.named(SK, |sk| sk.strip_prefix(ENTRY)?.parse().ok())?;
    let mut rows = vec![];
    for row in fields.maps(ROWS)? {
        rows.push(common.row(row).map_err(|_| fields.wrong(ROWS))?);
    }
    // Balances are reckoned back from the last, hashes forward from the first.
    let mut balance = fields.money(BALANCE_AFTER, common.currency)?;
    for row in rows.iter_mut().rev() {
        row.balance_after = balance;
        balance = balance.minus(row.amount).map_err(|_| fields.wrong(ROWS))?;
    }
    let (mut version, mut previous) = (first, fields.digest(PREVIOUS_HASH)?);
    let last = rows.len().checked_sub(1).ok_or_else(|| fields.wrong(ROWS))?;
    for (at, row) in rows.iter_mut().enumerate() {
        (row.version, row.previous) = (version, previous);
        row.hash = if at == last {
            fields.digest(HASH)?
        } else {
            // Only the last row's hash is stored: of a format that this code does not know, only items of one row can be
            // read.
            row.computed_hash().ok_or_else(|| fields.wrong(FORMAT))?
        };
        (version, previous) = (version.saturating_add(1), row.hash);
    }
    Ok(rows)
}

/// What all rows of an item share.
struct Common {
    currency: Currency,
    held_after: Money,
    wallet: WalletId,
    created_at: Timestamp,
    state: Digest,
    format: u32,
}

impl Common {
    /// A row by itself, before its place among the others is known.
    fn row(&self, fields: Fields<'_>) -> Result<Entry, Fault> {
        Ok(Entry {
            wallet: self.wallet,
            version: 0,
            transaction: fields.parsed(TRANSACTION_ID)?,
            kind: fields.named(TYPE, Kind::from_name)?,
            amount: fields.money(AMOUNT, self.currency)?,
            balance_after: Money::zero(self.currency),
            held_after: self.held_after,
            counterparty: fields.maybe_named(COUNTERPARTY, Account::from_name)?,
            reference: fields.maybe_parsed(REFERENCE)?,
            changes: fields.texts(CHANGES)?,
            caller: fields.parsed(CALLER)?,
            created_at: self.created_at,
            seal: fields.digest(SEAL)?,
            state: self.state,
            previous: wallet_domain::GENESIS,
            format: self.format,
            hash: wallet_domain::GENESIS,
        })
    }
}
