//! Holds on a real table: what each step costs, two at once, and what is released when the time is over, by the sweep or by
//! whoever is short of it.

mod torn;

use std::sync::Arc;
use std::time::Duration;

use wallet_domain::{
    Account, Authorise, BasisPoints, Bounds, Capture, Change, Command, FeeSchedule, HOLD_LIFETIME, Hold, HoldStatus,
    Refusal, SignedDuration, Status, Timestamp, Transaction, Void, WalletId,
};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy, Swept, Usage};

use super::{BOTH, Bench, all_at_once, caller, code, in_turn, order, posted, run};

impl Bench {
    fn authorise(&self, source: WalletId, destination: WalletId, amount: &str) -> Command {
        let (order, destination) = (order("alice", self.key(), amount), Some(destination));
        Command::Authorise(Authorise { order, source, destination, expires_in: HOLD_LIFETIME, fee: fee() })
    }

    /// A hold of alice's for bob.
    async fn hold(&self, source: WalletId, destination: WalletId, amount: &str) -> Transaction {
        self.post(&self.authorise(source, destination, amount)).await
    }

    fn capture(&self, hold: &Transaction, amount: Option<&str>, is_final: bool) -> Command {
        let amount = amount.map(|amount| order("bob", self.key(), amount).amount);
        Command::Capture(Capture {
            caller: caller("bob"),
            key: self.key(),
            hold: Box::new(hold.clone()),
            amount,
            is_final,
        })
    }

    fn void(&self, hold: &Transaction) -> Command {
        Command::Void(Void { caller: caller("bob"), key: self.key(), hold: Box::new(hold.clone()) })
    }

    async fn hold_now(&self, hold: &Transaction) -> Hold {
        let found = self.another().hold(hold, &mut Usage::default()).await.expect("the table answers");
        found.expect("it was made").0
    }

    /// A ledger after every hold's end.
    fn later(&self) -> Ledger {
        self.another().with_clock(Arc::new(later))
    }

    async fn sweep(&self) -> Swept {
        self.later().sweep(&mut Usage::default()).await.expect("the index answers")
    }

    /// What the audit finds, an hour after every hold's end and more.
    async fn audited(&self) -> Vec<String> {
        let ledger = self.another().with_clock(Arc::new(|| later() + SignedDuration::from_hours(2)));
        let report = wallet_audit::Audit::new(ledger, 2).table().await.expect("the table answers");
        report.findings.iter().map(ToString::to_string).collect()
    }
}

/// One euro, whatever the amount.
fn fee() -> Option<FeeSchedule> {
    let bound = || Bounds::new([order("alice", "k".parse().expect("a key"), "1").amount.money()]).expect("one bound");
    FeeSchedule::new(BasisPoints::new(0).expect("a share"), bound(), bound()).ok()
}

