//! Holds: what they keep back, who captures and voids, what captures cost, and what is left when their time is over.

mod book;

use wallet_domain::*;

use crate::fingerprint::all_differ;
use crate::world::*;
use book::{Book, alice_and_bob, authorise, capture, expire, fee, void};

/// A second after the holds of these tables have expired.
const LATER: &str = "2026-03-08T12:00:31.250Z";

/// Whether the plan waits for the release of what is overdue.
fn waits(stored: &Snapshots, command: &Command, now: &str) -> bool {
    decide(stored, command, time(now)) == Err(NoPlan::Unreleased(id("alice")))
}

#[test]
fn a_hold_keeps_its_amount_and_fee_back_and_moves_nothing() {
    let mut book = alice_and_bob("100");
    let hold = book.hold("30", fee(100, "0.50"));
    book.stands("100", "30.50", "0");
    assert_eq!(book.wallet("alice").available(), money("69.50"));
    assert_eq!((hold.kind, hold.amount, hold.fee), (Kind::HOLD, money("30"), money("0")));
    let terms = hold.hold.expect("what it pins");
    assert_eq!((terms.expires_at, time(NOW)), (time("2026-03-08T12:00:30.250Z"), hold.created_at));
    assert_eq!(terms.fee.map(|fee| fee.bounds(currency("USD"))), Some((None, None)), "only its own currency's");
}

#[test]
fn what_is_held_is_left_out_of_no_check_of_funds() {
    let mut book = alice_and_bob("100");
    book.hold("60", None);
    // Looked through: nothing is overdue.
    book.stored.overdue.insert(id("alice"), money("0"));
    let short = |requested: &str| Err(too_little("alice", "40", requested));
    assert_eq!(decided(&book.stored, &withdraw("alice", "alice", "40.01"), time(NOW)), short("40.01"));
    assert_eq!(decided(&book.stored, &transfer("alice", "alice", "bob", "40.01"), time(NOW)), short("40.01"));
    assert_eq!(decided(&book.stored, &authorise("another", "40.01", None), time(NOW)), short("40.01"));
    let change = Change { floor: Some("-1".to_owned()), ..Change::default() };
    let version = book.wallet("alice").version;
    let amend = |change| amend("root", version, change);
    assert!(decided(&book.stored, &amend(change), time(NOW)).is_ok());
    let raised = Wallet { floor: money("-50"), ..book.wallet("alice").clone() };
    let deeper = Snapshots {
        wallets: [(raised.id, Wallet { balance: money("30"), ..raised })].into(),
        overdue: book.stored.overdue.clone(),
        ..Snapshots::default()
    };
    let raise = |floor: &str| amend(Change { floor: Some(floor.to_owned()), ..Change::default() });
    assert!(decided(&deeper, &raise("-30"), time(NOW)).is_ok(), "balance less held is what a floor may reach");
    let refused = decided(&deeper, &raise("-29.99"), time(NOW)).expect_err("into held money");
    assert_eq!(refused.code(), "insufficient_funds");
    let close = amend(to(Status::Closed));
    let empty = Wallet { balance: money("0"), floor: money("-60"), ..book.wallet("alice").clone() };
    let closing = Snapshots { wallets: [(empty.id, empty)].into(), ..deeper };
    let refused = decided(&closing, &close, time(NOW)).expect_err("it holds money back");
    assert_eq!(refused, Refusal::WalletNotEmpty { wallet: id("alice"), balance: money("60") });
    // To the last unit.
    book.run(&withdraw("alice", "alice", "40"), NOW).expect("exactly what is free");
    book.stands("60", "60", "0");
}

#[test]
fn a_reversal_leaves_what_is_held_unless_it_may_overdraw() {
    let mut book = Book::of(&[wallet("alice", "0"), wallet("bob", "0")]);
    let deposit = book.run(&deposit("alice", "alice", "100"), NOW).expect("money comes in");
    let hold = book.hold("60", None);
    book.stored.overdue.insert(id("alice"), money("0"));
    let reverse = |allow_overdraft| Command::Reverse(Reverse { allow_overdraft, ..reversal(&deposit) });
    let refused = decided(&book.stored, &reverse(false), time(NOW));
    assert_eq!(refused, Err(too_little("alice", "40", "100")));
    book.run(&reverse(true), NOW).expect("an administrator may");
    book.stands("0", "60", "0");
    let refused = book.capture(&hold, Some("10"), false).expect_err("a capture leaves the balance above the floor");
    assert_eq!(
        refused,
        Refusal::InsufficientFunds { wallet: id("alice"), available: None, requested: money("10") },
        "and tells the payee nothing of the balance"
    );
    assert!(refused.facts().recorded);
    book.run(&void("bob", "void", &hold), NOW).expect("no money leaves");
    book.stands("0", "0", "0");
}

