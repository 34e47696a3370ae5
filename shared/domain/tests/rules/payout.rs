//! Payouts: one payer, many payees, all or none; one refusal for the whole, by the first payment that is refused.

use wallet_domain::*;

use crate::world::*;

/// Alice pays bob 1, carol 2 and savings 3.
const THREE: [(&str, &str); 3] = [("bob", "1"), ("carol", "2"), ("savings", "3")];

fn wallets(alice: &str) -> Vec<Wallet> {
    vec![wallet("alice", alice), wallet("bob", "0"), wallet("carol", "0"), wallet("savings", "0")]
}

/// The wallets with some of them changed.
fn with_these(changed: impl IntoIterator<Item = Wallet>) -> Vec<Wallet> {
    let mut all = wallets("100");
    for changed in changed {
        let place = all.iter().position(|wallet| wallet.id == changed.id).expect("one of them");
        all[place] = changed;
    }
    all
}

fn three() -> Command {
    payout("alice", "alice", &THREE)
}

#[test]
fn all_are_paid_in_one_posting_of_the_payer() {
    let paid = "alice -6.00 = 94.00 v8, bob 1.00 = 1.00 v8, carol 2.00 = 2.00 v8, savings 3.00 = 3.00 v8";
    check(&wallets("100"), &three(), Ok(paid));
    check(&wallets("100"), &payout("root", "alice", &THREE), Ok(paid));
    check(&wallets("6"), &three(), Ok(paid.replace("94.00", "0.00").as_str()));
    check(&wallets("5.99"), &three(), Err(too_little("alice", "5.99", "6")));
    let one = "alice -5.00 = 95.00 v8, bob 5.00 = 5.00 v8";
    check(&wallets("100"), &payout("alice", "alice", &[("bob", "5")]), Ok(one));
}

#[test]
fn the_fee_is_the_sum_of_the_fees_of_its_payments() {
    let paid = "alice -6.75 = 0.00 v8, bob 1.00 = 1.00 v8, carol 2.00 = 2.00 v8, savings 3.00 = 3.00 v8, fees 0.75";
    check(&wallets("6.75"), &payout_at("0.25", "alice", "alice", &THREE), Ok(paid));
    check(&wallets("6.74"), &payout_at("0.25", "alice", "alice", &THREE), Err(too_little("alice", "6.74", "6.75")));
    // Each is rounded by itself, as those of three transfers are: a hundredth of 0.50, three times, half-even.
    let fee = Some(fee_schedule(100, &[], &[]));
    let Command::Payout(halves) = payout("alice", "alice", &THREE.map(|(to, _)| (to, "1.50"))) else {
        panic!("a payout")
    };
    let halves = Command::Payout(Payout { fee, ..halves });
    let plan = decided(&snapshots(&wallets("100")), &halves, time(NOW)).expect("enough money");
    assert_eq!((plan.transaction().amount, plan.transaction().fee), (money("4.50"), money("0.06")));
}

#[test]
fn the_payer_is_asked_first_and_then_each_payment_in_its_order() {
    let full = || capped("carol", "0", "1.99");
    let closed_savings = || with_status("savings", "0", Status::Closed);
    let of_carol = in_payment(1, "2", too_full("carol", None, "2"));
    check(&with_these([full()]), &three(), Err(of_carol.clone()));
    check(&with_these([full(), closed_savings()]), &three(), Err(of_carol));
    check(&with_these([closed_savings()]), &three(), Err(in_payment(2, "3", closed("savings"))));
    let yen = in_payment(0, "1", wrong_currency("bob", "JPY", "EUR"));
    check(&with_these([wallet("bob", "0 JPY"), full()]), &three(), Err(yen));
    check(&with_these([wallet("alice", "5"), full()]), &three(), Err(too_little("alice", "5", "6")));
    check(&with_these([with_status("alice", "100", Status::Frozen), full()]), &three(), Err(frozen("alice")));
    let nobody = payout("alice", "alice", &[("bob", "1"), ("ghost", "2")]);
    check(&wallets("100"), &nobody, Err(in_payment(1, "2", not_found("ghost"))));
    // A payee may be frozen.
    let plan = decided(&snapshots(&with_these([with_status("bob", "0", Status::Frozen)])), &three(), time(NOW));
    assert_eq!(plan.expect("all take money").postings().len(), 4);
}

#[test]
fn a_wallet_is_paid_once_and_never_by_itself() {
    let twice = payout("alice", "alice", &[("bob", "1"), ("carol", "2"), ("bob", "3")]);
    let duplicate = Refusal::DuplicateDestination { wallet: id("bob") };
    check(&wallets("100"), &twice, Err(in_payment(2, "3", duplicate)));
    let own = payout("alice", "alice", &[("bob", "1"), ("alice", "2")]);
    check(&wallets("100"), &own, Err(in_payment(1, "2", Refusal::SameWallet)));
}

#[test]
fn only_the_payers_owner_and_administrators_may() {
    check(&wallets("100"), &payout("bob", "alice", &[("bob", "1"), ("ghost", "1")]), Err(not_found("alice")));
    check(&wallets("100"), &pinned(three(), 3), Err(wrong_version("alice", 3)));
    let plan = decided(&snapshots(&wallets("100")), &pinned(three(), VERSION), time(NOW));
    assert_eq!(plan.expect("at that version").postings().len(), 4);
}

