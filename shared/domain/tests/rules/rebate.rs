//! Rebates: what a deposit has earned, when it is paid, and what is recorded when it is not.

use wallet_domain::*;

use crate::world::*;

fn rule(points: u32, minimum: Option<&str>, cap: Option<&str>) -> RebateRule {
    RebateRule {
        id: "spring".parse().expect("a rule's name"),
        basis_points: BasisPoints::new(points).expect("a share"),
        minimum: minimum.map(money),
        cap: cap.map(money),
    }
}

fn deposit_with(rule: Option<RebateRule>, moved: &str) -> Command {
    Command::Deposit(Deposit { order: order("alice", moved), wallet: id("alice"), rule })
}

fn pay_for(deposit: &Command) -> PayRebate {
    PayRebate { deposit: deposit.transaction(), wallet: id("alice"), rule: rule(0, None, None).id }
}

/// A deposit made, and the wallet as it is when the rebate comes.
fn after(deposit: &Command, alice: Option<Wallet>) -> Snapshots {
    let currency = match deposit {
        Command::Deposit(deposit) => deposit.order.amount.money().currency(),
        other => panic!("{other:?} is no deposit"),
    };
    let empty = Wallet { balance: Money::zero(currency), ..wallet("alice", &format!("0 {currency}")) };
    let plan = decided(&snapshots(&[empty]), deposit, time("2026-02-01T00:00:00Z")).expect("an active wallet");
    let transactions = [(plan.transaction.id, plan.transaction)].into();
    let wallets = alice.into_iter().map(|alice| (alice.id, alice)).collect();
    Snapshots { transactions, wallets, ..Snapshots::default() }
}

