//! Leases: all of a request's wallets or none, for no longer than they say, and never instead of the version.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use wallet_domain::{Command, Timestamp, WalletId};
use wallet_dynamodb::{Clock, Done, ExecuteError, Ledger, Policy, Strategy, Usage};

use super::{Bench, posted, refusal, run};

/// A request that has its leases and is held up before it commits.
struct HeldUp {
    resume: mpsc::Sender<()>,
    ended: std::thread::JoinHandle<(Result<Done, ExecuteError>, Usage)>,
}

/// A clock at `now` that calls `note` before its answer to the question number `question`, counted from 1.
///
/// A pessimistic request on one wallet asks first to decide, second to lease, third to commit; where it reads a lease,
/// it asks before each decision whether that is live.
fn noting(question: u32, now: Timestamp, note: impl Fn() + Send + Sync + 'static) -> Clock {
    let asked = AtomicU32::new(0);
    Arc::new(move || {
        if asked.fetch_add(1, Ordering::SeqCst) + 1 == question {
            note();
        }
        now
    })
}

impl HeldUp {
    /// In a thread and a runtime of its own, as in a process of its own.
    fn between_lease_and_commit(bench: &Bench, command: &Command, now: Timestamp) -> HeldUp {
        let ((resume, resumed), (reached, there)) = (mpsc::channel::<()>(), mpsc::channel());
        let resumed = std::sync::Mutex::new(resumed);
        let ledger = bench.another().with_clock(noting(3, now, move || {
            reached.send(()).expect("the test waits");
            let _ = resumed.lock().expect("one reader").recv();
        }));
        let command = command.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(&ledger, &command, Strategy::Pessimistic))
        });
        // The embedded database runs on the test's runtime, which has another worker for it.
        there.recv().expect("the leases are taken");
        HeldUp { resume, ended }
    }

    fn end(self) -> (Result<Done, ExecuteError>, Usage) {
        self.resume.send(()).expect("the holder waits");
        self.ended.join().expect("the holder ends")
    }
}

fn at(bench: &Bench, now: Timestamp, lock_wait: Duration) -> Ledger {
    let policy = Policy { max_attempts: 2, lock_wait, ..Policy::default() };
    bench.another().with_clock(Arc::new(move || now)).with_policy(policy)
}

