//! Trap: an optimistic check on the balance alone ("write if the balance is still 100").
//!
//! The balance can leave 100 and come back (A, B, A), and the check doesn't see that anything happened in between. A
//! retry after a lost reply then pays a second time, and whatever else was computed from the old read (here the day's
//! outflow) overwrites what the others wrote. A version that only ever rises has no way back.

use wallet_domain::{Amend, Caller, Change, Command, Expected};
use wallet_dynamodb::Strategy;

use super::{Raw, balance, refused};
use crate::ledger::{Bench, caller, posted, run};

#[tokio::test]
async fn a_retry_after_the_balance_came_back() {
    let bench = Bench::start().await;

    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 100)]).await;
    let withdraw = || raw.update("alice", "SET balance = :new", Some("balance = :old"), &[("old", 100), ("new", 50)]);
    assert!(withdraw().await, "done, but the reply is lost on its way");
    raw.update("alice", "SET balance = balance + :paid_in", None, &[("paid_in", 50)]).await;
    assert!(withdraw().await, "the retry finds 100 and withdraws again");
    assert_eq!(raw.get("alice", "balance").await, 50, "of 100: one withdrawal was made twice");

    // This ledger: the record of the request is part of its transaction, so the retry finds it.
    for strategy in [Strategy::Optimistic, Strategy::Pessimistic] {
        let wallet = bench.open("alice", "100").await;
        let withdrawal = bench.withdraw(wallet, "50");
        let first = posted(run(&bench.another(), &withdrawal, strategy).await.0);
        posted(run(&bench.another(), &bench.deposit(wallet, "50"), strategy).await.0);
        let again = run(&bench.another(), &withdrawal, strategy).await.0.expect("on record");
        assert_eq!(again, wallet_dynamodb::Done::Replayed(first));
        assert_eq!(balance(&bench, wallet).await, "100.00");
    }
}

#[tokio::test]
async fn a_limit_computed_from_what_was_read_before_the_balance_came_back() {
    let bench = Bench::start().await;

    // At most 60 may leave on one day.
    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 100), ("outflow", 0)]).await;
    let (read, outflow) = (raw.get("alice", "balance").await, raw.get("alice", "outflow").await);
    // Others withdraw 60 and deposit 60 meanwhile, each rightly.
    let change = "SET balance = balance - :x, outflow = outflow + :x";
    assert!(raw.update("alice", change, Some("balance >= :x"), &[("x", 60)]).await);
    raw.update("alice", "SET balance = balance + :x", None, &[("x", 60)]).await;
    assert!(outflow + 50 <= 60, "within the limit, by what was read");
    let change = "SET balance = :new, outflow = :outflow";
    let values = [("old", read), ("new", read - 50), ("outflow", outflow + 50)];
    assert!(raw.update("alice", change, Some("balance = :old"), &values).await);
    assert_eq!(raw.get("alice", "outflow").await, 50, "on record, while 110 have left");

    // This ledger: the limit's counter moves under the same version as the balance.
    for strategy in [Strategy::Optimistic, Strategy::Pessimistic] {
        let wallet = bench.open("alice", "0").await;
        let limit = Change { max_daily_outflow: Some(Some("60".to_owned())), ..Change::default() };
        let admin = Caller { admin: true, ..caller("root") };
        let amend = Command::Amend(Amend { caller: admin, wallet, expected: Expected::Version(0), change: limit });
        posted(run(&bench.another(), &amend, strategy).await.0);
        let stale = bench.another();
        posted(run(&stale, &bench.deposit(wallet, "100"), strategy).await.0);
        posted(run(&bench.another(), &bench.withdraw(wallet, "60"), strategy).await.0);
        posted(run(&bench.another(), &bench.deposit(wallet, "60"), strategy).await.0);
        let (code, _) = refused(run(&stale, &bench.withdraw(wallet, "50"), strategy).await.0);
        assert_eq!(code, "limit_exceeded");
        let wallet = bench.wallet(wallet).await;
        assert_eq!(
            (wallet.balance.to_string(), wallet.counters.outflow.to_string()),
            ("100.00".into(), "60.00".into())
        );
    }
}
