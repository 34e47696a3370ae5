//! Limits over time: the outflow of a day and the transfers of a minute, at their edges and with clocks that disagree.

use wallet_domain::*;

use crate::world::*;

/// Commands one after the other, each with its time and what becomes of it. `bob` starts with nothing.
#[track_caller]
fn check_each(alice: Wallet, steps: &[(&str, Command, Result<&str, Refusal>)]) {
    let mut snapshots = snapshots(&[alice, wallet("bob", "0")]);
    for (now, command, expected) in steps {
        let outcome = decided(&snapshots, command, time(now));
        assert_eq!(outcome.clone().map(|plan| legs(&plan)), expected.clone().map(str::to_owned), "at {now}");
        for posting in outcome.iter().flat_map(Plan::postings) {
            snapshots.wallets.insert(posting.after.id, posting.after.clone());
        }
    }
}

fn daily(limit: &str) -> Wallet {
    let limits = Limits { max_daily_outflow: Some(amount(limit)), ..Limits::default() };
    limited("alice", "100", limits)
}

fn rated(limit: u32) -> Wallet {
    limited("alice", "100", Limits { transfers_per_minute: Some(limit), ..Limits::default() })
}

fn past_the_day(available: &str, requested: &str) -> Refusal {
    limit_passed(Limit::MaxDailyOutflow, "alice", Some(available), requested)
}

fn too_often(limit: u32, retry_after_seconds: u64) -> Refusal {
    Refusal::RateLimited { wallet: id("alice"), limit, retry_after_seconds }
}

fn out(moved: &str) -> Command {
    withdraw("alice", "alice", moved)
}

fn across(moved: &str) -> Command {
    transfer("alice", "alice", "bob", moved)
}

#[test]
fn a_days_outflow_is_reached_exactly_and_never_passed() {
    let noon = "2026-03-01T12:00:00Z";
    check_each(
        daily("10"),
        &[
            (noon, out("10.01"), Err(past_the_day("10", "10.01"))),
            (noon, out("4"), Ok("alice -4.00 = 96.00 v8, external 4.00")),
            (noon, out("6.01"), Err(past_the_day("6", "6.01"))),
            (noon, out("6"), Ok("alice -6.00 = 90.00 v9, external 6.00")),
            (noon, out("0.01"), Err(past_the_day("0", "0.01"))),
        ],
    );
}

#[test]
fn withdrawals_transfers_and_fees_all_flow_out_and_credits_do_not_flow_back() {
    let noon = "2026-03-01T12:00:00Z";
    check_each(
        daily("10"),
        &[
            (noon, out("3"), Ok("alice -3.00 = 97.00 v8, external 3.00")),
            (noon, across("3"), Ok("alice -3.00 = 94.00 v9, bob 3.00 = 3.00 v8")),
            (noon, deposit("bob", "alice", "50"), Ok("external -50.00, alice 50.00 = 144.00 v10")),
            (noon, transfer_at("0.01", "alice", "alice", "bob", "4"), Err(past_the_day("4", "4.01"))),
            (
                noon,
                transfer_at("0.01", "alice", "alice", "bob", "3.99"),
                Ok("alice -4.00 = 140.00 v11, bob 3.99 = 6.99 v9, fees 0.01"),
            ),
            (noon, out("0.01"), Err(past_the_day("0", "0.01"))),
        ],
    );
}

#[test]
fn the_day_turns_at_midnight_utc() {
    check_each(
        daily("10"),
        &[
            ("2026-03-01T00:00:00Z", out("10"), Ok("alice -10.00 = 90.00 v8, external 10.00")),
            ("2026-03-01T23:59:59.999Z", out("0.01"), Err(past_the_day("0", "0.01"))),
            ("2026-03-02T00:00:00Z", out("10"), Ok("alice -10.00 = 80.00 v9, external 10.00")),
            ("2026-03-02T00:00:00.001Z", out("0.01"), Err(past_the_day("0", "0.01"))),
            ("2026-03-05T08:00:00+02:00", out("10"), Ok("alice -10.00 = 70.00 v10, external 10.00")),
        ],
    );
}

#[test]
fn a_clock_that_is_late_counts_on_in_the_newer_day() {
    check_each(
        daily("10"),
        &[
            ("2026-03-02T00:00:00Z", out("6"), Ok("alice -6.00 = 94.00 v8, external 6.00")),
            ("2026-03-01T23:59:59.999Z", out("4.01"), Err(past_the_day("4", "4.01"))),
            ("2026-03-01T23:59:59.999Z", out("4"), Ok("alice -4.00 = 90.00 v9, external 4.00")),
            ("2026-03-02T00:00:01Z", out("0.01"), Err(past_the_day("0", "0.01"))),
        ],
    );
}