#[test]
fn captures_take_parts_and_the_last_one_releases_the_rest() {
    let mut book = alice_and_bob("100");
    let hold = book.hold("30", None);
    let first = book.capture(&hold, Some("10"), false).expect("a part");
    assert_eq!((first.kind, first.parent, first.amount), (Kind::CAPTURE, Some(hold.id), money("10")));
    book.stands("90", "20", "10");
    let above = book.capture(&hold, Some("20.01"), false).expect_err("more than remains");
    let (remaining, requested) = (money("20"), money("20.01"));
    assert_eq!(above, Refusal::CaptureExceedsHold { hold: hold.id, remaining, requested });
    book.capture(&hold, Some("5"), true).expect("the last part");
    book.stands("85", "0", "15");
    let ended = &book.stored.holds[&hold.id];
    assert_eq!((ended.captured, ended.released(), ended.remaining()), (money("15"), money("15"), money("0")));
    let again = book.capture(&hold, None, true).expect_err("it has ended");
    assert_eq!(again, Refusal::HoldNotActive { hold: hold.id, status: HoldStatus::Captured });
    let voided = book.run(&void("bob", "void", &hold), NOW).expect_err("it has ended");
    assert_eq!(voided.code(), "hold_not_active");
}

#[test]
fn a_hold_ends_where_nothing_remains_and_at_its_fiftieth_capture() {
    let mut book = alice_and_bob("100");
    let (whole, parts) = (book.hold("10", None), book.hold("60", None));
    book.capture(&whole, None, false).expect("all of it");
    assert_eq!(book.status(&whole), HoldStatus::Captured);
    for at in 1..=MAX_CAPTURES {
        book.capture(&parts, Some("1"), false).expect("a part");
        let expected = if at < MAX_CAPTURES { HoldStatus::Active } else { HoldStatus::Captured };
        assert_eq!(book.status(&parts), expected, "after capture {at}");
    }
    book.stands("40", "0", "60");
}

#[test]
fn ten_captures_cost_what_one_costs() {
    for (points, minimum) in [(100, "0.50"), (0, "2"), (333, "0"), (50, "0.05")] {
        let mut one = alice_and_bob("100");
        let hold = one.hold("30.10", fee(points, minimum));
        let whole = one.capture(&hold, None, true).expect("all of it").fee;
        let mut ten = alice_and_bob("100");
        let hold = ten.hold("30.10", fee(points, minimum));
        let mut paid = 0;
        for _ in 0..10 {
            paid += ten.capture(&hold, Some("3.01"), false).expect("a part").fee.minor_units();
        }
        assert_eq!(paid, whole.minor_units(), "{points} basis points, at least {minimum}");
        assert_eq!(ten.wallet("alice").balance, one.wallet("alice").balance);
        assert_eq!((ten.wallet("alice").held, ten.status(&hold)), (money("0"), HoldStatus::Captured));
    }
}

#[test]
fn who_is_paid_captures_and_voids_and_nobody_else() {
    let mut book = alice_and_bob("100");
    let hold = book.hold("30", None);
    for stranger in ["alice", "carol"] {
        assert_eq!(book.run(&capture(stranger, "c", &hold, None, true), NOW), Err(Refusal::HoldNotFound));
        assert_eq!(book.run(&void(stranger, "v", &hold), NOW), Err(Refusal::HoldNotFound));
    }
    book.run(&capture("root", "c", &hold, Some("1"), false), NOW).expect("an administrator");
    book.run(&void("bob", "v", &hold), NOW).expect("the payee");
    let out = Authorise {
        order: Order { key: key("out"), ..order("alice", "5") },
        source: id("alice"),
        destination: None,
        expires_in: HOLD_LIFETIME,
        fee: None,
    };
    let hold = book.run(&Command::Authorise(out), NOW).expect("enough money");
    assert_eq!(book.run(&capture("bob", "d", &hold, None, true), NOW), Err(Refusal::HoldNotFound));
    let captured = book.run(&capture("alice", "d", &hold, None, true), NOW).expect("her own");
    assert_eq!(captured.legs()[1].account(), Account::External);
}

