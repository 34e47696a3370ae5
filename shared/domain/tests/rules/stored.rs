//! What is stored in memory, and how plans are written to it: each step from what is there, and nothing twice.

use wallet_domain::*;

/// Whether a write under this guard goes through where the wallet holds `balance`.
pub(crate) fn holds(guard: Guard, balance: Money) -> bool {
    match guard {
        Guard::None => true,
        Guard::AtLeast(least) => balance.minor_units() >= least.minor_units(),
        Guard::AtMost(most) => balance.minor_units() <= most.minor_units(),
    }
}

/// Writes one wallet's step.
#[track_caller]
pub(crate) fn step(stored: &mut Snapshots, posting: &Posting) {
    let Posting { before, after, guard, .. } = posting;
    let admits = before.as_ref().is_none_or(|before| holds(*guard, before.balance));
    assert!(admits, "a plan's own guard admits it");
    let found = stored.wallets.insert(after.id, after.clone());
    assert_eq!(*before, found, "the version is the stored one");
}

/// Writes all of a plan but its credits.
#[track_caller]
pub(crate) fn write(stored: &mut Snapshots, plan: &Plan) {
    plan.postings().iter().for_each(|posting| step(stored, posting));
    for transaction in [plan.transaction()].into_iter().chain(plan.bars()) {
        let before = stored.transactions.insert(transaction.id, transaction.clone());
        assert_eq!(before, None, "a transaction is written once");
    }
    for change in plan.holds() {
        let before = stored.holds.insert(change.after.id, change.after.clone());
        assert_eq!(before, change.before, "the hold is the stored one");
    }
    for mark in plan.marks() {
        let before = stored.marks.insert((mark.of, mark.name), mark.by);
        assert_eq!(before, None, "a mark is put once");
    }
}
