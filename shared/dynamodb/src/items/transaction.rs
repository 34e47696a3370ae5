//! A transaction as an item, with its legs or its refusal.

use wallet_domain::{
    Account, BasisPoints, Currency, Facts, HoldTerms, Kind, Leg, Limit, Money, Outcome, RebateRule, Refusal, Release,
    Rounding, Transaction,
};

use crate::fault::Fault;
use crate::item::{Builder, Fields, Item};
use crate::items::hold::{fee_from, fee_item};
use crate::items::wallet::{wallet_from_item, wallet_item};
use crate::names::{
    ACCOUNT, AMOUNT, ASKED_WALLET_ID, ATTEMPT_WALLET, AVAILABLE, BALANCE_AFTER, BASIS_POINTS, CALLER, CALLER_REFERENCE,
    CAP, CODE, COUNTERPARTY, CREATED_AT, CURRENCY, DESTINATION, EXPIRES_AT, FEE, FINGERPRINT, FORMAT, HOLD_ID,
    HOLD_TERMS, HOLDS, ID, LEGS, LIMIT, METADATA, MINIMUM, MONTHLY_CAP, OWNER, PARENT_ID, PAYMENT, REFERENCE, REFUSAL,
    RELEASED, REQUESTED, RESULT, ROUNDING, RULE, RULE_ID, SEAL, STATUS, TXN, TYPE, VERSION_AFTER, WALLET_ID,
    caller_reference, transaction_pk,
};

const POSTED: &str = "posted";
const FAILED: &str = "failed";

pub(crate) fn transaction_item(transaction: &Transaction) -> Item {
    let fee = (!transaction.fee.is_zero()).then_some(transaction.fee);
    let reference = transaction.reference.as_ref();
    let builder = Builder::at(transaction_pk(transaction.id), TXN)
        .text(ID, transaction.id)
        .text(TYPE, transaction.kind.as_str())
        .text(CURRENCY, transaction.amount.currency())
        .number(AMOUNT, transaction.amount)
        .maybe_number(FEE, fee)
        .text(CALLER, &transaction.caller)
        .maybe_text(REFERENCE, reference)
        .maybe_text(CALLER_REFERENCE, reference.map(|reference| caller_reference(&transaction.caller, reference)))
        .texts(METADATA, transaction.metadata.labels())
        .maybe_text(PARENT_ID, transaction.parent)
        .maybe_text(DESTINATION, transaction.destination)
        .digest(FINGERPRINT, transaction.fingerprint)
        .time(CREATED_AT, transaction.created_at)
        .number(FORMAT, transaction.format)
        .digest(SEAL, transaction.seal)
        .maybe_text(RULE_ID, transaction.rule.as_ref().map(|rule| rule.id.as_str()))
        .maybe_map(RULE, transaction.rule.as_ref().map(terms))
        .maybe_map(HOLD_TERMS, transaction.hold.as_ref().map(|terms| terms_item(terms, transaction.amount.currency())))
        .maybe_maps(RELEASED, transaction.released.iter().map(release_item));
    match &transaction.outcome {
        Outcome::Posted { legs, wallet } => {
            let counterparty = transaction.counterparty_of(transaction.wallet);
            builder
                .text(STATUS, POSTED)
                .text(WALLET_ID, transaction.wallet)
                .maybe_text(COUNTERPARTY, counterparty)
                .maps(LEGS, legs.iter().map(leg_item))
                .maybe_map(RESULT, wallet.as_deref().map(wallet_item))
        }
        // Filed under the wallet that refused, whatever wallet was asked about, or that an expired request was to debit or
        // credit; not filed if its caller found no such wallet.
        Outcome::Failed { refusal, owner } => {
            let refused = refusal.facts().wallet.unwrap_or(transaction.wallet);
            let asked = Some(transaction.wallet).filter(|asked| *asked != refused);
            let other = transaction.destination.filter(|destination| *destination != refused).or(asked);
            builder
                .text(STATUS, FAILED)
                .text(WALLET_ID, refused)
                .maybe_text(ASKED_WALLET_ID, asked)
                .maybe_text(COUNTERPARTY, other)
                .maybe_text(ATTEMPT_WALLET, refusal.facts().recorded.then_some(refused))
                .maybe_map(REFUSAL, Some(refusal_item(refusal, owner)))
        }
    }
    .build()
}

