//! The ledger against a real table, below HTTP: counts of calls and capacity, races, leases.

mod counts;
mod database;
mod hangs;
mod holds;
mod inbox;
mod leases;
mod limits;
mod moments;
mod past;
mod payouts;
mod queued;
mod rebates;
mod reversals;
mod statements;
mod strategies;
pub(crate) mod torn;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wallet_domain::{
    Amend, Amount, Caller, Change, Command, Credits, Deposit, Expected, GENESIS, IdempotencyKey, Metadata, Money, Open,
    Order, Outcome, Reverse, Transaction, Transfer, Wallet, WalletId, Withdraw,
};
use wallet_dynamodb::{Clock, Done, ExecuteError, Ledger, Strategy, Usage};

use database::Database;
pub(crate) use inbox::mode;

pub(crate) const BOTH: [Strategy; 2] = [Strategy::Optimistic, Strategy::Pessimistic];

/// A ledger on a table of its own.
pub(crate) struct Bench {
    pub(crate) database: Database,
    keys: AtomicU64,
}

impl Bench {
    pub(crate) async fn start() -> Bench {
        Bench { database: Database::start().await, keys: AtomicU64::new(0) }
    }

    /// With a wallet of alice's.
    pub(crate) async fn with_one(balance: &str) -> (Bench, WalletId) {
        let bench = Bench::start().await;
        let wallet = bench.open("alice", balance).await;
        (bench, wallet)
    }

    /// With a wallet of alice's and an empty one of bob's.
    pub(crate) async fn with_two(balance: &str) -> (Bench, WalletId, WalletId) {
        let (bench, alice) = Bench::with_one(balance).await;
        let bob = bench.open("bob", "0").await;
        (bench, alice, bob)
    }

    /// Another process on the same table: nothing shared but the table.
    pub(crate) fn another(&self) -> Ledger {
        Ledger::new(self.database.client(), self.database.table())
    }

    pub(crate) fn key(&self) -> IdempotencyKey {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        format!("key {number}").parse().expect("a printable key")
    }

    pub(crate) async fn open(&self, owner: &str, balance: &str) -> WalletId {
        let open = opening(caller(owner), self.key(), "0", None);
        let wallet = open.wallet();
        self.post(&Command::Open(open)).await;
        if balance != "0" {
            self.post(&self.deposit(wallet, balance)).await;
        }
        wallet
    }

    pub(crate) async fn wallet(&self, id: WalletId) -> Wallet {
        let found = self.another().wallet(id, &mut Usage::default()).await.expect("the table answers");
        found.expect("the wallet exists")
    }

    /// Runs `command` by a process of its own.
    pub(crate) async fn post(&self, command: &Command) -> Transaction {
        posted(run(&self.another(), command, Strategy::Optimistic).await.0)
    }

    /// Changes a wallet's terms, as an administrator.
    pub(crate) async fn amend(&self, wallet: WalletId, change: Change) {
        let expected = Expected::Version(self.wallet(wallet).await.version);
        self.post(&amendment(wallet, expected, change)).await;
    }

