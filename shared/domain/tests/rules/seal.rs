//! What a seal covers: each field of a transaction is changed by itself, and its seal changes, to another one each time.

use std::collections::BTreeMap;

use wallet_domain::*;

use crate::refusal::every_refusal;
use crate::state::{BESIDE_THE_STATE, Change, STATE, STATE_ABSENT, all_agree, all_differ, full_wallet, other_digest};
use crate::world::*;

fn other_transaction() -> TransactionId {
    TransactionId::amendment_of(id("ghost"), 99)
}

/// Every field says something; there is no such transaction.
fn full_transaction() -> Transaction {
    let leg = |name: &str, moved: &str| Leg::Wallet {
        wallet: id(name),
        owner: owner(name),
        amount: money(moved),
        balance_after: money("100"),
        version_after: VERSION,
        reference: Some(reference(name)),
    };
    let credit = Leg::Credit { wallet: id("carol"), owner: owner("carol"), amount: money("2"), reference: None };
    let fees = Leg::System { account: Account::Fees, amount: money("1") };
    Transaction {
        id: TransactionId::amendment_of(id("alice"), 1),
        kind: Kind::TRANSFER,
        wallet: id("alice"),
        destination: Some(id("bob")),
        amount: money("5"),
        fee: money("1"),
        outcome: Outcome::Posted {
            legs: vec![leg("alice", "-6"), leg("bob", "5"), credit, fees],
            wallet: Some(Box::new(full_wallet())),
        },
        caller: owner("alice"),
        reference: Some(reference("said")),
        metadata: labels(&[("for", "rent")]),
        parent: Some(TransactionId::amendment_of(id("alice"), 2)),
        rule: Some(RebateRule {
            id: rule_id("spring"),
            basis_points: basis_points(100),
            rounding: Rounding::HalfUp,
            minimum: Some(money("0.21")),
            cap: Some(money("0.22")),
            monthly_cap: Some(money("0.23")),
        }),
        hold: Some(HoldTerms { expires_at: time(NOW), fee: Some(fee(1, "0.31", "0.32")) }),
        released: vec![release(other_transaction(), "5"), release(TransactionId::amendment_of(id("alice"), 3), "6")],
        fingerprint: Hasher::new("asked").finish(),
        created_at: time(NOW),
        format: 1,
        seal: GENESIS,
    }
}

fn fee(points: u32, minimum: &str, maximum: &str) -> FeeSchedule {
    fee_schedule(points, &[minimum], &[maximum])
}

fn release(hold: TransactionId, amount: &str) -> Release {
    Release { hold, amount: money(amount) }
}

#[test]
fn a_seal_covers_what_a_hold_pins_and_what_an_expiry_releases() {
    fn terms(transaction: &mut Transaction) -> &mut HoldTerms {
        transaction.hold.as_mut().expect("it pins terms")
    }
    let changes: [Change<Transaction>; 11] = [
        ("no terms", |it| it.hold = None),
        ("expires_at", |it| terms(it).expires_at = time("2026-03-01T12:00:30.251Z")),
        ("no fee", |it| terms(it).fee = None),
        ("basis_points", |it| terms(it).fee = Some(fee(2, "0.31", "0.32"))),
        ("minimum", |it| terms(it).fee = Some(fee(1, "0.30", "0.32"))),
        ("maximum", |it| terms(it).fee = Some(fee(1, "0.31", "0.33"))),
        ("nothing released", |it| it.released.clear()),
        ("one left out", |it| it.released.truncate(1)),
        ("swapped", |it| it.released.swap(0, 1)),
        ("another hold", |it| it.released[0].hold = TransactionId::amendment_of(id("bob"), 3)),
        ("another amount", |it| it.released[0].amount = money("5.01")),
    ];
    all_differ(&full_transaction(), &changes, seal);
    let HoldTerms { expires_at: _, fee: _ } = full_transaction().hold.expect("it pins terms");
    let [Release { hold: _, amount: _ }, _] = full_transaction().released[..] else { panic!("two") };
}

fn seal(transaction: &Transaction) -> Digest {
    transaction.computed_seal().expect("the format that this code writes")
}

