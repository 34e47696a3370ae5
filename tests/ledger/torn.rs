//! A commit is seen half applied, and no answer rests on that.
//!
//! In paused time on the table in memory, whose commits are applied item by item ([`crate::faults`]). A commit that works
//! for 100 ms is prepared for 50 and applied over 50; its first item can be seen then, its last at the end.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use wallet_audit::Audit;
use wallet_domain::{
    Authorise, BasisPoints, Change, Command, Deposit, HOLD_LIFETIME, Outcome, PayRebate, RebateTerms, Refusal,
    Transaction, Transfer, WalletId, Withdraw,
};
use wallet_dynamodb::{Done, DryRun, ExecuteError, Ledger, Strategy, Usage};

use super::{BOTH, admin, order, posted, run};
use crate::faults::{Call, Clocks, Fault, LONG, Order, Treatment, World, audit_by, fair, first, runtime, slow};

impl World {
    /// Runs `command` in fair weather.
    pub(crate) async fn post(&self, command: &Command) -> Transaction {
        posted(run(&self.plain(), command, Strategy::Optimistic).await.0)
    }
}

/// Runs `test` in a world of its own with a wallet of 100.00 at version 1, and audits the table afterwards.
#[track_caller]
pub(crate) fn check(test: impl AsyncFnMut(&World, WalletId)) {
    check_by(Clocks::Right, test);
}

/// The same for each strategy.
#[track_caller]
pub(crate) fn check_each(mut test: impl AsyncFnMut(&World, WalletId, Strategy)) {
    for strategy in BOTH {
        check(async |world, wallet| test(world, wallet, strategy).await);
    }
}

#[track_caller]
pub(crate) fn check_by(clocks: Clocks, mut test: impl AsyncFnMut(&World, WalletId)) {
    fastrand::seed(1);
    runtime().block_on(async {
        let world = World::new();
        let wallet = world.open("a", "0", None).await;
        world.post(&deposit(&world, wallet, "100", None)).await;
        test(&world, wallet).await;
        world.network.set(fair());
        sleep(Duration::from_secs(60)).await;
        audit_by(&world.table, &world.plain(), clocks).await.expect("the books add up");
    });
}

pub(crate) fn deposit(world: &World, wallet: WalletId, amount: &str, rule: Option<RebateTerms>) -> Command {
    let key = format!("deposit {}", world.table.history().len()).parse().expect("a printable key");
    Command::Deposit(Deposit { order: order("bank", key, amount), wallet, rules: rule.into_iter().collect() })
}

pub(crate) fn withdraw(key: &str, wallet: WalletId, amount: &str, expected_version: Option<u64>) -> Command {
    let mut order = order("a", key.parse().expect("a printable key"), amount);
    order.caller = admin("a");
    order.expected_version = expected_version;
    Command::Withdraw(Withdraw { order, wallet })
}

pub(crate) fn transfer(key: &str, source: WalletId, destination: WalletId, amount: &str) -> Command {
    let order = order("a", key.parse().expect("a printable key"), amount);
    Command::Transfer(Transfer { order, source, destination, fee: None })
}

/// One hundredth comes back.
pub(crate) fn rule() -> RebateTerms {
    RebateTerms::new("standard".parse().expect("a rule's name"), BasisPoints::new(100).expect("a share"))
}

pub(crate) fn rebate(deposit: &Transaction) -> Command {
    let rule = deposit.rule.as_ref().expect("it earns a rebate").id.clone();
    Command::PayRebate(PayRebate { deposit: deposit.id, wallet: deposit.wallet, rule })
}

pub(crate) fn reversal(original: &Transaction) -> Command {
    super::reversal("reversal".parse().expect("a printable key"), original)
}

