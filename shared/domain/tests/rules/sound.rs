//! What every plan must satisfy, whatever was asked: checked after each decision of every test.

use wallet_domain::*;

#[track_caller]
pub(crate) fn sound(snapshots: &Snapshots, command: &Command, plan: &Plan, now: Timestamp) {
    let (transaction, postings) = (plan.transaction(), plan.postings());
    assert_eq!(transaction.id, command.transaction());
    assert_eq!(transaction.kind, command.kind());
    assert_eq!(transaction.wallet, command.wallet());
    assert_eq!(transaction.fingerprint, command.fingerprint());
    let newest = snapshots.wallets.values().map(|wallet| wallet.updated_at.as_millisecond()).max();
    let recorded = now.as_millisecond().max(newest.unwrap_or(i64::MIN));
    assert_eq!(transaction.created_at.as_millisecond(), recorded, "now, or the newest time of a wallet concerned");
    assert_eq!(transaction.created_at.as_nanosecond() % 1_000_000, 0, "whole milliseconds");
    for record in [transaction].into_iter().chain(plan.bars()) {
        assert_eq!((record.created_at, record.computed_seal()), (transaction.created_at, Some(record.seal)));
    }
    let sum: i128 = transaction.legs().iter().map(|leg| leg.amount().minor_units()).sum();
    assert_eq!(sum, 0, "the legs sum to zero");
    assert!(!postings.is_empty() || !plan.credits().is_empty(), "every plan changes a wallet or its inbox");
    let credited: Vec<_> = transaction.credited().collect();
    assert_eq!(credited, plan.credits().iter().map(|credit| credit.wallet).collect::<Vec<_>>());
    for credit in plan.credits() {
        let wallet = &snapshots.wallets[&credit.wallet];
        assert_eq!((wallet.credits, wallet.ceiling), (Credits::Batched, None));
        let reference = credit.reference.clone().filter(|own| Some(own) != transaction.reference.as_ref());
        let (id, owner, amount) = (wallet.id, wallet.owner.clone(), credit.amount);
        let leg = Leg::Credit { wallet: id, owner, amount, reference: reference.clone() };
        assert!(transaction.legs().contains(&leg) && credit.amount.minor_units() > 0, "{credit:?}");
        assert_eq!((credit.transaction, credit.kind), (transaction.id, transaction.kind));
        assert_eq!(
            (&credit.caller, &credit.reference),
            (&transaction.caller, &reference.or(transaction.reference.clone()))
        );
        assert_eq!((credit.created_at, credit.seal), (transaction.created_at, transaction.seal));
        assert!(postings.iter().all(|posting| posting.after.id != wallet.id), "the wallet stays as it is");
    }
    for (at, posting) in postings.iter().enumerate() {
        let others = postings.iter().skip(at + 1);
        assert!(others.clone().all(|other| other.after.id != posting.after.id), "a wallet takes one step at a time");
        step(snapshots, command, transaction, posting);
        kept_back(plan, posting);
    }
    wallet_legs(transaction, postings);
}

/// What the wallet keeps back changes by what its holds do.
#[track_caller]
fn kept_back(plan: &Plan, posting: &Posting) {
    let held = |hold: &Hold| hold.held().expect("within bounds").minor_units();
    let its = plan.holds().iter().filter(|change| change.after.source == posting.after.id);
    let added: i128 = its.map(|change| held(&change.after) - change.before.as_ref().map_or(0, held)).sum();
    let before = posting.before.as_ref().map_or(0, |before| before.held.minor_units());
    assert_eq!(posting.after.held.minor_units() - before, added, "what its holds keep back");
}

