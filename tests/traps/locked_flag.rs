//! Trap: a `locked` flag on the wallet.
//!
//! Read and then set, two requests both find it free. Set with a condition, it stays set for ever when its holder dies.
//! And it protects nothing from a writer that doesn't look at it. A lock needs an end that is stored with it, and the
//! holder's write needs a condition of its own that holds even when the lock is gone.

use std::time::Duration;

use wallet_domain::{Command, Timestamp};
use wallet_dynamodb::{ExecuteError, Policy, Strategy};

use super::{Raw, at, balance, dies_after};
use crate::ledger::{Bench, posted, run};

#[tokio::test]
async fn a_flag_that_is_read_and_then_set() {
    let bench = Bench::start().await;

    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 100), ("is_locked", 0)]).await;
    let (first, second) = (raw.get("alice", "is_locked").await, raw.get("alice", "is_locked").await);
    let mut paid_out = 0;
    for found in [first, second] {
        assert_eq!(found, 0, "free, says the flag");
        raw.update("alice", "SET is_locked = :yes", None, &[("yes", 1)]).await;
    }
    let (first, second) = (raw.get("alice", "balance").await, raw.get("alice", "balance").await);
    for read in [first, second] {
        raw.update("alice", "SET balance = :left, is_locked = :no", None, &[("left", read - 80), ("no", 0)]).await;
        paid_out += 80;
    }
    assert_eq!((raw.get("alice", "balance").await, paid_out), (20, 160));

    // This ledger: taking the lease is conditional on nobody having it and on the version that was read.
    let wallet = bench.open("alice", "0").await;
    let (first, second) = (bench.another(), bench.another());
    posted(run(&first, &bench.deposit(wallet, "100"), Strategy::Pessimistic).await.0);
    posted(run(&second, &bench.withdraw(wallet, "80"), Strategy::Pessimistic).await.0);
    let (code, _) = super::refused(run(&first, &bench.withdraw(wallet, "80"), Strategy::Pessimistic).await.0);
    assert_eq!((code.as_str(), balance(&bench, wallet).await), ("insufficient_funds", "20.00".to_owned()));
}

/// Whoever executes `command` is killed between lease and commit, at the time that comes back.
async fn killed_with_the_lease(bench: &Bench, command: Command) -> (Timestamp, Command) {
    let (now, asked) = (bench.another().now(), command.clone());
    let dying = bench.another().with_clock(dies_after(2, now));
    let killed = tokio::spawn(async move { run(&dying, &asked, Strategy::Pessimistic).await.0 }).await;
    assert!(killed.expect_err("killed between lease and commit").is_panic());
    (now, command)
}

#[tokio::test]
async fn a_holder_that_dies() {
    let bench = Bench::start().await;

    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 100), ("is_locked", 0)]).await;
    let take = ("SET is_locked = :yes", Some("is_locked = :no"), [("yes", 1), ("no", 0)]);
    assert!(raw.update("alice", take.0, take.1, &take.2).await);
    // Here the holder is killed. Nobody gets the wallet any more, however often they try.
    for _ in 0..10 {
        assert!(!raw.update("alice", take.0, take.1, &take.2).await);
    }

    // This ledger: killed between lease and commit, it blocks the wallet until its lease is over, and no longer.
    let wallet = bench.open("alice", "100").await;
    let (now, withdrawal) = killed_with_the_lease(&bench, bench.withdraw(wallet, "80")).await;

    let impatient = Policy { max_attempts: 2, lock_wait: Duration::ZERO, ..Policy::default() };
    let during = bench.another().with_policy(impatient).with_clock(at(now));
    let held = run(&during, &bench.withdraw(wallet, "1"), Strategy::Pessimistic).await.0;
    assert!(matches!(held, Err(ExecuteError::LockTimeout { .. })), "{held:?}");

    let after = now + Policy::default().lease;
    let later = bench.another().with_policy(impatient).with_clock(at(after));
    posted(run(&later, &withdrawal, Strategy::Pessimistic).await.0);
    assert_eq!(balance(&bench, wallet).await, "20.00");
}

#[tokio::test]
async fn a_writer_that_does_not_look_at_the_flag() {
    let bench = Bench::start().await;

    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 100), ("is_locked", 0)]).await;
    assert!(raw.update("alice", "SET is_locked = :yes", Some("is_locked = :no"), &[("yes", 1), ("no", 0)]).await);
    let read = raw.get("alice", "balance").await;
    // A batch job from elsewhere credits 30, rightly, and has never heard of the flag.
    raw.update("alice", "SET balance = balance + :credit", None, &[("credit", 30)]).await;
    raw.update("alice", "SET balance = :left, is_locked = :no", None, &[("left", read - 50), ("no", 0)]).await;
    assert_eq!(raw.get("alice", "balance").await, 50, "of 80: the credit of 30 is gone");

    // This ledger: an optimistic request takes no lease and respects one all the same.
    let wallet = bench.open("alice", "100").await;
    let (now, withdrawal) = killed_with_the_lease(&bench, bench.withdraw(wallet, "50")).await;
    let brief = Policy { max_attempts: 2, ..Policy::default() };
    let credit = bench.deposit(wallet, "30");
    let during = bench.another().with_policy(brief).with_clock(at(now));
    let held = run(&during, &credit, Strategy::Optimistic).await.0;
    assert!(matches!(held, Err(ExecuteError::Conflict { .. })), "{held:?}");
    let later = bench.another().with_policy(brief).with_clock(at(now + Policy::default().lease));
    posted(run(&later, &credit, Strategy::Optimistic).await.0);
    posted(run(&later, &withdrawal, Strategy::Pessimistic).await.0);
    assert_eq!(balance(&bench, wallet).await, "80.00");
}
