//! What a plan cannot be made of.

use super::*;
use crate::hash::Hasher;
use crate::id::TransactionId;
use crate::mark::MarkName;
use crate::rebated::Rebated;
use crate::text::Metadata;
use crate::transaction::{FORMAT, Kind};
use crate::wallet::{Counters, Credits, Limits, Status};
use jiff::Timestamp;

fn eur(minor_units: i128) -> Money {
    Money::from_minor(minor_units, "EUR".parse().expect("a currency")).expect("small")
}

fn wallet(number: usize) -> Wallet {
    Wallet {
        id: format!("wal_{number:032x}").parse().expect("an id"),
        owner: "alice".parse().expect("an owner"),
        balance: eur(1_000),
        held: eur(0),
        version: 7,
        status: Status::Active,
        credits: Credits::Immediate,
        credits_changed_at: None,
        floor: eur(0),
        ceiling: None,
        limits: Limits::default(),
        counters: Counters::new(eur(0).currency()),
        rebated: Rebated::default(),
        head: GENESIS,
        metadata: Metadata::default(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn step(number: usize, minor_units: i128) -> Side {
    Step::movement(&wallet(number), eur(minor_units), Account::External, Guard::None).expect("small").into()
}

fn record(number: usize, legs: Vec<Leg>) -> Transaction {
    Transaction {
        id: format!("txn_{number:032x}").parse().expect("an id"),
        kind: Kind::TRANSFER,
        wallet: wallet(1).id,
        destination: None,
        amount: eur(5),
        fee: eur(0),
        outcome: Outcome::Posted { legs, wallet: None },
        caller: "alice".parse().expect("an owner"),
        reference: None,
        metadata: Metadata::default(),
        parent: None,
        rule: None,
        hold: None,
        released: vec![],
        fingerprint: Hasher::new("test").finish(),
        created_at: Timestamp::UNIX_EPOCH,
        format: FORMAT,
        seal: GENESIS,
    }
}

/// From wallet 1 to wallet 2, with `change` made to it.
fn draft(change: impl FnOnce(&mut Draft)) -> Draft {
    let sides = vec![step(1, -5), step(2, 5)];
    let legs = sides.iter().map(Side::leg).collect();
    let mut draft = Draft::new(record(1, legs), sides);
    change(&mut draft);
    draft
}

fn legs(draft: &mut Draft) -> &mut Vec<Leg> {
    match &mut draft.transaction.outcome {
        Outcome::Posted { legs, .. } => legs,
        Outcome::Failed { .. } => panic!("it is posted"),
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut Draft), unsound: Option<Unsound>) {
    assert_eq!(Plan::new(draft(change)).err(), unsound);
}

#[test]
fn only_a_whole_plan_can_be_made() {
    let system = |units| Leg::System { account: Account::Fees, amount: eur(units) };
    let mark = |of: TransactionId| Mark { of, name: MarkName::REVERSAL, by: of };
    check(|_| {}, None);
    check(|draft| legs(draft).push(system(1)), Some(Unsound::Imbalance(1)));
    check(|draft| drop(legs(draft).pop()), Some(Unsound::Imbalance(-5)));
    check(|draft| drop(draft.sides.pop()), Some(Unsound::Unmatched(wallet(2).id)));
    check(|draft| draft.sides[0] = step(1, -6), Some(Unsound::Unmatched(wallet(1).id)));
    check(|draft| draft.sides[1] = step(3, 5), Some(Unsound::Unmatched(wallet(3).id)));
    check(|draft| draft.sides.push(step(3, 5)), Some(Unsound::Unmatched(wallet(3).id)));
    let another_balance = |leg: &mut Leg| match leg {
        Leg::Wallet { balance_after, .. } => *balance_after = eur(1),
        Leg::Credit { .. } | Leg::System { .. } => {}
    };
    check(|draft| legs(draft).iter_mut().for_each(another_balance), Some(Unsound::Unmatched(wallet(1).id)));
    let richer = Wallet { balance: eur(1_001), ..wallet(3) };
    let made = Some(Unsound::Unmatched(wallet(3).id));
    check(|draft| draft.sides.push(Step::opening(wallet(3)).into()), made.clone());
    check(|draft| draft.sides.push(Step::amendment(&wallet(3), richer, BTreeMap::new()).into()), made);
    let richer = |draft: &mut Draft| {
        let Side::Step(step) = &mut draft.sides[1] else { panic!("it is a step") };
        step.after.balance = eur(2_000);
        legs(draft)[1] = step.leg();
    };
    check(richer, Some(Unsound::Unmatched(wallet(2).id)));
    let twice = |of: &dyn ToString| Some(Unsound::Twice(of.to_string()));
    check(|draft| draft.sides.push(step(1, -5)), twice(&wallet(1).id));
    check(|draft| draft.bars.push(record(1, vec![])), twice(&record(1, vec![]).id));
    check(|draft| draft.bars.extend([record(2, vec![]), record(2, vec![])]), twice(&record(2, vec![]).id));
    let original = record(2, vec![]).id;
    check(|draft| draft.marks.push(mark(original)), None);
    check(|draft| draft.marks.extend([mark(original); 2]), twice(&format!("{original} REVERSAL")));
}

#[test]
fn a_credit_is_one_leg_of_a_wallet_that_stays_as_it_is() {
    let arrives = |number, units| Side::Credit(Arrival::new(&wallet(number), eur(units), Account::External));
    let incoming = |draft: &mut Draft| {
        draft.sides[1] = arrives(2, 5);
        legs(draft)[1] = arrives(2, 5).leg();
    };
    check(incoming, None);
    let plan = Plan::new(draft(incoming)).expect("a whole plan");
    assert_eq!((plan.postings().len(), plan.credits().len()), (1, 1));
    assert_eq!(plan.credits()[0].seal, plan.transaction().seal);
    check(|draft| draft.sides[1] = arrives(2, 5), Some(Unsound::Unmatched(wallet(2).id)));
    check(|draft| legs(draft)[1] = arrives(2, 5).leg(), Some(Unsound::Unmatched(wallet(2).id)));
    let taken = |draft: &mut Draft| {
        draft.sides[0] = arrives(1, -5);
        legs(draft)[0] = arrives(1, -5).leg();
    };
    check(taken, Some(Unsound::Unmatched(wallet(1).id)));
    // Not even of two kinds.
    let both = |draft: &mut Draft| {
        draft.sides.push(arrives(1, 3));
        legs(draft).extend([arrives(1, 3).leg(), Leg::System { account: Account::External, amount: eur(-3) }]);
    };
    check(both, Some(Unsound::Unmatched(wallet(1).id)));
    check(|draft| draft.sides.extend([arrives(3, 1), arrives(3, 1)]), Some(Unsound::Unmatched(wallet(3).id)));
}

#[test]
fn a_plan_has_at_most_a_hundred_actions() {
    // Five for the transfer itself.
    let more = |bars: usize| move |draft: &mut Draft| draft.bars.extend((2..2 + bars).map(|at| record(at, vec![])));
    check(more(95), None);
    check(more(96), Some(Unsound::TooLarge(101)));
}
