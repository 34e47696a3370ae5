//! Trap: the failed attempt is written down inside the transaction that its failure undoes.
//!
//! The money is safe and the trace is gone: no list of refused payments, nothing for a support desk or a fraud rule, and
//! the same key may be refused today and paid tomorrow. The record of a refusal has to be a write of its own.

use wallet_domain::Outcome;
use wallet_dynamodb::{Done, Strategy, Usage};

use super::{Raw, balance, refused};
use crate::ledger::{Bench, posted, run};

#[tokio::test]
async fn the_record_of_a_refusal() {
    let bench = Bench::start().await;

    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 10)]).await;
    let attempt: (&str, &[(&str, i64)]) = ("attempt", &[("amount", 80)]);
    let debit: (&str, &str, &str, &[(&str, i64)]) =
        ("alice", "SET balance = balance - :x", "balance >= :x", &[("x", 80)]);
    assert!(!raw.put_and_update(attempt, debit).await);
    assert_eq!(raw.find("attempt", "amount").await, None, "nobody has ever tried");

    for strategy in [Strategy::Optimistic, Strategy::Pessimistic] {
        let wallet = bench.open("alice", "10").await;
        let (ledger, withdrawal) = (bench.another(), bench.withdraw(wallet, "80"));
        let (code, first) = refused(run(&ledger, &withdrawal, strategy).await.0);
        assert_eq!((code.as_str(), balance(&bench, wallet).await), ("insufficient_funds", "10.00".to_owned()));
        let mut usage = Usage::default();
        let found = ledger.transaction(withdrawal.transaction(), &mut usage).await.expect("the table answers");
        assert!(matches!(found.expect("on record").outcome, Outcome::Failed { .. }));
        let listed = ledger.attempts(wallet, None, 10, &mut usage).await.expect("the table answers");
        assert_eq!(listed.items, std::slice::from_ref(&first));
        // Even with money for it now, the key has its answer.
        posted(run(&ledger, &bench.deposit(wallet, "100"), strategy).await.0);
        assert_eq!(run(&ledger, &withdrawal, strategy).await.0.expect("on record"), Done::Replayed(first));
        assert_eq!(balance(&bench, wallet).await, "110.00");
    }
}