/// A lease on the wallet by one who is gone, as the item holds it.
pub(crate) fn lease(world: &World, wallet: WalletId, ends_in: Duration) {
    let now = world.clock(0)().as_millisecond();
    let until = now + i64::try_from(ends_in.as_millis()).expect("a few hours");
    world.table.change(&(format!("WALLET#{wallet}"), "WALLET".to_owned()), |item| {
        item.insert("lease_holder".to_owned(), json!({ "S": "lease_of_the_dead" }));
        item.insert("lease_until".to_owned(), json!({ "N": until.to_string() }));
    });
}

pub(crate) fn leased(world: &World, wallet: WalletId) -> bool {
    let item = world.table.get(&(format!("WALLET#{wallet}"), "WALLET".to_owned())).expect("the wallet exists");
    item.contains_key("lease_holder")
}

/// Runs `command` by a new process each time that it is a conflict: a slow commit is in flight for longer than one tries.
pub(crate) async fn patiently(world: &World, command: &Command, strategy: Strategy) -> Result<Done, ExecuteError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match run(&world.ledger(0, 10), command, strategy).await.0 {
            Err(ExecuteError::Conflict { .. }) if tries < 10 => sleep(LONG / 10).await,
            done => return done,
        }
    }
}

/// What was available, as the refusal on record says.
#[track_caller]
pub(crate) fn short_of(done: Result<Done, ExecuteError>) -> String {
    match done {
        Ok(Done::Executed(Transaction {
            outcome: Outcome::Failed { refusal: Refusal::InsufficientFunds { available: Some(available), .. }, .. },
            ..
        })) => available.to_string(),
        other => panic!("not refused for funds: {other:?}"),
    }
}

/// Tries `command` twice, so much later on `second`: whichever of the two wrote it, both tell of the one movement.
pub(crate) async fn both_post(world: &World, second: &Ledger, command: &Command, strategy: Strategy, later: Duration) {
    let first = world.ledger(0, 10);
    let again = async {
        sleep(later).await;
        run(second, command, strategy).await
    };
    let (first, second) = tokio::join!(run(&first, command, strategy), again);
    let told = [first.0, second.0].map(|told| match told {
        Ok(Done::Executed(transaction) | Done::Replayed(transaction)) => transaction,
        Err(error) => panic!("a posted request was answered: {error}"),
    });
    assert!(told[0] == told[1] && !told[0].legs().is_empty(), "{told:?}");
}

/// The wallet can be seen 25 ms before the record of what has moved it.
#[test]
fn a_posted_request_with_if_match_is_not_refused_by_a_read_of_half_its_commit() {
    check_each(async |world, wallet, strategy| {
        world.network.set(slow(Call::is_commit, Order::Backwards));
        let command = withdraw("pinned", wallet, "10", Some(1));
        both_post(world, &world.ledger(0, 10), &command, strategy, Duration::from_millis(80)).await;
    });
}

#[test]
fn a_posted_transfer_is_not_told_that_it_was_one_too_many_in_its_minute() {
    check_each(async |world, wallet, strategy| {
        let destination = world.open("b", "0", None).await;
        let one = Change { transfers_per_minute: Some(Some(1)), ..Change::default() };
        world.amend(wallet, 1, one).await;
        // Of record, source, its entry, destination and its entry the source can be seen at 87 ms.
        world.network.set(slow(Call::is_commit, Order::Backwards));
        let command = transfer("one", wallet, destination, "10");
        both_post(world, &world.ledger(0, 10), &command, strategy, Duration::from_millis(90)).await;
    });
}

/// The second try has a fresh snapshot and reads nothing: its commit alone meets the first one's.
#[test]
fn a_posted_request_with_if_match_is_not_refused_while_its_own_record_is_in_flight() {
    check(async |world, wallet| {
        let second = world.ledger(0, 10);
        posted(run(&second, &deposit(world, wallet, "1", None), Strategy::Optimistic).await.0);
        world.network.set(slow(Call::is_commit, Order::Backwards));
        let command = withdraw("pinned", wallet, "10", Some(2));
        both_post(world, &second, &command, Strategy::Optimistic, Duration::from_millis(80)).await;
    });
}

