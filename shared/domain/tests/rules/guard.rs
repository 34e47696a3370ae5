//! A plan's guard is enough by itself: whatever the balance has become, it admits what stays within bounds, and only that.

use proptest::prelude::*;
use wallet_domain::*;

use crate::stored::holds;
use crate::world::*;

/// Values near zero and near the largest, where sums run out.
fn units() -> impl Strategy<Value = i128> {
    prop_oneof![0_i128..200, MAX_MINOR_UNITS - 200..=MAX_MINOR_UNITS, 0..=MAX_MINOR_UNITS]
}

/// Floor, ceiling, and a balance between them.
fn bounds() -> impl Strategy<Value = (i128, i128, i128)> {
    (units(), units()).prop_flat_map(|(below, above)| {
        (Just(-below), Just(above), prop_oneof![-below..=above, Just(-below), Just(above), Just(0)])
    })
}

fn movement() -> impl Strategy<Value = Command> {
    let moved = units().prop_map(|units| euros(units.max(1)).to_string());
    (moved, 0..3).prop_map(|(moved, verb)| match verb {
        0 => deposit("alice", "alice", &moved),
        1 => withdraw("alice", "alice", &moved),
        _ => transfer("alice", "alice", "bob", &moved),
    })
}

fn euros(units: i128) -> Money {
    Money::from_minor(units, currency("EUR")).expect("within bounds")
}

#[track_caller]
fn check((floor, ceiling, read): (i128, i128, i128), command: &Command, drift: i128) {
    let terms = |wallet: Wallet| Wallet { floor: euros(floor), ceiling: Some(euros(ceiling)), ..wallet };
    let wallets = ["alice", "bob"].map(|name| terms(wallet(name, &euros(read).to_string())));
    let outcome = decided(&snapshots(&wallets), command, time(NOW));
    for posting in outcome.iter().flat_map(Plan::postings) {
        let found = (read + drift).clamp(floor, ceiling);
        let after = found + posting.rows[0].amount.minor_units();
        let within = floor <= after && after <= ceiling;
        assert_eq!(holds(posting.guard, euros(found)), within, "{:?} finds {found}", posting.guard);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_guard_admits_stays_within_bounds(bounds in bounds(), command in movement(), drift in -150_i128..=150) {
        check(bounds, &command, drift);
    }
}