#[test]
fn a_refused_hold_captures_nothing() {
    let book = alice_and_bob("10");
    let command = authorise("key", "10.01", None);
    let refusal = decided(&book.stored, &command, time(NOW)).expect_err("too little");
    let failed = attempted(&book.stored, &command, &refusal, time(NOW)).expect("recorded");
    assert_eq!(Hold::made_by(&failed), None);
    let refused = decided(&book.stored, &capture("bob", "c", &failed, None, true), time(NOW));
    assert_eq!(refused, Err(Refusal::HoldNotFound));
}

#[test]
fn a_voided_hold_gives_all_back_once() {
    let mut book = alice_and_bob("100");
    let hold = book.hold("30", fee(100, "1"));
    book.capture(&hold, Some("10"), false).expect("a part");
    let voided = book.run(&void("bob", "first", &hold), NOW).expect("it is active");
    assert_eq!((voided.kind, voided.amount), (Kind::VOID, money("20")));
    book.stands("89", "0", "10");
    let again = book.run(&void("bob", "second", &hold), NOW).expect_err("once");
    assert_eq!(again, Refusal::HoldNotActive { hold: hold.id, status: HoldStatus::Voided });
    book.stands("89", "0", "10");
}

#[test]
fn a_frozen_source_neither_holds_nor_pays_but_gives_up() {
    let mut book = alice_and_bob("100");
    let hold = book.hold("30", None);
    book.stored.wallets.get_mut(&id("alice")).expect("there").status = Status::Frozen;
    assert_eq!(book.run(&authorise("more", "1", None), NOW), Err(frozen("alice")));
    assert_eq!(book.capture(&hold, None, true), Err(frozen("alice")));
    book.run(&void("bob", "v", &hold), NOW).expect("no money leaves");
    book.stands("100", "0", "0");
}

#[test]
fn limits_count_a_hold_when_it_is_made_and_get_back_what_is_released_that_day() {
    let limits = Limits { max_daily_outflow: Some(amount("50")), transfers_per_minute: Some(2), ..max_movement("40") };
    let mut book = Book::of(&[limited("alice", "100", limits), wallet("bob", "0")]);
    let refused = book.run(&authorise("a", "40.01", None), NOW).expect_err("above the largest movement");
    assert_eq!(refused.code(), "limit_exceeded");
    let hold = book.hold("40", None);
    let refused = book.run(&authorise("b", "10.01", None), NOW).expect_err("above the day's outflow");
    assert_eq!(refused, limit_passed(Limit::MaxDailyOutflow, "alice", Some("10"), "10.01"));
    book.capture(&hold, Some("15"), false).expect("a capture counts nothing more");
    assert_eq!(book.wallet("alice").counters.outflow, money("40"));
    book.capture(&hold, Some("5"), true).expect("the rest is released");
    assert_eq!(book.wallet("alice").counters.outflow, money("20"));
    book.hold("30", None);
    let refused = book.run(&authorise("c", "1", None), NOW).expect_err("two in a minute");
    assert_eq!(refused.code(), "limit_exceeded", "the day's outflow comes first");
    // The next day counts anew, and gets nothing back for the day before.
    let next_day = "2026-03-02T12:00:00Z";
    book.run(&withdraw("alice", "alice", "1"), next_day).expect("a new day");
    let hold = book.stored.transactions.values().find(|made| made.kind == Kind::HOLD && made.amount == money("30"));
    let hold = hold.expect("made above").clone();
    book.run(&void("bob", "v", &hold), next_day).expect("it is active");
    assert_eq!(book.wallet("alice").counters.outflow, money("1"));
}

#[test]
fn from_its_end_on_a_hold_is_released_and_captured_no_more() {
    let mut book = alice_and_bob("100");
    let hold = book.hold("30", None);
    let command = capture("bob", "late", &hold, None, true);
    for (now, late) in [("2026-03-08T12:00:30.249Z", false), ("2026-03-08T12:00:30.250Z", true), (LATER, true)] {
        assert_eq!(waits(&book.stored, &command, now), late, "{now}");
        assert_eq!(waits(&book.stored, &void("bob", "late", &hold), now), late, "{now}");
        let seen = if late { HoldStatus::Expired } else { HoldStatus::Active };
        assert_eq!(book.stored.holds[&hold.id].status_at(time(now)), seen);
    }
    assert_eq!(book.run(&expire(&book), NOW), Err(Refusal::HoldNotFound), "not a millisecond early");
    let released = book.run(&expire(&book), LATER).expect("its time is over");
    assert_eq!(released.released, [Release { hold: hold.id, amount: money("30") }]);
    book.stands("100", "0", "0");
    assert_eq!(book.run(&command, LATER), Err(Refusal::HoldExpired { hold: hold.id }));
    assert_eq!(book.run(&expire(&book), LATER), Err(Refusal::HoldNotFound), "once");
}