#[test]
fn a_day_that_a_wrong_clock_counted_holds_nobody_up() {
    check_each(
        daily("10"),
        &[
            ("2026-03-31T12:00:00Z", out("10"), Ok("alice -10.00 = 90.00 v8, external 10.00")),
            ("2026-03-01T12:00:00Z", out("6"), Ok("alice -6.00 = 84.00 v9, external 6.00")),
            ("2026-03-01T12:00:01Z", out("4.01"), Err(past_the_day("4", "4.01"))),
            ("2026-03-01T12:00:01Z", out("4"), Ok("alice -4.00 = 80.00 v10, external 4.00")),
            ("2026-03-02T12:00:00Z", out("10"), Ok("alice -10.00 = 70.00 v11, external 10.00")),
        ],
    );
}

#[test]
fn the_next_day_is_believed_ten_minutes_before_it_begins() {
    let tomorrow = ("2026-03-02T00:09:59.999Z", out("6"), Ok("alice -6.00 = 94.00 v8, external 6.00"));
    check_each(
        daily("10"),
        &[
            tomorrow.clone(),
            ("2026-03-01T23:50:00Z", out("4.01"), Err(past_the_day("4", "4.01"))),
            ("2026-03-01T23:50:00Z", out("4"), Ok("alice -4.00 = 90.00 v9, external 4.00")),
            ("2026-03-02T00:10:00Z", out("0.01"), Err(past_the_day("0", "0.01"))),
        ],
    );
    check_each(
        daily("10"),
        &[
            tomorrow,
            ("2026-03-01T23:49:59.999Z", out("10"), Ok("alice -10.00 = 84.00 v9, external 10.00")),
            ("2026-03-01T23:49:59.999Z", out("0.01"), Err(past_the_day("0", "0.01"))),
        ],
    );
}

#[test]
fn what_left_before_a_limit_was_set_counts_too() {
    let noon = time("2026-03-01T12:00:00Z");
    let free = snapshots(&[wallet("alice", "100")]);
    let spent = decided(&free, &out("7"), noon).expect("enough money").postings()[0].after.clone();
    let limits = Limits { max_daily_outflow: Some(amount("10")), ..Limits::default() };
    check_each(
        Wallet { limits, ..spent.clone() },
        &[
            ("2026-03-01T13:00:00Z", out("3.01"), Err(past_the_day("3", "3.01"))),
            ("2026-03-01T13:00:00Z", out("3"), Ok("alice -3.00 = 90.00 v9, external 3.00")),
        ],
    );
    // More has left than the new limit allows: nothing is left of it, and nothing is owed.
    let limits = Limits { max_daily_outflow: Some(amount("5")), ..Limits::default() };
    check_each(Wallet { limits, ..spent }, &[("2026-03-01T13:00:00Z", out("0.01"), Err(past_the_day("0", "0.01")))]);
}

#[test]
fn the_count_of_a_day_stops_at_the_largest_value() {
    let whole = largest_less(0);
    let noon = "2026-03-01T12:00:00Z";
    let counters = Counters { day: 20_513, outflow: largest(), ..Counters::new(currency("EUR")) };
    let unlimited = Wallet { counters, ..wallet("alice", "100") };
    let plan = decided(&snapshots(std::slice::from_ref(&unlimited)), &out("5"), time(noon)).expect("enough money");
    assert_eq!(plan.postings()[0].after.counters.outflow, largest());
    let limits = Limits { max_daily_outflow: Some(amount(&whole)), ..Limits::default() };
    let limited = Wallet { limits, ..unlimited };
    check_each(limited, &[(noon, out("0.01"), Err(past_the_day("0", "0.01")))]);
}

#[test]
fn a_minutes_transfers_are_counted_and_nothing_else() {
    let now = "2026-03-01T12:00:30Z";
    check_each(
        rated(2),
        &[
            (now, across("1"), Ok("alice -1.00 = 99.00 v8, bob 1.00 = 1.00 v8")),
            (now, out("1"), Ok("alice -1.00 = 98.00 v9, external 1.00")),
            (now, deposit("alice", "alice", "1"), Ok("external -1.00, alice 1.00 = 99.00 v10")),
            (now, across("500"), Err(too_little("alice", "99", "500"))),
            (now, across("1"), Ok("alice -1.00 = 98.00 v11, bob 1.00 = 2.00 v9")),
            (now, across("1"), Err(too_often(2, 30))),
            (now, out("1"), Ok("alice -1.00 = 97.00 v12, external 1.00")),
            (now, transfer("bob", "bob", "alice", "1"), Ok("bob -1.00 = 1.00 v10, alice 1.00 = 98.00 v13")),
        ],
    );
    check_each(rated(0), &[(now, across("1"), Err(too_often(0, 30)))]);
}