/// What becomes of the rebate on a deposit of `moved` when it finds `alice`.
#[track_caller]
fn check(rule: RebateRule, moved: &str, alice: Wallet, expected: Result<&str, Refusal>) {
    let deposit = deposit_with(Some(rule), moved);
    let (snapshots, pay) = (after(&deposit, Some(alice)), Command::PayRebate(pay_for(&deposit)));
    let outcome = decided(&snapshots, &pay, time(NOW));
    assert_eq!(outcome.as_ref().map(legs).map_err(Clone::clone), expected.map(str::to_owned));
    match outcome {
        Ok(plan) => {
            assert_eq!(plan.transaction.parent, Some(deposit.transaction()));
            assert_eq!((plan.transaction.rule, &plan.transaction.principal), (None, &owner("alice")));
            assert_eq!(plan.transaction.amount, plan.postings[0].entry.amount);
            assert_eq!(plan.postings[0].entry.counterparty, Some(Account::Rebates));
        }
        Err(refusal) => {
            let failed = pay.failed(&snapshots, &refusal, time(NOW)).expect("each of these outcomes is recorded");
            assert_eq!((failed.kind, failed.wallet, failed.id), (Kind::Rebate, id("alice"), pay.transaction()));
            assert_eq!((failed.parent, failed.outcome), (Some(deposit.transaction()), Outcome::Failed(refusal)));
            assert_eq!((failed.principal, failed.created_at), (owner("alice"), time(NOW)));
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
    // The minimum is about what was earned, not about what fits.
    let minimum = rule(100, Some("5"), None);
    check(minimum, "500", capped("alice", "99.99", "100"), Ok("rebates -0.01, alice 0.01 = 100.00 v8"));
}

#[test]
fn the_largest_deposit_earns_exactly() {
    let expected = format!("rebates -{0}, alice {0} = {0} v8", "99999999999999.99");
    check(rule(100, None, None), &largest_less(0), wallet("alice", "0"), Ok(&expected));
    let overdrawn = floored("alice", &format!("-{}", largest_less(0)), &format!("-{}", largest_less(0)));
    let whole = largest_less(0);
    check(rule(10_000, None, None), &whole, overdrawn, Ok(&format!("rebates -{whole}, alice {whole} = 0.00 v8")));
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
        assert_eq!(command.failed(snapshots, &expected, time(NOW)), None);
    }
    let deposit = deposit_with(Some(rule(100, None, None)), "100");
    let good = || after(&deposit, Some(wallet("alice", "100")));
    let pay = || pay_for(&deposit);
    refuses(&Snapshots { transactions: [].into(), ..good() }, pay(), Refusal::TransactionNotFound);
    refuses(&after(&deposit, None), pay(), not_found("alice"));
    let mut with_bob = good();
    with_bob.wallets.insert(id("bob"), wallet("bob", "0"));
    refuses(&with_bob, PayRebate { wallet: id("bob"), ..pay() }, Refusal::TransactionNotFound);
    let autumn = "autumn".parse().expect("a rule's name");
    refuses(&good(), PayRebate { rule: autumn, ..pay() }, Refusal::TransactionNotFound);
    let no_rule = deposit_with(None, "100");
    refuses(&after(&no_rule, Some(wallet("alice", "100"))), pay(), Refusal::TransactionNotFound);

    let mut failed = good();
    let outcome = Outcome::Failed(closed("alice"));
    failed.transactions.values_mut().for_each(|transaction| transaction.outcome = outcome.clone());
    refuses(&failed, pay(), Refusal::TransactionNotFound);
    for kind in [Kind::Withdrawal, Kind::Transfer, Kind::Rebate, Kind::Opening, Kind::Amendment] {
        let mut other = good();
        other.transactions.values_mut().for_each(|transaction| transaction.kind = kind);
        refuses(&other, pay(), Refusal::TransactionNotFound);
    }
}

#[test]
fn a_rebate_earns_no_rebate() {
    let deposit = deposit_with(Some(rule(100, None, None)), "100");
    let mut snapshots = after(&deposit, Some(wallet("alice", "100")));
    let first = Command::PayRebate(pay_for(&deposit));
    let paid = decided(&snapshots, &first, time(NOW)).expect("earned").transaction;
    assert_eq!(paid.rule, None);
    snapshots.transactions.insert(paid.id, paid);
    let again = Command::PayRebate(PayRebate { deposit: first.transaction(), ..pay_for(&deposit) });
    assert_eq!(decided(&snapshots, &again, time(NOW)), Err(Refusal::TransactionNotFound));
}

#[test]
fn one_deposit_and_rule_name_one_rebate() {
    let deposit = deposit_with(Some(rule(100, None, None)), "100");
    let one = Command::PayRebate(pay_for(&deposit));
    assert_eq!(one.transaction(), Command::PayRebate(pay_for(&deposit)).transaction());
    let other_rule = PayRebate { rule: "autumn".parse().expect("a rule's name"), ..pay_for(&deposit) };
    assert_ne!(one.transaction(), Command::PayRebate(other_rule).transaction());
    let other = with(deposit.clone(), |order| order.key = key("other"));
    assert_ne!(one.transaction(), Command::PayRebate(pay_for(&other)).transaction());
    assert_eq!((one.parent(), one.wallets()), (Some(deposit.transaction()), vec![id("alice")]));
}

#[test]
fn terms_pin_the_bounds_of_the_deposits_currency() {
    let bounds = |texts: &[&str]| Bounds::new(texts.iter().map(|text| money(text))).expect("one of each");
    let terms = RebateTerms {
        id: "spring".parse().expect("a rule's name"),
        basis_points: BasisPoints::new(100).expect("a share"),
        currencies: Some(vec![currency("EUR"), currency("JPY")]),
        minimum: bounds(&["0.05", "7 JPY"]),
        cap: bounds(&["2"]),
    };
    assert_eq!(terms.pinned(currency("EUR")), Some(rule(100, Some("0.05"), Some("2"))));
    assert_eq!(terms.pinned(currency("JPY")), Some(rule(100, Some("7 JPY"), None)));
    assert_eq!(terms.pinned(currency("USD")), None);
    let everywhere = RebateTerms { currencies: None, ..terms };
    assert_eq!(everywhere.pinned(currency("USD")), Some(rule(100, None, None)));
    let nowhere = RebateTerms { currencies: Some(vec![]), ..everywhere };
    assert_eq!(nowhere.pinned(currency("EUR")), None);
}
