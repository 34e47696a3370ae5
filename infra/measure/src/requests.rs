//! The requests that the measurements put to a ledger directly, all of them in EUR.

use anyhow::Result;
use wallet_domain::{Amount, Caller, Credits, Metadata, Money, Open, Order};

/// Somebody who may debit any wallet.
pub(crate) fn caller(subject: &str) -> Result<Caller> {
    Ok(Caller { subject: subject.parse()?, admin: true })
}

/// To open a wallet of `subject`'s.
pub(crate) fn open(subject: &str, key: &str) -> Result<Open> {
    let (caller, currency) = (caller(subject)?, "EUR".parse()?);
    Ok(Open {
        owner: caller.subject.clone(),
        caller,
        key: key.parse()?,
        currency,
        floor: Money::zero(currency),
        ceiling: None,
        limits: Default::default(),
        credits: Credits::Immediate,
        metadata: Metadata::default(),
    })
}

pub(crate) fn order(subject: &str, key: &str, amount: &str) -> Result<Order> {
    Ok(Order {
        caller: caller(subject)?,
        key: key.parse()?,
        amount: Amount::parse(amount, "EUR".parse()?)?,
        reference: None,
        metadata: Metadata::default(),
        expected_version: None,
    })
}
