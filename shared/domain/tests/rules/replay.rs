//! The same key again: the first answer for the same request, a refusal for another; and which refusals are kept.

use wallet_domain::*;

use crate::refusal::every_refusal;
use crate::world::*;

fn world() -> Snapshots {
    snapshots(&[wallet("alice", "100"), wallet("bob", "0")])
}

fn record_of(command: &Command) -> Transaction {
    decided(&world(), command, time(NOW)).expect("enough money").transaction().clone()
}

fn open(currency_code: &str) -> Command {
    let currency = currency(currency_code);
    Command::Open(Open { currency, floor: Money::zero(currency), ..crate::world::open("alice") })
}

fn amend(by: &str, version: u64, status: Status) -> Command {
    let caller = Caller { admin: true, ..caller(by) };
    Command::Amend(Amend { caller, wallet: id("alice"), expected: Expected::Version(version), change: to(status) })
}

#[track_caller]
fn replays(first: &Command, again: &Command) {
    let record = record_of(first);
    assert_eq!(again.transaction(), record.id, "the same key names the same transaction");
    assert_eq!(replay(again, &record), Ok(&record));
}

#[track_caller]
fn refuses(first: &Command, again: &Command, expected: Refusal) {
    let record = record_of(first);
    assert_eq!(again.transaction(), record.id, "the same key names the same transaction");
    assert_eq!(replay(again, &record), Err(expected));
}

#[test]
fn the_same_request_gets_its_first_answer() {
    for command in [
        deposit("alice", "alice", "5"),
        withdraw("alice", "alice", "5"),
        transfer("alice", "alice", "bob", "5"),
        open("EUR"),
        amend("root", VERSION, Status::Frozen),
    ] {
        replays(&command, &command.clone());
    }
}

#[test]
fn how_and_at_what_price_does_not_make_it_another_request() {
    replays(&deposit("alice", "alice", "5"), &deposit("alice", "alice", "5.00"));
    replays(&deposit("alice", "alice", "5"), &pinned(deposit("alice", "alice", "5"), 3));
    replays(&transfer("alice", "alice", "bob", "5"), &transfer_at("1", "alice", "alice", "bob", "5"));
}

#[test]
fn a_key_belongs_to_one_request_for_ever() {
    let first = transfer("alice", "alice", "bob", "5");
    for other in [
        transfer("alice", "alice", "bob", "5.01"),
        transfer("alice", "alice", "savings", "5"),
        transfer("alice", "bob", "alice", "5"),
        transfer("alice", "alice", "bob", "5 USD"),
        with(first.clone(), |order| order.reference = Some(reference("rent"))),
        withdraw("alice", "alice", "5"),
        deposit("alice", "alice", "5"),
        open("EUR"),
    ] {
        refuses(&first, &other, Refusal::IdempotencyKeyReused);
    }
    refuses(&deposit("alice", "alice", "5"), &deposit("alice", "bob", "5"), Refusal::IdempotencyKeyReused);
    refuses(&open("EUR"), &open("JPY"), Refusal::IdempotencyKeyReused);
}

#[test]
fn another_caller_has_keys_of_their_own() {
    let (alices, bobs) = (deposit("alice", "alice", "5"), deposit("bob", "alice", "5"));
    assert_ne!(alices.transaction(), bobs.transaction());
    let other_key = with(deposit("alice", "alice", "5"), |order| order.key = key("other"));
    assert_ne!(alices.transaction(), other_key.transaction());
}

#[test]
fn an_amendment_of_a_version_that_is_used_up_is_too_late() {
    let first = amend("root", VERSION, Status::Frozen);
    let late = Refusal::VersionMismatch { wallet: id("alice"), expected: VERSION };
    refuses(&first, &amend("root", VERSION, Status::Closed), late.clone());
    refuses(&first, &amend("other root", VERSION, Status::Frozen), late);
    let next = amend("root", VERSION + 1, Status::Frozen);
    assert_ne!(next.transaction(), first.transaction());
}

#[test]
fn a_recorded_refusal_is_replayed_as_well() {
    let command = withdraw("alice", "alice", "100.01");
    let refusal = decided(&world(), &command, time(NOW)).expect_err("one unit too much");
    let failed = attempted(&world(), &command, &refusal, time(NOW)).expect("insufficient funds are recorded");
    assert_eq!(replay(&command, &failed), Ok(&failed));
    let other = withdraw("alice", "alice", "100");
    assert_eq!(replay(&other, &failed), Err(Refusal::IdempotencyKeyReused));
}

#[test]
fn refusals_that_a_wallets_state_gave_are_recorded_and_no_others() {
    for (refusal, code, recorded) in every_refusal() {
        for movement in
            [deposit("bob", "alice", "5"), withdraw("bob", "alice", "5"), transfer_at("1", "bob", "alice", "bob", "5")]
        {
            let failed = attempted(&world(), &movement, &refusal, time(NOW));
            assert_eq!(failed.is_some(), recorded, "{code}");
        }
        for never in [open("EUR"), amend("root", VERSION, Status::Closed)] {
            assert_eq!(attempted(&world(), &never, &refusal, time(NOW)), None, "{code}");
        }
    }
}

#[test]
fn the_record_of_a_refusal_holds_what_was_asked_and_moves_nothing() {
    let command = with(transfer_at("1", "alice", "alice", "bob", "500"), |order| {
        order.reference = Some(reference("rent"));
        order.metadata = labels(&[("month", "March")]);
    });
    let refusal = decided(&world(), &command, time(NOW)).expect_err("too much");
    let now = time("2026-03-01T12:00:30.250999Z");
    let record = attempted(&world(), &command, &refusal, now).expect("recorded");
    let expected = Transaction {
        id: command.transaction(),
        kind: Kind::TRANSFER,
        wallet: id("alice"),
        destination: Some(id("bob")),
        amount: money("500"),
        fee: money("0"),
        outcome: failed(refusal, "alice"),
        caller: owner("alice"),
        reference: Some(reference("rent")),
        metadata: labels(&[("month", "March")]),
        parent: None,
        rule: None,
        hold: None,
        released: vec![],
        fingerprint: command.fingerprint(),
        created_at: time(NOW),
        format: 1,
        seal: record.computed_seal().expect("the format that this code writes"),
    };
    assert_eq!(record, expected);
    assert_eq!(record.legs(), []);
}