/// One wallet, one version further, with one entry that says so.
#[track_caller]
fn step(snapshots: &Snapshots, command: &Command, transaction: &Transaction, posting: &Posting) {
    let Posting { before, after, rows, guard } = posting;
    let [entry] = &rows[..] else { panic!("one command, one row: {rows:?}") };
    assert_eq!(before.as_ref(), snapshots.wallets.get(&after.id), "the plan repeats what was read");
    let (balance, version, head) = match before {
        Some(before) => (before.balance, before.version + 1, before.head),
        None => (Money::zero(after.currency()), 0, GENESIS),
    };
    assert_eq!(after.version, version);
    assert_eq!(after.updated_at, transaction.created_at);
    assert_eq!((entry.wallet, entry.version), (after.id, version));
    assert_eq!((entry.transaction, entry.kind), (transaction.id, transaction.kind));
    let leg = transaction.legs().iter().find(|leg| leg.wallet() == Some(after.id));
    let reference = leg.and_then(Leg::reference).or(transaction.reference.as_ref());
    assert_eq!((&entry.caller, entry.reference.as_ref()), (&transaction.caller, reference));
    assert_eq!(entry.created_at, transaction.created_at);
    assert_eq!(balance.plus(entry.amount), Ok(after.balance), "the entry is the difference");
    assert_eq!(entry.balance_after, after.balance);
    assert_eq!((entry.previous, Some(entry.hash)), (head, entry.computed_hash()), "the entry continues the chain");
    assert_eq!((after.head, entry.seal, entry.state), (entry.hash, transaction.seal, after.state()));
    let ceiling = after.ceiling.map_or(MAX_MINOR_UNITS, Money::minor_units);
    let (floor, balance) = (after.floor.minor_units(), after.balance.minor_units());
    let moved = entry.amount.minor_units();
    let overdraft = matches!(command, Command::Reverse(Reverse { allow_overdraft: true, .. }));
    let was_below = before.as_ref().is_some_and(|before| before.balance.minor_units() < floor) && moved >= 0;
    assert!(floor <= balance || overdraft || was_below, "{after:?} is not below its floor");
    assert!(floor <= 0 && 0 <= ceiling && balance <= ceiling, "{after:?} is within its bounds");
    let bound = |units| Money::from_minor(units, after.currency()).expect("a bound within bounds");
    assert_eq!(entry.held_after, after.held);
    let before_held = before.as_ref().map_or(0, |before| before.held.minor_units());
    let held = if transaction.kind == Kind::CAPTURE { 0 } else { after.held.minor_units() };
    let expected = match moved {
        0 if after.held.minor_units() > before_held => Guard::AtLeast(bound(floor + held)),
        0 => Guard::None,
        ..0 if balance < floor + held => Guard::None,
        ..0 => Guard::AtLeast(bound(floor + held - moved)),
        1.. => Guard::AtMost(bound(ceiling - moved)),
    };
    assert_eq!(*guard, expected, "the guard holds exactly where the bound does");
    if let Some(before) = before
        && transaction.kind != Kind::AMENDMENT
    {
        let Wallet { balance, held, version, counters, rebated, head, updated_at, .. } = after.clone();
        let moved = Wallet { balance, held, version, counters, rebated, head, updated_at, ..before.clone() };
        assert_eq!(*after, moved, "a movement changes no terms");
        assert!(entry.changes.is_empty(), "only amendments say what changed");
    }
}

/// Each wallet's leg is its posting, and each posting that moves has its leg.
#[track_caller]
fn wallet_legs(transaction: &Transaction, postings: &[Posting]) {
    let legs = transaction.legs().iter().filter(|leg| matches!(leg, Leg::Wallet { .. }));
    let told = |posting: &&Posting| {
        !posting.rows[0].amount.is_zero() || matches!(transaction.kind, Kind::HOLD | Kind::VOID | Kind::EXPIRY)
    };
    let expected = postings.iter().filter(told).map(|posting| Leg::Wallet {
        wallet: posting.after.id,
        owner: posting.after.owner.clone(),
        amount: posting.rows[0].amount,
        balance_after: posting.after.balance,
        version_after: posting.after.version,
        // Its own, where it isn't the request's.
        reference: posting.rows[0].reference.clone().filter(|own| Some(own) != transaction.reference.as_ref()),
    });
    assert_eq!(legs.cloned().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    for leg in transaction.legs() {
        assert!(!matches!(leg, Leg::System { account: Account::Wallet(_), .. }), "a wallet is no system account");
    }
}
