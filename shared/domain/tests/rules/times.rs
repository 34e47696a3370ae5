//! Times: what is recorded never goes back within a wallet, however far the clocks of those who decide are apart.

use wallet_domain::*;

use crate::world::*;

const EARLY: &str = "2026-03-01T12:00:00Z";
const LATE: &str = "2026-03-01T12:04:00.5Z";

/// A wallet whose newest entry is of `at`.
fn touched(name: &str, balance: &str, at: &str) -> Wallet {
    Wallet { updated_at: time(at), ..wallet(name, balance) }
}

/// What is recorded when it is `now` by the clock of who decides: one time for all.
#[track_caller]
fn check(wallets: &[Wallet], command: &Command, now: &str, expected: &str) {
    let plan = decided(&snapshots(wallets), command, time(now)).expect("nothing stands in the way");
    let rows = plan.postings().iter().flat_map(|posting| &posting.rows).map(|row| row.created_at);
    let wallets = plan.postings().iter().map(|posting| posting.after.updated_at);
    let bars = plan.bars().iter().map(|bar| bar.created_at);
    for recorded in rows.chain(wallets).chain(bars).chain([plan.transaction().created_at]) {
        assert_eq!(recorded, time(expected));
    }
}

#[test]
fn the_entries_of_a_wallet_never_go_back() {
    let mut stored = snapshots(&[wallet("alice", "100")]);
    let mut times = vec![];
    for (now, recorded) in [
        (EARLY, EARLY),
        (LATE, LATE),
        (EARLY, LATE),
        ("2026-03-01T12:04:00.499Z", LATE),
        ("2026-03-01T12:04:00.501Z", "2026-03-01T12:04:00.501Z"),
        ("1970-01-01T00:00:00Z", "2026-03-01T12:04:00.501Z"),
        ("2026-03-01T12:05:00Z", "2026-03-01T12:05:00Z"),
    ] {
        let plan = decided(&stored, &withdraw("alice", "alice", "1"), time(now)).expect("enough money");
        let [posting] = plan.postings() else { panic!("one wallet") };
        assert_eq!(posting.rows[0].created_at, time(recorded), "at {now}");
        times.push(posting.rows[0].created_at);
        stored.wallets.insert(posting.after.id, posting.after.clone());
    }
    assert!(times.is_sorted());
}

#[test]
fn every_verb_records_the_newest_time_that_it_finds() {
    let amend = amend("root", VERSION, to(Status::Frozen));
    let commands = [deposit("alice", "alice", "1"), withdraw("alice", "alice", "1"), amend];
    for command in &commands {
        check(&[touched("alice", "5", LATE)], command, EARLY, LATE);
        check(&[touched("alice", "5", EARLY)], command, LATE, LATE);
    }
    // The rebate comes while the deposit's own time is ahead; it is barred at the time of the reversal.
    let earns = earning([share("spring", 100)], "100");
    let plan = decided(&snapshots(&[wallet("alice", "0")]), &earns, time(LATE)).expect("an active wallet");
    let (original, after) = (plan.transaction().clone(), plan.postings()[0].after.clone());
    let pay = Command::PayRebate(rebate_of(original.id));
    let transactions = [(original.id, original.clone())].into();
    let read = Snapshots { transactions, ..snapshots(std::slice::from_ref(&after)) };
    let paid = decided(&read, &pay, time(EARLY)).expect("earned");
    assert_eq!(paid.transaction().created_at, time(LATE));
    check(&[after], &Command::Reverse(reversal(&original)), EARLY, LATE);
}

#[test]
fn a_transfer_takes_the_latest_of_both_wallets() {
    let command = transfer("alice", "alice", "bob", "1");
    let pair = |alice, bob| [touched("alice", "5", alice), touched("bob", "5", bob)];
    let between = "2026-03-01T12:02:00Z";
    check(&pair(EARLY, between), &command, LATE, LATE);
    check(&pair(EARLY, LATE), &command, between, LATE);
    check(&pair(LATE, EARLY), &command, between, LATE);
    check(&pair(LATE, between), &command, EARLY, LATE);
}

#[test]
fn a_failed_attempt_is_recorded_no_earlier_than_the_wallet_that_refused() {
    let command = withdraw("alice", "alice", "6");
    for (newest, now) in [(LATE, EARLY), (EARLY, LATE)] {
        let read = snapshots(&[touched("alice", "5", newest)]);
        let record = attempted(&read, &command, &too_little("alice", "5", "6"), time(now)).expect("recorded");
        assert_eq!(record.created_at, time(LATE));
    }
}

/// A deposit that is recorded in another month than its decider's clock shows earns in the month of its record.
#[test]
fn a_deposit_pins_the_rule_in_force_by_the_newest_time_that_is_believed() {
    let april = "2026-04-01T00:00:00Z";
    let rules = [
        RebateTerms { valid_until: Some(time(april)), ..share("march", 100) },
        RebateTerms { valid_from: Some(time(april)), ..share("april", 200) },
    ];
    let command = earning(rules, "5");
    // A wallet that another clock has touched: within ten minutes it is believed.
    for (now, touched_at, rule) in [
        (april, "2026-02-01T00:00:00Z", "april"),
        ("2026-03-31T23:59:59.999Z", "2026-02-01T00:00:00Z", "march"),
        ("2026-03-31T23:59:00Z", "2026-04-01T00:03:00Z", "april"),
        ("2026-03-31T23:59:00Z", "2026-04-01T00:09:00.001Z", "march"),
    ] {
        let read = snapshots(&[touched("alice", "5", touched_at)]);
        let plan = decided(&read, &command, time(now)).expect("an active wallet");
        assert_eq!(plan.transaction().rule.as_ref().map(|rule| rule.id.as_str()), Some(rule));
    }
}

#[test]
fn two_clocks_may_differ_by_ten_minutes() {
    let now = time(NOW);
    assert_eq!(believed_until(now).as_millisecond() - now.as_millisecond(), 10 * 60 * 1_000);
    assert_eq!(believed_until(Timestamp::MAX), Timestamp::MAX);
}
