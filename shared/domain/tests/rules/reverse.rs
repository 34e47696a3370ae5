//! Reversals: whole, once, with the rebate taken back or barred, and only as far as the wallets allow.

use wallet_domain::*;

use crate::world::*;

fn rule() -> RebateTerms {
    share("spring", 100)
}

fn across() -> Command {
    transfer("alice", "alice", "bob", "100")
}

/// The transaction that `command` makes of wallets with enough in them.
fn made(command: &Command, transactions: &[Transaction]) -> Transaction {
    let mut snapshots = snapshots(&[wallet("alice", "500"), wallet("bob", "500")]);
    snapshots.transactions = transactions.iter().map(|made| (made.id, made.clone())).collect();
    decided(&snapshots, command, time("2026-02-01T00:00:00Z")).expect("there is enough").transaction().clone()
}

fn outcome(reverse: Reverse, alice: &str, bob: &str, rebate: Option<&Transaction>) -> Result<Plan, Refusal> {
    let mut snapshots = snapshots(&[wallet("alice", alice), wallet("bob", bob)]);
    snapshots.transactions = rebate.iter().map(|rebate| (rebate.id, (*rebate).clone())).collect();
    decided(&snapshots, &Command::Reverse(reverse), time(NOW))
}

#[track_caller]
fn check(plan: Result<Plan, Refusal>, original: &Transaction, expected: &str) -> Plan {
    let plan = plan.expect("reversible");
    assert_eq!(legs(&plan), expected);
    assert_eq!((plan.transaction().kind, plan.transaction().parent), (Kind::REVERSAL, Some(original.id)));
    let mark = Mark { of: original.id, name: MarkName::REVERSAL, by: plan.transaction().id };
    assert_eq!(plan.marks(), [mark]);
    assert_eq!(plan.transaction().legs().iter().map(|leg| leg.amount().minor_units()).sum::<i128>(), 0);
    plan
}

#[test]
fn every_leg_is_mirrored() {
    let original = made(&earning(None, "100"), &[]);
    check(outcome(reversal(&original), "100", "0", None), &original, "external 100.00, alice -100.00 = 0.00 v8");
    let original = made(&withdraw("alice", "alice", "100"), &[]);
    check(outcome(reversal(&original), "0", "0", None), &original, "alice 100.00 = 100.00 v8, external -100.00");
    let original = made(&across(), &[]);
    let expected = "alice 100.00 = 100.00 v8, bob -100.00 = 0.00 v8";
    check(outcome(reversal(&original), "0", "100", None), &original, expected);
}

#[test]
fn a_fee_is_given_back_or_kept_as_the_deployment_says() {
    let Command::Transfer(priced) = across() else { panic!("a transfer") };
    let priced = Command::Transfer(Transfer { fee: Some(fee_schedule(100, &[], &[])), ..priced });
    let original = made(&priced, &[]);
    let expected = "alice 101.00 = 101.00 v8, bob -100.00 = 0.00 v8, fees -1.00";
    check(outcome(reversal(&original), "0", "100", None), &original, expected);
    let kept = Reverse { return_fee: false, ..reversal(&original) };
    let expected = "alice 100.00 = 100.00 v8, bob -100.00 = 0.00 v8";
    check(outcome(kept, "0", "100", None), &original, expected);
}

#[test]
fn a_paid_rebate_is_taken_back_and_an_unpaid_one_is_barred() {
    let original = made(&earning([rule()], "100"), &[]);
    let pay = Command::PayRebate(rebate_of(original.id));
    let rebate = made(&pay, std::slice::from_ref(&original));
    let expected = "external 100.00, alice -101.00 = 0.00 v8, rebates 1.00";
    let plan = check(outcome(reversal(&original), "101", "0", Some(&rebate)), &original, expected);
    assert!(plan.bars().is_empty());

    let plan =
        check(outcome(reversal(&original), "100", "0", None), &original, "external 100.00, alice -100.00 = 0.00 v8");
    let [barred] = plan.bars() else { panic!("one rebate is barred: {:?}", plan.bars()) };
    assert_eq!(barred.id, rebate.id);
    assert_eq!(barred.outcome, failed(Refusal::DepositReversed { wallet: id("alice") }, "alice"));
    assert_eq!(replay(&pay, barred), Ok(barred), "it answers the message that asks for the rebate");

    let again = check(outcome(reversal(&original), "100", "0", Some(barred)), &original, &legs(&plan));
    assert!(again.bars().is_empty(), "a rebate that failed needs no bar");
}

#[test]
fn what_is_gone_is_taken_below_the_floor_only_when_the_administrator_says_so() {
    let original = made(&earning(None, "100"), &[]);
    let short = outcome(reversal(&original), "99.99", "0", None);
    assert_eq!(short, Err(too_little("alice", "99.99", "100")));
    let forced = || Reverse { allow_overdraft: true, ..reversal(&original) };
    check(outcome(forced(), "99.99", "0", None), &original, "external 100.00, alice -100.00 = -0.01 v8");
    check(outcome(forced(), "100", "0", None), &original, "external 100.00, alice -100.00 = 0.00 v8");
}

/// A deposit of `moved` with a rebate of 100 %, and the rebate as it was paid.
fn doubled(moved: &str) -> (Transaction, Option<Transaction>) {
    let deposit = earning([share("spring", 10_000)], moved);
    let empty = snapshots(&[wallet("alice", "0")]);
    let original = decided(&empty, &deposit, time(NOW)).expect("room for all").transaction().clone();
    let pay = Command::PayRebate(rebate_of(original.id));
    let transactions = [(original.id, original.clone())].into();
    let paid = decided(&Snapshots { transactions, ..empty }, &pay, time(NOW));
    (original, paid.ok().map(|plan| plan.transaction().clone()))
}

