//! A wallet as an item, at its own key or inside the transaction that opened or amended it.

use wallet_domain::{Amount, Counters, Credits, Currency, Limits, Money, Rebated, Status, Timestamp, Wallet, WalletId};

use crate::fault::Fault;
use crate::item::{Builder, Fields, Item};
use crate::lease::Lease;
use crate::names::{
    BALANCE, CEILING, CREATED_AT, CREDITS, CREDITS_CHANGED_AT, CURRENCY, FLOOR, HEAD, HELD, LEASE_HOLDER, LEASE_UNTIL,
    MAX_DAILY_OUTFLOW, MAX_MOVEMENT, METADATA, OUTFLOW, OUTFLOW_DAY, OWNER, PK, REBATED, STATUS, TRANSFER_MINUTE,
    TRANSFERS, TRANSFERS_PER_MINUTE, UPDATED_AT, VERSION, WALLET, wallet_pk,
};

pub(crate) fn wallet_item(wallet: &Wallet) -> Item {
    Builder::at(wallet_pk(wallet.id), WALLET)
        .text(OWNER, &wallet.owner)
        .text(CURRENCY, wallet.currency())
        .number(BALANCE, wallet.balance)
        .maybe_number(HELD, Some(wallet.held).filter(|held| !held.is_zero()))
        .number(VERSION, wallet.version)
        .text(STATUS, wallet.status.as_str())
        .maybe_text(CREDITS, (wallet.credits != Credits::Immediate).then_some(wallet.credits.as_str()))
        .maybe_time(CREDITS_CHANGED_AT, wallet.credits_changed_at)
        .number(FLOOR, wallet.floor)
        .maybe_number(CEILING, wallet.ceiling)
        .maybe_number(MAX_MOVEMENT, wallet.limits.max_movement.map(Amount::money))
        .maybe_number(MAX_DAILY_OUTFLOW, wallet.limits.max_daily_outflow.map(Amount::money))
        .maybe_number(TRANSFERS_PER_MINUTE, wallet.limits.transfers_per_minute)
        .number(OUTFLOW_DAY, wallet.counters.day)
        .number(OUTFLOW, wallet.counters.outflow)
        .number(TRANSFER_MINUTE, wallet.counters.minute)
        .number(TRANSFERS, wallet.counters.transfers)
        .numbers(REBATED, wallet.rebated.all().map(|(month, rule, sum)| (format!("{month}#{}", rule.as_str()), sum)))
        .digest(HEAD, wallet.head)
        .texts(METADATA, wallet.metadata.labels())
        .time(CREATED_AT, wallet.created_at)
        .time(UPDATED_AT, wallet.updated_at)
        .build()
}

pub(crate) fn wallet_from_item(item: &Item) -> Result<Wallet, Fault> {
    let fields = Fields(item);
    let currency: Currency = fields.parsed(CURRENCY)?;
    let limit = |name| {
        let money = fields.maybe_money(name, currency)?;
        money.map(|money| Amount::new(money).map_err(|_| fields.wrong(name))).transpose()
    };
    let id: WalletId = fields.named(PK, |pk| pk.strip_prefix("WALLET#")?.parse().ok())?;
    Ok(Wallet {
        id,
        owner: fields.parsed(OWNER)?,
        balance: fields.money(BALANCE, currency)?,
        held: fields.maybe_money(HELD, currency)?.unwrap_or_else(|| Money::zero(currency)),
        version: fields.number(VERSION)?,
        status: fields.named(STATUS, Status::from_name)?,
        credits: fields.maybe_named(CREDITS, Credits::from_name)?.unwrap_or(Credits::Immediate),
        credits_changed_at: fields.maybe_parsed(CREDITS_CHANGED_AT)?,
        floor: fields.money(FLOOR, currency)?,
        ceiling: fields.maybe_money(CEILING, currency)?,
        limits: Limits {
            max_movement: limit(MAX_MOVEMENT)?,
            max_daily_outflow: limit(MAX_DAILY_OUTFLOW)?,
            transfers_per_minute: fields.maybe_number(TRANSFERS_PER_MINUTE)?,
        },
        counters: Counters {
            day: fields.number(OUTFLOW_DAY)?,
            outflow: fields.money(OUTFLOW, currency)?,
            minute: fields.number(TRANSFER_MINUTE)?,
            transfers: fields.number(TRANSFERS)?,
        },
        rebated: rebated(fields, currency)?,
        head: fields.digest(HEAD)?,
        metadata: fields.metadata()?,
        created_at: fields.parsed(CREATED_AT)?,
        updated_at: fields.parsed(UPDATED_AT)?,
    })
}

/// `{"2026-11#standard": 12.5}`; wallets without a rebate under a monthly cap have none.
fn rebated(fields: Fields<'_>, currency: Currency) -> Result<Rebated, Fault> {
    let Some(sums) = fields.maybe_map(REBATED)? else { return Ok(Rebated::default()) };
    let sum = |name: &String| {
        let (month, rule) = name.split_once('#').ok_or_else(|| fields.wrong(REBATED))?;
        let month = month.parse().map_err(|_| fields.wrong(REBATED))?;
        let rule = rule.parse().map_err(|_| fields.wrong(REBATED))?;
        Ok((month, rule, sums.money(name, currency).map_err(|_| fields.wrong(REBATED))?))
    };
    Ok(Rebated::new(sums.0.keys().map(sum).collect::<Result<Vec<_>, _>>()?))
}

/// The lease on a wallet's item. It may have expired.
pub(crate) fn lease_of(item: &Item) -> Result<Option<Lease>, Fault> {
    let fields = Fields(item);
    let Some(holder) = fields.maybe_text(LEASE_HOLDER)? else { return Ok(None) };
    let until = Timestamp::from_millisecond(fields.number(LEASE_UNTIL)?).map_err(|_| fields.wrong(LEASE_UNTIL))?;
    Ok(Some(Lease { holder: holder.to_owned(), until }))
}