#[test]
fn the_minute_turns_on_the_minute_and_says_when() {
    check_each(
        rated(1),
        &[
            ("2026-03-01T12:00:00Z", across("1"), Ok("alice -1.00 = 99.00 v8, bob 1.00 = 1.00 v8")),
            ("2026-03-01T12:00:00Z", across("1"), Err(too_often(1, 60))),
            ("2026-03-01T12:00:00.001Z", across("1"), Err(too_often(1, 60))),
            ("2026-03-01T12:00:59Z", across("1"), Err(too_often(1, 1))),
            ("2026-03-01T12:00:59.999Z", across("1"), Err(too_often(1, 1))),
            ("2026-03-01T12:01:00Z", across("1"), Ok("alice -1.00 = 98.00 v9, bob 1.00 = 2.00 v9")),
            ("2026-03-01T23:59:59.999Z", across("1"), Ok("alice -1.00 = 97.00 v10, bob 1.00 = 3.00 v10")),
            ("2026-03-02T00:00:00Z", across("1"), Ok("alice -1.00 = 96.00 v11, bob 1.00 = 4.00 v11")),
        ],
    );
}

#[test]
fn a_clock_that_is_late_counts_on_in_the_newer_minute() {
    check_each(
        rated(2),
        &[
            ("2026-03-01T12:01:00Z", across("1"), Ok("alice -1.00 = 99.00 v8, bob 1.00 = 1.00 v8")),
            ("2026-03-01T12:00:59.999Z", across("1"), Ok("alice -1.00 = 98.00 v9, bob 1.00 = 2.00 v9")),
            ("2026-03-01T12:00:30Z", across("1"), Err(too_often(2, 90))),
            ("2026-03-01T12:01:01Z", across("1"), Err(too_often(2, 59))),
            ("2026-03-01T12:02:00Z", across("1"), Ok("alice -1.00 = 97.00 v10, bob 1.00 = 3.00 v10")),
        ],
    );
}

#[test]
fn a_minute_is_believed_ten_minutes_before_it_begins() {
    let ahead = ("2026-03-01T12:11:30Z", across("1"), Ok("alice -1.00 = 99.00 v8, bob 1.00 = 1.00 v8"));
    check_each(
        rated(1),
        &[
            ahead.clone(),
            ("2026-03-01T12:01:00Z", across("1"), Err(too_often(1, 660))),
            ("2026-03-01T12:00:59.999Z", across("1"), Ok("alice -1.00 = 98.00 v9, bob 1.00 = 2.00 v9")),
            ("2026-03-01T12:00:59.999Z", across("1"), Err(too_often(1, 1))),
        ],
    );
    check_each(
        rated(2),
        &[
            ahead,
            ("2026-03-01T12:01:00Z", across("1"), Ok("alice -1.00 = 98.00 v9, bob 1.00 = 2.00 v9")),
            ("2026-03-01T12:01:00Z", across("1"), Err(too_often(2, 660))),
            ("2026-03-01T12:11:59.999Z", across("1"), Err(too_often(2, 1))),
            ("2026-03-01T12:12:00Z", across("1"), Ok("alice -1.00 = 97.00 v10, bob 1.00 = 3.00 v10")),
        ],
    );
}

#[test]
fn counters_are_believed_up_to_ten_minutes_ahead_each_by_itself() {
    let now = time("2026-03-01T12:00:30Z");
    let (day, minute) = (now.as_second() / 86_400, now.as_second() / 60);
    let counted = |day, minute| Counters { day, outflow: money("3"), minute, transfers: 2 };
    for (stored, expected) in [
        (counted(day, minute), counted(day, minute)),
        (counted(day, minute + 10), counted(day, minute + 10)),
        (counted(day, minute + 11), Counters { transfers: 0, ..counted(day, minute) }),
        (counted(day, minute - 1), Counters { transfers: 0, ..counted(day, minute) }),
        (counted(day + 1, minute), Counters { outflow: money("0"), ..counted(day, minute) }),
        (counted(day + 30, minute), Counters { outflow: money("0"), ..counted(day, minute) }),
        (counted(day - 1, minute + 10), Counters { outflow: money("0"), ..counted(day, minute + 10) }),
        (counted(i64::MAX, i64::MAX), Counters { day, minute, ..Counters::new(currency("EUR")) }),
        (counted(i64::MIN, i64::MIN), Counters { day, minute, ..Counters::new(currency("EUR")) }),
    ] {
        assert_eq!(stored.at(now), expected, "{stored:?}");
    }
}

#[test]
fn a_refused_attempt_counts_nothing() {
    let now = "2026-03-01T12:00:30Z";
    let limits = Limits { transfers_per_minute: Some(1), max_daily_outflow: Some(amount("10")), max_movement: None };
    check_each(
        limited("alice", "100", limits),
        &[
            (now, across("10.01"), Err(past_the_day("10", "10.01"))),
            (now, transfer("alice", "alice", "ghost", "5"), Err(not_found("ghost"))),
            (now, across("10"), Ok("alice -10.00 = 90.00 v8, bob 10.00 = 10.00 v8")),
        ],
    );
}

#[test]
fn waiting_for_the_next_minute_never_takes_no_time() {
    let counters = Counters { minute: 10, ..Counters::new(currency("EUR")) };
    for (now, seconds) in [(600, 60), (601, 59), (659, 1), (660, 1), (10_000, 1), (540, 120)] {
        let now = Timestamp::from_second(now).expect("shortly after 1970");
        assert_eq!(counters.seconds_to_next_minute(now), seconds, "at {now}");
    }
}
