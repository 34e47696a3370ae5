//! Rebates, from a message to money on a wallet: what a queue that delivers twice and processes that die do to them.
//!
//! Most tests hand batches to the function itself, over the faulty network of [`crate::faults`] and in paused time;
//! [`storm`] has the whole local stack do it. Deposits are made by the deposit function, so that rules are pinned as they are
//! in earnest.

mod batches;
mod crashes;
mod deliveries;
mod messages;
mod storm;

use std::cell::Cell;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use serde_json::{Value, json};
use wallet_domain::{Kind, Outcome, Transaction, TransactionId, WalletId};
use wallet_dynamodb::Usage;
use wallet_lambda::{App, Report, work};
use wallet_rebate::Rebate;
use wallet_stack::invoke;

use crate::faults::{World, audit, event, function, runtime};
use crate::followers::numbered;

/// A hundredth comes back, rounded toward zero.
const RULES: &str = r#"[{"id":"standard","basis_points":100}]"#;

/// A deposit that earns a rebate.
#[derive(Clone)]
struct Earned {
    deposit: String,
    rebate: TransactionId,
    /// Its message, as `dispatch` writes it.
    body: String,
}

/// The rebate function and what it works on.
struct Desk {
    world: World,
    deposits: Cell<u64>,
}

/// Runs `test` at a desk of its own with an empty wallet; afterwards, when all that is under way has arrived, the books must add up.
#[track_caller]
fn check(test: impl AsyncFnOnce(&Desk, WalletId)) {
    fastrand::seed(1);
    runtime().block_on(async {
        let desk = Desk { world: World::new(), deposits: Cell::new(0) };
        test(&desk, desk.world.open("a", "0", None).await).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let books = audit(&desk.world.table, &desk.world.plain()).await.expect("the books add up");
        let rebates = books.transactions.values().filter(|transaction| transaction.kind == Kind::REBATE).count();
        assert_eq!(rebates as u64, desk.deposits.get(), "one rebate on record for each deposit");
    });
}

impl Desk {
    /// A process of the function: nothing shared with others but the table.
    fn process_by(&self, strategy: &str, rules: &str) -> App {
        function(self.world.ledger(0, 10), &[("LOCKING_STRATEGY", strategy), ("REBATE_RULES", rules)])
    }

    fn process(&self, strategy: &str) -> App {
        self.process_by(strategy, RULES)
    }

    /// A deposit in fair weather, by the deposit function.
    async fn deposit(&self, wallet: WalletId, amount: &str) -> Earned {
        let app = function(self.world.plain(), &[("REBATE_RULES", RULES)]);
        let number = self.deposits.replace(self.deposits.get() + 1);
        deposited(&app, wallet, &format!("deposit {number}"), amount).await
    }

    /// The transaction, if it is on record.
    async fn found(&self, id: TransactionId) -> Option<Transaction> {
        self.world.plain().transaction(id, &mut Usage::default()).await.expect("the table answers")
    }

    /// What was paid for this deposit.
    async fn paid(&self, earned: &Earned) -> Option<String> {
        let rebate = self.found(earned.rebate).await?;
        assert!(matches!(rebate.outcome, Outcome::Posted { .. }), "{rebate:?}");
        Some(rebate.amount.to_string())
    }

    /// Hands `app` a batch of which no message fails. Answers how many transactions were sent for it.
    async fn work_off(&self, app: &App, event: SqsEvent) -> u64 {
        let before = self.writes();
        let report = work::<Rebate>(app, event).await;
        assert_eq!((failed(&report), report.reasons.len()), (vec![], 0), "{:?}", report.reasons);
        self.writes() - before
    }

    /// Transactions that were sent so far, leases included.
    fn writes(&self) -> u64 {
        self.world.network.counts().get("writes").copied().unwrap_or_default()
    }
}

/// A deposit by the deposit function, repeated on conflicts as callers are told to, and the message that `dispatch` makes of it.
async fn deposited(app: &App, wallet: WalletId, key: &str, amount: &str) -> Earned {
    let (wallet, body) = (wallet.to_string(), json!({"amount": amount, "currency": "EUR"}));
    let route = "POST /v1/wallets/{wallet_id}/deposits";
    let answer: Value = loop {
        let request = event(route, &[("wallet_id", &wallet)], "bank", key, "funds:deposit", &body);
        let response = invoke("deposit", app, request).await;
        let answer: Value = serde_json::from_slice(response.body()).expect("answers are JSON");
        if response.status() == 201 {
            break answer;
        }
        assert_eq!(answer["code"], "concurrency_conflict", "{answer}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let deposit = text(&answer["id"]);
    let rebate = text(&answer["rebate"]["transaction_id"]).parse().expect("an id");
    let body = message(app.ledger().table(), &deposit, &wallet).to_string();
    Earned { deposit, rebate, body }
}

/// What `dispatch` makes of this deposit.
pub(crate) fn message(table: &str, deposit: &str, wallet: &str) -> Value {
    let source = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{table}/stream/now");
    json!({"source": source, "deposit_id": deposit, "wallet_id": wallet, "rule_id": "standard"})
}

/// The batch of these deposits, each message named after its place.
fn batch_of(deposits: &[Earned]) -> SqsEvent {
    numbered(deposits.iter().map(|earned| earned.body.as_str()))
}

/// The messages that a batch reported as failed, in its order.
fn failed(report: &Report) -> Vec<&str> {
    report.response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}
