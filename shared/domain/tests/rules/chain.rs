//! The chain of entries as an auditor reads it: whatever is changed, left out, added or moved is seen.

use wallet_domain::*;

use crate::stored::write;
use crate::tamper::TAMPERINGS;
use crate::world::*;

/// Why a statement and the wallet that it ends in do not belong together.
pub(crate) fn flaw(statement: &[Entry], wallet: &Wallet) -> Option<&'static str> {
    let (mut balance, mut previous, mut latest) = (Money::zero(wallet.currency()), GENESIS, Timestamp::MIN);
    for (version, entry) in (0_u64..).zip(statement) {
        let Ok(sum) = balance.plus(entry.amount) else { return Some("another currency") };
        if entry.wallet != wallet.id {
            return Some("another wallet's entry");
        } else if entry.version != version {
            return Some("a gap in the versions");
        } else if entry.previous != previous {
            return Some("a broken link");
        } else if Some(entry.hash) != entry.computed_hash() {
            return Some("an entry that is not what was hashed");
        } else if entry.balance_after != sum {
            return Some("a balance that is not the sum");
        } else if entry.created_at < latest {
            return Some("a time that goes back");
        }
        (balance, previous, latest) = (sum, entry.hash, entry.created_at);
    }
    let ends = (wallet.balance, wallet.head, wallet.version + 1, wallet.updated_at);
    if ends != (balance, previous, statement.len() as u64, latest) {
        return Some("a wallet that is not where its statement ends");
    }
    let state = statement.last().map(|entry| entry.state);
    (state != Some(wallet.state())).then_some("a wallet that is not in the state that its statement ends in")
}

/// Opened, credited, debited, amended, credited: every kind of entry of one wallet.
fn statement() -> (Vec<Entry>, Wallet) {
    let open = Open { owner: owner("alice"), ..open("root") };
    let wallet = open.wallet();
    let change = to(Status::Frozen);
    let order =
        |text: &str, moved: &str| Order { key: key(text), reference: Some(reference("said")), ..order("alice", moved) };
    let steps = [
        Command::Open(open),
        Command::Deposit(Deposit { order: order("1", "5"), wallet, rules: [].into() }),
        Command::Withdraw(Withdraw { order: order("2", "3"), wallet }),
        Command::Amend(Amend { caller: caller("root"), wallet, expected: Expected::Version(2), change }),
        Command::Deposit(Deposit { order: order("3", "4"), wallet, rules: [].into() }),
    ];
    let mut snapshots = Snapshots::default();
    let mut entries = vec![];
    for command in steps {
        let plan = decided(&snapshots, &command, time(NOW)).expect("each step is allowed");
        entries.extend(plan.postings().iter().flat_map(|posting| posting.rows.iter().cloned()));
        write(&mut snapshots, &plan);
    }
    (entries, snapshots.wallets[&wallet].clone())
}

#[test]
fn an_untouched_statement_is_intact() {
    let (entries, wallet) = statement();
    assert_eq!(flaw(&entries, &wallet), None);
    assert_eq!(entries.len(), 5);
}

#[test]
fn every_change_of_every_entry_is_seen() {
    let (entries, wallet) = statement();
    for at in 0..entries.len() {
        for (which, tamper) in TAMPERINGS.iter().enumerate() {
            let mut changed = entries.clone();
            tamper(&mut changed[at]);
            assert_ne!(Some(changed[at].hash), changed[at].computed_hash(), "change {which} of entry {at}");
            assert!(flaw(&changed, &wallet).is_some(), "change {which} of entry {at}");
            // A forger who computes the hash anew breaks the link to the next entry, or to the wallet.
            changed[at].hash = changed[at].computed_hash().unwrap_or(GENESIS);
            if changed != entries {
                assert!(flaw(&changed, &wallet).is_some(), "change {which} of entry {at}, resealed");
            }
        }
    }
}

#[test]
fn entries_left_out_added_or_moved_are_seen() {
    let (entries, wallet) = statement();
    for at in 0..entries.len() {
        let mut missing = entries.clone();
        missing.remove(at);
        assert!(flaw(&missing, &wallet).is_some(), "without entry {at}");
        let mut twice = entries.clone();
        twice.insert(at, entries[at].clone());
        assert!(flaw(&twice, &wallet).is_some(), "entry {at} twice");
        assert!(flaw(&entries[..at], &wallet).is_some(), "only {at} entries");
        for other in at + 1..entries.len() {
            let mut swapped = entries.clone();
            swapped.swap(at, other);
            assert!(flaw(&swapped, &wallet).is_some(), "entries {at} and {other} swapped");
        }
    }
}

#[test]
fn a_wallet_that_was_set_by_hand_is_seen() {
    let (entries, wallet) = statement();
    assert!(flaw(&entries, &Wallet { balance: money("7"), ..wallet.clone() }).is_some());
    assert!(flaw(&entries, &Wallet { version: 5, ..wallet.clone() }).is_some());
    assert!(flaw(&entries, &Wallet { head: GENESIS, ..wallet.clone() }).is_some());
    assert!(flaw(&entries, &Wallet { id: id("ghost"), ..wallet.clone() }).is_some());
    assert!(flaw(&entries, &Wallet { updated_at: time("2026-03-01T12:00:30.251Z"), ..wallet.clone() }).is_some());
    for (what, change) in crate::state::STATE {
        let mut changed = wallet.clone();
        change(&mut changed);
        // It is frozen already.
        assert!(flaw(&entries, &changed).is_some() || changed == wallet, "{what}");
    }
}
