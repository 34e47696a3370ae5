//! What callers can ask for, already parsed: only valid values get this far.
//!
//! A command names the transaction it will become, the wallets it concerns, and the fingerprint of its request.

use std::sync::Arc;

use crate::fee::FeeSchedule;
use crate::hash::{Digest, Hasher};
use crate::id::{TransactionId, WalletId};
use crate::money::{Amount, Currency, Money};
use crate::rebate::{RebateTerms, RuleId};
use crate::text::{IdempotencyKey, Metadata, Owner, Reference};
use crate::transaction::{Kind, Leg, Transaction};
use crate::wallet::{Limits, Status, Wallet};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject.
    pub subject: Owner,
    /// Whether the token carries `wallets:admin`, which opens every wallet.
    pub admin: bool,
}

impl Caller {
    /// Whether the caller may read and debit `wallet`.
    #[must_use]
    pub fn owns(&self, wallet: &Wallet) -> bool {
        self.admin || wallet.owner == self.subject
    }
}

/// What every movement of money carries.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who asks.
    pub caller: Caller,
    /// Names this request for ever.
    pub key: IdempotencyKey,
    /// How much.
    pub amount: Amount,
    /// The caller's own name for it.
    pub reference: Option<Reference>,
    /// The caller's labels.
    pub metadata: Metadata,
    /// The version that the (source) wallet must be at (`If-Match`).
    pub expected_version: Option<u64>,
}

/// Opens a wallet.
#[derive(Debug, Clone)]
pub struct Open {
    /// Who asks.
    pub caller: Caller,
    /// Names this request for ever.
    pub key: IdempotencyKey,
    /// Whose the wallet will be.
    pub owner: Owner,
    /// What it will hold.
    pub currency: Currency,
    /// The lowest balance: zero or negative.
    pub floor: Money,
    /// The highest balance.
    pub ceiling: Option<Money>,
    /// Bounds on movements.
    pub limits: Limits,
    /// The owner's labels.
    pub metadata: Metadata,
}

impl Open {
    /// The id of the wallet to be.
    #[must_use]
    pub fn wallet(&self) -> WalletId {
        WalletId::opened_by(&self.caller.subject, &self.key)
    }
}

/// Changes a wallet's status, bounds or limits.
#[derive(Debug, Clone)]
pub struct Amend {
    /// Who asks.
    pub caller: Caller,
    /// Which wallet.
    pub wallet: WalletId,
    /// The version that it must be at (`If-Match`).
    pub expected_version: u64,
    /// What to change.
    pub change: Change,
}

/// New terms; `None` leaves a term as it is, `Some(None)` takes it away.
///
/// Amounts come as text: the currency is the wallet's, and only [`crate::decide`] sees the wallet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Active, frozen or closed.
    pub status: Option<Status>,
    /// The lowest balance.
    pub floor: Option<String>,
    /// The highest balance.
    pub ceiling: Option<Option<String>>,
    /// The largest single movement.
    pub max_movement: Option<Option<String>>,
    /// The outflow of one day.
    pub max_daily_outflow: Option<Option<String>>,
    /// Transfers out within one minute.
    pub transfers_per_minute: Option<Option<u32>>,
}

impl Change {
    /// The same with each amount's text as `write` puts it.
    #[must_use]
    pub(crate) fn rewritten(&self, write: impl Fn(&str) -> String) -> Change {
        let term = |text: &Option<Option<String>>| text.as_ref().map(|text| text.as_deref().map(&write));
        Change {
            status: self.status,
            floor: self.floor.as_deref().map(&write),
            ceiling: term(&self.ceiling),
            max_movement: term(&self.max_movement),
            max_daily_outflow: term(&self.max_daily_outflow),
            transfers_per_minute: self.transfers_per_minute,
        }
    }