async fn lease_on(bench: &Bench, wallet: WalletId) -> bool {
    bench.database.item(&format!("WALLET#{wallet}"), "WALLET").await.contains_key("lease_holder")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_wallets_or_none() {
    let bench = Bench::start().await;
    let (a, b) = (bench.open("alice", "100").await, bench.open("alice", "100").await);
    let now = bench.another().now();
    let holder = HeldUp::between_lease_and_commit(&bench, &bench.withdraw(a, "10"), now);
    let impatient = at(&bench, now, Duration::ZERO);
    for command in [bench.transfer(a, b, "1"), bench.transfer(b, a, "1")] {
        let done = run(&impatient, &command, Strategy::Pessimistic).await.0;
        assert!(matches!(done, Err(ExecuteError::LockTimeout { .. })), "{done:?}");
        assert!(!lease_on(&bench, b).await, "nothing was kept of a lease that could not be had whole");
    }
    let (done, usage) = run(&impatient, &bench.withdraw(b, "1"), Strategy::Optimistic).await;
    posted(done);
    assert_eq!(usage.conflicts, 0);
    posted(holder.end().0);
    assert!(!lease_on(&bench, a).await, "the commit gave the lease back");
    assert_eq!(bench.recomputed(&[a, b]).await, 18_900);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_holder_is_fenced_by_the_version() {
    let (bench, wallet) = Bench::with_one("100").await;
    let now = bench.another().now();
    let lease = Policy::default().lease;
    for taker in [Strategy::Pessimistic, Strategy::Optimistic] {
        bench.post(&bench.deposit(wallet, "80")).await;
        let left = bench.wallet(wallet).await.balance.minor_units();
        let late = HeldUp::between_lease_and_commit(&bench, &bench.withdraw(wallet, "150"), now);
        // One millisecond before the end it is still the holder's.
        let early = at(&bench, now + lease - Duration::from_millis(1), Duration::ZERO);
        let held = run(&early, &bench.withdraw(wallet, "1"), taker).await.0;
        assert!(matches!(held, Err(ExecuteError::LockTimeout { .. } | ExecuteError::Conflict { .. })), "{held:?}");
        let (done, usage) = run(&at(&bench, now + lease, Duration::ZERO), &bench.withdraw(wallet, "80"), taker).await;
        posted(done);
        assert_eq!(usage.conflicts, 0, "an expired lease is nobody's");
        // The holder wakes, still believing in its lease, and commits what it decided on a balance that is gone.
        let (done, usage) = late.end();
        assert_eq!(refusal(&done.expect("on record")), Some("insufficient_funds"));
        assert_eq!(usage.conflicts, 1);
        assert!(!lease_on(&bench, wallet).await);
        assert_eq!(bench.recomputed(&[wallet]).await, left - 8_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_lease_is_bounded_by_time() {
    let (bench, wallet) = Bench::with_one("100").await;
    let now = bench.another().now();
    let holder = HeldUp::between_lease_and_commit(&bench, &bench.withdraw(wallet, "10"), now);
    let bound = Duration::from_millis(60);
    let command = bench.withdraw(wallet, "1");
    let (done, usage) = run(&at(&bench, now, bound), &command, Strategy::Pessimistic).await;
    assert!(matches!(done, Err(ExecuteError::LockTimeout { retry_after_seconds: 1.. })), "{done:?}");
    assert!((60..2_000).contains(&usage.lock_wait_ms), "{usage:?}");
    assert_eq!(bench.wallet(wallet).await.version, 1, "nothing has moved");

    // The same key again, and this time the holder ends while it waits.
    let (reached, there) = mpsc::channel();
    let clock = noting(3, now, move || reached.send(()).expect("the test waits"));
    let patient = bench.another().with_clock(clock);
    let waiting = tokio::spawn(async move { run(&patient, &command, Strategy::Pessimistic).await });
    tokio::task::spawn_blocking(move || there.recv())
        .await
        .expect("a thread")
        .expect("it has looked at the lease twice");
    posted(tokio::task::spawn_blocking(|| holder.end()).await.expect("a thread").0);
    let (done, usage) = waiting.await.expect("the waiter ends");
    posted(done);
    // It waited by reading: two looks at the lease and more, and then the one lease and the one commit.
    assert!(usage.lock_wait_ms > 0 && usage.calls >= 5, "{usage:?}");
    assert_eq!((usage.conflicts, usage.write_half_units()), (0, 2 * 8), "{usage:?}");
    assert_eq!(bench.recomputed(&[wallet]).await, 8_900);
}

#[tokio::test]
async fn a_lease_is_given_back_when_the_request_was_answered_before() {
    let (bench, wallet) = Bench::with_one("100").await;
    let withdrawal = bench.withdraw(wallet, "10");
    let first = posted(run(&bench.another(), &withdrawal, Strategy::Pessimistic).await.0);
    // With a fresh snapshot of its own this process leases at once, and learns only from the commit.
    let fresh = bench.another();
    posted(run(&fresh, &bench.deposit(wallet, "1"), Strategy::Pessimistic).await.0);
    let (again, usage) = run(&fresh, &withdrawal, Strategy::Pessimistic).await;
    assert_eq!(again.expect("on record"), Done::Replayed(first));
    assert_eq!(usage.calls, 3, "lease, commit, release: {usage:?}");
    assert!(!lease_on(&bench, wallet).await);
    assert_eq!(bench.recomputed(&[wallet]).await, 9_100);
}

#[tokio::test]
async fn a_refusal_takes_no_lease() {
    let (bench, wallet) = Bench::with_one("10").await;
    let done = run(&bench.another(), &bench.withdraw(wallet, "80"), Strategy::Pessimistic).await.0;
    assert_eq!(refusal(&done.expect("on record")), Some("insufficient_funds"));
    assert!(!lease_on(&bench, wallet).await);
}
