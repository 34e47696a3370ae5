//! Plans: what is to be written, all of it or nothing. A [`Plan`] can only be made whole; what would not add up is a fault
//! of ours, in release builds too, and is never written.

use std::collections::{BTreeMap, BTreeSet};

use crate::entry::Entry;
use crate::hash::GENESIS;
use crate::id::WalletId;
use crate::mark::Mark;
use crate::money::{Money, MoneyError};
use crate::refusal::Refusal;
use crate::transaction::{Account, Leg, Outcome, Transaction};
use crate::wallet::Wallet;

/// DynamoDB's bound on the actions of one transaction.
const MAX_ACTIONS: usize = 100;

/// What is to be written: legs that sum to zero, one posting for each wallet, no item twice, at most 100 actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    transaction: Transaction,
    postings: Vec<Posting>,
    bars: Vec<Transaction>,
    marks: Vec<Mark>,
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
    /// Nothing moves.
    None,
    /// A debit: the balance must be at least this, which is the floor plus what leaves.
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
    /// What was decided does not add up, or what was read cannot be: a fault of ours or of the table.
    #[error(transparent)]
    Unsound(#[from] Unsound),
}

impl From<MoneyError> for NoPlan {
    /// Of values that one table holds together.
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
    pub(crate) steps: Vec<Step>,
    pub(crate) bars: Vec<Transaction>,
    pub(crate) marks: Vec<Mark>,
}

impl Draft {
    pub(crate) fn new(transaction: Transaction, steps: Vec<Step>) -> Draft {
        Draft { transaction, steps, bars: vec![], marks: vec![] }
    }
}

/// One wallet's next version, before the record that it hangs on is sealed.
pub(crate) struct Step {
    before: Option<Wallet>,
    pub(crate) after: Wallet,
    amount: Money,
    counterparty: Option<Account>,
    guard: Guard,
    changes: BTreeMap<String, String>,
}

impl Step {
    /// The first version of a wallet.
    pub(crate) fn opening(wallet: Wallet) -> Step {
        let amount = Money::zero(wallet.currency());
        let changes = BTreeMap::new();
        Step { before: None, after: wallet, amount, counterparty: None, guard: Guard::None, changes }
    }

    /// A version on which no money moves.
    pub(crate) fn amendment(before: &Wallet, after: Wallet, changes: BTreeMap<String, String>) -> Step {
        let amount = Money::zero(before.currency());
        Step { before: Some(before.clone()), after, amount, counterparty: None, guard: Guard::None, changes }
    }

    /// `amount` comes (positive) or goes (negative).
    pub(crate) fn movement(
        before: &Wallet,
        amount: Money,
        counterparty: Account,
        guard: Guard,
    ) -> Result<Step, MoneyError> {
        let after = Wallet { balance: before.balance.plus(amount)?, ..before.clone() };
        let (before, counterparty) = (Some(before.clone()), Some(counterparty));
        Ok(Step { before, after, amount, counterparty, guard, changes: BTreeMap::new() })
    }

    /// The wallet's side of the transaction.
    pub(crate) fn leg(&self) -> Leg {
        Leg::Wallet {
            wallet: self.after.id,
            owner: self.after.owner.clone(),
            amount: self.amount,
            balance_after: self.after.balance,
            version_after: self.version(),
        }
    }