#[test]
fn whoever_is_short_of_overdue_money_has_it_released_first() {
    let mut book = alice_and_bob("100");
    book.hold("60", None);
    let command = withdraw("alice", "alice", "70");
    assert!(waits(&book.stored, &command, LATER), "it has to be looked up");
    book.stored.overdue.insert(id("alice"), money("60"));
    assert!(waits(&book.stored, &command, LATER), "it covers what is missing");
    let more = decided(&book.stored, &withdraw("alice", "alice", "100.01"), time(LATER));
    assert_eq!(more, Err(too_little("alice", "100", "100.01")), "it does not");
    book.run(&expire(&book), LATER).expect("its time is over");
    book.stored.overdue.clear();
    book.run(&command, LATER).expect("the money is free");
}

#[test]
fn so_many_are_released_at_once_and_of_one_version_once() {
    let mut book = alice_and_bob("100");
    for _ in 0..120 {
        book.hold("0.50", None);
    }
    book.stands("100", "60", "0");
    let (first, stale) = (expire(&book), expire(&book));
    assert_eq!(book.run(&first, LATER).expect("due").released.len(), MAX_RELEASED);
    assert_eq!(book.run(&stale, LATER), Err(wrong_version("alice", VERSION + 120)));
    assert_eq!(first.transaction(), stale.transaction(), "of one version there is one");
    assert_eq!(book.run(&expire(&book), LATER).expect("due").released.len(), MAX_RELEASED);
    assert_eq!(book.run(&expire(&book), LATER).expect("due").released.len(), 22);
    book.stands("100", "0", "0");
}

#[test]
fn a_reversed_capture_revives_no_hold() {
    let mut book = alice_and_bob("100");
    let hold = book.hold("30", None);
    let captured = book.capture(&hold, Some("10"), false).expect("a part");
    book.run(&Command::Reverse(reversal(&captured)), NOW).expect("a capture can be undone");
    book.stands("100", "20", "0");
    let undo = Command::Reverse(Reverse { key: key("more"), ..reversal(&hold) });
    let refused = Err(Refusal::NotReversible { transaction: hold.id });
    assert_eq!(book.run(&undo, NOW), refused, "a hold has moved nothing");
}

#[test]
fn a_capture_into_a_batched_wallet_waits_in_its_inbox() {
    let batched = Wallet { credits: Credits::Batched, credits_changed_at: Some(time(NOW)), ..wallet("bob", "0") };
    let mut book = Book::of(&[wallet("alice", "100"), batched]);
    let hold = book.hold("30", None);
    book.stored.incoming.insert(id("bob"), Incoming::none(&wallet("bob", "0")));
    let captured = book.capture(&hold, None, true).expect("all of it");
    assert_eq!(captured.credited().collect::<Vec<_>>(), [id("bob")]);
    book.stands("70", "0", "0");
}

#[test]
fn requests_are_the_same_by_what_they_say() {
    let mut book = alice_and_bob("100");
    let (one, two) = (book.hold("1", None), book.hold("2", None));
    let Command::Authorise(plain) = authorise("key", "5", None) else { panic!("an authorisation") };
    let commands = [
        Command::Authorise(plain.clone()),
        Command::Authorise(Authorise { destination: None, ..plain.clone() }),
        Command::Authorise(Authorise { expires_in: HOLD_LIFETIME * 2, ..plain.clone() }),
        authorise("key", "6", None),
        transfer("alice", "alice", "bob", "5"),
        capture("bob", "key", &one, None, true),
        capture("bob", "key", &two, None, true),
        capture("bob", "key", &one, Some("1"), true),
        capture("bob", "key", &one, None, false),
        void("bob", "key", &one),
        void("bob", "key", &two),
    ];
    all_differ(&commands);
    let priced = Command::Authorise(Authorise { fee: fee(1, "1"), ..plain.clone() });
    assert_eq!(priced.fingerprint(), Command::Authorise(plain).fingerprint(), "the deployment adds the fee");
}
