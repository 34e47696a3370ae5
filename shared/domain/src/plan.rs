//! Plans: what is to be written, all of it or nothing. A [`Plan`] can only be made whole; what would not add up is a fault
//! of ours, in release builds too, and is never written.

use std::collections::{BTreeMap, BTreeSet};

use crate::credit::{Arrival, Credit};
use crate::entry::Entry;
use crate::hash::GENESIS;
use crate::hold::HoldChange;
use crate::id::WalletId;
use crate::mark::Mark;
use crate::money::{Money, MoneyError};
use crate::refusal::Refusal;
use crate::text::Reference;
use crate::transaction::{Account, Leg, Outcome, Transaction};
use crate::wallet::Wallet;

/// DynamoDB's bound on the actions of one transaction.
pub(crate) const MAX_ACTIONS: usize = 100;

/// What is to be written: legs that sum to zero, one posting or one credit for each wallet, no item twice, at most 100
/// actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    transaction: Transaction,
    postings: Vec<Posting>,
    credits: Vec<Credit>,
    bars: Vec<Transaction>,
    marks: Vec<Mark>,
    holds: Vec<HoldChange>,
}

/// One wallet's way from one version to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// As it was read; `None` when the wallet is being opened.
    pub before: Option<Wallet>,
    /// As it will be.
    pub after: Wallet,
    /// The rows that the statement gains, oldest first; never none.
    pub rows: Vec<Entry>,
    /// What the balance must satisfy at the moment of writing, whatever was read.
    pub guard: Guard,
}

/// A condition on the stored balance, which stands even if everything above it were wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// No condition: nothing moves, or an administrator lets a reversal take the wallet below its floor.
    None,
    /// A debit: the balance must be at least this, which is the floor, what leaves and, but for a capture, what is held; and
    /// what is held must be what was read.
    AtLeast(Money),
    /// A credit: the balance must be at most this, which is the ceiling less what arrives.
    AtMost(Money),
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlan {
    /// The request is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The inbox of this wallet has to be read first, if the snapshots have no `incoming` of it, or else settled.
    #[error("what waits in the inbox of {0} has to be settled first")]
    Unsettled(WalletId),
    /// Holds of this wallet that have expired have to be released first: those that the command reads, or else those that
    /// make up its `overdue` in the snapshots; without that, they have to be looked up.
    #[error("holds of {0} that have expired have to be released first")]
    Unreleased(WalletId),
    /// What was decided does not add up, or what was read cannot be: a fault of ours or of the table.
    #[error(transparent)]
    Unsound(#[from] Unsound),
}

impl From<MoneyError> for NoPlan {
    /// Of values that were read from the table: no request is at fault.
    fn from(error: MoneyError) -> NoPlan {
        NoPlan::Unsound(Unsound::Arithmetic(error))
    }
}

/// What must never be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// The legs do not sum to zero.
    #[error("the legs sum to {0} minor units")]
    Imbalance(i128),
    /// A leg and the posting of its wallet say different things, or one of them is missing; or the wallet's balance changes
    /// by something else.
    #[error("{0}: leg and posting differ")]
    Unmatched(WalletId),
    /// What holds keep back and what their wallet says of it differ.
    #[error("{0}: holds and what the wallet keeps back differ")]
    Held(WalletId),
    /// Two writes of one item.
    #[error("{0} is written twice")]
    Twice(String),
    /// More than DynamoDB takes.
    #[error("{0} actions; DynamoDB takes {MAX_ACTIONS}")]
    TooLarge(usize),
    /// Stored values that cannot be reckoned with.
    #[error("stored values cannot be reckoned with: {0}")]
    Arithmetic(MoneyError),
}

/// What a verb has decided, before it is checked and sealed.
pub(crate) struct Draft {
    pub(crate) transaction: Transaction,
    pub(crate) sides: Vec<Side>,
    pub(crate) bars: Vec<Transaction>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) holds: Vec<HoldChange>,
}

impl Draft {
    pub(crate) fn new(transaction: Transaction, sides: Vec<Side>) -> Draft {
        Draft { transaction, sides, bars: vec![], marks: vec![], holds: vec![] }
    }
}

/// What a transaction does to one wallet.
pub(crate) enum Side {
    /// It makes the wallet's next version.
    Step(Box<Step>),
    /// It leaves a credit in the wallet's inbox and the wallet as it is.
    Credit(Arrival),
}

impl Side {
    pub(crate) fn leg(&self) -> Leg {
        match self {
            Side::Step(step) => step.leg(),
            Side::Credit(arrival) => arrival.leg(),
        }
    }

    /// The same under a reference of its own.
    pub(crate) fn named(mut self, reference: Option<Reference>) -> Side {
        match &mut self {
            Side::Step(step) => step.reference = reference,
            Side::Credit(arrival) => arrival.reference = reference,
        }
        self
    }

