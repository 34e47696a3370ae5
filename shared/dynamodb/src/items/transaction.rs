//! A transaction as an item, with its legs or its refusal.

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_domain::{
    Account, BasisPoints, Currency, Kind, Leg, Limit, Money, Outcome, RebateRule, Refusal, Rounding, Transaction,
    TransactionId, WalletId,
};

use crate::fault::Fault;
use crate::items::{Builder, Fields, Item, wallet_from_item, wallet_item};
use crate::names::{
    ACCOUNT, AMOUNT, ATTEMPT_WALLET, AVAILABLE, BALANCE_AFTER, BASIS_POINTS, CAP, CODE, COUNTERPARTY, CREATED_AT,
    CURRENCY, FEE, FINGERPRINT, HOLDS, ID, LEGS, LIMIT, METADATA, MINIMUM, MONTHLY_CAP, OWNER, PARENT_ID, PK,
    PRINCIPAL, REFERENCE, REFUSAL, REQUESTED, RESULT, REVERSAL, ROUNDING, RULE, RULE_ID, SK, STATUS, TRANSACTION_ID,
    TXN, TYPE, VERSION_AFTER, WALLET_ID, transaction_pk,
};

const POSTED: &str = "posted";
const FAILED: &str = "failed";

pub(crate) fn transaction_item(transaction: &Transaction) -> Item {
    let fee = (!transaction.fee.is_zero()).then_some(transaction.fee);
    let builder = Builder::default()
        .text(PK, transaction_pk(transaction.id))
        .text(SK, TXN)
        .text(ID, transaction.id)
        .text(TYPE, transaction.kind.as_str())
        .text(WALLET_ID, transaction.wallet)
        .text(CURRENCY, transaction.amount.currency())
        .number(AMOUNT, transaction.amount)
        .maybe_number(FEE, fee)
        .text(PRINCIPAL, &transaction.principal)
        .maybe_text(REFERENCE, transaction.reference.as_ref())
        .texts(METADATA, transaction.metadata.labels())
        .maybe_text(PARENT_ID, transaction.parent)
        .text(FINGERPRINT, transaction.fingerprint)
        .time(CREATED_AT, transaction.created_at);
    let builder = match &transaction.rule {
        Some(rule) => builder.text(RULE_ID, rule.id.as_str()).value(RULE, AttributeValue::M(terms(rule))),
        None => builder,
    };
    match &transaction.outcome {
        Outcome::Posted { legs, wallet } => {
            let counterparty = legs.iter().map(account).find(|other| *other != Account::Wallet(transaction.wallet));
            let legs = legs.iter().map(|leg| AttributeValue::M(leg_item(leg))).collect();
            let builder = builder
                .text(STATUS, POSTED)
                .maybe_text(COUNTERPARTY, counterparty)
                .value(LEGS, AttributeValue::L(legs));
            match wallet {
                Some(wallet) => builder.value(RESULT, AttributeValue::M(wallet_item(wallet))),
                None => builder,
            }
        }
        Outcome::Failed(refusal) => builder
            .text(STATUS, FAILED)
            .maybe_text(COUNTERPARTY, transaction.destination)
            .text(ATTEMPT_WALLET, transaction.wallet)
            .value(REFUSAL, AttributeValue::M(refusal_item(refusal))),
    }
    .build()
}

pub(crate) fn transaction_from_item(item: &Item) -> Result<Transaction, Fault> {
    let fields = Fields(item);
    let currency: Currency = fields.parsed(CURRENCY)?;
    let outcome = match fields.text(STATUS)? {
        POSTED => posted(fields, currency)?,
        FAILED => Outcome::Failed(refusal_from(fields.map(REFUSAL)?, currency)?),
        _ => return Err(fields.wrong(STATUS)),
    };
    let rule = match fields.maybe_map(RULE)? {
        Some(terms) => Some(RebateRule {
            id: fields.parsed(RULE_ID)?,
            basis_points: BasisPoints::new(terms.number(BASIS_POINTS)?).map_err(|_| fields.wrong(RULE))?,
            // Deposits from before there was a choice don't name it.
            rounding: match terms.maybe_text(ROUNDING)? {
                Some(name) => Rounding::from_name(name).ok_or_else(|| fields.wrong(RULE))?,
                None => Rounding::TowardZero,
            },
            minimum: terms.maybe_money(MINIMUM, currency)?,
            cap: terms.maybe_money(CAP, currency)?,
            monthly_cap: terms.maybe_money(MONTHLY_CAP, currency)?,
        }),
        None => None,
    };
    let kind = fields.named(TYPE, Kind::from_name)?;
    let destination = if kind == Kind::Transfer { fields.maybe_parsed(COUNTERPARTY)? } else { None };
    Ok(Transaction {
        id: fields.parsed(ID)?,
        kind,
        wallet: fields.parsed(WALLET_ID)?,
        destination,
        amount: fields.money(AMOUNT, currency)?,
        fee: fields.maybe_money(FEE, currency)?.unwrap_or_else(|| Money::zero(currency)),
        outcome,
        principal: fields.parsed(PRINCIPAL)?,
        reference: fields.maybe_parsed(REFERENCE)?,
        metadata: fields.metadata()?,
        parent: fields.maybe_parsed(PARENT_ID)?,
        rule,
        fingerprint: fields.parsed(FINGERPRINT)?,
        created_at: fields.parsed(CREATED_AT)?,
    })
}

/// The mark beside a transaction that was reversed.
pub(crate) fn reversal_item(original: TransactionId, reversal: TransactionId) -> Item {
    Builder::default().text(PK, transaction_pk(original)).text(SK, REVERSAL).text(TRANSACTION_ID, reversal).build()
}

