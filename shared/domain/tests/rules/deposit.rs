//! Deposits: who may, what they need, and how close to the ceiling they get.

use wallet_domain::*;

use crate::world::*;

#[test]
fn money_comes_in_from_outside() {
    let alice = [wallet("alice", "100.00")];
    check(&alice, &deposit("alice", "alice", "5.00"), Ok("external -5.00, alice 5.00 = 105.00 v8"));
    check(&alice, &deposit("alice", "alice", "0.01"), Ok("external -0.01, alice 0.01 = 100.01 v8"));
    check(&[wallet("alice", "0")], &deposit("alice", "alice", "1"), Ok("external -1.00, alice 1.00 = 1.00 v8"));
    let overdrawn = [floored("alice", "-7.50", "-10")];
    check(&overdrawn, &deposit("alice", "alice", "7.50"), Ok("external -7.50, alice 7.50 = 0.00 v8"));
}

#[test]
fn every_scale_moves_its_smallest_unit() {
    for (unit, after) in [("1 JPY", "1"), ("0.01 EUR", "0.01"), ("0.001 KWD", "0.001"), ("0.0001 CLF", "0.0001")] {
        let (_, code) = unit.split_once(' ').expect("a value and a code");
        let expected = format!("external -{after}, alice {after} = {after} v8");
        check(&[wallet("alice", &format!("0 {code}"))], &deposit("alice", "alice", unit), Ok(&expected));
    }
}

#[test]
fn anyone_may_deposit_into_a_wallet_that_exists() {
    let alice = [wallet("alice", "0")];
    for by in ["alice", "bob", "root"] {
        check(&alice, &deposit(by, "alice", "1"), Ok("external -1.00, alice 1.00 = 1.00 v8"));
        check(&alice, &deposit(by, "ghost", "1"), Err(not_found("ghost")));
    }
}

#[test]
fn a_ceiling_is_reached_exactly_and_never_passed() {
    let alice = [capped("alice", "90.00", "100")];
    check(&alice, &deposit("alice", "alice", "10.00"), Ok("external -10.00, alice 10.00 = 100.00 v8"));
    check(&alice, &deposit("alice", "alice", "10.01"), Err(too_full("alice", Some("10.00"), "10.01")));
    let full = [capped("alice", "100", "100")];
    check(&full, &deposit("alice", "alice", "0.01"), Err(too_full("alice", Some("0"), "0.01")));
    let overdrawn = [Wallet { floor: money("-5"), ..capped("alice", "-5", "0") }];
    check(&overdrawn, &deposit("alice", "alice", "5"), Ok("external -5.00, alice 5.00 = 0.00 v8"));
    check(&overdrawn, &deposit("alice", "alice", "5.01"), Err(too_full("alice", Some("5"), "5.01")));
}

#[test]
fn room_is_for_the_owner_and_administrators_to_know() {
    let alice = [capped("alice", "90", "100")];
    for (by, available) in [("alice", Some("10")), ("root", Some("10")), ("bob", None)] {
        check(&alice, &deposit(by, "alice", "11"), Err(too_full("alice", available, "11")));
    }
}

#[test]
fn without_a_ceiling_the_largest_value_is_one() {
    let near = [wallet("alice", &largest_less(1))];
    let expected = format!("external -0.01, alice 0.01 = {} v8", largest_less(0));
    check(&near, &deposit("alice", "alice", "0.01"), Ok(&expected));
    check(&near, &deposit("alice", "alice", "0.02"), Err(too_full("alice", Some("0.01"), "0.02")));
    check(&near, &deposit("alice", "alice", &largest_less(0)), Err(too_full("alice", Some("0.01"), &largest_less(0))));
    let empty = [wallet("alice", "0")];
    let whole = largest_less(0);
    let expected = format!("external -{whole}, alice {whole} = {whole} v8");
    check(&empty, &deposit("alice", "alice", &whole), Ok(&expected));
    let lowest = [floored("alice", &format!("-{whole}"), &format!("-{whole}"))];
    let expected = format!("external -{whole}, alice {whole} = 0.00 v8");
    check(&lowest, &deposit("alice", "alice", &whole), Ok(&expected));
}

#[test]
fn a_frozen_wallet_takes_money_and_a_closed_one_takes_none() {
    let expected = Ok("external -1.00, alice 1.00 = 6.00 v8");
    check(&[with_status("alice", "5", Status::Frozen)], &deposit("bob", "alice", "1"), expected);
    check(&[with_status("alice", "0", Status::Closed)], &deposit("bob", "alice", "1"), Err(closed("alice")));
    check(&[with_status("alice", "0", Status::Closed)], &deposit("root", "alice", "1"), Err(closed("alice")));
}

