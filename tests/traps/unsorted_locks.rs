//! Trap: a transfer locks its source, then its destination, one after the other.
//!
//! A transfer the other way has locked them in the other order, and each waits for what the other holds. Sorting the
//! locks helps until someone forgets to; taking all of them in one transaction, or none, leaves nothing to wait with.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wallet_dynamodb::Strategy;

use super::{Raw, balance};
use crate::ledger::{Bench, posted, run, until_done};

/// Tries for the second lock. With no end at all this test would not end either.
const TRIES: u32 = 20;
const PAIRS: usize = 8;
/// Far beyond what the transfers need, so that only a deadlock reaches it.
const TIME_LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn transfers_in_both_directions() {
    let bench = Bench::start().await;

    let raw = Raw::of(&bench);
    for id in ["alice", "bob"] {
        raw.put(id, &[("balance", 100), ("is_locked", 0)]).await;
    }
    let both_hold_one = Arc::new(Barrier::new(2));
    let mut transfers = JoinSet::new();
    for (source, destination) in [("alice", "bob"), ("bob", "alice")] {
        let (raw, barrier) = (raw.clone(), Arc::clone(&both_hold_one));
        transfers.spawn(async move {
            let values = [("yes", 1), ("no", 0)];
            let lock = |id| raw.update(id, "SET is_locked = :yes", Some("is_locked = :no"), &values);
            assert!(lock(source).await);
            barrier.wait().await;
            let mut locked = false;
            for _ in 0..TRIES {
                locked |= lock(destination).await;
            }
            // Neither lets go before the other has tried for the last time: as if each waited for ever.
            barrier.wait().await;
            locked
        });
    }
    assert_eq!(transfers.join_all().await, [false, false], "neither transfer will ever be made");

    // This ledger: eight transfers each way at once, pessimistically, all of them through.
    let (alice, bob) = (bench.open("alice", "100").await, bench.open("alice", "100").await);
    let all_ready = Arc::new(Barrier::new(2 * PAIRS));
    let mut transfers = JoinSet::new();
    for _ in 0..PAIRS {
        for (source, destination, amount) in [(alice, bob, "5"), (bob, alice, "3")] {
            let (ledger, command) = (bench.another(), bench.transfer(source, destination, amount));
            let ready = Arc::clone(&all_ready);
            transfers.spawn(async move {
                ready.wait().await;
                until_done(&ledger, &command, Strategy::Pessimistic).await.0
            });
        }
    }
    let done = tokio::time::timeout(TIME_LIMIT, transfers.join_all()).await.expect("no deadlock");
    assert_eq!(done.len(), 2 * PAIRS);
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!((balance(&bench, alice).await, balance(&bench, bob).await), ("84.00".into(), "116.00".into()));
    posted(run(&bench.another(), &bench.transfer(alice, bob, "84"), Strategy::Optimistic).await.0);
}
