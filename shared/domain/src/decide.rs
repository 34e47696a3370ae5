//! Every choice is made here: [`decide`] takes what was read, what was asked and the time, and answers with a [`Plan`]
//! or a [`Refusal`]. It touches nothing; the storage writes the plan as it stands and asks no business question.

mod amend;
mod movement;
mod open;
mod rebate;
mod reverse;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::command::Command;
use crate::entry::Entry;
use crate::id::{TransactionId, WalletId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::transaction::{Account, Leg, Outcome, Transaction};
use crate::wallet::Wallet;

/// What was read: the wallets and transactions that exist among those a command names.
#[derive(Debug, Clone, Default)]
pub struct Snapshots {
    /// By id.
    pub wallets: BTreeMap<WalletId, Wallet>,
    /// By id.
    pub transactions: BTreeMap<TransactionId, Transaction>,
    /// Those that have been reversed.
    pub reversed: BTreeSet<TransactionId>,
}

impl Snapshots {
    fn wallet(&self, id: WalletId) -> Result<&Wallet, Refusal> {
        self.wallets.get(&id).ok_or(Refusal::WalletNotFound { wallet: id })
    }
}

/// What is to be written, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The record of the request.
    pub transaction: Transaction,
    /// One change of each wallet concerned.
    pub postings: Vec<Posting>,
    /// Transactions recorded as failed along with it, so that they can never be posted.
    pub bars: Vec<Transaction>,
    /// What it reverses: a transaction is reversed at most once.
    pub reverses: Option<TransactionId>,
}

/// One wallet's step to its next version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// As it was read; `None` when the wallet is being opened.
    pub before: Option<Wallet>,
    /// As it will be.
    pub after: Wallet,
    /// What the statement will say.
    pub entry: Entry,
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

/// Decides what becomes of `command`, given what was read and the time.
///
/// The snapshots must hold every wallet of [`Command::wallets`] and every transaction of [`Command::references`] that exists.
/// Whether the request was answered before is [`replay`]'s question and comes first.
///
/// # Errors
/// A [`Refusal`]. It rests on the snapshots: if they may be stale, read again and decide again before believing it.
pub fn decide(snapshots: &Snapshots, command: &Command, now: Timestamp) -> Result<Plan, Refusal> {
    // Milliseconds are what the table keeps and the entry's hash covers.
    let now = Timestamp::from_millisecond(now.as_millisecond()).expect("a timestamp's milliseconds are in range");
    let plan = match command {
        Command::Open(open) => open::open(open, command, now),
        Command::Amend(amend) => amend::amend(snapshots, amend, command, now),
        Command::Deposit(deposit) => movement::deposit(snapshots, deposit, command, now),
        Command::Withdraw(withdraw) => movement::withdraw(snapshots, withdraw, command, now),
        Command::Transfer(transfer) => movement::transfer(snapshots, transfer, command, now),
        Command::PayRebate(pay) => rebate::pay(snapshots, pay, command, now),
        Command::Reverse(reverse) => reverse::reverse(snapshots, reverse, command, now),
    }?;
    debug_assert_eq!(imbalance(plan.transaction.legs()), 0, "the legs of every transaction sum to zero");
    Ok(plan)
}

/// The answer to a request whose transaction exists already.
///
/// # Errors
/// [`Refusal::IdempotencyKeyReused`] when the transaction belongs to a different request; for an amendment, whose id is
/// its wallet's version, that means the version was used up: [`Refusal::VersionMismatch`].
pub fn replay<'a>(command: &Command, existing: &'a Transaction) -> Result<&'a Transaction, Refusal> {
    if existing.fingerprint == command.fingerprint() {
        return Ok(existing);
    }
    match command {
        Command::Amend(amend) => {
            Err(Refusal::VersionMismatch { wallet: amend.wallet, expected: amend.expected_version })
        }
        _ => Err(Refusal::IdempotencyKeyReused),
    }
}

impl Command {
    /// The record of this command refused: kept although nothing moved, and the answer to its key from then on.
    ///
    /// `None` for a refusal that is not recorded, and for an amendment: its id is its wallet's version, which a refused
    /// attempt must not use up.
    #[must_use]
    pub fn failed(&self, snapshots: &Snapshots, refusal: &Refusal, now: Timestamp) -> Option<Transaction> {
        if !refusal.is_recorded() {
            return None;
        }
        let now = Timestamp::from_millisecond(now.as_millisecond()).expect("a timestamp's milliseconds are in range");
        let failed = Outcome::Failed(refusal.clone());
        match self {
            Command::Open(_) | Command::Amend(_) => None,
            Command::Deposit(crate::Deposit { order, .. })
            | Command::Withdraw(crate::Withdraw { order, .. })
            | Command::Transfer(crate::Transfer { order, .. }) => Some(movement::record(order, self, failed, now)),
            Command::PayRebate(pay) => rebate::failed(snapshots, pay, self, failed, now),
            Command::Reverse(reverse) => Some(reverse::record(reverse, self, failed, now)),
        }
    }
}

/// The sum of the legs in minor units: zero for every transaction that this crate makes.
fn imbalance(legs: &[Leg]) -> i128 {
    legs.iter().map(|leg| leg.amount().minor_units()).sum()
}

/// Steps `before` to its next version with `changed` made to it, and writes the entry of it.
fn posting(
    before: &Wallet,
    transaction: &Transaction,
    counterparty: Option<Account>,
    guard: Guard,
    changed: impl FnOnce(&mut Wallet),
) -> Posting {
    let mut after = before.clone();
    changed(&mut after);
    after.version = before.version + 1;
    after.updated_at = transaction.created_at;
    let amount = after.balance.minus(before.balance).expect("two balances of one wallet within bounds");
    let entry = Entry {
        wallet: before.id,
        version: after.version,
        transaction: transaction.id,
        kind: transaction.kind,
        amount,
        balance_after: after.balance,
        counterparty,
        reference: transaction.reference.clone(),
        changes: BTreeMap::new(),
        by: transaction.principal.clone(),
        created_at: transaction.created_at,
        previous: before.head,
        hash: crate::GENESIS,
    }
    .sealed();
    after.head = entry.hash;
    Posting { before: Some(before.clone()), after, entry, guard }
}

impl Plan {
    /// A plan that writes the record and the wallets' steps, and nothing besides.
    #[must_use]
    pub fn new(transaction: Transaction, postings: Vec<Posting>) -> Plan {
        Plan { transaction, postings, bars: vec![], reverses: None }
    }
}

impl Posting {
    fn leg(&self) -> Leg {
        Leg::Wallet {
            wallet: self.after.id,
            owner: self.after.owner.clone(),
            amount: self.entry.amount,
            balance_after: self.after.balance,
            version_after: self.after.version,
        }
    }
}
