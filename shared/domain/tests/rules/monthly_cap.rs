//! The monthly cap of a rebate rule: counted by the deposit's month, to the cent, and given back by a reversal.

use wallet_domain::*;

use crate::world::*;

/// A wallet that rebates of a rule with a monthly cap are paid to, one after the other.
struct Months {
    rule: RebateTerms,
    alice: Wallet,
    keys: u32,
    /// When rebates are paid.
    now: Timestamp,
}

impl Months {
    fn new(cap: &str) -> Months {
        let rule = RebateTerms { monthly_cap: bounds(&[cap]), ..share("spring", 100) };
        Months { rule, alice: wallet("alice", "1000"), keys: 0, now: time("2027-01-24T18:00:00Z") }
    }

    /// A deposit made at `at`; the wallet as it is goes on without it.
    fn deposit(&mut self, moved: &str, at: &str) -> Transaction {
        self.keys += 1;
        let order = Order { key: key(&self.keys.to_string()), ..order("alice", moved) };
        let deposit = Command::Deposit(Deposit { order, wallet: id("alice"), rules: [self.rule.clone()].into() });
        let empty = Wallet { updated_at: Timestamp::MIN, ..wallet("alice", "0") };
        decided(&snapshots(&[empty]), &deposit, time(at)).expect("an active wallet").transaction().clone()
    }

    /// What the rebate on `deposit` comes to: an amount or a code.
    fn paid(&mut self, deposit: &Transaction) -> (Transaction, String) {
        let rule = deposit.rule.as_ref().expect("it earns a rebate").id.clone();
        let pay = Command::PayRebate(PayRebate { deposit: deposit.id, wallet: id("alice"), rule });
        let mut snapshots = snapshots(std::slice::from_ref(&self.alice));
        snapshots.transactions.insert(deposit.id, deposit.clone());
        match decided(&snapshots, &pay, self.now) {
            Ok(plan) => {
                self.alice = plan.postings()[0].after.clone();
                let amount = plan.transaction().amount.to_string();
                (plan.transaction().clone(), amount)
            }
            Err(refusal) => {
                let failed = attempted(&snapshots, &pay, &refusal, time(NOW));
                let failed = failed.expect("each of these outcomes is recorded");
                (failed, refusal.code().to_owned())
            }
        }
    }

    #[track_caller]
    fn check(&mut self, moved: &str, at: &str, expected: &str) {
        let deposit = self.deposit(moved, at);
        assert_eq!(self.paid(&deposit).1, expected, "{moved} at {at}");
    }

    /// Reverses `deposit`, whose rebate was `rebate`.
    fn reverse(&mut self, deposit: &Transaction, rebate: &Transaction) {
        let reverse = Command::Reverse(reversal(deposit));
        let mut snapshots = snapshots(std::slice::from_ref(&self.alice));
        snapshots.transactions.insert(rebate.id, rebate.clone());
        self.alice = decided(&snapshots, &reverse, time(NOW)).expect("reversible").postings()[0].after.clone();
    }