    /// A wallet that is being opened holds nothing before.
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
            counterparty: self.counterparty,
            reference: transaction.reference.clone(),
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
        let Draft { transaction, steps, bars, marks } = draft;
        balanced(&transaction, &steps)?;
        let mut transaction = transaction.sealed();
        let postings: Vec<_> = steps.into_iter().map(|step| step.posting(&transaction)).collect();
        if let Outcome::Posted { wallet: Some(result), .. } = &mut transaction.outcome {
            let posting = postings.iter().find(|posting| posting.after.id == result.id);
            **result = posting.ok_or(Unsound::Unmatched(result.id))?.after.clone();
        }
        let bars = bars.into_iter().map(Transaction::sealed).collect();
        let plan = Plan { transaction, postings, bars, marks };
        plan.each_item_once()?;
        Ok(plan)
    }

    /// The record of a request that was refused, and nothing besides.
    pub(crate) fn attempt(transaction: Transaction) -> Plan {
        Plan { transaction: transaction.sealed(), postings: vec![], bars: vec![], marks: vec![] }
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

    fn each_item_once(&self) -> Result<(), Unsound> {
        let mut seen = BTreeSet::new();
        let records = [&self.transaction].into_iter().chain(&self.bars).map(|record| record.id.to_string());
        let marks = self.marks.iter().map(|mark| format!("{} {}", mark.of, mark.name.as_str()));
        let wallets = self.postings.iter().map(|posting| posting.after.id.to_string());
        for item in records.chain(marks).chain(wallets) {
            if let Some(twice) = seen.replace(item) {
                return Err(Unsound::Twice(twice));
            }
        }
        // A wallet is two items: itself and its entries.
        let actions = seen.len() + self.postings.len();
        if actions > MAX_ACTIONS { Err(Unsound::TooLarge(actions)) } else { Ok(()) }
    }
}

