//! The ledger against the embedded DynamoDB, below HTTP: counts of calls and capacity, races, leases.

mod counts;

use std::sync::atomic::{AtomicU64, Ordering};

use wallet_domain::{
    Amount, Caller, Command, Deposit, IdempotencyKey, Metadata, Money, Open, Order, Transaction, Transfer, Wallet,
    WalletId, Withdraw,
};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy, Usage};
use wallet_local::{Options, Stack};

/// A ledger on a table of its own.
pub(crate) struct Bench {
    pub(crate) stack: Stack,
    keys: AtomicU64,
}

impl Bench {
    pub(crate) async fn start() -> Bench {
        let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("a stack starts");
        Bench { stack, keys: AtomicU64::new(0) }
    }

    /// Another process on the same table: nothing shared but the table.
    pub(crate) fn another(&self) -> Ledger {
        Ledger::new(self.stack.own_client(), self.stack.table())
    }

    pub(crate) fn key(&self) -> IdempotencyKey {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        format!("key {number}").parse().expect("a printable key")
    }

    pub(crate) async fn open(&self, owner: &str, balance: &str) -> WalletId {
        let caller = caller(owner);
        let eur = "EUR".parse().expect("a currency");
        let open = Open {
            owner: caller.subject.clone(),
            caller,
            key: self.key(),
            currency: eur,
            floor: Money::zero(eur),
            ceiling: None,
            limits: Default::default(),
            metadata: Metadata::default(),
        };
        let wallet = open.wallet();
        posted(run(&self.another(), &Command::Open(open), Strategy::Optimistic).await.0);
        if balance != "0" {
            let deposit = self.deposit(wallet, balance);
            posted(run(&self.another(), &deposit, Strategy::Optimistic).await.0);
        }
        wallet
    }

    pub(crate) async fn wallet(&self, id: WalletId) -> Wallet {
        let found = self.another().wallet(id, &mut Usage::default()).await.expect("the table answers");
        found.expect("the wallet exists")
    }

    pub(crate) fn deposit(&self, wallet: WalletId, amount: &str) -> Command {
        Command::Deposit(Deposit { order: order("bank", self.key(), amount), wallet, rule: None })
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

/// Repeats `command` with its key on every conflict and lock timeout, as callers are told to.
pub(crate) async fn until_done(ledger: &Ledger, command: &Command, strategy: Strategy) -> (Done, Vec<Usage>) {
    let mut tries = vec![];
    loop {
        let (done, usage) = run(ledger, command, strategy).await;
        tries.push(usage);
        match done {
            Ok(done) => return (done, tries),
            Err(ExecuteError::Conflict { .. } | ExecuteError::LockTimeout { .. }) => {}
            Err(error) => panic!("neither done nor to be repeated: {error}"),
        }
        assert!(tries.len() < 1000, "a caller repeats, but not for ever");
    }
}
