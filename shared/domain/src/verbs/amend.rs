//! Amending a wallet: status, bounds, limits and how money comes in, as an entry of amount zero that says what changed and by whom.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::caller::Caller;
use crate::clock::Moment;
use crate::hash::Hasher;
use crate::id::{TransactionId, WalletId};
use crate::money::{Amount, AmountError, Money};
use crate::movement::uncovered;
use crate::plan::{Draft, NoPlan, Step};
use crate::refusal::Refusal;
use crate::shape::{Legs, Shape};
use crate::snapshots::Snapshots;
use crate::text::{IdempotencyKey, Metadata};
use crate::transaction::{Kind, Outcome};
use crate::verb::{Asked, Verb, record};
use crate::verbs::open::bounds;
use crate::wallet::{Credits, Status, Wallet};

/// Changes a wallet's status, bounds or limits.
#[derive(Debug, Clone)]
pub struct Amend {
    /// Who asks.
    pub caller: Caller,
    /// Which wallet.
    pub wallet: WalletId,
    /// What its version must be (`If-Match`).
    pub expected: Expected,
    /// What to change.
    pub change: Change,
}

/// What an amendment asks of its wallet's version, and what names the amendment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The wallet is at this version, and the version names the amendment.
    Version(u64),
    /// The wallet is there (`*`); the key names the amendment. For a wallet that moves too fast to be met at a version.
    Any(IdempotencyKey),
}

/// Longer than any request lives: one that found the wallet's credits batched has put its credit into the inbox by then, or
/// never will.
const LONGEST_FLIGHT: SignedDuration = SignedDuration::from_mins(15);

/// New terms; `None` leaves a term as it is, `Some(None)` takes it away.
///
/// Amounts come as text: the currency is the wallet's, and only [`crate::decide`] sees the wallet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Active, frozen or closed.
    pub status: Option<Status>,
    /// How money comes in.
    pub credits: Option<Credits>,
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
    /// What is to change, by field name; `None` takes a term away. Amounts as `write` puts them.
    fn terms(&self, write: impl Fn(&str) -> String) -> BTreeMap<&'static str, Option<String>> {
        let term = |text: &Option<Option<String>>| text.as_ref().map(|text| text.as_deref().map(&write));
        [
            ("status", self.status.map(|status| Some(status.as_str().to_owned()))),
            ("credits", self.credits.map(|credits| Some(credits.as_str().to_owned()))),
            ("floor", self.floor.as_deref().map(|floor| Some(write(floor)))),
            ("ceiling", term(&self.ceiling)),
            ("max_movement", term(&self.max_movement)),
            ("max_daily_outflow", term(&self.max_daily_outflow)),
            ("transfers_per_minute", self.transfers_per_minute.map(|rate| rate.map(|rate| rate.to_string()))),
        ]
        .into_iter()
        .filter_map(|(name, term)| Some((name, term?)))
        .collect()
    }
}

impl Kind {
    /// A wallet's status, bounds or limits change.
    pub const AMENDMENT: Kind = Kind::new("amendment");
}

pub(crate) const SHAPE: Shape = Shape::of(Kind::AMENDMENT, Legs::KeptWallet);

impl Verb for Amend {
    fn transaction(&self) -> TransactionId {
        match &self.expected {
            Expected::Version(version) => TransactionId::amendment_of(self.wallet, *version),
            Expected::Any(key) => TransactionId::requested_by(&self.caller.subject, key),
        }
    }

    fn wallet(&self) -> WalletId {
        self.wallet
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        let hasher = hasher.field(self.caller.subject.as_str());
        self.change.terms(shortest).into_iter().fold(hasher, |hasher, (name, term)| hasher.field(name).maybe(term))
    }

    fn asked(&self, snapshots: &Snapshots) -> Option<Asked> {
        let amount = Money::zero(snapshots.wallets.get(&self.wallet)?.currency());
        Some(Asked { caller: self.caller.subject.clone(), amount, reference: None, metadata: Metadata::default() })
    }

    /// Its id may come from its wallet's version, which a refused attempt must not use up.
    fn keeps_refusals(&self) -> bool {
        false
    }