#[test]
fn its_payers_limits_count_one_movement_and_one_transfer_of_the_sum() {
    let limited = |limits: Limits| with_these([limited("alice", "100", limits)]);
    let passed = limit_passed(Limit::MaxMovement, "alice", Some("5.99"), "6");
    check(&limited(max_movement("5.99")), &three(), Err(passed));
    let daily = |limit| Limits { max_daily_outflow: Some(amount(limit)), ..Limits::default() };
    let passed = limit_passed(Limit::MaxDailyOutflow, "alice", Some("6.74"), "6.75");
    check(&limited(daily("6.74")), &payout_at("0.25", "alice", "alice", &THREE), Err(passed));
    let once = limited(Limits { transfers_per_minute: Some(1), ..daily("6") });
    let plan = decided(&snapshots(&once), &three(), time(NOW)).expect("one transfer");
    let counters = plan.postings()[0].after.counters;
    assert_eq!((counters.transfers, counters.outflow), (1, money("6")));
}

#[test]
fn statements_name_the_payer_and_the_payment_s_own_reference() {
    let Command::Payout(mut pay) = with(three(), |order| order.reference = Some(reference("payroll"))) else {
        panic!("a payout")
    };
    pay.payments[1].reference = Some(reference("carol's"));
    let mut carol = wallet("carol", "0");
    carol.credits = Credits::Batched;
    for wallets in [wallets("100"), with_these([carol])] {
        let plan = decided(&snapshots(&wallets), &Command::Payout(pay.clone()), time(NOW)).expect("enough money");
        let rows = plan.postings().iter().map(|posting| &posting.rows[0]);
        let rows = rows.map(|row| (row.wallet, row.counterparty, row.reference.clone()));
        let credits = plan.credits().iter();
        let credits = credits.map(|credit| (credit.wallet, Some(credit.counterparty), credit.reference.clone()));
        let mut told: Vec<_> = rows.chain(credits).collect();
        told.sort_by_key(|(wallet, ..)| {
            ["alice", "bob", "carol", "savings"].iter().position(|name| id(name) == *wallet)
        });
        let payer = Some(Account::Wallet(id("alice")));
        let [payroll, own] = ["payroll", "carol's"].map(|text| Some(reference(text)));
        let expected = [
            (id("alice"), None, payroll.clone()),
            (id("bob"), payer, payroll.clone()),
            (id("carol"), payer, own.clone()),
            (id("savings"), payer, payroll),
        ];
        assert_eq!(told, expected);
        let of_legs: Vec<_> = plan.transaction().legs().iter().map(Leg::reference).collect();
        assert_eq!(of_legs, [None, None, own.as_ref(), None]);
    }
}

#[test]
fn the_refusal_of_a_payment_is_on_record_with_its_place() {
    let closed = in_payment(2, "3", closed("savings"));
    let snapshots = snapshots(&with_these([with_status("savings", "0", Status::Closed)]));
    let failed = attempted(&snapshots, &three(), &closed, time(NOW)).expect("on record");
    assert_eq!((failed.outcome, failed.wallet), (super::world::failed(closed, "savings"), id("alice")));
    let twice = in_payment(1, "2", Refusal::DuplicateDestination { wallet: id("bob") });
    assert_eq!(attempted(&snapshots, &three(), &twice, time(NOW)), None);
}

#[test]
fn what_payments_come_to_is_an_amount() {
    let largest = largest_less(0);
    let payments = |amounts: &[&str]| -> Vec<Payment> {
        let payment = |moved: &&str| Payment { destination: id("bob"), amount: amount(moved), reference: None };
        amounts.iter().map(payment).collect()
    };
    assert_eq!(Payout::total(&payments(&["1", "2.50"])), Ok(amount("3.50")));
    assert_eq!(Payout::total(&[]), Err(AmountError::NotPositive));
    let too_large = AmountError::TooLarge { largest: self::largest() };
    assert_eq!(Payout::total(&payments(&[&largest, "0.01"])), Err(too_large));
    // Fees beyond the largest value are more than any wallet has.
    let rich = with_these([wallet("alice", &largest)]);
    check(&rich, &payout_at(&largest, "alice", "alice", &THREE), Err(too_little("alice", &largest, &largest)));
}

#[test]
fn the_largest_payout_can_be_undone() {
    let payee = |number: usize| format!("payee {number}");
    let names: Vec<_> = (0..MAX_PAYMENTS).map(payee).collect();
    let payments: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let mut wallets: Vec<_> = names.iter().map(|name| wallet(name, "0")).collect();
    wallets.push(wallet("alice", "48"));
    let plan = decided(&snapshots(&wallets), &payout("alice", "alice", &payments), time(NOW)).expect("enough money");
    assert_eq!(plan.postings().len(), MAX_PAYMENTS + 1);
    let after = snapshots(&plan.postings().iter().map(|posting| posting.after.clone()).collect::<Vec<_>>());
    let undone =
        decided(&after, &Command::Reverse(reversal(plan.transaction())), time(NOW)).expect("all of it is there");
    // A record, a mark, and two items for each wallet.
    assert_eq!(2 + 2 * undone.postings().len(), 100);
    let counterparties = undone.postings().iter().map(|posting| posting.rows[0].counterparty).collect::<Vec<_>>();
    let payer = Some(Account::Wallet(id("alice")));
    assert_eq!((counterparties[0], &counterparties[1..]), (None, &vec![payer; MAX_PAYMENTS][..]));
    let one_more = [payments.as_slice(), &[("bob", "1")]].concat();
    wallets.extend([wallet("bob", "0"), wallet("alice", "49")]);
    let none = decide(&snapshots(&wallets), &payout("alice", "alice", &one_more), time(NOW));
    assert_eq!(none, Err(NoPlan::Unsound(Unsound::TooLarge(101))));
}
