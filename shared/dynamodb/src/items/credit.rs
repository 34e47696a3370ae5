//! A credit that waits in a wallet's inbox, as an item.

use wallet_domain::{Account, Credit, Currency, Kind, TransactionId, WalletId};

use crate::fault::Fault;
use crate::item::{Builder, Fields, Item};
use crate::names::{
    AMOUNT, CALLER, COUNTERPARTY, CREATED_AT, CURRENCY, INBOX, PK, REFERENCE, SEAL, SK, TYPE, inbox_pk,
};

pub(crate) fn credit_item(credit: &Credit) -> Item {
    credit_key(credit.wallet, credit.transaction)
        .text(TYPE, credit.kind.as_str())
        .text(CURRENCY, credit.amount.currency())
        .number(AMOUNT, credit.amount)
        .text(COUNTERPARTY, credit.counterparty)
        .maybe_text(REFERENCE, credit.reference.as_ref())
        .text(CALLER, &credit.caller)
        .time(CREATED_AT, credit.created_at)
        .digest(SEAL, credit.seal)
        .build()
}

/// Where the credit of `transaction` for `wallet` waits.
pub(crate) fn credit_key(wallet: WalletId, transaction: TransactionId) -> Builder {
    Builder::at(inbox_pk(wallet), transaction)
}

/// Whose inbox an item is in, and of which transaction it is, whatever else can be read of it.
pub(crate) fn credit_place(item: &Item) -> Option<(WalletId, TransactionId)> {
    let fields = Fields(item);
    let wallet = fields.text(PK).ok()?.strip_prefix(INBOX)?.parse().ok()?;
    Some((wallet, fields.parsed(SK).ok()?))
}

pub(crate) fn credit_from_item(item: &Item) -> Result<Credit, Fault> {
    let fields = Fields(item);
    let currency: Currency = fields.parsed(CURRENCY)?;
    let amount = fields.money(AMOUNT, currency)?;
    if amount.minor_units() <= 0 {
        return Err(fields.wrong(AMOUNT));
    }
    Ok(Credit {
        wallet: fields.named(PK, |pk| pk.strip_prefix(INBOX)?.parse().ok())?,
        transaction: fields.parsed(SK)?,
        kind: fields.named(TYPE, Kind::from_name)?,
        amount,
        counterparty: fields.named(COUNTERPARTY, Account::from_name)?,
        reference: fields.maybe_parsed(REFERENCE)?,
        caller: fields.parsed(CALLER)?,
        created_at: fields.parsed(CREATED_AT)?,
        seal: fields.digest(SEAL)?,
    })
}
