//! Trap: one way of writing relies on a version that another way of writing doesn't raise.
//!
//! An atomic `balance + x` is right among its like, and so is a version race among its like. Together on one wallet the
//! version says that nothing happened, and the increment is overwritten. All ways of writing have to raise the version.

use wallet_dynamodb::Strategy;

use super::{Raw, balance};
use crate::ledger::{Bench, posted, run};

#[tokio::test]
async fn an_increment_without_a_version_under_a_version_race() {
    let bench = Bench::start().await;

    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 100), ("version", 7)]).await;
    let (read, version) = (raw.get("alice", "balance").await, raw.get("alice", "version").await);
    // Under "the other strategy": a credit of 30 that holds a lock somewhere and bumps nothing.
    raw.update("alice", "SET balance = balance + :credit", None, &[("credit", 30)]).await;
    let change = "SET balance = :left, version = version + :one";
    let values = [("left", read - 50), ("one", 1), ("seen", version)];
    assert!(raw.update("alice", change, Some("version = :seen"), &values).await);
    assert_eq!(raw.get("alice", "balance").await, 50, "of 80: the credit of 30 is gone");

    // This ledger: a snapshot from before a commit of the other strategy loses its race, in either direction.
    for (one, other) in [(Strategy::Optimistic, Strategy::Pessimistic), (Strategy::Pessimistic, Strategy::Optimistic)] {
        let wallet = bench.open("alice", "0").await;
        let stale = bench.another();
        posted(run(&stale, &bench.deposit(wallet, "100"), one).await.0);
        posted(run(&bench.another(), &bench.deposit(wallet, "30"), other).await.0);
        let (done, usage) = run(&stale, &bench.withdraw(wallet, "50"), one).await;
        posted(done);
        assert_eq!((usage.conflicts, balance(&bench, wallet).await), (1, "80.00".to_owned()));
        assert_eq!(bench.wallet(wallet).await.version, 3);
    }
}