    /// Recomputes every wallet from its entries: versions without a gap, hashes chained, balances adding up. Returns
    /// the sum of the balances in minor units.
    pub(crate) async fn recomputed(&self, wallets: &[WalletId]) -> i128 {
        let (ledger, mut total) = (self.another(), 0);
        for id in wallets {
            let (wallet, mut entries, mut before) = (self.wallet(*id).await, vec![], None);
            loop {
                let page = ledger.entries(*id, before, 100, &mut Usage::default()).await.expect("the table answers");
                entries.extend(page.items);
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            entries.reverse();
            let (mut previous, mut balance) = (GENESIS, 0);
            for (version, entry) in (0..).zip(&entries) {
                balance += entry.amount.minor_units();
                assert_eq!(
                    (entry.version, entry.previous, Some(entry.hash)),
                    (version, previous, entry.computed_hash())
                );
                assert_eq!(entry.balance_after.minor_units(), balance);
                previous = entry.hash;
            }
            assert_eq!((wallet.version + 1, wallet.head), (entries.len() as u64, previous));
            assert_eq!(wallet.balance.minor_units(), balance);
            total += balance;
        }
        total
    }

    pub(crate) fn deposit(&self, wallet: WalletId, amount: &str) -> Command {
        Command::Deposit(Deposit { order: order("bank", self.key(), amount), wallet, rules: [].into() })
    }

    pub(crate) fn withdraw(&self, wallet: WalletId, amount: &str) -> Command {
        Command::Withdraw(Withdraw { order: order("alice", self.key(), amount), wallet })
    }

    pub(crate) fn transfer(&self, source: WalletId, destination: WalletId, amount: &str) -> Command {
        Command::Transfer(Transfer { order: order("alice", self.key(), amount), source, destination, fee: None })
    }
}

pub(crate) fn caller(subject: &str) -> Caller {
    Caller { subject: subject.parse().expect("a printable subject"), admin: false }
}

pub(crate) fn admin(subject: &str) -> Caller {
    Caller { admin: true, ..caller(subject) }
}

/// A wallet in EUR of the caller's own.
pub(crate) fn opening(caller: Caller, key: IdempotencyKey, floor: &str, ceiling: Option<&str>) -> Open {
    Open {
        owner: caller.subject.clone(),
        caller,
        key,
        currency: "EUR".parse().expect("a currency"),
        floor: eur(floor),
        ceiling: ceiling.map(eur),
        limits: Default::default(),
        credits: Credits::Immediate,
        metadata: Metadata::default(),
    }
}

/// An administrator's change of a wallet's terms.
pub(crate) fn amendment(wallet: WalletId, expected: Expected, change: Change) -> Command {
    Command::Amend(Amend { caller: admin("root"), wallet, expected, change })
}

/// An administrator's wish to undo a transaction, its fee given back.
pub(crate) fn reversal(key: IdempotencyKey, original: &Transaction) -> Command {
    Command::Reverse(Reverse {
        caller: admin("root"),
        key,
        original: Box::new(original.clone()),
        allow_overdraft: false,
        return_fee: true,
        reference: None,
        metadata: Metadata::default(),
    })
}

pub(crate) fn eur(amount: &str) -> Money {
    Money::parse(amount, "EUR".parse().expect("a currency")).expect("an amount")
}

pub(crate) fn order(subject: &str, key: IdempotencyKey, amount: &str) -> Order {
    let eur = "EUR".parse().expect("a currency");
    Order {
        caller: caller(subject),
        key,
        amount: Amount::parse(amount, eur).expect("an amount"),
        reference: None,
        metadata: Metadata::default(),
        expected_version: None,
    }
}

pub(crate) async fn run(ledger: &Ledger, command: &Command, strategy: Strategy) -> (Result<Done, ExecuteError>, Usage) {
    let mut usage = Usage::default();
    (ledger.execute(command, strategy, &mut usage).await, usage)
}

#[track_caller]
pub(crate) fn posted(done: Result<Done, ExecuteError>) -> Transaction {
    match done.expect("the command ends on record") {
        Done::Executed(transaction) if !transaction.legs().is_empty() || transaction.amount.is_zero() => transaction,
        other => panic!("not posted: {other:?}"),
    }
}

/// Repeats `command` with its key on every conflict and lock timeout, as callers are told to. What each try has cost
/// comes with how it ended.
pub(crate) async fn until_done(
    ledger: &Ledger,
    command: &Command,
    strategy: Strategy,
) -> (Result<Done, ExecuteError>, Vec<Usage>) {
    let mut tries = vec![];
    loop {
        let (done, usage) = run(ledger, command, strategy).await;
        tries.push(usage);
        assert!(tries.len() < 1000, "a caller repeats, but not for ever");
        if !matches!(done, Err(ExecuteError::Conflict { .. } | ExecuteError::LockTimeout { .. })) {
            return (done, tries);
        }
    }
}

/// Every command by a caller of its own, each on a ledger of its own, all let loose at the same moment.
pub(crate) async fn all_at_once(
    bench: &Bench,
    clock: Option<Clock>,
    commands: impl IntoIterator<Item = (Command, Strategy)>,
) -> Vec<Result<Done, ExecuteError>> {
    let commands: Vec<_> = commands.into_iter().collect();
    let ready = Arc::new(Barrier::new(commands.len()));
    let mut callers = JoinSet::new();
    for (command, strategy) in commands {
        let (ledger, ready) = (bench.another(), Arc::clone(&ready));
        let ledger = clock.clone().map_or(ledger.clone(), |clock| ledger.with_clock(clock));
        callers.spawn(async move {
            ready.wait().await;
            until_done(&ledger, &command, strategy).await.0
        });
    }
    callers.join_all().await
}

/// What is made of each, one after the other.
pub(crate) async fn in_turn<I, T>(each: impl IntoIterator<Item = I>, mut make: impl AsyncFnMut(I) -> T) -> Vec<T> {
    let mut made = vec![];
    for it in each {
        made.push(make(it).await);
    }
    made
}

/// The code of a refusal, on record or not, or nothing for what was posted.
#[track_caller]
pub(crate) fn code(done: &Result<Done, ExecuteError>) -> Option<&str> {
    match done {
        Ok(done) => refusal(done),
        Err(ExecuteError::Refused(refusal)) => Some(refusal.code()),
        Err(error) => panic!("{error}"),
    }
}

/// The code of a refusal on record, or nothing for what was posted.
#[track_caller]
pub(crate) fn refusal(done: &Done) -> Option<&str> {
    let (Done::Executed(transaction) | Done::Replayed(transaction)) = done;
    match &transaction.outcome {
        Outcome::Failed { refusal, .. } => Some(refusal.code()),
        Outcome::Posted { legs, .. } => {
            assert_eq!(legs.iter().map(|leg| leg.amount().minor_units()).sum::<i128>(), 0, "{transaction:?}");
            None
        }
    }
}
