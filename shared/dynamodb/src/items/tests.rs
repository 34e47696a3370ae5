//! What goes into the table comes back out, and what was damaged there is told by item and attribute.

use wallet_domain::*;

use super::*;
use crate::item::{Builder, Fields};
use aws_sdk_dynamodb::types::AttributeValue;

fn eur(text: &str) -> Money {
    Money::parse(text, "EUR".parse().expect("a currency")).expect("an amount")
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("in range")
}

fn caller(name: &str) -> Caller {
    Caller { subject: name.parse().expect("printable"), admin: true }
}

fn wallet() -> Wallet {
    let open = Open {
        caller: caller("root"),
        key: "open".parse().expect("a key"),
        owner: "alice".parse().expect("printable"),
        currency: "EUR".parse().expect("a currency"),
        floor: eur("-5.00"),
        ceiling: Some(eur("1000")),
        limits: Limits {
            max_movement: Amount::new(eur("100")).ok(),
            max_daily_outflow: Amount::new(eur("200.01")).ok(),
            transfers_per_minute: Some(3),
        },
        credits: Credits::Immediate,
        metadata: Metadata::new([("for".to_owned(), "rent".to_owned())].into()).expect("small"),
    };
    let plan = decide(&Snapshots::default(), &Command::Open(open), time(1_795_230_000_123)).expect("it opens");
    let Outcome::Posted { wallet: Some(wallet), .. } = plan.transaction().clone().outcome else { panic!("opened") };
    *wallet
}

fn deposit(amount: &str) -> (Snapshots, Command) {
    let order = Order {
        caller: caller("bank"),
        key: "in".parse().expect("a key"),
        amount: Amount::new(eur(amount)).expect("positive"),
        reference: Some("order 7".parse().expect("printable")),
        metadata: Metadata::new([("shop".to_owned(), "7".to_owned())].into()).expect("small"),
        expected_version: None,
    };
    let bound = |text| Bounds::new([eur(text)]).expect("one bound");
    let rule = RebateTerms {
        rounding: Rounding::HalfUp,
        minimum: bound("0.01"),
        cap: bound("20"),
        monthly_cap: bound("50.50"),
        ..RebateTerms::new("standard".parse().expect("a rule's name"), BasisPoints::new(100).expect("a share"))
    };
    let wallet = wallet();
    let command = Command::Deposit(Deposit { order, wallet: wallet.id, rules: [rule].into() });
    (Snapshots { wallets: [(wallet.id, wallet)].into(), ..Snapshots::default() }, command)
}

#[test]
fn wallets_entries_and_transactions_survive_the_table() {
    let (snapshots, command) = deposit("12.50");
    let plan = decide(&snapshots, &command, time(1_795_230_001_000)).expect("it fits");
    let posting = &plan.postings()[0];
    for wallet in [&wallet(), &posting.after] {
        assert_eq!(&wallet_from_item(&wallet_item(wallet)).expect("readable"), wallet);
    }
    let rows = entries_from_item(&entries_item(&posting.rows)).expect("readable");
    assert_eq!(rows, posting.rows);
    assert_eq!(rows[0].computed_hash(), Some(rows[0].hash), "the hash covers what the table keeps");
    let transaction = transaction_from_item(&transaction_item(plan.transaction())).expect("readable");
    assert_eq!(transaction, *plan.transaction());
}

#[test]
fn every_refusal_that_is_recorded_survives_the_table() {
    let (snapshots, command) = deposit("12.50");
    let wallet = command.wallet();
    let (available, requested) = (Some(eur("1")), eur("2"));
    let recorded = [
        Refusal::InsufficientFunds { wallet, available, requested },
        Refusal::MaxBalanceExceeded { wallet, available: None, requested },
        Refusal::LimitExceeded { wallet, limit: Limit::MaxMovement, available, requested },
        Refusal::LimitExceeded { wallet, limit: Limit::MaxDailyOutflow, available, requested },
        Refusal::WalletFrozen { wallet },
        Refusal::WalletClosed { wallet },
        Refusal::CurrencyMismatch {
            wallet,
            holds: "JPY".parse().expect("a currency"),
            requested: "EUR".parse().expect("a currency"),
        },
        Refusal::RebateBelowMinimum { wallet, requested },
        Refusal::RebateCapReached { wallet, requested },
        Refusal::RebateTooLate { wallet, requested },
    ];
    for refusal in recorded {
        let failed = command.attempt(&snapshots, &refusal, time(0)).expect("recorded");
        let item = transaction_item(failed.transaction());
        assert_eq!(item["attempt_wallet"].as_s().expect("text"), &wallet.to_string());
        assert_eq!(&transaction_from_item(&item).expect("readable"), failed.transaction());
    }
}

