//! Rebates: what a deposit has earned, when it is paid, and what is recorded when it is not.

use wallet_domain::*;

use crate::world::*;

fn rule(points: u32, minimum: Option<&str>, cap: Option<&str>) -> RebateTerms {
    RebateTerms { minimum: bounds(minimum.as_slice()), cap: bounds(cap.as_slice()), ..share("spring", points) }
}

/// A deposit made, and the wallet as it is when the rebate comes.
fn after(deposit: &Command, alice: Option<Wallet>) -> Snapshots {
    let currency = match deposit {
        Command::Deposit(deposit) => deposit.order.amount.money().currency(),
        other => panic!("{other:?} is no deposit"),
    };
    let empty = Wallet { balance: Money::zero(currency), ..wallet("alice", &format!("0 {currency}")) };
    let plan = decided(&snapshots(&[empty]), deposit, time("2026-02-01T00:00:00Z")).expect("an active wallet");
    let transactions = [(plan.transaction().id, plan.transaction().clone())].into();
    let wallets = alice.into_iter().map(|alice| (alice.id, alice)).collect();
    Snapshots { transactions, wallets, ..Snapshots::default() }
}

/// What becomes of the rebate on a deposit of `moved` when it finds `alice`.
#[track_caller]
fn check(rule: RebateTerms, moved: &str, alice: Wallet, expected: Result<&str, Refusal>) {
    let deposit = earning(Some(rule), moved);
    let (snapshots, pay) = (after(&deposit, Some(alice)), Command::PayRebate(rebate_of(deposit.transaction())));
    let outcome = decided(&snapshots, &pay, time(NOW));
    assert_eq!(outcome.as_ref().map(legs).map_err(Clone::clone), expected.map(str::to_owned));
    match outcome {
        Ok(plan) => {
            assert_eq!(plan.transaction().parent, Some(deposit.transaction()));
            assert_eq!((&plan.transaction().rule, &plan.transaction().caller), (&None, &owner("alice")));
            assert_eq!(plan.transaction().amount, plan.postings()[0].rows[0].amount);
            assert_eq!(plan.postings()[0].rows[0].counterparty, Some(Account::Rebates));
        }
        Err(refusal) => {
            let record = attempted(&snapshots, &pay, &refusal, time(NOW)).expect("each of these outcomes is recorded");
            assert_eq!((record.kind, record.wallet, record.id), (Kind::REBATE, id("alice"), pay.transaction()));
            assert_eq!((record.parent, record.outcome), (Some(deposit.transaction()), failed(refusal, "alice")));
            assert_eq!((record.caller, record.created_at), (owner("alice"), time(NOW)));
        }
    }
}

fn below_minimum(requested: &str) -> Refusal {
    Refusal::RebateBelowMinimum { wallet: id("alice"), requested: money(requested) }
}

#[test]
fn a_share_comes_back_rounded_toward_zero() {
    for (points, moved, balance, expected) in [
        (100, "100", "100", "rebates -1.00, alice 1.00 = 101.00 v8"),
        (100, "1.99", "0", "rebates -0.01, alice 0.01 = 0.01 v8"),
        (199, "1", "0", "rebates -0.01, alice 0.01 = 0.01 v8"),
        (10_000, "12.34", "0", "rebates -12.34, alice 12.34 = 12.34 v8"),
        (100, "199 JPY", "0 JPY", "rebates -1, alice 1 = 1 v8"),
        (100, "0.199 KWD", "0 KWD", "rebates -0.001, alice 0.001 = 0.001 v8"),
        (100, "0.0199 CLF", "0 CLF", "rebates -0.0001, alice 0.0001 = 0.0001 v8"),
    ] {
        check(rule(points, None, None), moved, wallet("alice", balance), Ok(expected));
    }
}

#[test]
fn nothing_and_less_than_the_minimum_are_not_paid() {
    check(rule(100, None, None), "0.99", wallet("alice", "0"), Err(below_minimum("0")));
    check(rule(100, None, None), "99 JPY", wallet("alice", "0 JPY"), Err(below_minimum("0 JPY")));
    check(rule(0, None, None), "500", wallet("alice", "0"), Err(below_minimum("0")));
    check(rule(100, Some("0"), None), "0.99", wallet("alice", "0"), Err(below_minimum("0")));
    let minimum = || rule(100, Some("0.05"), None);
    check(minimum(), "4.99", wallet("alice", "0"), Err(below_minimum("0.04")));
    check(minimum(), "5.00", wallet("alice", "0"), Ok("rebates -0.05, alice 0.05 = 0.05 v8"));
}