    fn counted(&self) -> String {
        let sums = self.alice.rebated.all().map(|(month, rule, sum)| format!("{month} {} {sum}", rule.as_str()));
        sums.collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn a_month_s_rebates_come_to_the_cap_and_not_a_cent_further() {
    let mut months = Months::new("2.50");
    months.check("100", "2026-03-01T00:00:00Z", "1.00");
    months.check("100", "2026-03-31T23:59:59.999Z", "1.00");
    months.check("49", "2026-03-15T12:00:00Z", "0.49");
    months.check("100", "2026-03-15T12:00:00Z", "0.01");
    months.check("1", "2026-03-15T12:00:00Z", "rebate_cap_reached");
    months.check("0.99", "2026-03-15T12:00:00Z", "rebate_below_minimum");
    months.check("100", "2026-04-01T00:00:00Z", "1.00");
    months.check("100", "2026-02-28T23:59:59.999Z", "1.00");
    assert_eq!(months.counted(), "2026-02 spring 1.00, 2026-03 spring 2.50, 2026-04 spring 1.00");
    assert_eq!(months.alice.balance, money("1004.50"));
}

#[test]
fn three_months_are_counted_and_what_is_older_is_not_paid() {
    let mut months = Months::new("2.50");
    months.check("100", "2026-11-15T00:00:00Z", "1.00");
    months.check("100", "2026-09-15T00:00:00Z", "1.00");
    months.check("100", "2026-08-31T23:59:59.999Z", "rebate_too_late");
    months.check("100", "2027-01-01T00:00:00Z", "1.00");
    assert_eq!(months.counted(), "2026-11 spring 1.00, 2027-01 spring 1.00");
    months.check("100", "2026-10-31T00:00:00Z", "rebate_too_late");
    months.check("100", "2026-11-01T00:00:00Z", "1.00");
    months.check("100", "2026-12-01T00:00:00Z", "1.00");
    months.check("100", "2026-11-30T00:00:00Z", "0.50");
    // A rule without a monthly cap counts nothing, and is late for nothing.
    months.rule.monthly_cap = Bounds::default();
    months.check("100", "2020-01-01T00:00:00Z", "1.00");
    assert_eq!(months.counted(), "2026-11 spring 2.50, 2026-12 spring 1.00, 2027-01 spring 1.00");
}

#[test]
fn the_minimum_holds_for_what_is_left_of_the_cap() {
    let mut months = Months::new("2.50");
    months.rule.minimum = bounds(&["0.51"]);
    let march = "2026-03-15T12:00:00Z";
    months.check("200", march, "2.00");
    months.check("100", march, "rebate_below_minimum");
    months.rule.minimum = bounds(&["0.50"]);
    months.check("100", march, "0.50");
    months.check("100", march, "rebate_cap_reached");
    assert_eq!(months.counted(), "2026-03 spring 2.50");
}

#[test]
fn a_month_that_a_wrong_clock_counted_makes_no_rebate_too_late() {
    let mut months = Months::new("1.50");
    months.now = time("2026-06-01T12:00:00Z");
    months.check("100", "2026-06-01T12:00:00Z", "1.00");
    // 92 days before that, by a clock that is right.
    months.now = time("2026-03-01T12:00:00Z");
    months.check("100", "2026-03-01T12:00:00Z", "1.00");
    months.check("100", "2026-02-28T12:00:00Z", "1.00");
    months.check("100", "2026-03-01T12:00:00Z", "0.50");
    months.check("100", "2026-03-01T12:00:00Z", "rebate_cap_reached");
    assert_eq!(months.counted(), "2026-02 spring 1.00, 2026-03 spring 1.50, 2026-06 spring 1.00");
    // Of the months that are believed, March is the newest.
    months.check("100", "2026-01-01T00:00:00Z", "1.00");
    months.check("100", "2025-12-31T23:59:59.999Z", "rebate_too_late");
    // As soon as June is believed, it says what is too old: ten minutes before it begins.
    months.now = time("2026-05-31T23:49:59.999Z");
    months.check("20", "2026-01-01T00:00:00Z", "0.20");
    months.now = time("2026-05-31T23:50:00Z");
    months.check("20", "2026-01-01T00:00:00Z", "rebate_too_late");
    months.check("20", "2026-03-31T23:59:59.999Z", "rebate_too_late");
    months.check("20", "2026-04-01T00:00:00Z", "0.20");
    assert_eq!(months.counted(), "2026-04 spring 0.20, 2026-06 spring 1.00");
}

#[test]
fn each_rule_has_a_cap_of_its_own_and_each_deposit_the_one_that_it_pinned() {
    let mut months = Months::new("1.00");
    let march = "2026-03-15T12:00:00Z";
    let early = months.deposit("400", march);
    months.check("400", march, "1.00");
    // The cap is raised in mid-month: it counts from what was paid under the lower one.
    months.rule.monthly_cap = bounds(&["1.50"]);
    months.check("400", march, "0.50");
    assert_eq!(months.paid(&early).1, "rebate_cap_reached", "it pinned the lower cap, which has been passed since");
    months.rule = RebateTerms { id: rule_id("autumn"), ..months.rule };
    months.check("400", march, "1.50");
    assert_eq!(months.counted(), "2026-03 autumn 1.50, 2026-03 spring 1.50");
}

#[test]
fn a_reversal_gives_the_month_its_room_back() {
    let mut months = Months::new("1.50");
    let march = "2026-03-15T12:00:00Z";
    let (first, second) = (months.deposit("100", march), months.deposit("100", march));
    let (rebate, clipped) = (months.paid(&first).0, months.paid(&second).0);
    assert_eq!((rebate.amount, clipped.amount), (money("1"), money("0.50")));
    months.check("100", march, "rebate_cap_reached");
    months.reverse(&second, &clipped);
    assert_eq!(months.counted(), "2026-03 spring 1.00");
    months.check("20", march, "0.20");
    months.reverse(&first, &rebate);
    assert_eq!(months.counted(), "2026-03 spring 0.20");
    // A month whose rebates were all taken back is counted on: it still says what is too old.
    let only = months.deposit("100", "2026-12-01T00:00:00Z");
    let paid = months.paid(&only).0;
    months.reverse(&only, &paid);
    assert_eq!(months.counted(), "2026-12 spring 0.00");
    months.check("100", "2026-09-30T00:00:00Z", "rebate_too_late");
    // What is no longer counted is not taken off.
    let old = months.deposit("100", march);
    months.reverse(&old, &rebate_as_if_paid(&rebate, &old));
    assert_eq!(months.counted(), "2026-12 spring 0.00");
}

#[test]
fn a_reversal_takes_off_only_what_was_counted() {
    let mut months = Months::new("1.50");
    let march = "2026-03-15T12:00:00Z";
    let capped = std::mem::take(&mut months.rule.monthly_cap);
    let uncounted = months.deposit("100", march);
    let rebate = months.paid(&uncounted).0;
    months.rule.monthly_cap = capped;
    months.check("100", march, "1.00");
    months.reverse(&uncounted, &rebate);
    assert_eq!(months.counted(), "2026-03 spring 1.00");
}

/// The record of a paid rebate, told of another deposit.
fn rebate_as_if_paid(rebate: &Transaction, deposit: &Transaction) -> Transaction {
    let id = deposit.rebate().expect("it earns a rebate");
    Transaction { id, parent: Some(deposit.id), ..rebate.clone() }
}

#[test]
fn a_sum_never_falls_below_zero() {
    let mut months = Months::new(&largest_less(0));
    let march = "2026-03-15T12:00:00Z";
    months.now = time(march);
    let deposit = months.deposit("100", march);
    let rebate = months.paid(&deposit).0;
    // A clock that is wrong by three months lets go of March; by one that is right, March is counted anew.
    months.now = time("2026-06-15T12:00:00Z");
    months.check("100", "2026-06-15T12:00:00Z", "1.00");
    months.now = time(march);
    months.check("20", march, "0.20");
    months.reverse(&deposit, &rebate);
    assert_eq!(months.counted(), "2026-03 spring 0.00, 2026-06 spring 1.00");
    months.check("20", march, "0.20");
}
