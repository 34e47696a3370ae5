//! Both strategies, alone and mixed, on one hot wallet; refusals and stale snapshots; pinned versions.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wallet_domain::{Command, Order, Refusal, WalletId, Withdraw};
use wallet_dynamodb::{Done, ExecuteError, Policy, Strategy, Usage};

use super::{BOTH, Bench, in_turn, order, posted, refusal, run, until_done};

const CALLERS: usize = 64;
const TRANSFERS_EACH: usize = 2;
const PEERS: usize = 8;

/// One try of a caller ends within what the policy says, whatever the others do.
#[track_caller]
fn within_bounds(strategy: Strategy, usage: &Usage) {
    let policy = Policy::default();
    match strategy {
        Strategy::Optimistic => {
            assert!(usage.attempts <= policy.max_attempts, "{usage:?}");
            // A read and a commit each round, and a read before a refusal.
            assert!(usage.calls <= 2 * policy.max_attempts + 1, "{usage:?}");
            assert_eq!(usage.lock_wait_ms, 0, "{usage:?}");
        }
        Strategy::Pessimistic => {
            // A read, a lease and a commit each round, and in the end the leases are given back. How long it waits has a test
            // of its own, in paused time.
            assert!(usage.calls <= 3 * usage.attempts + 1, "{usage:?}");
        }
    }
}

/// 64 callers move money in and out of one wallet at the same time, and repeat with their key when they are told to.
async fn one_hot_wallet(strategies: [Strategy; 2]) {
    let (bench, hot) = Bench::with_one("1000").await;
    let peers = in_turn(0..PEERS, async |_| bench.open("alice", "100").await).await;
    let wallets = [&[hot], &peers[..]].concat();
    let before = bench.recomputed(&wallets).await;
    let ready = Arc::new(Barrier::new(CALLERS));
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let (ledger, ready, strategy) = (bench.another(), Arc::clone(&ready), strategies[number % 2]);
        let peer = peers[number % PEERS];
        let commands: Vec<_> = (0..TRANSFERS_EACH)
            .map(|turn| if turn % 2 == 0 { bench.transfer(hot, peer, "1") } else { bench.transfer(peer, hot, "2") })
            .collect();
        callers.spawn(async move {
            ready.wait().await;
            for command in commands {
                let (done, tries) = until_done(&ledger, &command, strategy).await;
                posted(done);
                tries.iter().for_each(|usage| within_bounds(strategy, usage));
            }
        });
    }
    callers.join_all().await;
    assert_eq!(bench.recomputed(&wallets).await, before, "money is neither made nor lost");
    let hot = bench.wallet(hot).await;
    // Opened at version 0 and filled at 1; each caller takes 1 and brings 2.
    assert_eq!((hot.version, hot.balance.to_string()), (1 + (CALLERS * TRANSFERS_EACH) as u64, "1064.00".to_owned()));
}

#[tokio::test]
async fn one_hot_wallet_optimistically() {
    one_hot_wallet([Strategy::Optimistic; 2]).await;
}

#[tokio::test]
async fn one_hot_wallet_pessimistically() {
    one_hot_wallet([Strategy::Pessimistic; 2]).await;
}

#[tokio::test]
async fn one_hot_wallet_with_both_strategies_at_once() {
    one_hot_wallet(BOTH).await;
}

#[tokio::test]
async fn a_stale_snapshot_that_would_refuse_is_read_again_first() {
    let bench = Bench::start().await;
    for strategy in BOTH {
        let wallet = bench.open("alice", "0").await;
        let stale = bench.another();
        posted(run(&stale, &bench.deposit(wallet, "10"), strategy).await.0);
        posted(run(&bench.another(), &bench.deposit(wallet, "100"), strategy).await.0);
        let (done, usage) = run(&stale, &bench.withdraw(wallet, "50"), strategy).await;
        posted(done);
        let lease = u32::from(strategy == Strategy::Pessimistic);
        assert_eq!((usage.calls, usage.attempts, usage.conflicts), (2 + lease, 1, 0), "read again, and no race lost");
    }
}

