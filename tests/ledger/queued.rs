//! Requests that wait: one key is one movement, whichever of queued and direct comes first, and each gets an outcome.

use std::collections::BTreeSet;
use std::sync::Arc;

use wallet_domain::{Command, LONGEST_WAIT, Outcome, Refusal, Terms, Timestamp, Transaction, TransactionId};
use wallet_dynamodb::{Accepted, Done, ExecuteError, Ledger, Record, Strategy, Usage};

use crate::faults::{Fault, Treatment, fair};
use crate::ledger::torn::{check, withdraw};
use crate::ledger::{BOTH, Bench, in_turn, order, posted, refusal, run};

const NO_TERMS: fn() -> Terms = || Terms { rules: [].into(), fee: None };

async fn accept(ledger: &Ledger, command: &Command) -> Result<Accepted, ExecuteError> {
    let request = command.request(ledger.now()).expect("it can be carried out").expect("it may wait");
    ledger.accept(&request, None, &mut Usage::default()).await
}

#[track_caller]
fn waits(accepted: Result<Accepted, ExecuteError>) -> bool {
    match accepted {
        Ok(Accepted::Waits { before, .. }) => before,
        other => panic!("{other:?}"),
    }
}

async fn resume(ledger: &Ledger, id: TransactionId) -> Transaction {
    match ledger.resume(id, &NO_TERMS(), Strategy::Optimistic, &mut Usage::default()).await {
        Ok(Some(Done::Executed(transaction) | Done::Replayed(transaction))) => transaction,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn reused(error: ExecuteError) {
    assert!(matches!(error, ExecuteError::Refused(Refusal::IdempotencyKeyReused)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_and_is_executed_once() {
    let (bench, alice, bob) = Bench::with_two("10").await;
    let transfer = bench.transfer(alice, bob, "4");
    assert!(!waits(accept(&bench.another(), &transfer).await));
    assert!(waits(accept(&bench.another(), &transfer).await), "the same again");
    let found = bench.another().record(transfer.transaction(), &mut Usage::default()).await.expect("an answer");
    assert!(matches!(found, Some(Record::Queued(_))), "{found:?}");
    assert_eq!(bench.wallet(alice).await.version, 1, "nothing has moved");

    let first = resume(&bench.another(), transfer.transaction()).await;
    assert_eq!(resume(&bench.another(), transfer.transaction()).await, first, "delivered twice");
    assert_eq!((bench.wallet(alice).await.balance.to_string(), first.legs().len()), ("6.00".to_owned(), 2));
    match accept(&bench.another(), &transfer).await {
        Ok(Accepted::Done(done)) => assert_eq!(*done, Done::Replayed(first)),
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.recomputed(&[alice, bob]).await, 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_one_wallet_are_executed_together_for_less_than_one_by_one() {
    let (bench, alice) = Bench::with_one("11.50").await;
    let payees = in_turn(0..12, async |number| bench.open(&format!("payee {number}"), "0").await).await;
    let commands: Vec<_> = payees.iter().map(|payee| bench.transfer(alice, *payee, "1")).collect();
    let ledger = bench.another();
    for command in &commands {
        assert!(!waits(accept(&ledger, command).await));
    }
    let ids: Vec<_> = commands.iter().map(Command::transaction).collect();
    let mut alone = Usage::default();
    let done = bench.another().resume(ids[11], &NO_TERMS(), Strategy::Optimistic, &mut alone).await;
    assert!(matches!(done, Ok(Some(Done::Executed(_)))), "{done:?}");
    assert_eq!((alone.calls, alone.write_half_units()), (3, 2 * 11), "its place in the index is a unit");
    let ids = &ids[..11];
    let together =
        async |usage: &mut Usage| bench.another().resume_together(ids, &NO_TERMS(), Strategy::Optimistic, usage).await;
    // One read of the requests, one of all that they are decided on, one commit. The eleventh has too little, and waits on.
    let mut usage = Usage::default();
    let done = together(&mut usage).await;
    assert_eq!(done.keys().collect::<BTreeSet<_>>(), ids[..10].iter().collect());
    assert_eq!((usage.calls, usage.attempts, usage.conflicts), (3, 1, 0));
    assert_eq!(usage.write_half_units(), 2 * 76, "7.6 for each");
    for (command, done) in commands.iter().zip(done.into_values()) {
        let transaction = posted(Ok(done));
        assert_eq!(resume(&ledger, transaction.id).await, transaction, "{command:?}");
    }
    let refused = resume(&ledger, ids[10]).await;
    assert!(matches!(refused.outcome, Outcome::Failed { refusal: Refusal::InsufficientFunds { .. }, .. }));
    // Delivered again: all have an outcome, and that is one read.
    let mut usage = Usage::default();
    assert!(together(&mut usage).await.into_values().all(|done| matches!(done, Done::Replayed(_))));
    assert_eq!((usage.calls, usage.write_half_units()), (1, 0));
    // The statement has a row for each, in one item.
    let rows = ledger.entries(alice, None, 100, &mut Usage::default()).await.expect("an answer").items;
    assert_eq!((rows.len(), rows[0].balance_after.to_string()), (13, "0.50".to_owned()));
    assert_eq!((bench.recomputed(&[alice]).await, bench.recomputed(&payees).await), (50, 1_100));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_movement_whichever_comes_first() {
    let (bench, alice, bob) = Bench::with_two("10").await;
    let with = |key: &str, amount: &str| {
        let order = order("alice", key.parse().expect("a key"), amount);
        Command::Transfer(wallet_domain::Transfer { order, source: alice, destination: bob, fee: None })
    };
    let ledger = bench.another();
    // Queued first, the same directly: it is executed at once, and the queue finds it done.
    assert!(!waits(accept(&ledger, &with("one", "1")).await));
    let direct = posted(run(&ledger, &with("one", "1"), Strategy::Optimistic).await.0);
    assert_eq!(resume(&ledger, direct.id).await, direct);
    // Queued first, another directly: refused, by a process that knows the wallets and by one that reads them.
    assert!(!waits(accept(&ledger, &with("two", "1")).await));
    for ledger in [&ledger, &bench.another()] {
        reused(run(ledger, &with("two", "2"), Strategy::Optimistic).await.0.expect_err("another request"));
        reused(run(ledger, &with("two", "2"), Strategy::Pessimistic).await.0.expect_err("another request"));
        reused(accept(ledger, &with("two", "2")).await.expect_err("another request"));
        reused(run(ledger, &with("two", "20"), Strategy::Optimistic).await.0.expect_err("another, and refused"));
    }
    assert_eq!(resume(&ledger, with("two", "1").transaction()).await.amount.to_string(), "1.00");
    // Directly first, then queued.
    let direct = posted(run(&ledger, &with("three", "1"), Strategy::Optimistic).await.0);
    match accept(&ledger, &with("three", "1")).await {
        Ok(Accepted::Done(done)) => assert_eq!(*done, Done::Replayed(direct)),
        other => panic!("{other:?}"),
    }
    reused(accept(&ledger, &with("three", "2")).await.expect_err("another request"));
    assert_eq!(bench.wallet(bob).await.balance.to_string(), "3.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_recorded_when_it_is_executed_and_so_is_a_missing_wallet() {
    let (bench, alice) = Bench::with_one("10").await;
    let missing = "wal_00000000000000000000000000000009".parse().expect("an id");
    for (command, code) in [
        (bench.transfer(alice, missing, "1"), "wallet_not_found"),
        (bench.withdraw(missing, "1"), "wallet_not_found"),
        (bench.withdraw(alice, "11"), "insufficient_funds"),
    ] {
        assert!(!waits(accept(&bench.another(), &command).await));
        let failed = resume(&bench.another(), command.transaction()).await;
        let Outcome::Failed { refusal, .. } = &failed.outcome else { panic!("{failed:?}") };
        assert_eq!(refusal.code(), code);
        let read = bench.another().transaction(failed.id, &mut Usage::default()).await.expect("an answer");
        assert_eq!(read, Some(failed));
    }
    let listed = bench.another().attempts(missing, None, 10, &mut Usage::default()).await.expect("an answer");
    assert_eq!(listed.items, [], "no wallet's owner is told of one that was not his to refuse");
    let same = bench.transfer(alice, alice, "1");
    assert_eq!(same.request(Timestamp::UNIX_EPOCH), Err(Refusal::SameWallet), "refused at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_day_ends_as_failed() {
    let (bench, alice) = Bench::with_one("10").await;
    let now = bench.another().now();
    let early = now.checked_sub(LONGEST_WAIT).expect("in range");
    let withdraw = bench.withdraw(alice, "1");
    let request = withdraw.request(early).expect("it can be carried out").expect("it may wait");
    bench.another().accept(&request, None, &mut Usage::default()).await.expect("accepted");
    let ledger = bench.another();
    let overdue = ledger.overdue_requests(now, 10, &mut Usage::default()).await.expect("an answer");
    assert_eq!(overdue, [withdraw.transaction()]);
    let failed = resume(&ledger, withdraw.transaction()).await;
    assert!(
        matches!(failed.outcome, Outcome::Failed { refusal: Refusal::RequestExpired { .. }, .. }),
        "{:?}",
        failed.outcome
    );
    let overdue = ledger.overdue_requests(now, 10, &mut Usage::default()).await.expect("an answer");
    assert_eq!(overdue, [], "what has an outcome is due no more");
    assert_eq!(bench.wallet(alice).await.balance.to_string(), "10.00");
}

/// Whether the process knows the wallet already, and then reads nothing before it writes, or has to read it; and whether it
/// would be posted, refused or refused without a record.
#[tokio::test(flavor = "multi_thread")]
async fn a_direct_repeat_of_what_has_waited_for_a_day_ends_it() {
    let (bench, alice) = Bench::with_one("10").await;
    let (knows, early) = (bench.another(), bench.another().now().checked_sub(LONGEST_WAIT).expect("in range"));
    posted(run(&knows, &bench.withdraw(alice, "1"), Strategy::Optimistic).await.0);
    for strategy in BOTH {
        for (amount, pinned) in [("1", None), ("100", None), ("1", Some(0))] {
            for ledger in [&knows, &bench.another()] {
                let mut command = bench.withdraw(alice, amount);
                let request = command.request(early).expect("it can be carried out").expect("it may wait");
                ledger.accept(&request, None, &mut Usage::default()).await.expect("accepted");
                if let Command::Withdraw(withdraw) = &mut command {
                    withdraw.order.expected_version = pinned;
                }
                let told = ledger.dry_run(&command, &mut Usage::default()).await;
                assert!(matches!(told, Err(ExecuteError::Refused(Refusal::RequestExpired { .. }))), "{told:?}");
                let done = run(ledger, &command, strategy).await.0.expect("it ends on record");
                assert_eq!((refusal(&done), bench.wallet(alice).await.version), (Some("request_expired"), 2));
                let failed = resume(&bench.another(), command.transaction()).await;
                assert!(matches!(done, Done::Executed(ended) if ended == failed));
            }
        }
    }
    assert_eq!(bench.recomputed(&[alice]).await, 900);
}

/// Its put may have been done when the table says that the clock is wrong: then nobody can tell that nothing waits.
#[test]
fn a_request_that_may_wait_is_not_told_that_nothing_was_written() {
    check(async |world, wallet| {
        let ledger = world.ledger(0, 6);
        ledger.wallet(wallet, &mut Usage::default()).await.expect("it hears the time");
        let mut puts = 0;
        world.network.set(Box::new(move |call| {
            puts += u32::from(call.is_commit());
            let fault = (call.is_commit()).then_some(if puts == 1 { Fault::BrokenOff } else { Fault::Throttled });
            Treatment { fault, ..Treatment::default() }
        }));
        world.network.set_time_ahead(3_600);
        let told = accept(&ledger, &withdraw("later", wallet, "1", None)).await;
        assert!(matches!(told, Err(ExecuteError::OutcomeUnknown)), "{told:?}");
        world.network.set_time_ahead(0);
        world.network.set(fair());
        resume(&world.plain(), withdraw("later", wallet, "1", None).transaction()).await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_executors_move_it_once() {
    let bench = Arc::new(Bench::start().await);
    let (alice, bob) = (bench.open("alice", "10").await, bench.open("bob", "0").await);
    let transfer = bench.transfer(alice, bob, "4");
    assert!(!waits(accept(&bench.another(), &transfer).await));
    let mut executors = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (ledger, id) = (bench.another(), transfer.transaction());
        executors.spawn(async move {
            loop {
                match ledger.resume(id, &NO_TERMS(), Strategy::Optimistic, &mut Usage::default()).await {
                    Ok(Some(Done::Executed(it) | Done::Replayed(it))) => return it,
                    Ok(None) => panic!("it was accepted"),
                    Err(ExecuteError::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    let mut outcomes = executors.join_all().await;
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(bench.wallet(bob).await.balance.to_string(), "4.00");
}
