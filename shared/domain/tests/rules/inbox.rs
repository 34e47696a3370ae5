//! Inboxes: what waits there, how it is settled, and what is refused for want of it.

use wallet_domain::*;

use crate::stored::holds;
use crate::world::*;

fn batched(name: &str, balance: &str) -> Wallet {
    let changed = Some(time("2026-02-01T00:00:00Z"));
    Wallet { credits: Credits::Batched, credits_changed_at: changed, ..wallet(name, balance) }
}

/// Immediate since `changed`.
fn back_again(name: &str, balance: &str, changed: &str) -> Wallet {
    Wallet { credits: Credits::Immediate, credits_changed_at: Some(time(changed)), ..batched(name, balance) }
}

/// What `number` left for `to` at so many seconds past noon.
fn credit(to: &Wallet, number: u32, amount: &str, second: u32) -> Credit {
    let order = Order { reference: Some(reference("said")), ..order("bob", amount) };
    let order = Order { key: key(&format!("credit {number}")), ..order };
    let command = Command::Deposit(Deposit { order, wallet: to.id, rules: [].into() });
    let empty = Wallet { balance: Money::zero(to.currency()), updated_at: to.created_at, ..to.clone() };
    let empty =
        Wallet { credits: Credits::Batched, credits_changed_at: Some(to.created_at), status: Status::Active, ..empty };
    let now = time(&format!("2026-03-01T12:00:{second:02}Z"));
    let plan = decided(&snapshots(&[empty]), &command, now).expect("a deposit");
    plan.credits().first().expect("it waits").clone()
}

/// The amounts of the rows that settle `credits`, in their order, and the balance and version after.
#[track_caller]
fn folded(wallet: &Wallet, credits: &[Credit]) -> (Vec<String>, String, u64) {
    let Some(fold) = Fold::of(wallet, credits, time(NOW)) else {
        assert!(Incoming::of(wallet, credits).amount.is_zero(), "what counts as incoming can be settled");
        return (vec![], wallet.balance.to_string(), wallet.version);
    };
    let Posting { before, after, rows, guard } = fold.posting();
    assert_eq!(before.as_ref(), Some(wallet));
    let (mut version, mut head, mut balance) = (wallet.version, wallet.head, wallet.balance);
    for row in rows {
        let credit = credits.iter().find(|credit| credit.transaction == row.transaction).expect("one of them");
        (version, balance) = (version + 1, balance.plus(row.amount).expect("within the largest value"));
        assert_eq!((row.wallet, row.version, row.previous, row.balance_after), (wallet.id, version, head, balance));
        assert_eq!((row.kind, row.amount, row.seal), (credit.kind, credit.amount, credit.seal));
        assert_eq!((&row.caller, &row.reference), (&credit.caller, &credit.reference));
        assert_eq!((row.counterparty, row.changes.len()), (Some(credit.counterparty), 0));
        assert_eq!(
            (row.created_at, row.state, Some(row.hash)),
            (after.updated_at, wallet.state(), row.computed_hash())
        );
        head = row.hash;
    }
    let updated_at = time(NOW).max(wallet.updated_at);
    assert_eq!(*after, Wallet { balance, version, head, updated_at, ..wallet.clone() }, "no term changes");
    let sum: i128 = rows.iter().map(|row| row.amount.minor_units()).sum();
    assert_eq!(*guard, Guard::AtMost(Money::from_minor(MAX_MINOR_UNITS - sum, wallet.currency()).expect("a bound")));
    assert!(holds(*guard, wallet.balance));
    (rows.iter().map(|row| row.amount.to_string()).collect(), balance.to_string(), version)
}

#[test]
fn credits_are_settled_the_oldest_first_one_version_each() {
    let alice = batched("alice", "100");
    let credits = [credit(&alice, 1, "3", 3), credit(&alice, 2, "1", 1), credit(&alice, 3, "2", 2)];
    let amounts = ["1.00", "2.00", "3.00"].map(str::to_owned).to_vec();
    assert_eq!(folded(&alice, &credits), (amounts, "106.00".to_owned(), VERSION + 3));
    // Of one time, by their ids: whoever folds makes the same rows.
    let mut twins: Vec<_> = (0..9).map(|number| credit(&alice, number, "1", 1)).collect();
    let rows = |credits: &[Credit]| Fold::of(&alice, credits, time(NOW)).expect("a fold").posting().rows.clone();
    let one = rows(&twins);
    twins.reverse();
    assert_eq!(rows(&twins), one);
    assert!(one.is_sorted_by_key(|row| row.transaction));
}

#[test]
fn a_fold_takes_ninety_eight_and_leaves_the_rest() {
    let alice = batched("alice", "0");
    let credits: Vec<_> = (0..120).map(|number| credit(&alice, number, "1", number / 2)).collect();
    let (rows, balance, version) = folded(&alice, &credits);
    assert_eq!((rows.len(), balance.as_str(), version), (MAX_FOLD, "98.00", VERSION + 98));
    assert_eq!(MAX_FOLD, 98);
    assert_eq!(Incoming::of(&alice, &credits), Incoming { amount: money("120"), settled: money("120"), count: 120 });
}