/// The legs sum to zero, and say of each wallet what its step does; its balance differs by that and by nothing else.
fn balanced(transaction: &Transaction, steps: &[Step]) -> Result<(), Unsound> {
    let legs = transaction.legs();
    let sum: i128 = legs.iter().map(|leg| leg.amount().minor_units()).sum();
    if sum != 0 {
        return Err(Unsound::Imbalance(sum));
    }
    let one_currency = legs.iter().all(|leg| leg.amount().currency() == transaction.amount.currency());
    for step in steps {
        let leg = legs.iter().filter(|leg| leg.wallet() == Some(step.after.id)).collect::<Vec<_>>();
        let said = match leg.as_slice() {
            [] => step.amount.is_zero(),
            [leg] => **leg == step.leg(),
            _ => false,
        };
        if !said || !one_currency || !step.adds_up() {
            return Err(Unsound::Unmatched(step.after.id));
        }
    }
    let posted = |id| steps.iter().any(|step| step.after.id == id);
    match legs.iter().filter_map(Leg::wallet).find(|id| !posted(*id)) {
        Some(id) => Err(Unsound::Unmatched(id)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hasher;
    use crate::id::TransactionId;
    use crate::mark::MarkName;
    use crate::rebated::Rebated;
    use crate::text::Metadata;
    use crate::transaction::{FORMAT, Kind};
    use crate::wallet::{Counters, Limits, Status};
    use jiff::Timestamp;

    fn eur(minor_units: i128) -> Money {
        Money::from_minor(minor_units, "EUR".parse().expect("a currency")).expect("small")
    }

    fn wallet(number: usize) -> Wallet {
        Wallet {
            id: format!("wal_{number:032x}").parse().expect("an id"),
            owner: "alice".parse().expect("an owner"),
            balance: eur(1_000),
            version: 7,
            status: Status::Active,
            floor: eur(0),
            ceiling: None,
            limits: Limits::default(),
            counters: Counters::new(eur(0).currency()),
            rebated: Rebated::default(),
            head: GENESIS,
            metadata: Metadata::default(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn step(number: usize, minor_units: i128) -> Step {
        Step::movement(&wallet(number), eur(minor_units), Account::External, Guard::None).expect("small")
    }

    fn record(number: usize, legs: Vec<Leg>) -> Transaction {
        Transaction {
            id: format!("txn_{number:032x}").parse().expect("an id"),
            kind: Kind::TRANSFER,
            wallet: wallet(1).id,
            destination: None,
            amount: eur(5),
            fee: eur(0),
            outcome: Outcome::Posted { legs, wallet: None },
            caller: "alice".parse().expect("an owner"),
            reference: None,
            metadata: Metadata::default(),
            parent: None,
            rule: None,
            fingerprint: Hasher::new("test").finish(),
            created_at: Timestamp::UNIX_EPOCH,
            format: FORMAT,
            seal: GENESIS,
        }
    }

    /// From wallet 1 to wallet 2, with `change` made to it.
    fn draft(change: impl FnOnce(&mut Draft)) -> Draft {
        let steps = vec![step(1, -5), step(2, 5)];
        let legs = steps.iter().map(Step::leg).collect();
        let mut draft = Draft::new(record(1, legs), steps);
        change(&mut draft);
        draft
    }

    fn legs(draft: &mut Draft) -> &mut Vec<Leg> {
        match &mut draft.transaction.outcome {
            Outcome::Posted { legs, .. } => legs,
            Outcome::Failed { .. } => panic!("it is posted"),
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Draft), unsound: Option<Unsound>) {
        assert_eq!(Plan::new(draft(change)).err(), unsound);
    }

    #[test]
    fn only_a_whole_plan_can_be_made() {
        let system = |units| Leg::System { account: Account::Fees, amount: eur(units) };
        let mark = |of: TransactionId| Mark { of, name: MarkName::REVERSAL, by: of };
        check(|_| {}, None);
        check(|draft| legs(draft).push(system(1)), Some(Unsound::Imbalance(1)));
        check(|draft| drop(legs(draft).pop()), Some(Unsound::Imbalance(-5)));
        check(|draft| drop(draft.steps.pop()), Some(Unsound::Unmatched(wallet(2).id)));
        check(|draft| draft.steps[0] = step(1, -6), Some(Unsound::Unmatched(wallet(1).id)));
        check(|draft| draft.steps[1] = step(3, 5), Some(Unsound::Unmatched(wallet(3).id)));
        check(|draft| draft.steps.push(step(3, 5)), Some(Unsound::Unmatched(wallet(3).id)));
        let another_balance = |leg: &mut Leg| match leg {
            Leg::Wallet { balance_after, .. } => *balance_after = eur(1),
            Leg::System { .. } => {}
        };
        check(|draft| legs(draft).iter_mut().for_each(another_balance), Some(Unsound::Unmatched(wallet(1).id)));
        let richer = Wallet { balance: eur(1_001), ..wallet(3) };
        let made = Some(Unsound::Unmatched(wallet(3).id));
        check(|draft| draft.steps.push(Step::opening(wallet(3))), made.clone());
        check(|draft| draft.steps.push(Step::amendment(&wallet(3), richer, BTreeMap::new())), made);
        let richer = |draft: &mut Draft| {
            draft.steps[1].after.balance = eur(2_000);
            let leg = draft.steps[1].leg();
            legs(draft)[1] = leg;
        };
        check(richer, Some(Unsound::Unmatched(wallet(2).id)));
        let twice = |of: &dyn ToString| Some(Unsound::Twice(of.to_string()));
        check(|draft| draft.steps.push(step(1, -5)), twice(&wallet(1).id));
        check(|draft| draft.bars.push(record(1, vec![])), twice(&record(1, vec![]).id));
        check(|draft| draft.bars.extend([record(2, vec![]), record(2, vec![])]), twice(&record(2, vec![]).id));
        let original = record(2, vec![]).id;
        check(|draft| draft.marks.push(mark(original)), None);
        check(|draft| draft.marks.extend([mark(original); 2]), twice(&format!("{original} REVERSAL")));
    }

    #[test]
    fn a_plan_has_at_most_a_hundred_actions() {
        // Five for the transfer itself.
        let more = |bars: usize| move |draft: &mut Draft| draft.bars.extend((2..2 + bars).map(|at| record(at, vec![])));
        check(more(95), None);
        check(more(96), Some(Unsound::TooLarge(101)));
    }
}