    fn wallet(&self) -> WalletId {
        match self {
            Side::Step(step) => step.after.id,
            Side::Credit(arrival) => arrival.wallet,
        }
    }

    /// Whether `leg`, the one of its wallet, says what this side does.
    fn matches(&self, leg: Option<&Leg>) -> bool {
        match (self, leg) {
            (Side::Step(step), None) => step.amount.is_zero() && step.adds_up(),
            (Side::Step(step), Some(leg)) => step.adds_up() && *leg == step.leg(),
            (Side::Credit(arrival), leg) => arrival.amount.minor_units() > 0 && leg == Some(&arrival.leg()),
        }
    }
}

impl From<Step> for Side {
    fn from(step: Step) -> Side {
        Side::Step(Box::new(step))
    }
}

/// One wallet's next version, before the transaction that makes it is sealed.
pub(crate) struct Step {
    before: Option<Wallet>,
    pub(crate) after: Wallet,
    amount: Money,
    counterparty: Option<Account>,
    reference: Option<Reference>,
    guard: Guard,
    changes: BTreeMap<String, String>,
}

impl Step {
    /// The first version of a wallet.
    pub(crate) fn opening(wallet: Wallet) -> Step {
        let amount = Money::zero(wallet.currency());
        Step::of(wallet, amount)
    }

    /// A version on which no money moves.
    pub(crate) fn amendment(before: &Wallet, after: Wallet, changes: BTreeMap<String, String>) -> Step {
        let amount = Money::zero(before.currency());
        Step { before: Some(before.clone()), changes, ..Step::of(after, amount) }
    }

    /// `amount` comes (positive) or goes (negative).
    pub(crate) fn movement(
        before: &Wallet,
        amount: Money,
        counterparty: impl Into<Option<Account>>,
        guard: Guard,
    ) -> Result<Step, MoneyError> {
        let after = Wallet { balance: before.balance.plus(amount)?, ..before.clone() };
        let (before, counterparty) = (Some(before.clone()), counterparty.into());
        Ok(Step { before, counterparty, guard, ..Step::of(after, amount) })
    }

    fn of(after: Wallet, amount: Money) -> Step {
        let (counterparty, reference, guard, changes) = (None, None, Guard::None, BTreeMap::new());
        Step { before: None, after, amount, counterparty, reference, guard, changes }
    }

    /// No balance moves, but something is held or released.
    pub(crate) fn holding(before: &Wallet, after: Wallet, counterparty: Option<Account>, guard: Guard) -> Step {
        let amount = Money::zero(before.currency());
        Step { before: Some(before.clone()), counterparty, guard, ..Step::of(after, amount) }
    }

    /// The wallet's side of the transaction.
    pub(crate) fn leg(&self) -> Leg {
        Leg::Wallet {
            wallet: self.after.id,
            owner: self.after.owner.clone(),
            amount: self.amount,
            balance_after: self.after.balance,
            version_after: self.version(),
            reference: self.reference.clone(),
        }
    }

    /// Whether the balance changes by the amount. A wallet that is being opened starts from zero.
    fn adds_up(&self) -> bool {
        let before = self.before.as_ref().map_or(Money::zero(self.after.currency()), |before| before.balance);
        before.plus(self.amount) == Ok(self.after.balance)
    }

    fn version(&self) -> u64 {
        self.before.as_ref().map_or(0, |before| before.version.saturating_add(1))
    }

    /// The outcome that shows the wallet as this step leaves it. [`Plan::new`] fills in the hash of its newest entry.
    pub(crate) fn as_result(&self, transaction: &Transaction) -> Outcome {
        Outcome::Posted { legs: vec![], wallet: Some(Box::new(self.result(transaction))) }
    }

    fn result(&self, transaction: &Transaction) -> Wallet {
        Wallet { version: self.version(), updated_at: transaction.created_at, ..self.after.clone() }
    }

    fn posting(self, transaction: &Transaction) -> Posting {
        let mut after = self.result(transaction);
        let row = Entry {
            wallet: after.id,
            version: after.version,
            transaction: transaction.id,
            kind: transaction.kind,
            amount: self.amount,
            balance_after: after.balance,
            held_after: after.held,
            counterparty: self.counterparty,
            reference: self.reference.or_else(|| transaction.reference.clone()),
            changes: self.changes,
            caller: transaction.caller.clone(),
            created_at: transaction.created_at,
            seal: transaction.seal,
            state: after.state(),
            previous: self.before.as_ref().map_or(GENESIS, |before| before.head),
            format: crate::entry::FORMAT,
            hash: GENESIS,
        }
        .hashed();
        after.head = row.hash;
        Posting { before: self.before, after, rows: vec![row], guard: self.guard }
    }
}

