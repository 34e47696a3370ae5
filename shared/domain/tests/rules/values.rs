//! Texts, names and small types: each valid by construction, each surviving a round trip.

use std::collections::BTreeMap;

use wallet_domain::*;

use crate::world::*;

#[test]
fn owners_and_references_are_short_and_printable() {
    #[track_caller]
    fn check(text: &str, valid: bool) {
        assert_eq!(text.parse::<Owner>().map(|owner| owner.to_string()).ok().as_deref(), valid.then_some(text));
        assert_eq!(text.parse::<Reference>().map(|owner| owner.to_string()).ok().as_deref(), valid.then_some(text));
    }
    for good in ["a", "auth0|66f1", "Zoë", " ", "\"", "\u{1f600}", &"x".repeat(128), &"é".repeat(64)] {
        check(good, true);
    }
    for bad in ["", "a\nb", "\u{0}", "\u{7f}", "\u{85}", &"x".repeat(129), &format!("{}x", "é".repeat(64))] {
        check(bad, false);
    }
}

#[test]
fn rule_names_are_plain() {
    for good in ["a", "Spring-2026_v1.2", &"x".repeat(64)] {
        assert_eq!(good.parse::<RuleId>().expect("a name").as_str(), good);
    }
    for bad in ["", " ", "a b", "a#b", "ü", &"x".repeat(65)] {
        assert!(bad.parse::<RuleId>().is_err(), "{bad:?}");
    }
}

#[test]
fn a_log_shows_values_as_they_are_and_never_a_key() {
    let digest = Hasher::new("a purpose").finish();
    let rule = rule_id("spring");
    let shown = format!("{digest:?} {rule:?} {:?} {:?} {:?}", currency("EUR"), owner("alice"), key("tell-nobody"));
    assert_eq!(shown, format!("{digest} spring EUR \"alice\" IdempotencyKey(..)"));
    let command = with(deposit("alice", "alice", "5"), |order| order.key = key("tell-nobody"));
    assert!(!format!("{command:?}").contains("tell-nobody"));
}

#[test]
fn names_survive_a_round_trip() {
    for status in [Status::Active, Status::Frozen, Status::Closed] {
        assert_eq!(Status::from_name(status.as_str()), Some(status));
    }
    for (kind, name) in [
        (Kind::OPENING, "opening"),
        (Kind::AMENDMENT, "amendment"),
        (Kind::DEPOSIT, "deposit"),
        (Kind::WITHDRAWAL, "withdrawal"),
        (Kind::TRANSFER, "transfer"),
        (Kind::REBATE, "rebate"),
        (Kind::REVERSAL, "reversal"),
        (Kind::HOLD, "hold"),
        (Kind::CAPTURE, "capture"),
        (Kind::VOID, "void"),
        (Kind::EXPIRY, "expiry"),
    ] {
        assert_eq!((kind.as_str(), Kind::from_name(name)), (name, Some(kind)));
    }
    for limit in [Limit::MaxMovement, Limit::MaxDailyOutflow] {
        assert_eq!(Limit::from_name(limit.as_str()), Some(limit));
    }
    for account in [Account::External, Account::Fees, Account::Rebates] {
        assert_eq!(Account::system(&account.to_string()), Some(account));
    }
    for other in ["", "Active", "frozen ", "wallet", "max-movement"] {
        assert_eq!((Status::from_name(other), Limit::from_name(other)), (None, None), "{other:?}");
        assert_eq!(Account::system(other), None, "{other:?}");
    }
    let id = id("alice");
    assert_eq!(Account::Wallet(id).to_string().parse(), Ok(id));
    assert_eq!(Account::system(&id.to_string()), None, "a wallet is no system account");
}

