//! A request that was queued, in the place of the transaction that it will become.

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_domain::{Amount, Caller, Currency, Digest, Kind, Payment, Request, Transaction};

use crate::fault::Fault;
use crate::item::{Builder, Fields, Item};
use crate::items::transaction::transaction_from_item;
use crate::names::{
    ADMIN, AMOUNT, CALLER, CREATED_AT, CURRENCY, DESTINATION, DUE, DUE_AT, FINGERPRINT, ID, IDEMPOTENCY_KEY,
    LOCKING_STRATEGY, METADATA, PAYMENTS, REFERENCE, SEAL, STATUS, TXN, TYPE, WALLET_ID, transaction_pk,
};
use crate::policy::Strategy;

/// The status of an item that is no transaction yet.
pub(crate) const QUEUED: &str = "queued";
/// How many hash keys of the index share the queued requests: one alone would be a hot partition.
pub(crate) const SHARES: u8 = 16;

/// A request that waits, and the strategy that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// What was asked.
    pub request: Request,
    /// The deployment's choice without it.
    pub strategy: Option<Strategy>,
}

/// What is under the id of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// What came of the request.
    Transaction(Box<Transaction>),
    /// The request, which waits.
    Queued(Box<Queued>),
}

impl Record {
    /// The digest by which a repeated request is known to be the same.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        match self {
            Record::Transaction(transaction) => transaction.fingerprint,
            Record::Queued(queued) => queued.request.fingerprint,
        }
    }
}

pub(crate) fn record_from_item(item: &Item) -> Result<Record, Fault> {
    if Fields(item).text(STATUS)? == QUEUED {
        return request_from_item(item).map(Box::new).map(Record::Queued);
    }
    transaction_from_item(item).map(Box::new).map(Record::Transaction)
}

/// The part of [`crate::DUE_INDEX`] that is numbered `share`.
pub(crate) fn due(share: u8) -> String {
    format!("request#{share:02}")
}

/// As [`crate::items_of`], for a request that waits.
#[must_use]
pub fn request_item(queued: &Queued) -> Item {
    let Queued { request, strategy } = queued;
    Builder::at(transaction_pk(request.id), TXN)
        .text(ID, request.id)
        .text(TYPE, request.kind.as_str())
        .text(STATUS, QUEUED)
        .text(WALLET_ID, request.wallet)
        .maybe_text(DESTINATION, request.destination)
        .text(CURRENCY, request.amount.money().currency())
        .number(AMOUNT, request.amount.money())
        .text(CALLER, &request.caller.subject)
        .value(ADMIN, AttributeValue::Bool(request.caller.admin))
        .text(IDEMPOTENCY_KEY, request.key.as_str())
        .maybe_text(REFERENCE, request.reference.as_ref())
        .texts(METADATA, request.metadata.labels())
        .maybe_text(LOCKING_STRATEGY, *strategy)
        .digest(FINGERPRINT, request.fingerprint)
        .time(CREATED_AT, request.accepted_at)
        .digest(SEAL, request.seal())
        .text(DUE, due(request.fingerprint.as_bytes()[0] % SHARES))
        .time(DUE_AT, request.accepted_at)
        .maybe_maps(PAYMENTS, request.payments.iter().map(payment))
        .build()
}

fn payment(payment: &Payment) -> Item {
    Builder::default()
        .text(DESTINATION, payment.destination)
        .number(AMOUNT, payment.amount.money())
        .maybe_text(REFERENCE, payment.reference.as_ref())
        .build()
}

fn payment_from(fields: Fields<'_>, currency: Currency) -> Result<Payment, Fault> {
    Ok(Payment {
        destination: fields.parsed(DESTINATION)?,
        amount: Amount::new(fields.money(AMOUNT, currency)?).map_err(|_| fields.wrong(AMOUNT))?,
        reference: fields.maybe_parsed(REFERENCE)?,
    })
}

pub(crate) fn request_from_item(item: &Item) -> Result<Queued, Fault> {
    let fields = Fields(item);
    let currency: Currency = fields.parsed(CURRENCY)?;
    let admin = item.get(ADMIN).and_then(|admin| admin.as_bool().ok()).ok_or_else(|| fields.wrong(ADMIN))?;
    let payments = fields.maybe_maps(PAYMENTS)?.into_iter();
    let payments = payments.map(|payment| payment_from(payment, currency)).collect::<Result<_, _>>()?;
    let request = Request {
        id: fields.parsed(ID)?,
        kind: fields.named(TYPE, Kind::from_name)?,
        wallet: fields.parsed(WALLET_ID)?,
        destination: fields.maybe_parsed(DESTINATION)?,
        payments,
        caller: Caller { subject: fields.parsed(CALLER)?, admin: *admin },
        key: fields.parsed(IDEMPOTENCY_KEY)?,
        amount: Amount::new(fields.money(AMOUNT, currency)?).map_err(|_| fields.wrong(AMOUNT))?,
        reference: fields.maybe_parsed(REFERENCE)?,
        metadata: fields.metadata()?,
        fingerprint: fields.digest(FINGERPRINT)?,
        accepted_at: fields.parsed(CREATED_AT)?,
    };
    // The seal has no secret: it finds what was changed by mistake, not who may write the table and means it.
    if fields.digest(SEAL)? != request.seal() {
        return Err(fields.wrong(SEAL));
    }
    Ok(Queued { request, strategy: fields.maybe_parsed(LOCKING_STRATEGY)? })
}