#[expect(clippy::disallowed_methods, reason = "a clock that is ahead of the table's")]
fn later() -> Timestamp {
    Timestamp::now() + HOLD_LIFETIME + SignedDuration::from_secs(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_has_its_price() {
    let (bench, alice, bob) = Bench::with_two("100").await;
    let cost = async |command: &Command| {
        let (done, usage) = run(&bench.another(), command, Strategy::Optimistic).await;
        (posted(done), usage.calls, usage.write_half_units() / 2)
    };
    let (hold, calls, units) = cost(&bench.authorise(alice, bob, "30")).await;
    assert_eq!((calls, units), (2, 9), "record, wallet, entry, hold, and its place in the index");
    let (_, calls, units) = cost(&bench.capture(&hold, Some("10"), false)).await;
    assert_eq!((calls, units), (2, 12), "record, two wallets, two entries, hold");
    let (_, calls, units) = cost(&bench.capture(&hold, None, true)).await;
    assert_eq!((calls, units), (2, 13), "the same, and its place in the index");
    let (hold, ..) = cost(&bench.authorise(alice, bob, "30")).await;
    let (_, calls, units) = cost(&bench.void(&hold)).await;
    assert_eq!((calls, units), (2, 9));
    cost(&bench.authorise(alice, bob, "30")).await;
    let mut usage = Usage::default();
    let swept = bench.later().sweep(&mut usage).await.expect("the index answers");
    assert_eq!((swept.released, swept.transactions, usage.write_half_units() / 2), (1, 1, 9));
    assert_eq!(bench.audited().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_authorisation_holds_once() {
    let (bench, alice, bob) = Bench::with_two("100").await;
    let command = bench.authorise(alice, bob, "30");
    let commands = (0..8).map(|_| (command.clone(), Strategy::Optimistic));
    let done = all_at_once(&bench, None, commands).await;
    let made: Vec<_> = done.into_iter().map(|done| done.expect("on record")).collect();
    assert_eq!(made.iter().filter(|done| matches!(done, Done::Executed(_))).count(), 1);
    assert_eq!(bench.wallet(alice).await.held.to_string(), "31.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_captures_and_voids_at_once_one_has_it() {
    let (bench, alice, bob) = Bench::with_two("100").await;
    for strategy in BOTH {
        let before = bench.wallet(bob).await.balance;
        let hold = bench.hold(alice, bob, "10").await;
        let commands = [bench.capture(&hold, None, true), bench.capture(&hold, Some("10"), true), bench.void(&hold)];
        let commands = commands.into_iter().cycle().take(3).map(|command| (command, strategy));
        let done = all_at_once(&bench, None, commands).await;
        let codes: Vec<_> = done.iter().filter_map(code).collect();
        assert_eq!(codes, ["hold_not_active", "hold_not_active"], "{done:?}");
        let ended = bench.hold_now(&hold).await;
        let moved = bench.wallet(bob).await.balance.minus(before).expect("one currency");
        assert_eq!(moved, ended.captured);
        assert_eq!(bench.wallet(alice).await.held.minor_units(), 0);
    }
    // Parts of it at once: never more than it has.
    let hold = bench.hold(alice, bob, "10").await;
    let parts = (0..8).map(|_| (bench.capture(&hold, Some("3"), false), Strategy::Optimistic));
    let done = all_at_once(&bench, None, parts.collect::<Vec<_>>()).await;
    let codes: Vec<_> = done.iter().filter_map(code).collect();
    assert_eq!(codes, ["capture_exceeds_hold"; 5], "{done:?}");
    assert_eq!(bench.hold_now(&hold).await.captured.to_string(), "9.00");
    assert_eq!(bench.audited().await.len(), 1, "the last one is active still, long after its time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_that_comes_too_late_releases_and_says_so() {
    let bench = Bench::start().await;
    for strategy in BOTH {
        for void in [false, true] {
            let (alice, bob) = (bench.open("alice", "100").await, bench.open("bob", "0").await);
            let hold = bench.hold(alice, bob, "30").await;
            let command = if void { bench.void(&hold) } else { bench.capture(&hold, None, true) };
            let (done, _) = run(&bench.later(), &command, strategy).await;
            assert!(matches!(done, Err(ExecuteError::Refused(Refusal::HoldExpired { .. }))), "{done:?}");
            assert_eq!(bench.hold_now(&hold).await.status, HoldStatus::Expired);
            let wallet = bench.wallet(alice).await;
            assert_eq!((wallet.balance.to_string(), wallet.held.minor_units()), ("100.00".to_owned(), 0));
            // Nor does a clock that is behind find it again.
            let (done, _) = run(&bench.another(), &command, strategy).await;
            assert!(matches!(done, Err(ExecuteError::Refused(Refusal::HoldExpired { .. }))), "{done:?}");
        }
    }
    assert_eq!(bench.audited().await, [""; 0]);
}

/// Two functions whose clocks are five minutes apart, about a hold that has expired by one of them.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_moment_of_expiry_the_first_one_has_it_whatever_the_clocks_say() {
    let (bench, alice, bob) = Bench::with_two("1000").await;
    for _ in 0..10 {
        let hold = bench.hold(alice, bob, "10").await;
        let ends = hold.hold.as_ref().expect("its terms").expires_at;
        let at = move |seconds: i64| -> wallet_dynamodb::Clock {
            Arc::new(move || ends + SignedDuration::from_secs(seconds))
        };
        let (behind, ahead) = (bench.another().with_clock(at(-150)), bench.another().with_clock(at(150)));
        let capture = bench.capture(&hold, None, true);
        let before = bench.wallet(bob).await.balance;
        let mut usage = Usage::default();
        let ((done, _), swept) = tokio::join!(run(&behind, &capture, Strategy::Optimistic), ahead.sweep(&mut usage));
        swept.expect("the index answers");
        let moved = bench.wallet(bob).await.balance != before;
        let ended = bench.hold_now(&hold).await.status;
        match code(&done) {
            None => assert_eq!((ended, moved), (HoldStatus::Captured, true)),
            Some("hold_expired") => assert_eq!((ended, moved), (HoldStatus::Expired, false)),
            other => panic!("{other:?}"),
        }
        assert_eq!(bench.wallet(alice).await.held.minor_units(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_short_of_what_expired_holds_keep_back_has_it_released_first() {
    let (bench, alice, bob) = Bench::with_two("100").await;
    for _ in 0..60 {
        bench.hold(alice, bob, "0.50").await;
    }
    assert_eq!(bench.wallet(alice).await.available().to_string(), "10.00");
    let (done, usage) = run(&bench.another(), &bench.withdraw(alice, "10.01"), Strategy::Optimistic).await;
    assert_eq!(code(&done), Some("insufficient_funds"), "they are active");
    assert_eq!(usage.calls, 4, "read, look, read again, record: {usage:?}");
    let (done, usage) = run(&bench.later(), &bench.withdraw(alice, "100.01"), Strategy::Optimistic).await;
    assert_eq!(code(&done), Some("insufficient_funds"), "all of it is too little");
    assert_eq!(usage.calls, 4, "read, look, read again, record: {usage:?}");
    assert_eq!(bench.wallet(alice).await.held.to_string(), "90.00", "nothing is released for nothing");
    // 49 are enough, for a withdrawal under a lease as well.
    posted(run(&bench.later(), &bench.withdraw(alice, "80"), Strategy::Pessimistic).await.0);
    assert_eq!(bench.wallet(alice).await.held.to_string(), "16.50");
    let transfer = bench.transfer(alice, bob, "20");
    posted(run(&bench.later(), &transfer, Strategy::Optimistic).await.0);
    assert_eq!(bench.wallet(alice).await.held.minor_units(), 0);
    assert_eq!(bench.recomputed(&[alice, bob]).await, 2_000);
    assert_eq!(bench.audited().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_closed_once_its_expired_holds_are_released() {
    let (bench, alice, bob) = Bench::with_two("2").await;
    bench.hold(alice, bob, "1").await;
    posted(run(&bench.later(), &bench.withdraw(alice, "2"), Strategy::Optimistic).await.0);
    let change = Change { status: Some(Status::Closed), ..Change::default() };
    bench.amend(alice, change).await;
    assert_eq!(bench.wallet(alice).await.status, Status::Closed);
}

/// Holds that all expire at the same moment, while their owners go on: each is released once. The long form:
/// `WALLET_HOLDS=10000`.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_expiries_releases_each_hold_once() {
    let holds: usize = std::env::var("WALLET_HOLDS").map_or(200, |text| text.parse().expect("a number"));
    let bench = Bench::start().await;
    let bob = bench.open("bob", "0").await;
    let wallets = in_turn(0..holds.div_ceil(25), async |_| bench.open("alice", "1000").await).await;
    let bench = Arc::new(bench);
    let mut making = tokio::task::JoinSet::new();
    for part in wallets.chunks(wallets.len().div_ceil(8)) {
        let (bench, part) = (Arc::clone(&bench), part.to_vec());
        making.spawn(async move {
            let ledger = bench.another();
            for wallet in part {
                for _ in 0..25 {
                    posted(run(&ledger, &bench.authorise(wallet, bob, "1"), Strategy::Optimistic).await.0);
                }
            }
        });
    }
    making.join_all().await;
    let made = wallets.len() * 25;

    let started = tokio::time::Instant::now();
    let going_on = async {
        let ledger = bench.later();
        for wallet in wallets.iter().take(50) {
            let (done, _) = super::until_done(&ledger, &bench.withdraw(*wallet, "1"), Strategy::Optimistic).await;
            posted(done);
        }
    };
    let two = async { tokio::join!(bench.sweep(), bench.sweep()) };
    let ((), (first, second)) = tokio::join!(going_on, two);
    let mut released = first.released + second.released;
    while released < made as u64 {
        let more = bench.sweep().await;
        assert!(more.released > 0, "what a sweep leaves the next one finds");
        released += more.released;
    }
    let transactions = first.transactions + second.transactions;
    println!(
        "{released} holds of {} wallets released in {transactions} transactions and {:?}",
        wallets.len(),
        started.elapsed()
    );
    assert_eq!(released, made as u64, "each once");
    assert_eq!(bench.sweep().await, Swept::default());
    for wallet in &wallets {
        assert_eq!(bench.wallet(*wallet).await.held.minor_units(), 0);
    }
    assert_eq!(bench.audited().await, [""; 0]);
}

/// Many holds of one wallet, released 49 at a time. The long form: `WALLET_HOLDS=5000`.
#[tokio::test(flavor = "multi_thread")]
async fn many_holds_of_one_wallet_are_released_in_few_transactions() {
    let holds: usize = std::env::var("WALLET_HOLDS").map_or(150, |text| text.parse().expect("a number"));
    let (bench, alice, bob) = Bench::with_two("100000").await;
    let ledger = bench.another();
    for _ in 0..holds {
        posted(run(&ledger, &bench.authorise(alice, bob, "1"), Strategy::Optimistic).await.0);
    }
    let (started, mut usage) = (tokio::time::Instant::now(), Usage::default());
    let swept = bench.later().sweep(&mut usage).await.expect("the index answers");
    println!("{swept:?} in {:?}: {} calls, {} read units", started.elapsed(), usage.calls, usage.read_half_units() / 2);
    assert_eq!(swept.released, holds as u64);
    assert!(swept.transactions <= holds.div_ceil(49) as u64 + 2, "{swept:?}");
    assert_eq!(bench.wallet(alice).await.held.minor_units(), 0);
    assert_eq!(bench.audited().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_holds_goes_from_the_newest_to_the_oldest_page_by_page() {
    let (bench, alice, bob) = Bench::with_two("100").await;
    let mut made = vec![];
    for _ in 0..5 {
        made.push(bench.hold(alice, bob, "1").await.id);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    made.reverse();
    let (ledger, mut found, mut after) = (bench.another(), vec![], None);
    loop {
        let page = ledger.holds(alice, after, 2, &mut Usage::default()).await.expect("the table answers");
        found.extend(page.items.iter().map(|hold| hold.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, made);
    let hold = bench.another().transaction(found[0], &mut Usage::default()).await.expect("the table answers");
    let entry = bench.another().entries(alice, None, 1, &mut Usage::default()).await.expect("the table answers");
    let newest = &entry.items[0];
    assert_eq!((newest.transaction, newest.held_after.to_string()), (hold.expect("made").id, "10.00".to_owned()));
    assert_eq!(newest.counterparty, Some(Account::Wallet(bob)));
}