#[tokio::test]
async fn a_stale_snapshot_that_would_post_ends_in_the_refusal_of_what_is_there() {
    let bench = Bench::start().await;
    for strategy in BOTH {
        let wallet = bench.open("alice", "0").await;
        let stale = bench.another();
        posted(run(&stale, &bench.deposit(wallet, "100"), strategy).await.0);
        posted(run(&bench.another(), &bench.withdraw(wallet, "95"), strategy).await.0);
        let withdrawal = bench.withdraw(wallet, "50");
        let done = run(&stale, &withdrawal, strategy).await.0.expect("on record");
        assert_eq!(refusal(&done), Some("insufficient_funds"));
        // What the refusal says is what the table holds, not what the snapshot held.
        let (Done::Executed(transaction) | Done::Replayed(transaction)) = &done;
        let wallet_domain::Outcome::Failed { refusal: Refusal::InsufficientFunds { available, .. }, .. } =
            &transaction.outcome
        else {
            panic!("{transaction:?}")
        };
        assert_eq!(available.map(|available| available.to_string()).as_deref(), Some("5.00"));
        assert_eq!(bench.recomputed(&[wallet]).await, 500);
    }
}

fn pinned(bench: &Bench, wallet: WalletId, amount: &str, version: u64) -> Command {
    let order = Order { expected_version: Some(version), ..order("alice", bench.key(), amount) };
    Command::Withdraw(Withdraw { order, wallet })
}

#[tokio::test]
async fn a_pinned_version_is_refused_at_once_when_the_wallet_has_moved_on() {
    let bench = Bench::start().await;
    for strategy in BOTH {
        let wallet = bench.open("alice", "100").await;
        posted(run(&bench.another(), &pinned(&bench, wallet, "1", 1), strategy).await.0);
        let (done, usage) = run(&bench.another(), &pinned(&bench, wallet, "1", 1), strategy).await;
        let mismatch = matches!(done, Err(ExecuteError::Refused(Refusal::VersionMismatch { expected: 1, .. })));
        assert!(mismatch, "{done:?}");
        assert_eq!((usage.attempts, usage.conflicts, usage.write_half_units()), (1, 0, 0), "{usage:?}");
        assert_eq!(bench.wallet(wallet).await.version, 2);
    }
}

#[tokio::test]
async fn a_pinned_version_that_loses_its_race_is_not_tried_on_another() {
    let bench = Bench::start().await;
    for strategy in BOTH {
        let wallet = bench.open("alice", "0").await;
        let stale = bench.another();
        posted(run(&stale, &bench.deposit(wallet, "100"), strategy).await.0);
        posted(run(&bench.another(), &bench.deposit(wallet, "100"), strategy).await.0);
        let (done, usage) = run(&stale, &pinned(&bench, wallet, "1", 1), strategy).await;
        assert!(matches!(done, Err(ExecuteError::Refused(Refusal::VersionMismatch { .. }))), "{done:?}");
        assert_eq!((usage.attempts, usage.conflicts), (2, 1), "one commit, and no second one: {usage:?}");
        assert_eq!(bench.wallet(wallet).await.version, 2);
    }
}

#[tokio::test]
async fn a_pinned_request_that_was_done_is_replayed_from_a_stale_process_too() {
    let bench = Bench::start().await;
    for strategy in BOTH {
        let wallet = bench.open("alice", "0").await;
        let stale = bench.another();
        posted(run(&stale, &bench.deposit(wallet, "100"), strategy).await.0);
        let command = pinned(&bench, wallet, "1", 1);
        let first = posted(run(&bench.another(), &command, strategy).await.0);
        // The process's snapshot is still at the pinned version; the table is not, because of this very request.
        let again = run(&stale, &command, strategy).await.0.expect("on record");
        assert_eq!(again, Done::Replayed(first), "{strategy}");
    }
}