/// A dry run of the very request whose commit is being applied: the wallet has moved on already, the record is not there yet.
#[test]
fn a_dry_run_of_a_posted_request_is_not_refused_by_half_its_commit() {
    check(async |world, wallet| {
        world.network.set(slow(Call::is_commit, Order::Backwards));
        let (command, first) = (withdraw("pinned", wallet, "100", Some(1)), world.ledger(0, 10));
        let tried = async || {
            let mut usage = Usage::default();
            let told = world.ledger(0, 10).dry_run(&command, &mut usage).await;
            (matches!(told.expect("it was never refused"), DryRun::Replayed(_)), usage.conflicts)
        };
        assert_eq!(tried().await, (false, 0));
        let during = async {
            // One waits until the commit is over.
            sleep(Duration::from_millis(80)).await;
            tried().await
        };
        let ((replayed, conflicts), (done, _)) = tokio::join!(during, run(&first, &command, Strategy::Optimistic));
        posted(done);
        assert!(replayed && conflicts > 0, "{conflicts}");
    });
}

/// The second try finds the mark of the reversal while the record of that reversal, its own, is in flight.
#[test]
fn a_posted_reversal_is_not_told_that_another_one_was_first() {
    check_each(async |world, wallet, strategy| {
        let original = posted(run(&world.plain(), &deposit(world, wallet, "5", None), strategy).await.0);
        let mut commits = 0;
        world.network.set(Box::new(move |call| {
            if !call.is_commit() {
                return Treatment::default();
            }
            commits += 1;
            let there = if commits == 2 { Duration::from_millis(80) } else { Duration::ZERO };
            Treatment { there, work: LONG, order: Order::Backwards, ..Treatment::default() }
        }));
        both_post(world, &world.ledger(0, 10), &reversal(&original), strategy, Duration::ZERO).await;
    });
}

#[track_caller]
fn reversed_whole(done: Result<Done, ExecuteError>) {
    match done {
        Ok(Done::Executed(reversal)) if matches!(reversal.outcome, Outcome::Posted { .. }) => {}
        other => panic!("the money was there at every moment: {other:?}"),
    }
}

/// The reversal's batch reads the wallet before the rebate and the rebate after it was paid.
#[test]
fn a_reversal_is_not_refused_for_a_rebate_that_its_read_of_the_wallet_missed() {
    check_each(async |world, _, strategy| {
        let wallet = world.open("payee", "0", None).await;
        let paid_in = deposit(world, wallet, "100", Some(rule()));
        let original = world.post(&paid_in).await;
        let slow = Treatment { work: LONG, order: Order::Backwards, ..Treatment::default() };
        world.network.set(first(1, |call| call.operation == "BatchGetItem", slow));
        let (reverser, payer) = (world.ledger(0, 10), world.plain());
        let (reverse, pay) = (reversal(&original), rebate(&original));
        let (reversed, paid) = tokio::join!(run(&reverser, &reverse, strategy), async {
            // The wallet is read first of four items, at 25 ms.
            sleep(Duration::from_millis(30)).await;
            run(&payer, &pay, Strategy::Optimistic).await
        });
        posted(paid.0);
        reversed_whole(reversed.0);
    });
}

/// The reversal's commit meets the rebate's: its record is there already, and the wallet is in flight.
#[test]
fn a_reversal_is_not_refused_for_a_rebate_whose_money_is_in_flight() {
    check_each(async |world, _, strategy| {
        let wallet = world.open("payee", "0", None).await;
        let paid_in = deposit(world, wallet, "100", Some(rule()));
        let original = world.post(&paid_in).await;
        let mark = "REVERSAL";
        world.network.set(Box::new(move |call: &Call| {
            let reverses = call.is_commit() && call.body.to_string().contains(mark);
            let there = Duration::from_millis(if reverses { 60 } else { 0 });
            let work = if call.is_commit() && !reverses { LONG } else { Duration::ZERO };
            Treatment { there, work, ..Treatment::default() }
        }));
        let (reverser, payer) = (world.ledger(0, 10), world.ledger(0, 10));
        let (reverse, pay) = (reversal(&original), rebate(&original));
        let (reversed, paid) =
            tokio::join!(run(&reverser, &reverse, strategy), run(&payer, &pay, Strategy::Optimistic));
        posted(paid.0);
        reversed_whole(reversed.0);
    });
}