#[test]
fn what_a_newer_version_names_is_known_by_its_name() {
    for name in ["payout", "deposit", "x", "standing_order", "sixteen_letters_"] {
        let kind = Kind::from_name(name).expect("lower-case letters and underscores");
        assert_eq!((kind.as_str(), Kind::from_name(kind.as_str())), (name, Some(kind)));
        assert_eq!((kind == Kind::DEPOSIT, format!("{kind:?}")), (name == "deposit", format!("Kind({name})")));
        assert_eq!(MarkName::from_name(name), None, "marks are written in capitals");
    }
    for name in ["REVERSAL", "HOLD", "X", "SIXTEEN_LETTERS_"] {
        let mark = MarkName::from_name(name).expect("upper-case letters and underscores");
        assert_eq!((mark.as_str(), MarkName::from_name(mark.as_str())), (name, Some(mark)));
        assert_eq!(mark == MarkName::REVERSAL, name == "REVERSAL");
        assert_eq!(Kind::from_name(name), None, "kinds are written in small letters");
    }
    for neither in
        ["", "Active", "frozen ", "max-movement", "a\0b", "\0", "é", "seventeen_letters", "SEVENTEEN_LETTERS"]
    {
        assert_eq!((Kind::from_name(neither), MarkName::from_name(neither)), (None, None), "{neither:?}");
    }
}

#[test]
fn digests_survive_a_round_trip() {
    let digest = Hasher::new("a purpose").field("a value").finish();
    assert_eq!(digest.to_string().parse(), Ok(digest));
    assert_eq!(GENESIS.to_string(), "0".repeat(64));
    for bad in ["", "0", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
        assert!(bad.parse::<Digest>().is_err(), "{bad:?}");
    }
}

#[test]
fn hashed_fields_never_run_into_each_other() {
    let hash = |fields: &[&str]| fields.iter().fold(Hasher::new("x"), |hasher, field| hasher.field(field)).finish();
    let lists: [&[&str]; 6] = [&[], &[""], &["", ""], &["ab"], &["a", "b"], &["", "ab"]];
    for (at, list) in lists.iter().enumerate() {
        for other in &lists[at + 1..] {
            assert_ne!(hash(list), hash(other), "{list:?} and {other:?}");
        }
    }
    assert_ne!(Hasher::new("x").field("y").finish(), Hasher::new("y").field("x").finish());
    let maybe = |value: Option<&str>| Hasher::new("x").maybe(value).finish();
    assert_ne!(maybe(None), maybe(Some("")));
    assert_ne!(maybe(None), maybe(Some("none")));
}

/// Stored data depends on these encodings: they change only together with a new name for what is hashed.
#[test]
fn derived_ids_and_hashes_are_the_same_for_ever() {
    let deposit = deposit("alice", "alice", "5");
    let plan = decided(&snapshots(&[wallet("alice", "0")]), &deposit, time(NOW)).expect("an active wallet");
    let spring = rule_id("spring");
    let pinned: BTreeMap<_, _> = [
        ("wallet", id("alice").to_string()),
        ("deposit", deposit.transaction().to_string()),
        ("amendment", TransactionId::amendment_of(id("alice"), VERSION).to_string()),
        ("rebate", TransactionId::rebate_of(deposit.transaction(), &spring).to_string()),
        ("fingerprint", deposit.fingerprint().to_string()),
        ("seal", plan.transaction().seal.to_string()),
        ("state", plan.postings()[0].after.state().to_string()),
        ("entry", plan.postings()[0].rows[0].hash.to_string()),
    ]
    .into();
    let expected = [
        ("wallet", "wal_6eae9a3f877e4e649ab4e1d1d0143249"),
        ("deposit", "txn_87080c1c53c78edc8ef1b0f9c96a2192"),
        ("amendment", "txn_c87e958274624630beeb154a4e987ea1"),
        ("rebate", "txn_a93b22e65d66e85a979763295ed5c9bc"),
        ("fingerprint", "2daba71b0a9defac04d897f10ff6262e494b9fa22c19e0aa42cb49f6302740f6"),
        ("seal", "2366bd85f3b1b1536acf38a90a4d0603302b7b920b58690608da79addb2ebeb9"),
        ("state", "61d49ba0b86c4cdb42da07e13f291839d42243cad27941b708d285ba0bd7ff34"),
        ("entry", "66ca61ee11290668026e92e3923cba905544a59e549e329fad349e54df60e72a"),
    ];
    assert_eq!(pinned, expected.map(|(what, text)| (what, text.to_owned())).into());
}