#[test]
fn the_cap_clips() {
    let cap = || rule(100, None, Some("2"));
    check(cap(), "200.00", wallet("alice", "0"), Ok("rebates -2.00, alice 2.00 = 2.00 v8"));
    check(cap(), "201.00", wallet("alice", "0"), Ok("rebates -2.00, alice 2.00 = 2.00 v8"));
    check(cap(), "199.00", wallet("alice", "0"), Ok("rebates -1.99, alice 1.99 = 1.99 v8"));
    check(rule(100, None, Some("0")), "500", wallet("alice", "0"), Err(below_minimum("0")));
    check(rule(100, Some("2.01"), Some("2")), "500", wallet("alice", "0"), Err(below_minimum("2")));
}

#[test]
fn the_room_under_the_ceiling_clips_and_none_is_a_refusal() {
    let one_percent = || rule(100, None, None);
    check(one_percent(), "500", capped("alice", "95", "100"), Ok("rebates -5.00, alice 5.00 = 100.00 v8"));
    check(one_percent(), "500", capped("alice", "95.01", "100"), Ok("rebates -4.99, alice 4.99 = 100.00 v8"));
    check(one_percent(), "500", capped("alice", "99.99", "100"), Ok("rebates -0.01, alice 0.01 = 100.00 v8"));
    check(one_percent(), "500", capped("alice", "100", "100"), Err(too_full("alice", Some("0"), "5")));
    let full = wallet("alice", &largest_less(0));
    check(one_percent(), "500", full, Err(too_full("alice", Some("0"), "5")));
    let expected = format!("rebates -0.01, alice 0.01 = {} v8", largest_less(0));
    check(one_percent(), "500", wallet("alice", &largest_less(1)), Ok(&expected));
}

#[test]
fn what_is_clipped_below_the_minimum_is_not_paid() {
    let minimum = |text| rule(100, Some(text), None);
    check(minimum("5"), "500", capped("alice", "95", "100"), Ok("rebates -5.00, alice 5.00 = 100.00 v8"));
    check(minimum("5"), "500", capped("alice", "95.01", "100"), Err(below_minimum("4.99")));
    check(minimum("5"), "500", capped("alice", "99.99", "100"), Err(below_minimum("0.01")));
    // Without any room it is the room that is said to be missing.
    check(minimum("5"), "500", capped("alice", "100", "100"), Err(too_full("alice", Some("0"), "5")));
    let cap = |text| rule(100, Some("2"), Some(text));
    check(cap("2"), "500", wallet("alice", "0"), Ok("rebates -2.00, alice 2.00 = 2.00 v8"));
    check(cap("1.99"), "500", wallet("alice", "0"), Err(below_minimum("1.99")));
    let monthly = |text| RebateTerms { monthly_cap: bounds(&[text]), ..minimum("2") };
    check(monthly("2"), "500", wallet("alice", "0"), Ok("rebates -2.00, alice 2.00 = 2.00 v8"));
    check(monthly("1.99"), "500", wallet("alice", "0"), Err(below_minimum("1.99")));
    // The smallest of all three counts.
    let all = RebateTerms { cap: bounds(&["4"]), ..monthly("3") };
    check(all.clone(), "500", capped("alice", "98", "100"), Ok("rebates -2.00, alice 2.00 = 100.00 v8"));
    check(all, "500", capped("alice", "98.01", "100"), Err(below_minimum("1.99")));
}

#[test]
fn deposit_and_rebate_together_stay_a_value_that_exists() {
    let whole = largest_less(0);
    // The wallet has room for everything: it was emptied, or goes below zero, since the deposit.
    for wallet in [wallet("alice", "0"), floored("alice", &format!("-{whole}"), &format!("-{whole}"))] {
        for points in [1, 100, 10_000] {
            let terms = || rule(points, None, None);
            check(terms(), &whole, wallet.clone(), Err(below_minimum("0")));
            for left in [1, 2, 100] {
                let (moved, paid) = (largest_less(left), Money::from_minor(left, currency("EUR")).expect("small"));
                let after = wallet.balance.plus(paid).expect("small");
                let expected = format!("rebates -{paid}, alice {paid} = {after} v8");
                check(terms(), &moved, wallet.clone(), Ok(&expected));
            }
        }
    }
    check(rule(100, Some("0.02"), None), &largest_less(1), wallet("alice", "0"), Err(below_minimum("0.01")));
}

#[test]
fn the_largest_deposits_earn_exactly() {
    // Together with their rebates they come to the largest value, or a cent less.
    let expected = format!("rebates -{0}, alice {0} = {0} v8", "99009900990099.00");
    check(rule(100, None, None), "9900990099009900.98", wallet("alice", "0"), Ok(&expected));
    let overdrawn = floored("alice", &format!("-{}", largest_less(0)), &format!("-{}", largest_less(0)));
    let (half, left) = ("4999999999999999.99", "-5000000000000000.00");
    check(rule(10_000, None, None), half, overdrawn, Ok(&format!("rebates -{half}, alice {half} = {left} v8")));
}