#[test]
fn a_seal_covers_each_field_of_a_transaction() {
    let whole = full_transaction();
    let changes: [Change<Transaction>; 21] = [
        ("id", |it| it.id = other_transaction()),
        ("kind", |it| it.kind = Kind::WITHDRAWAL),
        ("a newer kind", |it| it.kind = Kind::from_name("payout").expect("a kind's name")),
        ("wallet", |it| it.wallet = id("ghost")),
        ("destination", |it| it.destination = Some(id("ghost"))),
        ("no destination", |it| it.destination = None),
        ("amount", |it| it.amount = money("5.01")),
        ("currency", |it| it.amount = Money::parse("5", currency("USD")).expect("an amount")),
        ("fee", |it| it.fee = money("1.01")),
        ("caller", |it| it.caller = owner("root")),
        ("reference", |it| it.reference = Some(reference("not said"))),
        ("no reference", |it| it.reference = None),
        ("metadata", |it| it.metadata = labels(&[("for", "food")])),
        ("no metadata", |it| it.metadata = Metadata::default()),
        ("parent", |it| it.parent = Some(other_transaction())),
        ("no parent", |it| it.parent = None),
        ("no rule", |it| it.rule = None),
        ("fingerprint", |it| it.fingerprint = other_digest()),
        ("created_at", |it| it.created_at = time("2026-03-01T12:00:30.251Z")),
        ("outcome", |it| it.outcome = failed(frozen("alice"), "alice")),
        ("nothing posted", |it| it.outcome = Outcome::Posted { legs: vec![], wallet: None }),
    ];
    all_differ(&whole, &changes, seal);
    all_agree(&whole, &[("seal", |it| it.seal = other_digest())], seal);
    assert_eq!(Transaction { format: 2, ..whole.clone() }.computed_seal(), None, "nobody knows what it covers");
    // Fails to compile when a field is added that the table does not know.
    let Transaction { id: _, kind: _, wallet: _, destination: _, amount: _, fee: _, outcome: _, caller: _, .. } =
        &whole;
    let Transaction { reference: _, metadata: _, parent: _, rule: _, fingerprint: _, created_at: _, .. } = &whole;
    let Transaction { format: _, seal: _, .. } = whole;
}

#[test]
fn a_seal_covers_each_field_of_the_rule() {
    fn rule(transaction: &mut Transaction) -> &mut RebateRule {
        transaction.rule.as_mut().expect("it has pinned one")
    }
    let whole = full_transaction();
    let changes: [Change<Transaction>; 10] = [
        ("id", |it| rule(it).id = rule_id("autumn")),
        ("basis_points", |it| rule(it).basis_points = basis_points(101)),
        ("rounding", |it| rule(it).rounding = Rounding::HalfEven),
        ("rounding toward zero", |it| rule(it).rounding = Rounding::TowardZero),
        ("minimum", |it| rule(it).minimum = Some(money("0.71"))),
        ("no minimum", |it| rule(it).minimum = None),
        ("cap", |it| rule(it).cap = Some(money("0.72"))),
        ("no cap", |it| rule(it).cap = None),
        ("monthly_cap", |it| rule(it).monthly_cap = Some(money("0.73"))),
        ("no monthly_cap", |it| rule(it).monthly_cap = None),
    ];
    all_differ(&whole, &changes, seal);
    let rule = whole.rule.expect("it has pinned one");
    let RebateRule { id: _, basis_points: _, rounding: _, minimum: _, cap: _, monthly_cap: _ } = rule;
}

const WALLET: Change<Leg> = ("wallet", |leg| match leg {
    Leg::Wallet { wallet, .. } | Leg::Credit { wallet, .. } => *wallet = id("ghost"),
    Leg::System { .. } => panic!("no wallet's"),
});
const OWNER: Change<Leg> = ("owner", |leg| match leg {
    Leg::Wallet { owner: whose, .. } | Leg::Credit { owner: whose, .. } => *whose = owner("somebody else"),
    Leg::System { .. } => panic!("nobody's"),
});
const AMOUNT: Change<Leg> = ("amount", |leg| match leg {
    Leg::Wallet { amount, .. } | Leg::Credit { amount, .. } | Leg::System { amount, .. } => *amount = amount.negated(),
});
const REFERENCE: Change<Leg> = ("reference", |leg| match leg {
    Leg::Wallet { reference: own, .. } | Leg::Credit { reference: own, .. } => {
        *own = if own.is_some() { None } else { Some(reference("another")) };
    }
    Leg::System { .. } => panic!("it has none"),
});
const BALANCE_AFTER: Change<Leg> = ("balance_after", |leg| {
    let Leg::Wallet { balance_after, .. } = leg else { panic!("it says no balance") };
    *balance_after = money("7");
});
const VERSION_AFTER: Change<Leg> = ("version_after", |leg| {
    let Leg::Wallet { version_after, .. } = leg else { panic!("it says no version") };
    *version_after += 1;
});
const ACCOUNT: Change<Leg> = ("account", |leg| {
    let Leg::System { account, .. } = leg else { panic!("a wallet's") };
    *account = Account::Rebates;
});
const A_SYSTEM_ACCOUNTS: Change<Leg> =
    ("a system account's", |leg| *leg = Leg::System { account: Account::External, amount: leg.amount() });