/// What such a mark says: the transaction that was reversed, and its reversal.
pub(crate) fn reversal_from_item(item: &Item) -> Result<(TransactionId, TransactionId), Fault> {
    let fields = Fields(item);
    let original = fields.named(PK, |pk| pk.strip_prefix("TXN#")?.parse().ok())?;
    Ok((original, fields.parsed(TRANSACTION_ID)?))
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
    let legs = fields.0.get(LEGS).and_then(|legs| legs.as_l().ok()).ok_or_else(|| fields.wrong(LEGS))?;
    let leg = |value: &AttributeValue| leg_from(Fields(value.as_m().map_err(|_| fields.wrong(LEGS))?), currency);
    let wallet = fields.maybe_map(RESULT)?.map(|wallet| wallet_from_item(wallet.0)).transpose()?;
    Ok(Outcome::Posted { legs: legs.iter().map(leg).collect::<Result<_, _>>()?, wallet: wallet.map(Box::new) })
}

fn account(leg: &Leg) -> Account {
    match leg {
        Leg::Wallet { wallet, .. } => Account::Wallet(*wallet),
        Leg::System { account, .. } => *account,
    }
}

fn leg_item(leg: &Leg) -> Item {
    let builder = Builder::default().number(AMOUNT, leg.amount());
    match leg {
        Leg::Wallet { wallet, owner, balance_after, version_after, .. } => builder
            .text(WALLET_ID, wallet)
            .text(OWNER, owner)
            .number(BALANCE_AFTER, balance_after)
            .number(VERSION_AFTER, version_after),
        Leg::System { account, .. } => builder.text(ACCOUNT, account),
    }
    .build()
}

fn leg_from(fields: Fields<'_>, currency: Currency) -> Result<Leg, Fault> {
    let amount = fields.money(AMOUNT, currency)?;
    if fields.maybe_text(ACCOUNT)?.is_some() {
        return Ok(Leg::System { account: fields.named(ACCOUNT, Account::system)?, amount });
    }
    Ok(Leg::Wallet {
        wallet: fields.parsed(WALLET_ID)?,
        owner: fields.parsed(OWNER)?,
        amount,
        balance_after: fields.money(BALANCE_AFTER, currency)?,
        version_after: fields.number(VERSION_AFTER)?,
    })
}

/// A refusal that is recorded, as a map. The amounts are in the transaction's currency.
fn refusal_item(refusal: &Refusal) -> Item {
    let builder = Builder::default().text(CODE, refusal.code());
    match refusal {
        Refusal::InsufficientFunds { wallet, available, requested }
        | Refusal::MaxBalanceExceeded { wallet, available, requested } => {
            builder.text(WALLET_ID, wallet).maybe_number(AVAILABLE, *available).number(REQUESTED, requested)
        }
        Refusal::LimitExceeded { wallet, limit, available, requested } => builder
            .text(WALLET_ID, wallet)
            .text(LIMIT, limit.as_str())
            .maybe_number(AVAILABLE, *available)
            .number(REQUESTED, requested),
        Refusal::WalletFrozen { wallet } | Refusal::WalletClosed { wallet } | Refusal::DepositReversed { wallet } => {
            builder.text(WALLET_ID, wallet)
        }
        Refusal::CurrencyMismatch { wallet, holds, .. } => builder.text(WALLET_ID, wallet).text(HOLDS, holds),
        Refusal::RebateBelowMinimum { wallet, requested }
        | Refusal::RebateCapReached { wallet, requested }
        | Refusal::RebateTooLate { wallet, requested } => builder.text(WALLET_ID, wallet).number(REQUESTED, requested),
        // Never recorded: `Command::failed` makes no transaction of these.
        Refusal::WalletNotFound { .. }
        | Refusal::TransactionNotFound
        | Refusal::MissingScope { .. }
        | Refusal::InvalidAmount { .. }
        | Refusal::InvalidCurrency(_)
        | Refusal::SameWallet
        | Refusal::IdempotencyKeyReused
        | Refusal::AlreadyReversed { .. }
        | Refusal::NotReversible { .. }
        | Refusal::VersionMismatch { .. }
        | Refusal::VersionNotYours { .. }
        | Refusal::WalletNotEmpty { .. }
        | Refusal::RateLimited { .. } => builder,
    }
    .build()
}

fn refusal_from(fields: Fields<'_>, currency: Currency) -> Result<Refusal, Fault> {
    let wallet: WalletId = fields.parsed(WALLET_ID)?;
    let available = fields.maybe_money(AVAILABLE, currency)?;
    let requested = || fields.money(REQUESTED, currency);
    Ok(match fields.text(CODE)? {
        "insufficient_funds" => Refusal::InsufficientFunds { wallet, available, requested: requested()? },
        "max_balance_exceeded" => Refusal::MaxBalanceExceeded { wallet, available, requested: requested()? },
        "limit_exceeded" => {
            let limit = fields.named(LIMIT, Limit::from_name)?;
            Refusal::LimitExceeded { wallet, limit, available, requested: requested()? }
        }
        "wallet_frozen" => Refusal::WalletFrozen { wallet },
        "wallet_closed" => Refusal::WalletClosed { wallet },
        "deposit_reversed" => Refusal::DepositReversed { wallet },
        "currency_mismatch" => Refusal::CurrencyMismatch { wallet, holds: fields.parsed(HOLDS)?, requested: currency },
        "rebate_below_minimum" => Refusal::RebateBelowMinimum { wallet, requested: requested()? },
        "rebate_cap_reached" => Refusal::RebateCapReached { wallet, requested: requested()? },
        "rebate_too_late" => Refusal::RebateTooLate { wallet, requested: requested()? },
        _ => return Err(fields.wrong(CODE)),
    })
}