#[test]
fn a_transaction_concerns_who_asked_and_whose_wallets_moved() {
    let both = snapshots(&[wallet("alice", "9"), wallet("bob", "0")]);
    let plan = decided(&both, &transfer("root", "alice", "bob", "1"), time(NOW)).expect("enough money");
    let concerned =
        |transaction: &Transaction| ["root", "alice", "bob", "carol"].map(|name| transaction.concerns(&owner(name)));
    assert_eq!(concerned(plan.transaction()), [true, true, true, false]);
    let plan = decided(&both, &deposit("carol", "alice", "1"), time(NOW)).expect("an active wallet");
    assert_eq!(concerned(plan.transaction()), [false, true, false, true]);
    let refused = transfer("alice", "alice", "bob", "10");
    let failed = attempted(&both, &refused, &too_little("alice", "9", "10"), time(NOW)).expect("recorded");
    assert_eq!(concerned(&failed), [false, true, false, false]);
}

/// The record of `command` refused by the state of `wallets`, and whom of root, alice, bob and carol it concerns.
#[track_caller]
fn refused(wallets: &[Wallet], command: &Command, code: &str) -> (Transaction, [bool; 4]) {
    let read = snapshots(wallets);
    let refusal = decided(&read, command, time(NOW)).expect_err("a wallet refuses");
    assert_eq!(refusal.code(), code);
    let record = attempted(&read, command, &refusal, time(NOW)).expect("recorded");
    let concerned = ["root", "alice", "bob", "carol"].map(|name| record.concerns(&owner(name)));
    (record, concerned)
}

#[test]
fn a_failed_attempt_is_filed_under_the_wallet_that_refused() {
    let poor = [wallet("alice", "9"), capped("bob", "0", "5")];
    let (record, concerned) = refused(&poor, &transfer("root", "alice", "bob", "10"), "insufficient_funds");
    assert_eq!(
        (record.outcome, concerned),
        (failed(too_little("alice", "9", "10"), "alice"), [true, true, false, false])
    );
    let (record, concerned) = refused(&poor, &transfer("alice", "alice", "bob", "6"), "max_balance_exceeded");
    assert_eq!((record.outcome, concerned), (failed(too_full("bob", None, "6"), "bob"), [false, true, true, false]));
    // A stranger's deposit.
    let (record, concerned) = refused(&poor, &deposit("carol", "bob", "6"), "max_balance_exceeded");
    assert_eq!((record.outcome, concerned), (failed(too_full("bob", None, "6"), "bob"), [false, false, true, true]));
}

#[test]
fn a_failed_reversal_is_filed_under_the_wallet_that_refused() {
    let both = snapshots(&[wallet("alice", "9"), wallet("bob", "0")]);
    let plan = decided(&both, &transfer("alice", "alice", "bob", "5"), time(NOW)).expect("enough money");
    let reverse = Command::Reverse(reversal(plan.transaction()));
    let spent = [wallet("alice", "4"), wallet("bob", "3")];
    let (record, concerned) = refused(&spent, &reverse, "insufficient_funds");
    assert_eq!((record.outcome, concerned), (failed(too_little("bob", "3", "5"), "bob"), [true, false, true, false]));
    let full = [capped("alice", "4", "5"), wallet("bob", "5")];
    let (record, concerned) = refused(&full, &reverse, "max_balance_exceeded");
    let refusal = too_full("alice", Some("1"), "5");
    assert_eq!((record.outcome, concerned), (failed(refusal, "alice"), [true, true, false, false]));
}

#[test]
fn without_the_wallet_that_refused_there_is_nothing_to_file_under() {
    let refusal = too_full("bob", None, "6");
    let command = transfer("alice", "alice", "bob", "6");
    let only_alice = snapshots(&[wallet("alice", "9")]);
    assert_eq!(attempted(&only_alice, &command, &refusal, time(NOW)), None);
}

#[test]
fn commands_name_what_has_to_be_read() {
    let transfer = transfer("alice", "alice", "bob", "1");
    let only = |wallets: &[&str]| Reads { wallets: wallets.iter().map(|name| id(name)).collect(), ..Reads::default() };
    assert_eq!((transfer.wallet(), transfer.reads()), (id("alice"), only(&["alice", "bob"])));
    for command in [deposit("bob", "alice", "1"), withdraw("bob", "alice", "1")] {
        assert_eq!((command.wallet(), command.reads()), (id("alice"), only(&["alice"])));
        assert_eq!(command.parent(), None);
    }
}

#[test]
fn owners_own_and_administrators_own_everything() {
    let alice = wallet("alice", "0");
    assert_eq!(["alice", "bob", "root"].map(|name| caller(name).owns(&alice)), [true, false, true]);
}