impl Plan {
    /// Checks that `draft` adds up, seals its records and chains its rows.
    pub(crate) fn new(draft: Draft) -> Result<Plan, Unsound> {
        let Draft { transaction, sides, bars, marks, holds } = draft;
        balanced(&transaction, &sides)?;
        kept_back(&sides, &holds)?;
        let mut transaction = transaction.sealed();
        let (mut postings, mut credits) = (vec![], vec![]);
        for side in sides {
            match side {
                Side::Step(step) => postings.push(step.posting(&transaction)),
                Side::Credit(arrival) => credits.push(arrival.credit(&transaction)),
            }
        }
        if let Outcome::Posted { wallet: Some(result), .. } = &mut transaction.outcome {
            let posting = postings.iter().find(|posting| posting.after.id == result.id);
            **result = posting.ok_or(Unsound::Unmatched(result.id))?.after.clone();
        }
        let bars = bars.into_iter().map(Transaction::sealed).collect();
        let plan = Plan { transaction, postings, credits, bars, marks, holds };
        plan.each_item_once()?;
        Ok(plan)
    }

    /// The record of a request that was refused, and nothing besides.
    pub(crate) fn attempt(transaction: Transaction) -> Plan {
        let transaction = transaction.sealed();
        Plan { transaction, postings: vec![], credits: vec![], bars: vec![], marks: vec![], holds: vec![] }
    }

    /// The record of the request.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// One for each wallet concerned.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// What it leaves in inboxes: it asks nothing of those wallets when it is written.
    #[must_use]
    pub fn credits(&self) -> &[Credit] {
        &self.credits
    }

    /// Transactions recorded as failed along with it, so that they can never be posted.
    #[must_use]
    pub fn bars(&self) -> &[Transaction] {
        &self.bars
    }

    /// What it does to other transactions, each possible once.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// What becomes of holds.
    #[must_use]
    pub fn holds(&self) -> &[HoldChange] {
        &self.holds
    }

    fn each_item_once(&self) -> Result<(), Unsound> {
        let mut seen = BTreeSet::new();
        let records = [&self.transaction].into_iter().chain(&self.bars).map(|record| record.id.to_string());
        let marks = self.marks.iter().map(|mark| format!("{} {}", mark.of, mark.name.as_str()));
        let wallets = self.postings.iter().map(|posting| posting.after.id.to_string());
        let credited = self.credits.iter().map(|credit| credit.wallet.to_string());
        let holds = self.holds.iter().map(|change| format!("hold {}", change.after.id));
        for item in records.chain(marks).chain(wallets).chain(credited).chain(holds) {
            if let Some(twice) = seen.replace(item) {
                return Err(Unsound::Twice(twice));
            }
        }
        // A posting is two items: the wallet and its entries.
        let actions = seen.len() + self.postings.len();
        if actions > MAX_ACTIONS { Err(Unsound::TooLarge(actions)) } else { Ok(()) }
    }
}

/// Checks that the legs sum to zero and say of each wallet what its side does; its balance changes by that and nothing else.
fn balanced(transaction: &Transaction, sides: &[Side]) -> Result<(), Unsound> {
    let legs = transaction.legs();
    let sum: i128 = legs.iter().map(|leg| leg.amount().minor_units()).sum();
    if sum != 0 {
        return Err(Unsound::Imbalance(sum));
    }
    let one_currency = legs.iter().all(|leg| leg.amount().currency() == transaction.amount.currency());
    for side in sides {
        let mut its = legs.iter().filter(|leg| leg.wallet() == Some(side.wallet()));
        if !side.matches(its.next()) || its.next().is_some() || !one_currency {
            return Err(Unsound::Unmatched(side.wallet()));
        }
    }
    let has_side = |id| sides.iter().any(|side| side.wallet() == id);
    match legs.iter().filter_map(Leg::wallet).find(|id| !has_side(*id)) {
        Some(id) => Err(Unsound::Unmatched(id)),
        None => Ok(()),
    }
}

/// Checks that what each wallet holds back changes by what its holds do, and by nothing else.
fn kept_back(sides: &[Side], holds: &[HoldChange]) -> Result<(), Unsound> {
    let mut adds: BTreeMap<WalletId, i128> = BTreeMap::new();
    for change in holds {
        *adds.entry(change.after.source).or_default() += change.adds().map_err(Unsound::Arithmetic)?.minor_units();
    }
    for side in sides {
        let Side::Step(step) = side else { continue };
        let Step { before, after, .. } = &**step;
        let before = before.as_ref().map_or(0, |before| before.held.minor_units());
        let added = adds.remove(&after.id).unwrap_or(0);
        if after.held.is_negative() || after.held.minor_units() - before != added {
            return Err(Unsound::Held(after.id));
        }
    }
    adds.into_keys().next().map_or(Ok(()), |wallet| Err(Unsound::Held(wallet)))
}

#[cfg(test)]
mod tests;
