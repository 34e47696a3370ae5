//! Opening a wallet: who may ask for what, and what comes to be.

use wallet_domain::*;

use crate::world::*;

#[track_caller]
fn opened(open: &Open) -> Result<Plan, Refusal> {
    decided(&Snapshots::default(), &Command::Open(open.clone()), time(NOW))
}

/// The code of the refusal, or `opened`.
#[track_caller]
fn check(open: Open, expected: &str) {
    let outcome = opened(&open);
    assert_eq!(outcome.as_ref().map_or_else(Refusal::code, |_| "opened"), expected, "{outcome:?}");
}

#[test]
fn a_wallet_starts_empty_at_version_zero() {
    let asked = Open { ceiling: Some(money("500")), metadata: labels(&[("for", "rent")]), ..open("alice") };
    let plan = opened(&asked).expect("anyone may open their own");
    let [posting] = plan.postings() else { panic!("one wallet") };
    let entry = &posting.rows[0];
    let expected = Wallet {
        id: WalletId::opened_by(&owner("alice"), &key("key")),
        owner: owner("alice"),
        balance: money("0"),
        held: money("0"),
        version: 0,
        status: Status::Active,
        credits: Credits::Immediate,
        credits_changed_at: None,
        floor: money("0"),
        ceiling: Some(money("500")),
        limits: Limits::default(),
        counters: Counters::new(currency("EUR")),
        rebated: Rebated::default(),
        head: entry.hash,
        metadata: asked.metadata,
        created_at: time(NOW),
        updated_at: time(NOW),
    };
    assert_eq!(posting.after, expected);
    assert_eq!((entry.kind, entry.counterparty, entry.previous), (Kind::OPENING, None, GENESIS));
    let answer = Outcome::Posted { legs: vec![], wallet: Some(Box::new(expected)) };
    assert_eq!(plan.transaction().outcome, answer, "repeated, the request gets this wallet");
    assert_eq!((plan.transaction().amount, plan.transaction().fee), (money("0"), money("0")));
    assert_eq!(plan.transaction().caller, owner("alice"));
}

#[test]
fn every_currency_with_minor_units_can_be_held() {
    for code in ["JPY", "EUR", "MRU", "KWD", "CLF"] {
        let (currency, floor) = (currency(code), Money::zero(currency(code)));
        let plan = opened(&Open { currency, floor, ..open("alice") }).expect("anyone may open their own");
        assert_eq!(plan.postings()[0].after.currency(), currency);
    }
}

#[test]
fn an_owner_of_someone_else_a_floor_and_limits_are_for_administrators() {
    let limits = [
        max_movement("1"),
        Limits { max_daily_outflow: Some(amount("1")), ..Limits::default() },
        Limits { transfers_per_minute: Some(1), ..Limits::default() },
    ];
    for (by, expected) in [("alice", "missing_scope"), ("root", "opened")] {
        check(Open { owner: owner("bob"), ..open(by) }, expected);
        check(Open { floor: money("-0.01"), ..open(by) }, expected);
        for limits in limits {
            check(Open { limits, ..open(by) }, expected);
        }
    }
    check(Open { ceiling: Some(money("1")), ..open("alice") }, "opened");
    let refusal = opened(&Open { owner: owner("bob"), ..open("alice") });
    assert_eq!(refusal, Err(Refusal::MissingScope { scope: "wallets:admin" }));
}

#[test]
fn zero_lies_between_floor_and_ceiling() {
    let largest_negative = format!("-{}", largest_less(0));
    check(Open { floor: money(&largest_negative), ceiling: Some(largest()), ..open("root") }, "opened");
    check(Open { ceiling: Some(money("0")), ..open("alice") }, "opened");
    let invalid = |field, error| Err(Refusal::InvalidAmount { field, error });
    let above = opened(&Open { floor: money("0.01"), ..open("root") });
    assert_eq!(above, invalid("floor", AmountError::TooLarge { largest: money("0") }));
    let below = opened(&Open { ceiling: Some(money("-0.01")), ..open("root") });
    assert_eq!(below, invalid("ceiling", AmountError::NotPositive));
}

#[test]
fn one_key_names_one_wallet_for_each_caller() {
    let of = |by: &str, text: &str| Open { key: key(text), ..open(by) }.wallet();
    assert_eq!(of("alice", "a"), of("alice", "a"));
    assert_ne!(of("alice", "a"), of("alice", "b"));
    assert_ne!(of("alice", "a"), of("bob", "a"));
    let for_bob = Open { owner: owner("bob"), ..open("root") };
    assert_eq!(for_bob.wallet(), open("root").wallet(), "the caller names it, not the owner");
}

#[test]
fn opening_reads_no_wallet() {
    let command = Command::Open(open("alice"));
    assert_eq!((command.reads(), command.parent()), (Reads::default(), None));
    assert_eq!(command.wallet(), open("alice").wallet());
}

#[test]
fn every_amount_of_the_terms_is_in_the_wallet_s_currency() {
    let yen = Money::parse("1", currency("JPY")).expect("an amount");
    let limit = Amount::new(yen).ok();
    for foreign in [
        Open { floor: Money::zero(currency("JPY")), ..open("alice") },
        Open { ceiling: Some(yen), ..open("alice") },
        Open { limits: Limits { max_movement: limit, ..Limits::default() }, ..open("alice") },
        Open { limits: Limits { max_daily_outflow: limit, ..Limits::default() }, ..open("alice") },
    ] {
        let caller = Caller { admin: true, ..foreign.caller.clone() };
        check(Open { caller, ..foreign }, "currency_mismatch");
    }
}