/// The legs of a posted transaction.
fn legs_of(transaction: &mut Transaction) -> &mut Vec<Leg> {
    match &mut transaction.outcome {
        Outcome::Posted { legs, .. } => legs,
        Outcome::Failed { .. } => panic!("it was posted"),
    }
}

#[test]
fn a_seal_covers_each_field_of_each_leg() {
    let whole = full_transaction();
    let mut seen = BTreeMap::from([(seal(&whole).to_string(), "nothing".to_owned())]);
    let mut expect_new = |changed: &Transaction, what: String| {
        assert_eq!(seen.insert(seal(changed).to_string(), what.clone()), None, "{what}");
    };
    for at in 0..whole.legs().len() {
        let changes = match &whole.legs()[at] {
            Leg::Wallet { wallet: _, owner: _, amount: _, balance_after: _, version_after: _, reference: _ } => {
                vec![WALLET, OWNER, AMOUNT, BALANCE_AFTER, VERSION_AFTER, REFERENCE, A_SYSTEM_ACCOUNTS]
            }
            Leg::Credit { wallet: _, owner: _, amount: _, reference: _ } => {
                vec![WALLET, OWNER, AMOUNT, REFERENCE, A_SYSTEM_ACCOUNTS]
            }
            Leg::System { account: _, amount: _ } => vec![ACCOUNT, AMOUNT],
        };
        for (what, change) in changes {
            let mut changed = whole.clone();
            change(&mut legs_of(&mut changed)[at]);
            expect_new(&changed, format!("{what} of leg {at}"));
        }
        let mut without = whole.clone();
        legs_of(&mut without).remove(at);
        expect_new(&without, format!("leg {at} left out"));
        let mut twice = whole.clone();
        let again = twice.legs()[at].clone();
        legs_of(&mut twice).insert(at, again);
        expect_new(&twice, format!("leg {at} twice"));
        for other in at + 1..whole.legs().len() {
            let mut swapped = whole.clone();
            legs_of(&mut swapped).swap(at, other);
            expect_new(&swapped, format!("legs {at} and {other} swapped"));
        }
    }
}

#[test]
fn a_seal_covers_the_wallet_that_was_opened_or_amended_but_its_head() {
    let sealed = |wallet: &Wallet| {
        let outcome = Outcome::Posted { legs: vec![], wallet: Some(Box::new(wallet.clone())) };
        seal(&Transaction { outcome, ..full_transaction() })
    };
    let said = |change: &&Change<Wallet>| change.0 != "head";
    let beside: Vec<_> = BESIDE_THE_STATE.iter().filter(said).copied().collect();
    all_differ(&full_wallet(), &[&STATE[..], &STATE_ABSENT, &beside].concat(), sealed);
    all_agree(&full_wallet(), &[("head", |wallet| wallet.head = other_digest())], sealed);
    let none = Transaction { outcome: Outcome::Posted { legs: vec![], wallet: None }, ..full_transaction() };
    assert_ne!(sealed(&full_wallet()), seal(&none));
}

#[test]
fn a_seal_covers_each_fact_of_a_refusal_and_whose_wallet_refused() {
    let with = |outcome: Outcome| Transaction { outcome, ..full_transaction() };
    let mut seen = BTreeMap::new();
    let mut expect_new = |outcome: Outcome| {
        let what = format!("{outcome:?}");
        assert_eq!(seen.insert(seal(&with(outcome)).to_string(), what.clone()), None, "{what}");
    };
    // Each code, with and without what it may leave out.
    for (refusal, _, recorded) in every_refusal() {
        if recorded {
            expect_new(failed(refusal, "alice"));
        }
    }
    // Each fact by itself.
    expect_new(failed(limit_passed(Limit::MaxMovement, "alice", Some("1"), "3"), "bob"));
    for limit in [Limit::MaxMovement, Limit::MaxDailyOutflow] {
        for wallet in ["alice", "bob"] {
            for available in ["0", "7"] {
                for requested in ["3", "4"] {
                    expect_new(failed(limit_passed(limit, wallet, Some(available), requested), "alice"));
                }
            }
        }
    }
    for (payment, amount) in [(0, "2"), (1, "2"), (0, "3")] {
        expect_new(failed(in_payment(payment, amount, frozen("bob")), "alice"));
    }
    for holds in ["JPY", "CHF"] {
        expect_new(failed(wrong_currency("alice", holds, "EUR"), "alice"));
    }
    let facts = too_little("alice", "1", "2");
    let Facts { code: _, recorded: _, wallet: _, limit: _, holds: _, available: _, requested: _, payment: _ } =
        facts.facts();
}
