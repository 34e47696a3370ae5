//! What the digests of wallets and entries cover: each field is changed by itself, and the digest that covers it changes, to
//! another one each time.

use std::collections::BTreeMap;
use std::fmt::Debug;

use wallet_domain::*;

use crate::tamper::TAMPERINGS;
use crate::world::*;

pub(crate) type Change<T> = (&'static str, fn(&mut T));

/// Each change by itself gives a digest that neither `whole` nor another change has.
#[track_caller]
pub(crate) fn all_differ<T: Clone>(whole: &T, changes: &[Change<T>], digest: impl Fn(&T) -> Digest) {
    let mut seen = BTreeMap::from([(digest(whole).to_string(), "nothing")]);
    for (what, change) in changes {
        let mut changed = whole.clone();
        change(&mut changed);
        let other = seen.insert(digest(&changed).to_string(), what);
        assert_eq!(other, None, "{what} changed");
    }
}

/// The changes touch nothing that the digest covers.
#[track_caller]
pub(crate) fn all_agree<T: Clone + PartialEq + Debug>(whole: &T, changes: &[Change<T>], digest: impl Fn(&T) -> Digest) {
    for (what, change) in changes {
        let mut changed = whole.clone();
        change(&mut changed);
        assert_ne!(&changed, whole, "{what} changed");
        assert_eq!(digest(&changed), digest(whole), "{what} changed");
    }
}

pub(crate) fn other_digest() -> Digest {
    Hasher::new("another").finish()
}

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

/// Every field says something.
pub(crate) fn full_wallet() -> Wallet {
    let limits = Limits {
        max_movement: Some(amount("11")),
        max_daily_outflow: Some(amount("12")),
        transfers_per_minute: Some(13),
    };
    let counters = Counters { day: 14, outflow: money("15"), minute: 16, transfers: 17 };
    let rebated = Rebated::new([(month("2026-01"), rule_id("spring"), money("18"))]);
    let ceiling = Some(money("500"));
    let (credits, credits_changed_at) = (Credits::Batched, Some(time("2026-01-02T00:00:00Z")));
    Wallet {
        held: money("20"),
        floor: money("-19"),
        ceiling,
        credits,
        credits_changed_at,
        limits,
        counters,
        rebated,
        metadata: labels(&[("for", "rent")]),
        ..wallet("alice", "100")
    }
}

/// What a wallet's state covers. An entry says the rest.
pub(crate) const STATE: [Change<Wallet>; 32] = [
    ("held", |wallet| wallet.held = money("20.01")),
    ("id", |wallet| wallet.id = id("ghost")),
    ("owner", |wallet| wallet.owner = owner("somebody else")),
    ("currency", |wallet| wallet.balance = Money::zero(currency("USD"))),
    ("status", |wallet| wallet.status = Status::Closed),
    ("credits", |wallet| wallet.credits = Credits::Immediate),
    ("credits_changed_at", |wallet| wallet.credits_changed_at = Some(time("2026-01-03T00:00:00Z"))),
    ("floor", |wallet| wallet.floor = money("-77.01")),
    ("ceiling", |wallet| wallet.ceiling = Some(money("777"))),
    ("ceiling of zero", |wallet| wallet.ceiling = Some(money("0"))),
    ("max_movement", |wallet| wallet.limits.max_movement = Some(amount("77.02"))),
    ("max_daily_outflow", |wallet| wallet.limits.max_daily_outflow = Some(amount("77.03"))),
    ("transfers_per_minute", |wallet| wallet.limits.transfers_per_minute = Some(77)),
    ("no transfers", |wallet| wallet.limits.transfers_per_minute = Some(0)),
    ("day", |wallet| wallet.counters.day = 77),
    ("outflow", |wallet| wallet.counters.outflow = money("77.04")),
    ("minute", |wallet| wallet.counters.minute = 78),
    ("transfers", |wallet| wallet.counters.transfers = 79),
    ("metadata", |wallet| wallet.metadata = labels(&[("for", "food")])),
    ("a label's name", |wallet| wallet.metadata = labels(&[("of", "rent")])),
    ("two labels", |wallet| wallet.metadata = labels(&[("for", "rent"), ("of", "May")])),
    ("created_at", |wallet| wallet.created_at = time("2025-12-31T23:59:59.999Z")),
    ("rebated month", |wallet| wallet.rebated = rebated("2026-02", "spring", "18")),
    ("rebated rule", |wallet| wallet.rebated = rebated("2026-01", "autumn", "18")),
    ("rebated sum", |wallet| wallet.rebated = rebated("2026-01", "spring", "18.01")),
    ("rebated nothing", |wallet| wallet.rebated = rebated("2026-01", "spring", "0")),
    ("rebated another month", |wallet| {
        let sums = ["2026-01", "2026-02"].map(|at| (month(at), rule_id("spring"), money("18")));
        wallet.rebated = Rebated::new(sums);
    }),
    ("rebated another rule", |wallet| {
        let sums = ["autumn", "spring"].map(|rule| (month("2026-01"), rule_id(rule), money("18")));
        wallet.rebated = Rebated::new(sums);
    }),
    ("frozen", |wallet| wallet.status = Status::Frozen),
    ("a smaller max_movement", |wallet| wallet.limits.max_movement = Some(amount("0.01"))),
    ("a smaller max_daily_outflow", |wallet| wallet.limits.max_daily_outflow = Some(amount("0.01"))),
    ("a floor of a cent", |wallet| wallet.floor = money("-0.01")),
];

fn rebated(at: &str, rule: &str, sum: &str) -> Rebated {
    Rebated::new([(month(at), rule_id(rule), money(sum))])
}

/// What can be absent, taken away.
pub(crate) const STATE_ABSENT: [Change<Wallet>; 8] = [
    ("nothing held", |wallet| wallet.held = money("0")),
    ("no ceiling", |wallet| wallet.ceiling = None),
    ("credits never changed", |wallet| wallet.credits_changed_at = None),
    ("no max_movement", |wallet| wallet.limits.max_movement = None),
    ("no max_daily_outflow", |wallet| wallet.limits.max_daily_outflow = None),
    ("no transfers_per_minute", |wallet| wallet.limits.transfers_per_minute = None),
    ("no metadata", |wallet| wallet.metadata = Metadata::default()),
    ("nothing rebated", |wallet| wallet.rebated = Rebated::default()),
];

/// What an entry says by itself.
pub(crate) const BESIDE_THE_STATE: [Change<Wallet>; 4] = [
    ("balance", |wallet| wallet.balance = money("7")),
    ("version", |wallet| wallet.version += 1),
    ("head", |wallet| wallet.head = other_digest()),
    ("updated_at", |wallet| wallet.updated_at = time(NOW)),
];

#[test]
fn a_wallet_s_state_covers_all_that_an_entry_does_not_say() {
    let whole = full_wallet();
    all_differ(&whole, &[&STATE[..], &STATE_ABSENT].concat(), Wallet::state);
    all_agree(&whole, &BESIDE_THE_STATE, Wallet::state);
    // Fails to compile when a field is added that neither table knows.
    let Wallet { id: _, owner: _, balance: _, version: _, status: _, floor: _, ceiling: _, limits, counters, .. } =
        whole;
    let Wallet { rebated: _, head: _, metadata: _, created_at: _, updated_at: _, .. } = full_wallet();
    let Limits { max_movement: _, max_daily_outflow: _, transfers_per_minute: _ } = limits;
    let Counters { day: _, outflow: _, minute: _, transfers: _ } = counters;
}

#[test]
fn an_entry_s_hash_covers_every_other_field() {
    let wallets = [wallet("alice", "100"), wallet("bob", "0")];
    let command = with(transfer("alice", "alice", "bob", "5"), |order| order.reference = Some(reference("said")));
    let plan = decided(&snapshots(&wallets), &command, time(NOW)).expect("enough money");
    let changes = [("floor".to_owned(), "5".to_owned()), ("ceiling".to_owned(), "6".to_owned())];
    let whole = Entry { changes: changes.into(), ..plan.postings()[0].rows[0].clone() };
    let hash = |entry: &Entry| entry.computed_hash().expect("the format that this code writes");
    let more: [Change<Entry>; 7] = [
        ("no reference", |entry| entry.reference = None),
        ("a change left out", |entry| drop(entry.changes.remove("floor"))),
        ("a change of another field", |entry| {
            entry.changes.remove("floor");
            entry.changes.insert("roof".to_owned(), "5".to_owned());
        }),
        ("a change to something else", |entry| drop(entry.changes.insert("floor".to_owned(), "none".to_owned()))),
        ("currency", |entry| entry.amount = Money::parse("-5", currency("USD")).expect("an amount")),
        ("a system account", |entry| entry.counterparty = Some(Account::External)),
        ("one millisecond", |entry| entry.created_at = time("2026-03-01T12:00:30.251Z")),
    ];
    all_differ(&whole, &more, hash);
    // Every other tampering of the chain's table, but its own hash and its format.
    let mut seen = BTreeMap::from([(hash(&whole).to_string(), usize::MAX)]);
    for (which, tamper) in TAMPERINGS.iter().enumerate() {
        let mut changed = whole.clone();
        tamper(&mut changed);
        let Entry { format, .. } = changed;
        if format != whole.format {
            assert_eq!(changed.computed_hash(), None, "nobody knows what another format covers");
        } else if changed.hash == whole.hash {
            assert_eq!(seen.insert(hash(&changed).to_string(), which), None, "change {which}");
        } else {
            assert_eq!(hash(&changed), hash(&whole), "the hash does not cover itself");
        }
    }
    // Fails to compile when a field is added that the chain's table does not know.
    let Entry { wallet: _, version: _, transaction: _, kind: _, amount: _, balance_after: _, counterparty: _, .. } =
        whole;
    let Entry {
        reference: _,
        changes: _,
        caller: _,
        created_at: _,
        seal: _,
        state: _,
        previous: _,
        format: _,
        hash: _,
        ..
    } = plan.postings()[0].rows[0].clone();
}