#[test]
fn whatever_the_wallets_status_and_mode_what_was_posted_is_settled() {
    for status in [Status::Active, Status::Frozen, Status::Closed] {
        for mode in [batched("alice", "1"), back_again("alice", "1", "2026-02-01T00:00:00Z")] {
            let alice = Wallet { status, ..mode };
            assert_eq!(folded(&alice, &[credit(&alice, 1, "2", 0)]).1, "3.00");
        }
    }
}

#[test]
fn what_would_pass_the_largest_value_and_what_is_anothers_stays() {
    let room = batched("alice", &largest_less(500));
    let all = [credit(&room, 1, "5", 1), credit(&room, 2, "0.01", 2)];
    assert_eq!(folded(&room, &all).0, ["5.00"]);
    // The smaller one fits where the older one does not.
    let all = [credit(&room, 1, "5.01", 1), credit(&room, 2, "5", 2)];
    assert_eq!(folded(&room, &all).0, ["5.00"]);
    assert_eq!(Incoming::of(&room, &all), Incoming { amount: money("5"), settled: largest(), count: 2 });
    let full = Wallet { balance: largest(), ..room };
    assert_eq!(folded(&full, &all), (vec![], largest().to_string(), VERSION));
    let bob = batched("bob", "0");
    let yen = Wallet { balance: Money::zero(currency("JPY")), floor: Money::zero(currency("JPY")), ..bob.clone() };
    assert_eq!(folded(&bob, &all).2, VERSION);
    assert_eq!(folded(&yen, &[credit(&bob, 1, "5", 1)]).2, VERSION);
    assert_eq!(Fold::of(&bob, &[], time(NOW)), None);
}

/// No step moves more than exists.
#[test]
fn from_the_smallest_value_to_the_largest_takes_two_steps() {
    let least = format!("-{}", largest());
    let alice = Wallet { floor: money(&least), ..batched("alice", &least) };
    let all = [1, 2].map(|number| credit(&alice, number, &largest().to_string(), number));
    assert_eq!(folded(&alice, &all).1, "0.00");
    let half = Fold::of(&alice, &all, time(NOW)).expect("a fold");
    assert!(half.leaves(&all));
    let alice = half.posting().after.clone();
    let rest = Fold::of(&alice, &all[1..], time(NOW)).expect("the other half");
    assert!(!rest.leaves(&all[1..]));
    assert_eq!(folded(&alice, &all[1..]).1, largest().to_string());
}

#[test]
fn the_times_of_rows_do_not_go_back() {
    let later = "2026-03-01T13:00:00Z";
    let alice = Wallet { updated_at: time(later), ..batched("alice", "1") };
    let fold = Fold::of(&alice, &[credit(&alice, 1, "2", 0)], time(NOW)).expect("a fold");
    assert_eq!(fold.posting().rows[0].created_at, time(later));
}

#[test]
fn credits_of_a_batched_wallet_wait_and_ask_nothing_of_it() {
    check(&[batched("alice", "1")], &deposit("bob", "alice", "5"), Ok("external -5.00, alice 5.00 incoming"));
    let alice = batched("alice", &largest().to_string());
    check(
        &[alice],
        &deposit("bob", "alice", &largest().to_string()),
        Ok(&format!("external -{}, alice {} incoming", largest(), largest())),
    );
    let frozen = Wallet { status: Status::Frozen, ..batched("alice", "1") };
    check(&[frozen], &deposit("bob", "alice", "5"), Ok("external -5.00, alice 5.00 incoming"));
    let shut = Wallet { status: Status::Closed, ..batched("alice", "0") };
    check(&[shut], &deposit("bob", "alice", "5"), Err(closed("alice")));
    let both = [wallet("bob", "9"), batched("alice", "1")];
    check(&both, &transfer("bob", "bob", "alice", "5"), Ok("bob -5.00 = 4.00 v8, alice 5.00 incoming"));
    // A version can only be pinned where the credit makes the next one.
    let pinned_deposit = pinned(deposit("alice", "alice", "5"), VERSION);
    check(&[batched("alice", "1")], &pinned_deposit, Ok("external -5.00, alice 5.00 = 6.00 v8"));
    let immediate = back_again("alice", "1", "2026-02-01T00:00:00Z");
    check(&[immediate], &deposit("bob", "alice", "5"), Ok("external -5.00, alice 5.00 = 6.00 v8"));
}

/// What is decided where so much waits; `None` where nobody has looked.
#[track_caller]
fn with_incoming(wallet: Wallet, waits: Option<&str>, command: &Command, expected: Result<&str, NoPlan>) {
    let mut read = snapshots(std::slice::from_ref(&wallet));
    let incoming = waits.map(|amount| {
        let settled = wallet.balance.plus(money(amount)).expect("small");
        (wallet.id, Incoming { amount: money(amount), settled, count: 1 })
    });
    read.incoming.extend(incoming);
    let outcome = decide(&read, command, time(NOW));
    assert_eq!(outcome.map(|plan| legs(&plan)), expected.map(str::to_owned));
}