pub(crate) fn transaction_from_item(item: &Item) -> Result<Transaction, Fault> {
    let fields = Fields(item);
    let currency: Currency = fields.parsed(CURRENCY)?;
    let outcome = match fields.text(STATUS)? {
        POSTED => posted(fields, currency)?,
        FAILED => {
            let map = fields.map(REFUSAL)?;
            let refusal = refusal_from(map, currency)?.ok_or_else(|| fields.wrong(REFUSAL))?;
            Outcome::Failed { refusal, owner: map.parsed(OWNER)? }
        }
        _ => return Err(fields.wrong(STATUS)),
    };
    let rule = match fields.maybe_map(RULE)? {
        Some(terms) => Some(RebateRule {
            id: fields.parsed(RULE_ID)?,
            basis_points: BasisPoints::new(terms.number(BASIS_POINTS)?).map_err(|_| fields.wrong(RULE))?,
            rounding: terms.named(ROUNDING, Rounding::from_name)?,
            minimum: terms.maybe_money(MINIMUM, currency)?,
            cap: terms.maybe_money(CAP, currency)?,
            monthly_cap: terms.maybe_money(MONTHLY_CAP, currency)?,
        }),
        None => None,
    };
    Ok(Transaction {
        id: fields.parsed(ID)?,
        kind: fields.named(TYPE, Kind::from_name)?,
        wallet: fields.maybe_parsed(ASKED_WALLET_ID)?.map_or_else(|| fields.parsed(WALLET_ID), Ok)?,
        destination: fields.maybe_parsed(DESTINATION)?,
        amount: fields.money(AMOUNT, currency)?,
        fee: fields.maybe_money(FEE, currency)?.unwrap_or_else(|| Money::zero(currency)),
        outcome,
        caller: fields.parsed(CALLER)?,
        reference: fields.maybe_parsed(REFERENCE)?,
        metadata: fields.metadata()?,
        parent: fields.maybe_parsed(PARENT_ID)?,
        rule,
        hold: hold_terms(fields, currency)?,
        released: released(fields, currency)?,
        fingerprint: fields.digest(FINGERPRINT)?,
        created_at: fields.parsed(CREATED_AT)?,
        format: fields.number(FORMAT)?,
        seal: fields.digest(SEAL)?,
    })
}

/// What a hold pins, as a map.
fn terms_item(terms: &HoldTerms, currency: Currency) -> Item {
    let fee = terms.fee.as_ref().map(|fee| fee_item(fee, currency));
    Builder::default().time(EXPIRES_AT, terms.expires_at).maybe_map(FEE, fee).build()
}

fn hold_terms(fields: Fields<'_>, currency: Currency) -> Result<Option<HoldTerms>, Fault> {
    let Some(terms) = fields.maybe_map(HOLD_TERMS)? else { return Ok(None) };
    let read = || {
        let fee = terms.maybe_map(FEE)?.map(|fee| fee_from(fee, currency)).transpose()?;
        Ok(HoldTerms { expires_at: terms.parsed(EXPIRES_AT)?, fee })
    };
    read().map(Some).map_err(|_: Fault| fields.wrong(HOLD_TERMS))
}

fn release_item(release: &Release) -> Item {
    Builder::default().text(HOLD_ID, release.hold).number(AMOUNT, release.amount).build()
}

fn released(fields: Fields<'_>, currency: Currency) -> Result<Vec<Release>, Fault> {
    let release =
        |release: Fields<'_>| Ok(Release { hold: release.parsed(HOLD_ID)?, amount: release.money(AMOUNT, currency)? });
    fields
        .maybe_maps(RELEASED)?
        .into_iter()
        .map(release)
        .collect::<Result<_, _>>()
        .map_err(|_: Fault| fields.wrong(RELEASED))
}