    fn taken(&self) -> Refusal {
        match self.expected {
            // Another amendment has used this version up.
            Expected::Version(expected) => Refusal::VersionMismatch { wallet: self.wallet, expected },
            Expected::Any(_) => Refusal::IdempotencyKeyReused,
        }
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        if !self.caller.admin {
            return Err(Refusal::MissingScope { scope: "wallets:admin" }.into());
        }
        let before = snapshots.wallet(self.wallet)?;
        let (wallet, currency) = (before.id, before.currency());
        if let Expected::Version(version) = self.expected
            && version != before.version
        {
            return Err(self.taken().into());
        }
        if before.status == Status::Closed {
            return Err(Refusal::WalletClosed { wallet }.into());
        }
        let after = changed(before, &self.change, moment)?;
        if after.credits == Credits::Batched && after.ceiling.is_some() {
            return Err(Refusal::CeilingWithBatchedCredits { wallet }.into());
        }
        let ceiling_set = after.ceiling.is_some() && before.ceiling.is_none();
        if after.status == Status::Closed || ceiling_set {
            nothing_incoming(snapshots, before, moment)?;
        }
        let balance = before.balance;
        if after.status == Status::Closed && !before.held.is_zero() {
            return match snapshots.overdue(before)? {
                overdue if overdue.is_zero() => Err(Refusal::WalletNotEmpty { wallet, balance: before.held }.into()),
                _ => Err(NoPlan::Unreleased(wallet)),
            };
        }
        if after.status == Status::Closed && !balance.is_zero() {
            return Err(Refusal::WalletNotEmpty { wallet, balance }.into());
        }
        // A reversal may have taken the balance below the floor: the wallet can still be frozen.
        let lowest = after.floor.plus(before.held)?;
        if after.floor != before.floor && balance.is_less_than(lowest)? {
            let lowest = Money::largest(currency).negated();
            let free = |wallet: &Wallet| wallet.balance.minus(wallet.held).unwrap_or(lowest);
            return Err(uncovered(snapshots, before, free, after.floor));
        }
        if after.highest_balance().is_less_than(balance)? {
            let (available, requested) = (Some(after.highest_balance()), balance);
            return Err(Refusal::MaxBalanceExceeded { wallet, available, requested }.into());
        }
        let at_scale = |text: &str| Money::parse(text, currency).map_or(text.to_owned(), |money| money.to_string());
        let changes = self.change.terms(at_scale).into_iter();
        let changes = changes.map(|(name, term)| (name.to_owned(), term.unwrap_or_else(|| "none".to_owned())));
        let step = Step::amendment(before, after, changes.collect());
        let asked = self.asked(snapshots).ok_or(Refusal::WalletNotFound { wallet })?;
        let mut transaction = record(self, asked, Outcome::Posted { legs: vec![], wallet: None }, moment);
        transaction.outcome = step.as_result(&transaction);
        Ok(Draft::new(transaction, vec![step.into()]))
    }
}

/// Whether no credit waits for `wallet`, and none can be on its way.
fn nothing_incoming(snapshots: &Snapshots, wallet: &Wallet, moment: Moment) -> Result<(), NoPlan> {
    let in_flight = |wait: SignedDuration| {
        let retry_after_seconds = u64::try_from(wait.as_secs()).unwrap_or(0).max(1);
        NoPlan::Refused(Refusal::CreditsInFlight { wallet: wallet.id, retry_after_seconds })
    };
    let Some(changed_at) = wallet.credits_changed_at else { return Ok(()) };
    let quiet = moment.now.duration_since(changed_at);
    if wallet.credits == Credits::Batched {
        return Err(in_flight(LONGEST_FLIGHT));
    }
    if quiet < LONGEST_FLIGHT {
        return Err(in_flight(LONGEST_FLIGHT - quiet));
    }
    match snapshots.incoming(wallet)?.count {
        0 => Ok(()),
        _ => Err(in_flight(SignedDuration::ZERO)),
    }
}

fn changed(before: &Wallet, change: &Change, moment: Moment) -> Result<Wallet, Refusal> {
    let currency = before.currency();
    let invalid = |field| move |error: AmountError| Refusal::InvalidAmount { field, error };
    let mut after = before.clone();
    if let Some(status) = change.status {
        after.status = status;
    }
    if let Some(credits) = change.credits.filter(|credits| *credits != before.credits) {
        (after.credits, after.credits_changed_at) = (credits, Some(moment.recorded));
    }
    if let Some(floor) = &change.floor {
        after.floor = Money::parse(floor, currency).map_err(invalid("floor"))?;
    }
    if let Some(ceiling) = &change.ceiling {
        let parsed = ceiling.as_ref().map(|text| Money::parse(text, currency)).transpose();
        after.ceiling = parsed.map_err(invalid("ceiling"))?;
    }
    let amount = |text: &Option<String>| text.as_ref().map(|text| Amount::parse(text, currency)).transpose();
    if let Some(limit) = &change.max_movement {
        after.limits.max_movement = amount(limit).map_err(invalid("max_movement"))?;
    }
    if let Some(limit) = &change.max_daily_outflow {
        after.limits.max_daily_outflow = amount(limit).map_err(invalid("max_daily_outflow"))?;
    }
    if let Some(limit) = change.transfers_per_minute {
        after.limits.transfers_per_minute = limit;
    }
    bounds(after.floor, after.ceiling)?;
    Ok(after)
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