#[test]
fn nobody_is_refused_for_money_that_waits() {
    let out = |amount| withdraw("alice", "alice", amount);
    let unsettled = || Err(NoPlan::Unsettled(id("alice")));
    let refused = |available, requested| Err(NoPlan::Refused(too_little("alice", available, requested)));
    let back_again = || back_again("alice", "10", "2026-02-01T00:00:00Z");
    for alice in [batched("alice", "10"), back_again()] {
        with_incoming(alice.clone(), None, &out("10"), Ok("alice -10.00 = 0.00 v8, external 10.00"));
        with_incoming(alice.clone(), None, &out("10.01"), unsettled());
        with_incoming(alice.clone(), Some("5"), &out("15"), unsettled());
        with_incoming(alice.clone(), Some("5"), &out("15.01"), refused("15", "15.01"));
        with_incoming(alice, Some("0"), &out("10.01"), refused("10", "10.01"));
    }
    // Nothing can wait where credits never did.
    with_incoming(wallet("alice", "10"), None, &out("11"), refused("10", "11"));
    // What comes to an overdrawn wallet fills that up first.
    let overdrawn = batched("alice", "-50");
    with_incoming(overdrawn.clone(), Some("60"), &out("40"), refused("10", "40"));
    with_incoming(overdrawn.clone(), Some("60"), &out("10"), unsettled());
    with_incoming(overdrawn, Some("30"), &out("20"), refused("0", "20"));
    let limit = Wallet { limits: max_movement("4"), ..batched("alice", "1") };
    let too_much = limit_passed(Limit::MaxMovement, "alice", Some("4"), "5");
    with_incoming(limit, None, &out("5"), Err(NoPlan::Refused(too_much)));
}

fn amend(change: Change) -> Command {
    crate::world::amend("root", VERSION, change)
}

#[test]
fn closing_and_a_ceiling_wait_for_quiet_and_an_empty_inbox() {
    let in_flight = |retry_after_seconds| {
        Err(NoPlan::Refused(Refusal::CreditsInFlight { wallet: id("alice"), retry_after_seconds }))
    };
    let close = || amend(to(Status::Closed));
    let ceiling = || amend(Change { ceiling: Some(Some("5".to_owned())), ..Change::default() });
    let with_batched = Refusal::CeilingWithBatchedCredits { wallet: id("alice") };
    with_incoming(batched("alice", "0"), Some("0"), &close(), in_flight(900));
    with_incoming(batched("alice", "0"), Some("0"), &ceiling(), Err(NoPlan::Refused(with_batched.clone())));
    let capped = Wallet { ceiling: Some(money("5")), ..wallet("alice", "0") };
    let switch = amend(Change { credits: Some(Credits::Batched), ..Change::default() });
    with_incoming(capped.clone(), None, &switch, Err(NoPlan::Refused(with_batched)));
    let both = amend(Change { credits: Some(Credits::Batched), ceiling: Some(None), ..Change::default() });
    with_incoming(capped, None, &both, Ok(""));
    // In one step with the switch it would not have waited.
    let at_once =
        amend(Change { credits: Some(Credits::Immediate), status: Some(Status::Closed), ..Change::default() });
    with_incoming(batched("alice", "0"), Some("0"), &at_once, in_flight(900));
    for command in [close(), ceiling()] {
        with_incoming(back_again("alice", "0", "2026-03-01T11:46:00.250Z"), Some("0"), &command, in_flight(30));
        let quiet = || back_again("alice", "0", "2026-03-01T11:45:30.250Z");
        with_incoming(quiet(), None, &command, Err(NoPlan::Unsettled(id("alice"))));
        with_incoming(quiet(), Some("1"), &command, in_flight(1));
        // What cannot be read waits as well.
        let mut read = snapshots(&[quiet()]);
        read.incoming.insert(id("alice"), Incoming { count: 1, ..Incoming::none(&quiet()) });
        let told = decide(&read, &command, time(NOW)).map(|plan| legs(&plan));
        assert_eq!(told, in_flight(1).map(str::to_owned));
        read.incoming.insert(id("alice"), Incoming::none(&quiet()));
        assert!(decide(&read, &command, time(NOW)).is_ok());
        with_incoming(wallet("alice", "0"), None, &command, Ok(""));
    }
}

#[test]
fn a_floor_is_raised_once_what_waits_covers_it() {
    let raise = amend(Change { floor: Some("0".to_owned()), ..Change::default() });
    let alice = Wallet { floor: money("-9"), ..batched("alice", "-5") };
    with_incoming(alice.clone(), None, &raise, Err(NoPlan::Unsettled(id("alice"))));
    with_incoming(alice.clone(), Some("5"), &raise, Err(NoPlan::Unsettled(id("alice"))));
    with_incoming(alice, Some("4"), &raise, Err(NoPlan::Refused(too_little("alice", "-1", "0"))));
}