#[test]
fn a_frozen_wallet_is_paid_and_a_closed_one_is_not() {
    let expected = Ok("rebates -1.00, alice 1.00 = 6.00 v8");
    check(rule(100, None, None), "100", with_status("alice", "5", Status::Frozen), expected);
    check(rule(100, None, None), "100", with_status("alice", "0", Status::Closed), Err(closed("alice")));
}

#[test]
fn limits_do_not_hold_a_rebate_back() {
    let limits =
        Limits { max_daily_outflow: Some(amount("0.01")), transfers_per_minute: Some(0), ..max_movement("0.01") };
    check(rule(100, None, None), "100", limited("alice", "0", limits), Ok("rebates -1.00, alice 1.00 = 1.00 v8"));
}

#[test]
fn a_message_that_does_not_speak_the_truth_pays_and_records_nothing() {
    #[track_caller]
    fn refuses(snapshots: &Snapshots, pay: PayRebate, expected: Refusal) {
        let command = Command::PayRebate(pay);
        assert_eq!(decided(snapshots, &command, time(NOW)), Err(expected.clone()));
        assert_eq!(attempted(snapshots, &command, &expected, time(NOW)), None);
    }
    let deposit = earning(Some(rule(100, None, None)), "100");
    let good = || after(&deposit, Some(wallet("alice", "100")));
    let pay = || rebate_of(deposit.transaction());
    refuses(&Snapshots { transactions: [].into(), ..good() }, pay(), Refusal::TransactionNotFound);
    refuses(&after(&deposit, None), pay(), not_found("alice"));
    let mut with_bob = good();
    with_bob.wallets.insert(id("bob"), wallet("bob", "0"));
    refuses(&with_bob, PayRebate { wallet: id("bob"), ..pay() }, Refusal::TransactionNotFound);
    refuses(&good(), PayRebate { rule: rule_id("autumn"), ..pay() }, Refusal::TransactionNotFound);
    let no_rule = earning(None, "100");
    refuses(&after(&no_rule, Some(wallet("alice", "100"))), pay(), Refusal::TransactionNotFound);

    let mut refused = good();
    let outcome = failed(closed("alice"), "alice");
    refused.transactions.values_mut().for_each(|transaction| transaction.outcome = outcome.clone());
    refuses(&refused, pay(), Refusal::TransactionNotFound);
    for kind in [Kind::WITHDRAWAL, Kind::TRANSFER, Kind::REBATE, Kind::OPENING, Kind::AMENDMENT] {
        let mut other = good();
        other.transactions.values_mut().for_each(|transaction| transaction.kind = kind);
        refuses(&other, pay(), Refusal::TransactionNotFound);
    }
}

#[test]
fn a_rebate_earns_no_rebate() {
    let deposit = earning(Some(rule(100, None, None)), "100");
    let mut snapshots = after(&deposit, Some(wallet("alice", "100")));
    let first = Command::PayRebate(rebate_of(deposit.transaction()));
    let paid = decided(&snapshots, &first, time(NOW)).expect("earned").transaction().clone();
    assert_eq!(paid.rule, None);
    snapshots.transactions.insert(paid.id, paid);
    let again = Command::PayRebate(rebate_of(first.transaction()));
    assert_eq!(decided(&snapshots, &again, time(NOW)), Err(Refusal::TransactionNotFound));
}

#[test]
fn one_deposit_and_rule_name_one_rebate() {
    let deposit = earning(Some(rule(100, None, None)), "100");
    let one = Command::PayRebate(rebate_of(deposit.transaction()));
    assert_eq!(one.transaction(), Command::PayRebate(rebate_of(deposit.transaction())).transaction());
    let other_rule = PayRebate { rule: rule_id("autumn"), ..rebate_of(deposit.transaction()) };
    assert_ne!(one.transaction(), Command::PayRebate(other_rule).transaction());
    let other = with(deposit.clone(), |order| order.key = key("other"));
    assert_ne!(one.transaction(), Command::PayRebate(rebate_of(other.transaction())).transaction());
    assert_eq!(one.parent(), Some(deposit.transaction()));
    let reads = Reads { wallets: vec![id("alice")], transactions: vec![deposit.transaction()], ..Reads::default() };
    assert_eq!(one.reads(), reads);
}

