//! Withdrawals: who may, and how close to the floor they get.

use wallet_domain::*;

use crate::world::*;

#[test]
fn money_goes_out_to_the_last_unit_and_not_beyond() {
    let alice = [wallet("alice", "100.00")];
    check(&alice, &withdraw("alice", "alice", "30"), Ok("alice -30.00 = 70.00 v8, external 30.00"));
    check(&alice, &withdraw("alice", "alice", "100.00"), Ok("alice -100.00 = 0.00 v8, external 100.00"));
    check(&alice, &withdraw("alice", "alice", "100.01"), Err(too_little("alice", "100.00", "100.01")));
    check(&[wallet("alice", "0")], &withdraw("alice", "alice", "0.01"), Err(too_little("alice", "0", "0.01")));
}

#[test]
fn every_scale_is_exact_at_the_floor() {
    for (code, unit, two) in [("JPY", "1", "2"), ("KWD", "0.001", "0.002"), ("CLF", "0.0001", "0.0002")] {
        let of = |value: &str| format!("{value} {code}");
        let alice = [wallet("alice", &of(unit))];
        let expected = format!("alice -{unit} = {} v8, external {unit}", money(&of("0")));
        check(&alice, &withdraw("alice", "alice", &of(unit)), Ok(&expected));
        check(&alice, &withdraw("alice", "alice", &of(two)), Err(too_little("alice", &of(unit), &of(two))));
    }
}

#[test]
fn a_negative_floor_is_credit() {
    let alice = [floored("alice", "5", "-10")];
    check(&alice, &withdraw("alice", "alice", "15.00"), Ok("alice -15.00 = -10.00 v8, external 15.00"));
    check(&alice, &withdraw("alice", "alice", "15.01"), Err(too_little("alice", "15.00", "15.01")));
    let overdrawn = [floored("alice", "-9.99", "-10")];
    check(&overdrawn, &withdraw("alice", "alice", "0.01"), Ok("alice -0.01 = -10.00 v8, external 0.01"));
    check(&overdrawn, &withdraw("alice", "alice", "0.02"), Err(too_little("alice", "0.01", "0.02")));
}

#[test]
fn the_largest_values_neither_overflow_nor_mislead() {
    let whole = largest_less(0);
    let rich = [wallet("alice", &whole)];
    let expected = format!("alice -{whole} = 0.00 v8, external {whole}");
    check(&rich, &withdraw("alice", "alice", &whole), Ok(&expected));
    let almost = largest_less(1);
    check(&[wallet("alice", &almost)], &withdraw("alice", "alice", &whole), Err(too_little("alice", &almost, &whole)));
    let lowest = format!("-{whole}");
    let deep = [floored("alice", "0", &lowest)];
    let expected = format!("alice -{whole} = {lowest} v8, external {whole}");
    check(&deep, &withdraw("alice", "alice", &whole), Ok(&expected));
    let spent = [floored("alice", &lowest, &lowest)];
    check(&spent, &withdraw("alice", "alice", "0.01"), Err(too_little("alice", "0", "0.01")));
    check(&spent, &withdraw("alice", "alice", &whole), Err(too_little("alice", "0", &whole)));
    // What could leave is then more than any value; the largest is what one movement can name.
    let both = [floored("alice", &whole, &lowest)];
    let expected = format!("alice -{whole} = 0.00 v8, external {whole}");
    check(&both, &withdraw("alice", "alice", &whole), Ok(&expected));
}

#[test]
fn only_the_owner_and_administrators_take_money_out() {
    let alice = [wallet("alice", "10"), wallet("bob", "10")];
    for by in ["alice", "root"] {
        check(&alice, &withdraw(by, "alice", "1"), Ok("alice -1.00 = 9.00 v8, external 1.00"));
    }
    for by in ["alice", "bob", "root"] {
        check(&alice, &withdraw(by, "ghost", "1"), Err(not_found("ghost")));
    }
    check(&alice, &withdraw("bob", "alice", "1"), Err(not_found("alice")));
}

#[test]
fn a_stranger_cannot_tell_a_wallet_from_none() {
    for status in [Status::Active, Status::Frozen, Status::Closed] {
        let alice = Wallet { limits: max_movement("1"), ..with_status("alice", "0", status) };
        let alice = [alice];
        check(&alice, &withdraw("bob", "alice", "100"), Err(not_found("alice")));
        check(&alice, &withdraw("bob", "alice", "1 JPY"), Err(not_found("alice")));
        check(&alice, &pinned(withdraw("bob", "alice", "100"), 1), Err(not_found("alice")));
    }
}

#[test]
fn neither_a_frozen_nor_a_closed_wallet_gives_money() {
    for by in ["alice", "root"] {
        check(&[with_status("alice", "5", Status::Frozen)], &withdraw(by, "alice", "1"), Err(frozen("alice")));
        check(&[with_status("alice", "0", Status::Closed)], &withdraw(by, "alice", "1"), Err(closed("alice")));
    }
}

#[test]
fn only_its_own_currency_goes_out() {
    let yen = [Wallet { limits: max_movement("1 JPY"), ..wallet("alice", "500 JPY") }];
    check(&yen, &withdraw("alice", "alice", "1.00"), Err(wrong_currency("alice", "JPY", "EUR")));
}

#[test]
fn the_largest_movement_is_reached_exactly_and_never_passed() {
    let alice = [limited("alice", "100", max_movement("10"))];
    check(&alice, &withdraw("alice", "alice", "10.00"), Ok("alice -10.00 = 90.00 v8, external 10.00"));
    let passed = limit_passed(Limit::MaxMovement, "alice", Some("10"), "10.01");
    check(&alice, &withdraw("alice", "alice", "10.01"), Err(passed));
}

#[test]
fn a_pinned_version_must_be_the_current_one() {
    let alice = [wallet("alice", "10")];
    let one = || withdraw("alice", "alice", "1");
    check(&alice, &pinned(one(), VERSION), Ok("alice -1.00 = 9.00 v8, external 1.00"));
    for other in [0, VERSION - 1, VERSION + 1] {
        check(&alice, &pinned(one(), other), Err(wrong_version("alice", other)));
    }
}

#[test]
fn a_ceiling_does_not_hold_money_back() {
    let full = [capped("alice", "10", "10")];
    check(&full, &withdraw("alice", "alice", "10"), Ok("alice -10.00 = 0.00 v8, external 10.00"));
}
