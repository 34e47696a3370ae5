//! What makes two requests the same: each thing that a caller says changes the fingerprint, nothing else does.

use std::collections::BTreeSet;

use wallet_domain::*;

use crate::world::*;

fn distinct(commands: &[Command]) -> usize {
    commands.iter().map(|command| command.fingerprint().to_string()).collect::<BTreeSet<_>>().len()
}

#[track_caller]
pub(crate) fn all_differ(commands: &[Command]) {
    assert_eq!(distinct(commands), commands.len());
}

#[track_caller]
fn all_agree(commands: &[Command]) {
    assert_eq!(distinct(commands), 1);
}

fn labelled(said: &[(&str, &str)]) -> Command {
    with(deposit("alice", "alice", "5"), |order| order.metadata = labels(said))
}

fn referenced(text: &str) -> Command {
    with(deposit("alice", "alice", "5"), |order| order.reference = Some(reference(text)))
}

#[test]
fn of_movements() {
    all_differ(&[
        deposit("alice", "alice", "5"),
        deposit("alice", "alice", "5.01"),
        deposit("alice", "alice", "5 USD"),
        deposit("alice", "alice", "5 JPY"),
        deposit("alice", "bob", "5"),
        withdraw("alice", "alice", "5"),
        transfer("alice", "alice", "bob", "5"),
        transfer("alice", "bob", "alice", "5"),
        transfer("alice", "alice", "savings", "5"),
        payout("alice", "alice", &[("bob", "5")]),
        payout("alice", "alice", &[("bob", "2"), ("carol", "3")]),
        payout("alice", "alice", &[("carol", "3"), ("bob", "2")]),
        payout("alice", "alice", &[("bob", "3"), ("carol", "2")]),
        referenced("a"),
        referenced("b"),
        // An absent reference is none of these.
        referenced("none"),
        referenced("some"),
        labelled(&[("a", "b")]),
        labelled(&[("a", "c")]),
        labelled(&[("ab", "")]),
        labelled(&[("", "ab")]),
        labelled(&[("a", "b"), ("c", "d")]),
        labelled(&[("a", "bcd")]),
        labelled(&[("EUR", "5.00")]),
    ]);
    let Command::Deposit(plain) = deposit("alice", "alice", "5") else { panic!("a deposit") };
    let rule = share("spring", 1);
    all_agree(&[
        Command::Deposit(Deposit { rules: [rule].into(), ..plain.clone() }),
        Command::Deposit(plain),
        deposit("alice", "alice", "5.0"),
        pinned(deposit("alice", "alice", "5"), 9),
        labelled(&[]),
    ]);
    all_agree(&[payout("alice", "alice", &[("bob", "5")]), payout_at("2", "alice", "alice", &[("bob", "5.0")])]);
    all_agree(&[transfer("alice", "alice", "bob", "5"), transfer_at("2", "alice", "alice", "bob", "5")]);
}

#[test]
fn of_openings() {
    let plain = || Open { owner: owner("alice"), ..open("root") };
    let five = Some(amount("5"));
    let opens = [
        plain(),
        Open { key: key("other"), ..plain() },
        Open { owner: owner("bob"), ..plain() },
        Open { currency: currency("USD"), ..plain() },
        Open { floor: money("-5"), ..plain() },
        Open { ceiling: Some(money("5")), ..plain() },
        Open { ceiling: Some(money("0")), ..plain() },
        Open { limits: Limits { max_movement: five, ..Limits::default() }, ..plain() },
        Open { limits: Limits { max_daily_outflow: five, ..Limits::default() }, ..plain() },
        Open { limits: Limits { transfers_per_minute: Some(5), ..Limits::default() }, ..plain() },
        Open { metadata: labels(&[("a", "b")]), ..plain() },
    ];
    all_differ(&opens.map(Command::Open));
}

#[test]
fn of_amendments() {
    let by = |by: &str, change: Change| amend(by, 1, change);
    let text = || Some("5".to_owned());
    all_differ(&[
        by("root", Change::default()),
        by("alice", Change::default()),
        by("root", to(Status::Frozen)),
        by("root", to(Status::Closed)),
        by("root", Change { floor: text(), ..Change::default() }),
        by("root", Change { ceiling: Some(text()), ..Change::default() }),
        by("root", Change { ceiling: Some(None), ..Change::default() }),
        by("root", Change { max_movement: Some(text()), ..Change::default() }),
        by("root", Change { max_daily_outflow: Some(text()), ..Change::default() }),
        by("root", Change { transfers_per_minute: Some(Some(5)), ..Change::default() }),
        by("root", Change { transfers_per_minute: Some(None), ..Change::default() }),
    ]);
}

#[test]
fn of_amendments_knows_nothing_from_the_word_for_it() {
    let by = |change: Change| amend("root", 1, change);
    for set in [
        |change: &mut Change, term| change.ceiling = term,
        |change: &mut Change, term| change.max_movement = term,
        |change: &mut Change, term| change.max_daily_outflow = term,
    ] {
        let to = |term: Option<Option<&str>>| {
            let mut change = Change::default();
            set(&mut change, term.map(|text| text.map(str::to_owned)));
            by(change)
        };
        let texts = ["none", "null", "some", "", "0"].map(|text| Some(Some(text)));
        all_differ(&[None, Some(None)].into_iter().chain(texts).map(to).collect::<Vec<_>>());
    }
    let rate = |rate| by(Change { transfers_per_minute: rate, ..Change::default() });
    all_differ(&[None, Some(None), Some(Some(0)), Some(Some(1))].map(rate));
}

#[test]
fn of_amendments_goes_by_the_amount_and_not_by_its_zeros() {
    let by = |text: &str| {
        let change = Change { floor: Some(text.to_owned()), ceiling: Some(Some(text.to_owned())), ..Change::default() };
        amend("root", 1, change)
    };
    all_agree(&["5", "5.0", "5.00"].map(by));
    all_agree(&["0.5", "0.50"].map(by));
    all_differ(&["5", "50", "500", "0.5", "0.05", "-5", "5.", "5.0.0", "5.x", ""].map(by));
}

#[test]
fn of_rebates() {
    let deposit = deposit("alice", "alice", "5").transaction();
    let plain = || rebate_of(deposit);
    let other = withdraw("bob", "bob", "5").transaction();
    let rebates = [
        plain(),
        PayRebate { deposit: other, ..plain() },
        PayRebate { wallet: id("bob"), ..plain() },
        PayRebate { rule: rule_id("autumn"), ..plain() },
    ];
    all_differ(&rebates.map(Command::PayRebate));
}