/// The name of the rule that a deposit of `moved` at `at` pins; nothing for none.
#[track_caller]
fn check_pinned(rules: &[RebateTerms], moved: &str, at: &str, expected: &str) {
    let deposit = earning(rules.to_vec(), moved);
    let empty = Wallet { balance: Money::zero(money(moved).currency()), ..wallet("alice", "0") };
    let empty = Wallet { floor: empty.balance, counters: Counters::new(empty.currency()), ..empty };
    let plan = decided(&snapshots(&[empty]), &deposit, time(at)).expect("an active wallet");
    assert_eq!(plan.transaction().rule.as_ref().map_or("", |rule| rule.id.as_str()), expected, "{moved} at {at}");
}

#[test]
fn a_deposit_pins_the_first_rule_that_is_for_its_currency_time_and_amount() {
    let rules = [
        RebateTerms {
            currencies: Some(vec![currency("EUR"), currency("JPY")]),
            valid_from: Some(time("2026-03-01T00:00:00Z")),
            valid_until: Some(time("2026-04-01T00:00:00Z")),
            minimum_deposit: bounds(&["50"]),
            ..share("spring", 300)
        },
        RebateTerms { currencies: Some(vec![currency("EUR")]), minimum_deposit: bounds(&["10"]), ..share("euro", 200) },
        RebateTerms { minimum_deposit: bounds(&["5", "5 USD"]), ..share("rest", 100) },
    ];
    let march = "2026-03-01T00:00:00Z";
    check_pinned(&rules, "50", march, "spring");
    check_pinned(&rules, "49.99", march, "euro");
    check_pinned(&rules, "50", "2026-02-28T23:59:59.999Z", "euro");
    check_pinned(&rules, "50", "2026-03-31T23:59:59.999Z", "spring");
    check_pinned(&rules, "50", "2026-04-01T00:00:00Z", "euro");
    check_pinned(&rules, "9.99", march, "rest");
    check_pinned(&rules, "4.99", march, "");
    // A bound says nothing of other currencies.
    check_pinned(&rules, "1 JPY", march, "spring");
    check_pinned(&rules, "1 JPY", "2026-05-01T00:00:00Z", "rest");
    check_pinned(&rules, "4.99 USD", march, "");
    check_pinned(&rules, "5 USD", march, "rest");
    check_pinned(&[], "5", march, "");
    check_pinned(&[RebateTerms { currencies: Some(vec![]), ..share("nowhere", 100) }], "5", march, "");
}

#[test]
fn a_deposit_pins_all_that_decides_its_rebate_in_its_own_currency() {
    let terms = RebateTerms {
        rounding: Rounding::HalfUp,
        minimum: bounds(&["0.05", "7 JPY"]),
        cap: bounds(&["2"]),
        monthly_cap: bounds(&["20", "30 USD"]),
        ..share("spring", 100)
    };
    let pinned = |code: &str| terms.pinned(Money::zero(currency(code)), time(NOW)).expect("for all");
    let plain = RebateRule {
        id: terms.id.clone(),
        basis_points: terms.basis_points,
        rounding: Rounding::HalfUp,
        minimum: None,
        cap: None,
        monthly_cap: None,
    };
    let (minimum, cap, monthly_cap) = (Some(money("0.05")), Some(money("2")), Some(money("20")));
    assert_eq!(pinned("EUR"), RebateRule { minimum, cap, monthly_cap, ..plain.clone() });
    assert_eq!(pinned("JPY"), RebateRule { minimum: Some(money("7 JPY")), ..plain.clone() });
    assert_eq!(pinned("USD"), RebateRule { monthly_cap: Some(money("30 USD")), ..plain.clone() });
    assert_eq!(pinned("CHF"), plain);
}

#[test]
fn a_rule_rounds_as_it_says() {
    let rounded = |rounding| RebateTerms { rounding, ..share("spring", 100) };
    for (rounding, moved, expected) in [
        (Rounding::TowardZero, "1.99", "rebates -0.01, alice 0.01 = 0.01 v8"),
        (Rounding::HalfUp, "1.99", "rebates -0.02, alice 0.02 = 0.02 v8"),
        (Rounding::HalfUp, "1.49", "rebates -0.01, alice 0.01 = 0.01 v8"),
        (Rounding::HalfUp, "0.50", "rebates -0.01, alice 0.01 = 0.01 v8"),
        (Rounding::HalfUp, "2.50", "rebates -0.03, alice 0.03 = 0.03 v8"),
        (Rounding::HalfEven, "2.50", "rebates -0.02, alice 0.02 = 0.02 v8"),
    ] {
        check(rounded(rounding), moved, wallet("alice", "0"), Ok(expected));
    }
    check(rounded(Rounding::HalfUp), "0.49", wallet("alice", "0"), Err(below_minimum("0")));
    check(rounded(Rounding::HalfUp), "50 JPY", wallet("alice", "0 JPY"), Ok("rebates -1, alice 1 = 1 v8"));
}