#[test]
fn what_the_database_makes_of_a_number_reads_as_the_same_money() {
    for (stored, amount) in [("12.5", "12.50"), ("1.25E+1", "12.50"), ("12.50000", "12.50"), ("1E2", "100.00")] {
        let item = Builder::default().number("balance", stored).build();
        let money = Fields(&item).money("balance", "EUR".parse().expect("a currency")).expect(stored);
        assert_eq!(money.to_string(), amount);
    }
}

#[test]
fn damage_is_told_by_item_and_attribute() {
    let mut item = wallet_item(&wallet());
    item.insert("balance".to_owned(), AttributeValue::N("0.001".to_owned()));
    let fault = wallet_from_item(&item).expect_err("EUR has two decimals").to_string();
    assert!(fault.contains("WALLET#wal_") && fault.contains("\"balance\""), "{fault}");
}

/// It is read from the stream too.
#[test]
fn a_posted_transaction_names_its_other_side() {
    let (snapshots, command) = deposit("12.50");
    let plan = decide(&snapshots, &command, time(1_795_230_001_000)).expect("it fits");
    let item = transaction_item(plan.transaction());
    assert_eq!(item["counterparty"], AttributeValue::S("external".to_owned()));
}

/// The same, for a transfer that has no legs to tell it by.
#[test]
fn a_failed_transfer_names_where_it_would_have_gone() {
    let (snapshots, Command::Deposit(Deposit { order, wallet, .. })) = deposit("12.50") else { panic!("a deposit") };
    let destination = WalletId::opened_by(&"bob".parse().expect("printable"), &order.key);
    let command = Command::Transfer(Transfer { order, source: wallet, destination, fee: None });
    let refusal = Refusal::WalletFrozen { wallet };
    let failed = command.attempt(&snapshots, &refusal, time(0)).expect("recorded");
    let item = transaction_item(failed.transaction());
    assert_eq!(item["counterparty"], AttributeValue::S(destination.to_string()));
    assert_eq!(&transaction_from_item(&item).expect("readable"), failed.transaction());
}

/// The fold of batched credits makes such runs; one that a newer format hashes can be read when it is one row.
#[test]
fn a_run_of_rows_survives_the_table() {
    let (snapshots, command) = deposit("12.50");
    let plan = decide(&snapshots, &command, time(1_795_230_001_000)).expect("it fits");
    let first = plan.postings()[0].rows[0].clone();
    let mut rows = vec![first];
    for version in 2..=98 {
        let before = rows.last().expect("one at least");
        let balance_after = before.balance_after.plus(before.amount).expect("small");
        let next = Entry { version, balance_after, previous: before.hash, ..before.clone() };
        rows.push(Entry { hash: next.computed_hash().expect("this format"), ..next });
    }
    let item = entries_item(&rows);
    assert!(size(&item) < 24 * 1024, "{} bytes", size(&item));
    assert_eq!(entries_from_item(&item).expect("readable"), rows);
}

#[test]
fn what_a_wallet_was_paid_in_rebates_survives_the_table() {
    let (month, rule): (Month, RuleId) = ("2026-11".parse().expect("a month"), "a-1_b.c".parse().expect("a name"));
    let other = ("2027-01".parse().expect("a month"), "standard".parse().expect("a name"), eur("0"));
    let rebated = Rebated::new([(month, rule, eur("12.50")), other]);
    let mut item = wallet_item(&Wallet { rebated: rebated.clone(), ..wallet() });
    assert_eq!(wallet_from_item(&item).expect("readable").rebated, rebated);
    for damaged in ["2026-13#standard", "standard", "2026-11#a b"] {
        let sums = Builder::default().number(damaged, 1).build();
        item.insert("rebated".to_owned(), AttributeValue::M(sums));
        let fault = wallet_from_item(&item).expect_err(damaged).to_string();
        assert!(fault.contains("\"rebated\""), "{fault}");
    }
}

/// One write unit of a transaction pays for 1 KB twice over; this is what makes a deposit 6 units and a transfer 10.
#[test]
fn items_of_an_ordinary_request_stay_under_a_kilobyte() {
    let (snapshots, command) = deposit("12.50");
    let plan = decide(&snapshots, &command, time(1_795_230_001_000)).expect("it fits");
    let sizes = [
        ("wallet", size(&wallet_item(&plan.postings()[0].after))),
        ("entry", size(&entries_item(&plan.postings()[0].rows))),
        ("transaction", size(&transaction_item(plan.transaction()))),
    ];
    assert!(sizes.iter().all(|(_, size)| *size <= 1024), "{sizes:?}");
}

/// Bytes as DynamoDB counts them, numbers taken at their upper bound.
fn size(item: &Item) -> usize {
    fn value(of: &AttributeValue) -> usize {
        match of {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len() / 2 + 2,
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::L(values) => 3 + values.iter().map(|inner| value(inner) + 1).sum::<usize>(),
            AttributeValue::M(map) => 3 + size(map) + map.len(),
            other => panic!("no item holds {other:?}"),
        }
    }
    item.iter().map(|(name, inner)| name.len() + value(inner)).sum()
}
