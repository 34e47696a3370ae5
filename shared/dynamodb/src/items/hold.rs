//! A hold as an item beside the wallet whose money it keeps back.

use wallet_domain::{
    BasisPoints, Bounds, Currency, FeeSchedule, Hold, HoldKey, HoldStatus, HoldTerms, Timestamp, WalletId,
};

use crate::fault::Fault;
use crate::item::{Builder, Fields, Item};
use crate::names::{
    AMOUNT, BASIS_POINTS, CAPTURED, CAPTURES, CURRENCY, DESTINATION, DUE, DUE_AT, EXPIRES_AT, FEE, HOLD, MAXIMUM,
    METADATA, MINIMUM, PK, REFERENCE, SK, STATUS, hold_sk, wallet_pk,
};

pub(crate) fn hold_item(hold: &Hold) -> Item {
    let (currency, active) = (hold.amount.currency(), hold.status == HoldStatus::Active);
    hold_key(&hold.key())
        .text(CURRENCY, currency)
        .number(AMOUNT, hold.amount)
        .maybe_text(DESTINATION, hold.destination)
        .text(STATUS, hold.status.as_str())
        .number(CAPTURED, hold.captured)
        .number(CAPTURES, hold.captures)
        .time(EXPIRES_AT, hold.terms.expires_at)
        .maybe_text(REFERENCE, hold.reference.as_ref())
        .texts(METADATA, hold.metadata.labels())
        .maybe_text(DUE, active.then(|| due_of(hold.source)))
        .maybe_time(DUE_AT, active.then_some(hold.terms.expires_at))
        .maybe_map(FEE, hold.terms.fee.as_ref().map(|fee| fee_item(fee, currency)))
        .build()
}

/// The shares of [`crate::DUE_INDEX`] that holds are in. One takes 1,000 writes a second, so that 16,000 holds a second can be
/// made; a sweep asks each share once.
pub(crate) fn dues() -> impl Iterator<Item = String> {
    "0123456789abcdef".chars().map(|digit| format!("hold#{digit}"))
}

/// The share that the holds of `wallet` are in: by the wallet, so that who is short of money looks in one.
pub(crate) fn due_of(wallet: WalletId) -> String {
    let wallet = wallet.to_string();
    format!("hold#{}", wallet.chars().last().expect("an id has digits"))
}

/// Where a hold is.
pub(crate) fn hold_key(key: &HoldKey) -> Builder {
    Builder::at(wallet_pk(key.wallet), hold_sk(key))
}

/// The hold at a key, as an index has it.
pub(crate) fn hold_key_from(item: &Item) -> Result<HoldKey, Fault> {
    let fields = Fields(item);
    let wallet: WalletId = fields.named(PK, |pk| pk.strip_prefix("WALLET#")?.parse().ok())?;
    fields.named(SK, |sk| {
        let (created_at, id) = sk.strip_prefix(HOLD)?.split_once('#')?;
        let created_at = Timestamp::from_millisecond(created_at.parse().ok()?).ok()?;
        Some(HoldKey { wallet, created_at, id: id.parse().ok()? })
    })
}

pub(crate) fn hold_from_item(item: &Item) -> Result<Hold, Fault> {
    let fields = Fields(item);
    let HoldKey { wallet: source, created_at, id } = hold_key_from(item)?;
    let currency: Currency = fields.parsed(CURRENCY)?;
    let fee = fields.maybe_map(FEE)?.map(|fee| fee_from(fee, currency).map_err(|_| fields.wrong(FEE))).transpose()?;
    let hold = Hold {
        id,
        source,
        destination: fields.maybe_parsed(DESTINATION)?,
        amount: fields.money(AMOUNT, currency)?,
        terms: HoldTerms { expires_at: fields.parsed(EXPIRES_AT)?, fee },
        status: fields.named(STATUS, HoldStatus::from_name)?,
        captured: fields.money(CAPTURED, currency)?,
        captures: fields.number(CAPTURES)?,
        reference: fields.maybe_parsed(REFERENCE)?,
        metadata: fields.metadata()?,
        created_at,
    };
    let sound = !hold.captured.is_negative() && hold.captured.is_less_than(hold.amount).is_ok();
    if sound && hold.held().is_ok() { Ok(hold) } else { Err(fields.wrong(CAPTURED)) }
}

/// What a hold pins of the deployment's fee, as a map.
pub(crate) fn fee_item(fee: &FeeSchedule, currency: Currency) -> Item {
    let (minimum, maximum) = fee.bounds(currency);
    Builder::default()
        .number(BASIS_POINTS, fee.basis_points().get())
        .maybe_number(MINIMUM, minimum)
        .maybe_number(MAXIMUM, maximum)
        .build()
}

pub(crate) fn fee_from(fields: Fields<'_>, currency: Currency) -> Result<FeeSchedule, Fault> {
    let points = BasisPoints::new(fields.number(BASIS_POINTS)?).map_err(|_| fields.wrong(BASIS_POINTS))?;
    let bound = |name| Bounds::new(fields.maybe_money(name, currency)?).map_err(|_| fields.wrong(name));
    FeeSchedule::new(points, bound(MINIMUM)?, bound(MAXIMUM)?).map_err(|_| fields.wrong(MINIMUM))
}