#[test]
fn only_its_own_currency_comes_in() {
    let alice = [wallet("alice", "5")];
    check(&alice, &deposit("alice", "alice", "1 JPY"), Err(wrong_currency("alice", "EUR", "JPY")));
    check(&alice, &deposit("alice", "alice", "1.00 USD"), Err(wrong_currency("alice", "EUR", "USD")));
    // Bounds in euros are not compared with yen on the way to the refusal.
    let bounded = [Wallet { limits: max_movement("1"), ..capped("alice", "5", "5") }];
    check(&bounded, &deposit("alice", "alice", "9 JPY"), Err(wrong_currency("alice", "EUR", "JPY")));
}

#[test]
fn the_largest_movement_holds_for_deposits_too() {
    let alice = [limited("alice", "0", max_movement("10"))];
    check(&alice, &deposit("alice", "alice", "10.00"), Ok("external -10.00, alice 10.00 = 10.00 v8"));
    let passed = |available| limit_passed(Limit::MaxMovement, "alice", available, "10.01");
    check(&alice, &deposit("alice", "alice", "10.01"), Err(passed(Some("10"))));
    check(&alice, &deposit("root", "alice", "10.01"), Err(passed(Some("10"))));
}

#[test]
fn a_stranger_is_not_told_the_largest_movement() {
    let alice = [limited("alice", "0", max_movement("10"))];
    check(&alice, &deposit("bob", "alice", "10.01"), Err(limit_passed(Limit::MaxMovement, "alice", None, "10.01")));
}

#[test]
fn neither_outflow_nor_rate_limits_a_deposit() {
    let limits = Limits { max_daily_outflow: Some(amount("0.01")), transfers_per_minute: Some(0), max_movement: None };
    check(
        &[limited("alice", "0", limits)],
        &deposit("alice", "alice", "5"),
        Ok("external -5.00, alice 5.00 = 5.00 v8"),
    );
}

#[test]
fn a_pinned_version_must_be_the_current_one() {
    let alice = [wallet("alice", "0")];
    let one = || deposit("alice", "alice", "1");
    check(&alice, &pinned(one(), VERSION), Ok("external -1.00, alice 1.00 = 1.00 v8"));
    for other in [0, VERSION - 1, VERSION + 1, u64::MAX] {
        check(&alice, &pinned(one(), other), Err(wrong_version("alice", other)));
    }
    // What a stranger pins is never right, or he could find the version out.
    for version in [0, VERSION] {
        check(&alice, &pinned(deposit("bank", "alice", "1"), version), Err(version_not_yours("alice")));
    }
}

#[test]
fn the_record_holds_what_was_asked_and_the_rule_in_force() {
    let terms = RebateTerms { minimum: bounds(&["0.05"]), ..share("spring", 100) };
    let order =
        Order { reference: Some(reference("order 66")), metadata: labels(&[("shop", "north")]), ..order("bob", "5") };
    let command =
        Command::Deposit(Deposit { order: order.clone(), wallet: id("alice"), rules: [terms.clone()].into() });
    let plan = decided(&snapshots(&[wallet("alice", "0")]), &command, time(NOW)).expect("an active wallet");
    let expected = Transaction {
        id: TransactionId::requested_by(&owner("bob"), &key("key")),
        kind: Kind::DEPOSIT,
        wallet: id("alice"),
        destination: None,
        amount: money("5"),
        fee: money("0"),
        outcome: plan.transaction().outcome.clone(),
        caller: owner("bob"),
        reference: order.reference.clone(),
        metadata: order.metadata,
        parent: None,
        rule: terms.pinned(money("5"), time(NOW)),
        hold: None,
        released: vec![],
        fingerprint: command.fingerprint(),
        created_at: time(NOW),
        format: 1,
        seal: plan.transaction().computed_seal().expect("the format that this code writes"),
    };
    assert_eq!(plan.transaction(), &expected);
    assert_eq!(plan.postings()[0].rows[0].counterparty, Some(Account::External));
    assert_eq!(plan.postings()[0].rows[0].reference, order.reference);
}

#[test]
fn times_are_kept_to_the_millisecond() {
    let now = time("2026-03-01T12:00:30.250999999Z");
    let deposit = deposit("alice", "alice", "1");
    let plan = decided(&snapshots(&[wallet("alice", "0")]), &deposit, now).expect("an active wallet");
    assert_eq!(plan.transaction().created_at, time(NOW));
    for now in ["1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-12-30T21:59:59Z"] {
        let empty = Wallet { updated_at: Timestamp::MIN, ..wallet("alice", "0") };
        let plan = decided(&snapshots(&[empty]), &deposit, time(now)).expect("any time will do");
        assert_eq!(plan.transaction().created_at, time(now));
    }
}