#[test]
fn the_largest_deposit_is_taken_back_with_its_rebate() {
    let whole = largest_less(0);
    let lowest = format!("-{whole}");
    let (original, rebate) = doubled(&largest_less(1));
    let rebate = rebate.expect("room for a cent");
    assert_eq!(rebate.amount, money("0.01"));
    let legs = |after: &str| format!("external {}, alice -{whole} = {after} v8, rebates 0.01", largest_less(1));
    check(outcome(reversal(&original), &whole, "0", Some(&rebate)), &original, &legs("0.00"));
    let forced = || Reverse { allow_overdraft: true, ..reversal(&original) };
    check(outcome(forced(), &whole, "0", Some(&rebate)), &original, &legs("0.00"));
    check(outcome(forced(), "0", "0", Some(&rebate)), &original, &legs(&lowest));
    assert_eq!(outcome(forced(), "-0.01", "0", Some(&rebate)), Err(too_little("alice", "0", &whole)));
    let short = outcome(reversal(&original), &largest_less(1), "0", Some(&rebate));
    assert_eq!(short, Err(too_little("alice", &largest_less(1), &whole)));

    let (original, none) = doubled(&whole);
    assert_eq!(none, None, "there is no value for the sum");
    let plan = check(
        outcome(reversal(&original), &whole, "0", None),
        &original,
        &format!("external {whole}, alice {lowest} = 0.00 v8"),
    );
    assert_eq!(plan.bars().len(), 1);
}

#[test]
fn more_than_any_wallet_holds_is_never_taken_back() {
    // As only an older version could have paid it.
    let (original, rebate) = doubled(&largest_less(1));
    let rebate = Transaction { amount: money("0.02"), ..rebate.expect("room for a cent") };
    for allow_overdraft in [false, true] {
        for (balance, available) in [(largest_less(0), largest_less(0)), ("0".to_owned(), "0".to_owned())] {
            let reverse = Reverse { allow_overdraft, ..reversal(&original) };
            let refused = outcome(reverse, &balance, "0", Some(&rebate));
            assert_eq!(refused, Err(too_little("alice", &available, &largest_less(0))));
        }
    }
}

#[test]
fn a_wallet_below_its_floor_gives_nothing_and_can_still_be_frozen() {
    let overdrawn = wallet("alice", "-5");
    let withdraw = withdraw("alice", "alice", "1");
    let refusal =
        decided(&snapshots(std::slice::from_ref(&overdrawn)), &withdraw, time(NOW)).expect_err("nothing there");
    assert_eq!(refusal, too_little("alice", "0", "1"));
    let freeze = amend("root", VERSION, to(Status::Frozen));
    assert!(decided(&snapshots(&[overdrawn]), &freeze, time(NOW)).is_ok());
}

#[test]
fn status_room_and_rank_are_asked_first() {
    let code = |plan: Result<Plan, Refusal>| plan.expect_err("refused").code().to_owned();
    let original = made(&across(), &[]);
    let owner = Reverse { caller: caller("alice"), ..reversal(&original) };
    assert_eq!(code(outcome(owner, "0", "100", None)), "missing_scope");
    let with = |alice: Wallet, bob: Wallet| {
        let reverse = Command::Reverse(reversal(&original));
        code(decided(&snapshots(&[alice, bob]), &reverse, time(NOW)))
    };
    let (alice, bob) = (wallet("alice", "0"), wallet("bob", "100"));
    assert_eq!(with(alice.clone(), Wallet { status: Status::Frozen, ..bob.clone() }), "wallet_frozen");
    assert_eq!(with(Wallet { status: Status::Closed, ..alice.clone() }, bob.clone()), "wallet_closed");
    assert_eq!(with(Wallet { ceiling: Some(money("99.99")), ..alice }, bob), "max_balance_exceeded");
}

#[test]
fn what_was_reversed_is_not_reversed_again() {
    let original = made(&earning(None, "100"), &[]);
    let reverse = Command::Reverse(reversal(&original));
    let by = made(&withdraw("bob", "bob", "1"), &[]).id;
    let snapshots =
        Snapshots { marks: [((original.id, MarkName::REVERSAL), by)].into(), ..snapshots(&[wallet("alice", "0")]) };
    let refusal = Refusal::AlreadyReversed { transaction: original.id };
    assert_eq!(decided(&snapshots, &reverse, time(NOW)), Err(refusal));
}

#[test]
fn rebates_reversals_and_what_failed_cannot_be_reversed() {
    let original = made(&earning([rule()], "100"), &[]);
    let pay = Command::PayRebate(rebate_of(original.id));
    let rebate = made(&pay, std::slice::from_ref(&original));
    let undone = outcome(reversal(&original), "100", "0", None).expect("reversible").transaction().clone();
    let refusal = frozen("alice");
    let read = snapshots(&[wallet("alice", "0")]);
    let failed = attempted(&read, &earning(None, "100"), &refusal, time(NOW)).expect("recorded");
    for original in [rebate, undone, failed] {
        let refused = outcome(reversal(&original), "500", "500", None);
        assert_eq!(refused, Err(Refusal::NotReversible { transaction: original.id }));
    }
}
