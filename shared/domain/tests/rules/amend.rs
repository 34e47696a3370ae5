//! Amending a wallet: status, bounds and limits, by administrators, at the version they have seen.

use wallet_domain::*;

use crate::world::*;

fn floor(text: &str) -> Change {
    Change { floor: Some(text.to_owned()), ..Change::default() }
}

fn ceiling(text: Option<&str>) -> Change {
    Change { ceiling: Some(text.map(str::to_owned)), ..Change::default() }
}

/// The fields that are to change, by name.
fn named(change: &Change) -> Vec<String> {
    let Change { status, credits, floor, ceiling, max_movement, max_daily_outflow, transfers_per_minute } = change;
    let fields = [
        ("ceiling", ceiling.is_some()),
        ("credits", credits.is_some()),
        ("floor", floor.is_some()),
        ("max_daily_outflow", max_daily_outflow.is_some()),
        ("max_movement", max_movement.is_some()),
        ("status", status.is_some()),
        ("transfers_per_minute", transfers_per_minute.is_some()),
    ];
    fields.into_iter().filter(|(_, changes)| *changes).map(|(name, _)| name.to_owned()).collect()
}

/// What the entry of an amendment says that has changed.
#[track_caller]
fn said(change: Change) -> Vec<String> {
    let before = snapshots(&[wallet("alice", "5")]);
    let plan = decided(&before, &amend("root", VERSION, change), time(NOW)).expect("within bounds");
    plan.postings()[0].rows[0].changes.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[track_caller]
fn amended(before: &Wallet, change: Change) -> Result<Wallet, Refusal> {
    let snapshots = snapshots(std::slice::from_ref(before));
    let plan = decided(&snapshots, &amend("root", VERSION, change.clone()), time(NOW))?;
    let [posting] = plan.postings() else { panic!("one wallet") };
    assert!(posting.rows[0].changes.keys().eq(&named(&change)), "{:?}", posting.rows[0].changes);
    assert_eq!((posting.rows[0].kind, posting.rows[0].counterparty), (Kind::AMENDMENT, None));
    assert_eq!(posting.rows[0].caller, owner("root"));
    assert_eq!(plan.transaction().legs(), []);
    let answer = Outcome::Posted { legs: vec![], wallet: Some(Box::new(posting.after.clone())) };
    assert_eq!(plan.transaction().outcome, answer, "repeated, the request gets this wallet");
    Ok(posting.after.clone())
}

/// Expects the terms of `expected`; the step to the next version is checked for every plan.
#[track_caller]
fn check(before: &Wallet, change: Change, expected: Result<Wallet, Refusal>) {
    let after = amended(before, change);
    let expected = expected.map(|expected| match &after {
        Ok(Wallet { version, head, updated_at, .. }) => {
            Wallet { version: *version, head: *head, updated_at: *updated_at, ..expected }
        }
        Err(_) => expected,
    });
    assert_eq!(after, expected);
}

fn invalid(field: &'static str, error: AmountError) -> Result<Wallet, Refusal> {
    Err(Refusal::InvalidAmount { field, error })
}

#[test]
fn a_wallet_freezes_thaws_and_closes() {
    use Status::{Active, Closed, Frozen};
    for (from, into) in [(Active, Frozen), (Frozen, Active), (Active, Closed), (Frozen, Closed), (Active, Active)] {
        let before = with_status("alice", "0", from);
        check(&before, to(into), Ok(Wallet { status: into, ..before.clone() }));
    }
    check(&wallet("alice", "5"), to(Frozen), Ok(with_status("alice", "5", Frozen)));
}

#[test]
fn only_an_empty_wallet_closes() {
    for balance in ["0.01", "-0.01"] {
        let before = floored("alice", balance, "-5");
        let refusal = Refusal::WalletNotEmpty { wallet: id("alice"), balance: money(balance) };
        check(&before, to(Status::Closed), Err(refusal));
    }
}

#[test]
fn a_closed_wallet_stays_as_it_is() {
    let before = with_status("alice", "0", Status::Closed);
    for change in [to(Status::Active), to(Status::Frozen), to(Status::Closed), floor("-1"), Change::default()] {
        check(&before, change, Err(closed("alice")));
    }
}

#[test]
fn a_floor_is_zero_or_less_and_the_balance_stays_above_it() {
    let before = floored("alice", "-5", "-10");
    for text in ["-5", "-5.00", "-20.50"] {
        check(&before, floor(text), Ok(Wallet { floor: money(text), ..before.clone() }));
    }
    check(&before, floor("-4.99"), Err(too_little("alice", "-5", "-4.99")));
    check(&before, floor("0"), Err(too_little("alice", "-5", "0")));
    check(&before, floor("0.01"), invalid("floor", AmountError::TooLarge { largest: money("0") }));
    let too_many = AmountError::TooManyDecimals { currency: currency("EUR"), scale: 2 };
    check(&before, floor("-5.001"), invalid("floor", too_many));
    check(&before, floor("-1e3"), invalid("floor", AmountError::NotDecimal));
    let beyond = AmountError::TooLarge { largest: largest() };
    check(&before, floor("-10000000000000000.00"), invalid("floor", beyond));
}

#[test]
fn a_ceiling_is_zero_or_more_and_the_balance_stays_below_it() {
    let before = capped("alice", "5", "10");
    for text in ["5", "5.00", "99"] {
        check(&before, ceiling(Some(text)), Ok(Wallet { ceiling: Some(money(text)), ..before.clone() }));
    }
    check(&before, ceiling(None), Ok(Wallet { ceiling: None, ..before.clone() }));
    check(&before, ceiling(Some("4.99")), Err(too_full("alice", Some("4.99"), "5")));
    check(&before, ceiling(Some("-0.01")), invalid("ceiling", AmountError::NotPositive));
    check(&before, ceiling(Some("ten")), invalid("ceiling", AmountError::NotDecimal));
    let empty = wallet("alice", "0");
    check(&empty, ceiling(Some("0")), Ok(capped("alice", "0", "0")));
}

#[test]
fn limits_are_set_and_taken_away_each_by_itself() {
    let limits = Limits {
        max_movement: Some(amount("10")),
        max_daily_outflow: Some(amount("20")),
        transfers_per_minute: Some(3),
    };
    let before = limited("alice", "5", limits);
    let some = |text: &str| Some(Some(text.to_owned()));
    for (change, limits) in [
        (Change::default(), limits),
        (
            Change { max_movement: some("7.5"), ..Change::default() },
            Limits { max_movement: Some(amount("7.50")), ..limits },
        ),
        (Change { max_movement: Some(None), ..Change::default() }, Limits { max_movement: None, ..limits }),
        (
            Change { max_daily_outflow: some("0.01"), ..Change::default() },
            Limits { max_daily_outflow: Some(amount("0.01")), ..limits },
        ),
        (Change { max_daily_outflow: Some(None), ..Change::default() }, Limits { max_daily_outflow: None, ..limits }),
        (
            Change { transfers_per_minute: Some(Some(0)), ..Change::default() },
            Limits { transfers_per_minute: Some(0), ..limits },
        ),
        (
            Change { transfers_per_minute: Some(None), ..Change::default() },
            Limits { transfers_per_minute: None, ..limits },
        ),
    ] {
        check(&before, change, Ok(Wallet { limits, ..before.clone() }));
    }
    for text in ["0", "-1"] {
        let change = Change { max_movement: some(text), ..Change::default() };
        check(&before, change, invalid("max_movement", AmountError::NotPositive));
        let change = Change { max_daily_outflow: some(text), ..Change::default() };
        check(&before, change, invalid("max_daily_outflow", AmountError::NotPositive));
    }
}

#[test]
fn amounts_are_read_in_the_wallets_currency() {
    let yen = wallet("alice", "500 JPY");
    check(&yen, ceiling(Some("600")), Ok(capped("alice", "500 JPY", "600 JPY")));
    let too_many = AmountError::TooManyDecimals { currency: currency("JPY"), scale: 0 };
    check(&yen, ceiling(Some("600.0")), invalid("ceiling", too_many));
}

#[test]
fn a_change_leaves_the_days_counters_alone() {
    let counters = Counters { day: 20_513, outflow: money("3"), minute: 9, transfers: 2 };
    let before = Wallet { counters, ..wallet("alice", "5") };
    check(&before, to(Status::Frozen), Ok(Wallet { status: Status::Frozen, ..before.clone() }));
}

#[test]
fn only_administrators_amend_and_only_what_they_have_seen() {
    #[track_caller]
    fn refuses(wallets: &[Wallet], command: Command, expected: Refusal) {
        assert_eq!(decided(&snapshots(wallets), &command, time(NOW)), Err(expected));
    }
    let alice = [wallet("alice", "5")];
    let scope = Refusal::MissingScope { scope: "wallets:admin" };
    refuses(&alice, amend("alice", VERSION, to(Status::Frozen)), scope.clone());
    refuses(&[], amend("bob", VERSION, to(Status::Frozen)), scope);
    refuses(&[], amend("root", VERSION, to(Status::Frozen)), not_found("alice"));
    for other in [0, VERSION - 1, VERSION + 1, u64::MAX] {
        refuses(&alice, amend("root", other, to(Status::Frozen)), wrong_version("alice", other));
    }
}

#[test]
fn an_entry_says_every_change_in_words() {
    let everything = Change {
        status: Some(Status::Frozen),
        credits: Some(Credits::Batched),
        floor: Some("-5".to_owned()),
        ceiling: Some(None),
        max_movement: Some(Some("3.50".to_owned())),
        max_daily_outflow: Some(None),
        transfers_per_minute: Some(Some(4)),
    };
    let expected = [
        "ceiling=none",
        "credits=batched",
        "floor=-5.00",
        "max_daily_outflow=none",
        "max_movement=3.50",
        "status=frozen",
        "transfers_per_minute=4",
    ];
    assert_eq!(said(everything), expected);
    let no_rate = Change { transfers_per_minute: Some(None), ..Change::default() };
    assert_eq!(said(no_rate), ["transfers_per_minute=none"]);
    assert!(said(Change::default()).is_empty());
}

#[test]
fn an_entry_says_amounts_at_their_currency_s_full_scale() {
    let change = Change {
        floor: Some("-5".to_owned()),
        ceiling: Some(Some("100.5".to_owned())),
        max_movement: Some(None),
        max_daily_outflow: Some(Some("7.00".to_owned())),
        ..Change::default()
    };
    assert_eq!(said(change), ["ceiling=100.50", "floor=-5.00", "max_daily_outflow=7.00", "max_movement=none"]);
}