fn terms(rule: &RebateRule) -> Item {
    Builder::default()
        .number(BASIS_POINTS, rule.basis_points.get())
        .text(ROUNDING, rule.rounding.as_str())
        .maybe_number(MINIMUM, rule.minimum)
        .maybe_number(CAP, rule.cap)
        .maybe_number(MONTHLY_CAP, rule.monthly_cap)
        .build()
}

fn posted(fields: Fields<'_>, currency: Currency) -> Result<Outcome, Fault> {
    let legs = fields.maps(LEGS)?.into_iter().map(|leg| leg_from(leg, currency)).collect::<Result<_, _>>()?;
    let wallet = fields.maybe_map(RESULT)?.map(|wallet| wallet_from_item(wallet.0)).transpose()?;
    Ok(Outcome::Posted { legs, wallet: wallet.map(Box::new) })
}

fn leg_item(leg: &Leg) -> Item {
    let builder = Builder::default().number(AMOUNT, leg.amount()).maybe_text(REFERENCE, leg.reference());
    match leg {
        Leg::Wallet { wallet, owner, balance_after, version_after, .. } => builder
            .text(WALLET_ID, wallet)
            .text(OWNER, owner)
            .number(BALANCE_AFTER, balance_after)
            .number(VERSION_AFTER, version_after),
        Leg::Credit { wallet, owner, .. } => builder.text(WALLET_ID, wallet).text(OWNER, owner),
        Leg::System { account, .. } => builder.text(ACCOUNT, account),
    }
    .build()
}

fn leg_from(fields: Fields<'_>, currency: Currency) -> Result<Leg, Fault> {
    let amount = fields.money(AMOUNT, currency)?;
    if let Some(account) = fields.maybe_named(ACCOUNT, Account::system)? {
        return Ok(Leg::System { account, amount });
    }
    let (wallet, owner, reference) =
        (fields.parsed(WALLET_ID)?, fields.parsed(OWNER)?, fields.maybe_parsed(REFERENCE)?);
    if fields.0.get(VERSION_AFTER).is_none() {
        return Ok(Leg::Credit { wallet, owner, amount, reference });
    }
    Ok(Leg::Wallet {
        wallet,
        owner,
        amount,
        balance_after: fields.money(BALANCE_AFTER, currency)?,
        version_after: fields.number(VERSION_AFTER)?,
        reference,
    })
}

/// A recorded refusal as a map, with the owner of the wallet that refused.
fn refusal_item(refusal: &Refusal, owner: &wallet_domain::Owner) -> Item {
    let Facts { code, wallet, limit, holds, available, requested, payment, recorded: _ } = refusal.facts();
    Builder::default()
        .text(CODE, code)
        .text(OWNER, owner)
        .maybe_text(WALLET_ID, wallet)
        .maybe_text(LIMIT, limit.map(Limit::as_str))
        .maybe_text(HOLDS, holds)
        .maybe_number(AVAILABLE, available)
        .maybe_number(REQUESTED, requested)
        .maybe_number(PAYMENT, payment)
        .build()
}

fn refusal_from(fields: Fields<'_>, currency: Currency) -> Result<Option<Refusal>, Fault> {
    let facts = Facts {
        code: fields.text(CODE)?,
        recorded: true,
        wallet: fields.maybe_parsed(WALLET_ID)?,
        limit: fields.maybe_text(LIMIT)?.and_then(Limit::from_name),
        holds: fields.maybe_parsed(HOLDS)?,
        available: fields.maybe_money(AVAILABLE, currency)?,
        requested: fields.maybe_money(REQUESTED, currency)?,
        payment: fields.maybe_number(PAYMENT)?,
    };
    Ok(Refusal::recorded(facts, currency))
}