    /// What is to change, by field name.
    #[must_use]
    pub fn described(&self) -> std::collections::BTreeMap<String, String> {
        let term = |value: &Option<Option<String>>| {
            value.as_ref().map(|value| value.clone().unwrap_or_else(|| "none".to_owned()))
        };
        let rate = self.transfers_per_minute.map(|rate| rate.map_or_else(|| "none".to_owned(), |n| n.to_string()));
        [
            ("status", self.status.map(|status| status.as_str().to_owned())),
            ("floor", self.floor.clone()),
            ("ceiling", term(&self.ceiling)),
            ("max_movement", term(&self.max_movement)),
            ("max_daily_outflow", term(&self.max_daily_outflow)),
            ("transfers_per_minute", rate),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
}

/// Brings money in.
#[derive(Debug, Clone)]
pub struct Deposit {
    /// Who, how much, under which key.
    pub order: Order,
    /// Where to.
    pub wallet: WalletId,
    /// The deployment's rebate rules: the deposit pins the first that is for it.
    pub rules: Arc<[RebateTerms]>,
}

/// Takes money out.
#[derive(Debug, Clone)]
pub struct Withdraw {
    /// Who, how much, under which key.
    pub order: Order,
    /// Where from.
    pub wallet: WalletId,
}

/// Moves money between two wallets.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Who, how much, under which key.
    pub order: Order,
    /// Where from; pays the fee.
    pub source: WalletId,
    /// Where to.
    pub destination: WalletId,
    /// What it costs.
    pub fee: Option<FeeSchedule>,
}

/// Pays the rebate that a deposit has earned.
#[derive(Debug, Clone)]
pub struct PayRebate {
    /// The deposit.
    pub deposit: TransactionId,
    /// The wallet it went to.
    pub wallet: WalletId,
    /// The rule that the deposit pinned.
    pub rule: RuleId,
}

/// Undoes a transaction, whole.
#[derive(Debug, Clone)]
pub struct Reverse {
    /// Who asks: an administrator.
    pub caller: Caller,
    /// Names this request for ever.
    pub key: IdempotencyKey,
    /// What to undo, as it is on record. Records never change, so it may have been read at any time.
    pub original: Transaction,
    /// Whether a wallet may be taken below its floor.
    pub allow_overdraft: bool,
    /// Whether the fee of a transfer is given back: a setting of the deployment.
    pub return_fee: bool,
    /// The caller's own name for it.
    pub reference: Option<Reference>,
    /// The caller's labels.
    pub metadata: Metadata,
}

/// Anything that can be asked for.
#[derive(Debug, Clone)]
pub enum Command {
    /// Open a wallet.
    Open(Open),
    /// Change a wallet's terms.
    Amend(Amend),
    /// Money in.
    Deposit(Deposit),
    /// Money out.
    Withdraw(Withdraw),
    /// Money across.
    Transfer(Transfer),
    /// A share back.
    PayRebate(PayRebate),
    /// Undone.
    Reverse(Box<Reverse>),
}

impl PayRebate {
    /// The id of the rebate's transaction.
    #[must_use]
    pub fn transaction(&self) -> TransactionId {
        TransactionId::rebate_of(self.deposit, &self.rule)
    }
}

impl Command {
    /// The kind of transaction it makes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Command::Open(_) => Kind::Opening,
            Command::Amend(_) => Kind::Amendment,
            Command::Deposit(_) => Kind::Deposit,
            Command::Withdraw(_) => Kind::Withdrawal,
            Command::Transfer(_) => Kind::Transfer,
            Command::PayRebate(_) => Kind::Rebate,
            Command::Reverse(_) => Kind::Reversal,
        }
    }

    /// The id of the transaction it will become.
    #[must_use]
    pub fn transaction(&self) -> TransactionId {
        match self {
            Command::Open(open) => TransactionId::requested_by(&open.caller.subject, &open.key),
            Command::Amend(amend) => TransactionId::amendment_of(amend.wallet, amend.expected_version),
            Command::Deposit(Deposit { order, .. })
            | Command::Withdraw(Withdraw { order, .. })
            | Command::Transfer(Transfer { order, .. }) => {
                TransactionId::requested_by(&order.caller.subject, &order.key)
            }
            Command::PayRebate(rebate) => rebate.transaction(),
            Command::Reverse(reverse) => TransactionId::requested_by(&reverse.caller.subject, &reverse.key),
        }
    }

    /// The wallet that it is about.
    #[must_use]
    pub fn wallet(&self) -> WalletId {
        match self {
            Command::Open(open) => open.wallet(),
            Command::Amend(Amend { wallet, .. })
            | Command::Deposit(Deposit { wallet, .. })
            | Command::Withdraw(Withdraw { wallet, .. })
            | Command::PayRebate(PayRebate { wallet, .. }) => *wallet,
            Command::Transfer(transfer) => transfer.source,
            Command::Reverse(reverse) => reverse.original.wallet,
        }
    }

    /// Every wallet that has to be read before deciding.
    #[must_use]
    pub fn wallets(&self) -> Vec<WalletId> {
        match self {
            Command::Open(_) => vec![],
            Command::Transfer(transfer) => vec![transfer.source, transfer.destination],
            Command::Reverse(reverse) => reverse.original.legs().iter().filter_map(Leg::wallet).collect(),
            other => vec![other.wallet()],
        }
    }

    /// The transaction that it follows.
    #[must_use]
    pub fn parent(&self) -> Option<TransactionId> {
        match self {
            Command::PayRebate(rebate) => Some(rebate.deposit),
            Command::Reverse(reverse) => Some(reverse.original.id),
            Command::Open(_)
            | Command::Amend(_)
            | Command::Deposit(_)
            | Command::Withdraw(_)
            | Command::Transfer(_) => None,
        }
    }

    /// The transactions that have to be read before deciding, beside its own: the deposit of a rebate, the rebate of a
    /// deposit that is reversed.
    #[must_use]
    pub fn references(&self) -> Vec<TransactionId> {
        match self {
            Command::PayRebate(rebate) => vec![rebate.deposit],
            Command::Reverse(reverse) => reverse.rebate().iter().map(PayRebate::transaction).collect(),
            Command::Open(_)
            | Command::Amend(_)
            | Command::Deposit(_)
            | Command::Withdraw(_)
            | Command::Transfer(_) => {
                vec![]
            }
        }
    }

    /// The transaction that it undoes; whether that was undone before has to be read before deciding.
    #[must_use]
    pub fn reverses(&self) -> Option<TransactionId> {
        match self {
            Command::Reverse(reverse) => Some(reverse.original.id),
            Command::Open(_)
            | Command::Amend(_)
            | Command::Deposit(_)
            | Command::Withdraw(_)
            | Command::Transfer(_)
            | Command::PayRebate(_) => None,
        }
    }

    /// What makes it the same request: everything that the caller said, but not how (strategy, `If-Match`), and nothing
    /// that the deployment adds (fee, rebate rule).
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let hasher = Hasher::new("request").field(self.kind().as_str()).field(&self.wallet().to_string());
        match self {
            Command::Open(open) => metadata(hasher, &open.metadata)
                .field(open.owner.as_str())
                .field(open.currency.code())
                .field(&open.floor.to_string())
                .maybe(open.ceiling)
                .maybe(open.limits.max_movement.map(Amount::money))
                .maybe(open.limits.max_daily_outflow.map(Amount::money))
                .maybe(open.limits.transfers_per_minute),
            Command::Amend(amend) => {
                let hasher = hasher.field(amend.caller.subject.as_str());
                amend
                    .change
                    .rewritten(shortest)
                    .described()
                    .iter()
                    .fold(hasher, |hasher, (name, value)| hasher.field(name).field(value))
            }
            Command::Deposit(Deposit { order, .. }) | Command::Withdraw(Withdraw { order, .. }) => {
                ordered(hasher, order)
            }
            Command::Transfer(transfer) => ordered(hasher, &transfer.order).field(&transfer.destination.to_string()),
            Command::PayRebate(rebate) => hasher.field(&rebate.deposit.to_string()).field(rebate.rule.as_str()),
            Command::Reverse(reverse) => metadata(hasher, &reverse.metadata)
                .field(&reverse.original.id.to_string())
                .field(if reverse.allow_overdraft { "overdraft" } else { "covered" })
                .maybe(reverse.reference.as_ref()),
        }
        .finish()
    }
}

/// An amount without the zeros that say nothing: the currency's scale is not known here.
fn shortest(amount: &str) -> String {
    match amount.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        _ => amount.to_owned(),
    }
}

fn ordered(hasher: Hasher, order: &Order) -> Hasher {
    let amount = order.amount.money();
    metadata(hasher, &order.metadata)
        .field(amount.currency().code())
        .field(&amount.to_string())
        .maybe(order.reference.as_ref())
}

fn metadata(hasher: Hasher, metadata: &Metadata) -> Hasher {
    let labels = metadata.labels();
    let hasher = hasher.field(&labels.len().to_string());
    labels.iter().fold(hasher, |hasher, (key, value)| hasher.field(key).field(value))
}