/// DynamoDB need not tell every reason for which it cancels.
#[test]
fn a_lost_race_is_a_lost_race_whichever_of_its_reasons_are_told() {
    for seed in 0..64 {
        check(async |world, wallet| {
            let stale = world.ledger(0, 10);
            posted(run(&stale, &deposit(world, wallet, "1", None), Strategy::Optimistic).await.0);
            world.post(&deposit(world, wallet, "2", None)).await;
            let treatment = Treatment { order: Order::Any(seed), ..Treatment::default() };
            world.network.set(Box::new(move |_| treatment));
            // Its snapshot is a version behind: the wallet's and the entry's conditions fail.
            posted(run(&stale, &withdraw("behind", wallet, "3", None), Strategy::Optimistic).await.0);
        });
    }
}

/// The commit learns that the destination is full, and of the source nothing but that others are at work on it.
#[test]
fn a_refusal_by_one_wallet_is_not_recorded_on_an_old_snapshot_of_the_other() {
    for seed in 0..64 {
        check(async |world, source| {
            let destination = world.open("full", "0", Some("10")).await;
            let stale = world.ledger(0, 10);
            posted(run(&stale, &withdraw("known", source, "1", None), Strategy::Optimistic).await.0);
            posted(run(&stale, &deposit(world, destination, "1", None), Strategy::Optimistic).await.0);
            for (wallet, amount) in [(source, "1"), (destination, "9")] {
                world.post(&deposit(world, wallet, amount, None)).await;
            }
            let lost = Treatment { order: Order::Any(seed), ..Fault::Conflict.into() };
            world.network.set(first(1, Call::is_commit, lost));
            let mut order = order("a", "pinned".parse().expect("a printable key"), "5");
            order.expected_version = Some(2);
            let command = Command::Transfer(Transfer { order, source, destination, fee: None });
            let told = run(&stale, &command, Strategy::Optimistic).await.0;
            let mismatch = matches!(told, Err(ExecuteError::Refused(Refusal::VersionMismatch { expected: 2, .. })));
            assert!(mismatch, "the source has been at version 3 all the time: {told:?}");
        });
    }
}

/// Its wallet is seen before the row, or the row before its wallet; its hold before or after either.
#[test]
fn an_audit_takes_half_a_commit_for_no_finding() {
    for by in [Order::Sent, Order::Backwards, Order::Any(1), Order::Any(2), Order::Any(3), Order::Any(5)] {
        for at in [55, 65, 80, 90, 95] {
            for kind in ["withdrawal", "hold"] {
                check(async |world, wallet| {
                    let held = Command::Authorise(Authorise {
                        order: order("a", "first".parse().expect("a key"), "1"),
                        source: wallet,
                        destination: None,
                        expires_in: HOLD_LIFETIME,
                        fee: None,
                    });
                    world.post(&held).await;
                    world.network.set(slow(move |call| call.is_commit_of(kind), by));
                    let command = match (kind, held) {
                        ("hold", Command::Authorise(first)) => Command::Authorise(Authorise {
                            order: order("a", "second".parse().expect("a key"), "7"),
                            ..first
                        }),
                        _ => withdraw("out", wallet, "7", None),
                    };
                    let (ledger, audit) = (world.ledger(0, 10), Audit::new(world.plain(), 1));
                    let (done, report) = tokio::join!(run(&ledger, &command, Strategy::Optimistic), async {
                        sleep(Duration::from_millis(at)).await;
                        audit.wallet(wallet).await
                    });
                    posted(done.0);
                    let report = report.expect("the table answers").expect("the wallet is there");
                    assert!(report.is_clean(), "{kind}, {by:?} at {at} ms: {:#?}", report.findings);
                });
            }
        }
    }
}
