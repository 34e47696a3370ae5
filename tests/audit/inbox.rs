//! Batched credits under audit: what waits is counted, each credit is in one of inbox and statement, and folds are no findings.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wallet_audit::function::metrics;
use wallet_audit::{Check, Finding, Report};
use wallet_domain::{Money, Timestamp, TransactionId, WalletId};
use wallet_dynamodb::{Settled, Strategy, Usage};

use super::book::{Book, audit_at, eur, key_of, ledger_at, put, report_at};
use super::table::{Item, n, s, with};
use super::{alone, audited, audited_alone, clean};
use crate::ledger::{Bench, posted, run};

const MINUTE: Duration = Duration::from_secs(60);

/// A shop for which three credits wait, and one of another shop.
struct Shop {
    book: Book,
    shop: WalletId,
    other: WalletId,
}

impl Shop {
    fn new() -> Shop {
        let mut book = Book::new("shop");
        let (shop, other) = (book.open_shop("shop"), book.open_shop("other"));
        let alice = book.open("alice", "-5", "1000");
        book.deposit(alice, "50");
        book.deposit(shop, "1.25");
        book.transfer(alice, shop, "2");
        book.deposit(shop, "4");
        book.deposit(other, "9");
        Shop { book, shop, other }
    }

    /// The item of the credit that `place` counts.
    fn credit(&mut self, place: usize) -> (&mut Item, TransactionId) {
        let credit = &self.book.credits[place];
        let (pk, sk) = (format!("INBOX#{}", credit.wallet), credit.transaction.to_string());
        let item = self.book.items.iter_mut().find(|item| key_of(item) == (&*pk, &*sk));
        (item.expect("it waits"), credit.transaction)
    }

    /// What the whole table's audit finds, and the shop's own.
    async fn found(&self) -> [BTreeSet<Finding>; 2] {
        let (bench, now) = (self.book.table().await, self.book.now + MINUTE);
        let one = alone(&audit_at(&bench, now), self.shop).await;
        [report_at(&bench, now).await.findings, one.findings]
    }
}

#[track_caller]
fn names(findings: &BTreeSet<Finding>, check: Check, wallet: WalletId, transaction: TransactionId, words: &str) {
    let named = findings.iter().any(|finding| {
        (finding.check, finding.wallet, finding.transaction) == (check, Some(wallet), Some(transaction))
            && finding.difference.contains(words)
    });
    assert!(named, "{} of {transaction}: {words:?} is not among {findings:#?}", check.as_str());
}

#[tokio::test]
async fn what_waits_is_counted_and_comes_to_what_the_legs_say() {
    let shop = Shop::new();
    let bench = shop.book.table().await;
    let report = report_at(&bench, shop.book.now + MINUTE).await;
    clean(&report);
    let sums = &report.sums["EUR"];
    assert_eq!((report.waiting, sums.waiting), (4, 16_25));
    assert_eq!(sums.wallets, sums.balances + sums.waiting);
    assert!(sums.lines().contains(&("waiting", "16.25".to_owned())));
    assert_eq!(report.to_json()["waiting"]["credits"], 4);
    let value = |name| metrics(&report, 1).into_iter().find(|metric| metric.name == name).map(|metric| metric.value);
    // The oldest is three seconds older than the newest.
    assert_eq!((value("Waiting"), value("WaitingAge")), (Some(4), Some(63_000)));
    let one = alone(&audit_at(&bench, shop.book.now), shop.shop).await;
    assert!(one.is_clean() && one.waiting == 3, "{one:#?}");
}

#[tokio::test]
async fn a_credit_in_neither_and_in_both() {
    let mut shop = Shop::new();
    let lost = shop.credit(1).1;
    shop.book.items.retain(|item| key_of(item).1 != lost.to_string());
    names(&shop.found().await[0], Check::Matching, shop.shop, lost, "neither in the inbox nor");

    let mut shop = Shop::new();
    let (item, kept) = shop.credit(1);
    let item = item.clone();
    shop.book.settle();
    for findings in shop.found().await {
        assert!(findings.is_empty(), "{findings:#?}");
    }
    shop.book.items.push(item);
    for findings in shop.found().await {
        names(&findings, Check::Matching, shop.shop, kept, "settled and waits in the inbox still");
        assert_eq!(findings.len(), 1, "{findings:#?}");
    }
}

#[tokio::test]
async fn a_credit_settled_twice() {
    let mut shop = Shop::new();
    let credits = shop.book.credits.clone();
    shop.book.settle();
    shop.book.credits = credits.clone();
    shop.book.fold();
    let [findings, _] = shop.found().await;
    for credit in &credits {
        names(&findings, Check::Matching, credit.wallet, credit.transaction, "settled 2 times, at versions");
    }
    assert_eq!(findings.len(), credits.len(), "{findings:#?}");
}

#[tokio::test]
async fn a_credit_moved_to_another_wallet_or_put_there_too() {
    for also in [false, true] {
        let mut shop = Shop::new();
        let other = shop.other;
        let (item, transaction) = shop.credit(1);
        let moved = with(item.clone(), [("PK", s(format!("INBOX#{other}")))]);
        if also {
            shop.book.items.push(moved);
        } else {
            *item = moved;
        }
        let [findings, _] = shop.found().await;
        names(&findings, Check::Matching, other, transaction, "has no such leg");
        let neither = findings.iter().any(|finding| finding.wallet == Some(shop.shop));
        assert_eq!(neither, !also, "{findings:#?}");
    }
}

#[tokio::test]
async fn a_second_item_of_one_credit_and_one_of_nothing() {
    let mut shop = Shop::new();
    let (item, _) = shop.credit(1);
    let item = item.clone();
    let other = shop.credit(3).1;
    let nothing: TransactionId = format!("txn_{:032}", 7).parse().expect("an id");
    for transaction in [other, nothing] {
        shop.book.items.push(with(item.clone(), [("SK", s(transaction))]));
    }
    for findings in shop.found().await {
        names(&findings, Check::Matching, shop.shop, other, "has no such leg");
        names(&findings, Check::Matching, shop.shop, nothing, "transaction is missing");
    }
}

#[tokio::test]
async fn a_credit_that_was_settled_with_another_amount_than_was_posted() {
    let mut shop = Shop::new();
    let forged = shop.book.credits[2].transaction;
    shop.book.credits[2].amount = eur("5");
    shop.book.settle();
    for findings in shop.found().await {
        names(&findings, Check::Matching, shop.shop, forged, "the entry says deposit 5.00 EUR");
    }
    let mut shop = Shop::new();
    shop.book.credits[2].reference = None;
    shop.book.settle();
    for findings in shop.found().await {
        names(&findings, Check::Matching, shop.shop, forged, "another counterparty, reference or caller");
    }
}

#[tokio::test]
async fn a_credit_of_a_wallet_that_is_not_there() {
    let mut shop = Shop::new();
    let (wallet, of) = (shop.other, shop.credit(3).1);
    let pk = format!("WALLET#{wallet}");
    shop.book.items.retain(|item| key_of(item).0 != pk);
    let [findings, _] = shop.found().await;
    names(&findings, Check::Inbox, wallet, of, "a wallet that is not there");
}

#[tokio::test]
async fn a_credit_is_overdue_after_a_quarter_of_an_hour() {
    let shop = Shop::new();
    let (bench, first) = (shop.book.table().await, &shop.book.credits[0]);
    let due = first.created_at + 15 * MINUTE;
    assert!(report_at(&bench, due).await.is_clean());
    let late = due + Duration::from_millis(1);
    let audit = audit_at(&bench, late);
    let one = alone(&audit, shop.shop).await;
    let whole = audit.with_checkpoint(None).table().await.expect("the table answers");
    assert!(whole.checkpoint.is_some(), "what is only late keeps no checkpoint from moving on");
    for report in [whole, one] {
        names(&report.findings, Check::Overdue, shop.shop, first.transaction, "1.25 EUR is overdue");
        assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    }
}

#[tokio::test]
async fn rows_of_a_fold_are_what_a_checkpoint_covers_and_what_waits_is_not() {
    let mut shop = Shop::new();
    let hour = 60 * MINUTE;
    let counts = |report: &Report| report.checkpoint.as_ref().expect("nothing but what is late").counts();
    let audit = async |bench: &Bench, now: Timestamp, last| {
        audit_at(bench, now).with_checkpoint(last).table().await.expect("the table answers")
    };
    let first = audit(&shop.book.table().await, shop.book.now + hour, None).await;
    // Three openings and a deposit have rows; the transfer has that of alice.
    assert_eq!(counts(&first), (5, 8));
    shop.book.now += hour;
    shop.book.settle();
    let bench = shop.book.table().await;
    let second = audit(&bench, shop.book.now + hour, first.checkpoint).await;
    // Rebates are overdue by now.
    assert_eq!(counts(&second), (9, 8));
    // A row that says something else afterwards, with all the hashes of its wallet.
    let rewritten = Shop::new();
    let mut book = rewritten.book;
    book.now += hour + MINUTE;
    book.settle();
    put(&bench, book.items).await;
    let third = audit(&bench, shop.book.now + hour, second.checkpoint).await;
    assert!(third.findings.iter().any(|finding| finding.check == Check::Checkpoint), "{:#?}", third.findings);
}

#[tokio::test]
async fn of_two_largest_deposits_the_second_stays_and_is_named() {
    let bench = Bench::start().await;
    let shop = bench.shop().await;
    let largest = Money::largest(eur("0").currency()).to_string();
    for _ in 0..2 {
        posted(run(&bench.another(), &bench.deposit(shop, &largest), Strategy::Optimistic).await.0);
    }
    let report = audited(&bench).await;
    assert!(report.is_clean() && report.waiting == 2, "both may come yet: {report:#?}");
    let (Settled { folded, left, .. }, _) = bench.settle(shop).await;
    assert_eq!((folded, left), (1, 1));
    let report = audited(&bench).await;
    let one = audited_alone(&bench, shop).await;
    for report in [report, one] {
        let found: Vec<_> = report.findings.iter().map(|finding| (finding.check, finding.wallet)).collect();
        assert_eq!((found, report.waiting), (vec![(Check::Inbox, Some(shop))], 1), "{:#?}", report.findings);
    }
    // What makes room lets it in.
    let mut usage = Usage::default();
    posted(run(&bench.another(), &bench.withdraw(shop, &largest), Strategy::Optimistic).await.0);
    let settled = bench.another().settle(shop, &mut usage).await.expect("nobody else is there");
    assert_eq!(settled.folded, 1);
    assert!(audited(&bench).await.is_clean());
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_named_and_the_others_are_settled() {
    let mut shop = Shop::new();
    let (item, of) = shop.credit(0);
    *item = with(std::mem::take(item), [("amount", s("1.25"))]);
    let bench = shop.book.table().await;
    let now = shop.book.now + MINUTE;
    let settled = ledger_at(&bench, now).settle(shop.shop, &mut Usage::default()).await.expect("nobody else is there");
    assert_eq!((settled.folded, settled.left), (2, 1));
    let one = alone(&audit_at(&bench, now), shop.shop).await;
    let whole = report_at(&bench, now).await;
    assert_eq!((whole.waiting, one.waiting), (2, 1));
    for report in [whole, one] {
        names(&report.findings, Check::Readable, shop.shop, of, "\"amount\"");
        assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    }
    let (item, _) = shop.credit(0);
    put(&bench, vec![with(item.clone(), [("amount", n("1.25"))])]).await;
    assert!(report_at(&bench, now).await.is_clean(), "what was put right is right");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folds_and_credits_that_go_on_are_no_findings() {
    let bench = Arc::new(Bench::start().await);
    let (alice, shop) = (bench.open("alice", "100000").await, bench.shop().await);
    let stop = Arc::new(AtomicBool::new(false));
    let payers: Vec<_> = (0..2)
        .map(|_| {
            let (bench, stop) = (Arc::clone(&bench), Arc::clone(&stop));
            tokio::spawn(async move {
                let (ledger, mut paid) = (bench.another(), 0_u64);
                while !stop.load(Ordering::Relaxed) {
                    let command =
                        if paid % 7 == 0 { bench.transfer(alice, shop, "0.01") } else { bench.deposit(shop, "1") };
                    paid += u64::from(run(&ledger, &command, Strategy::Optimistic).await.0.is_ok());
                }
                paid
            })
        })
        .collect();
    let folder = {
        let (bench, stop) = (Arc::clone(&bench), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut folded = 0;
            while !stop.load(Ordering::Relaxed) {
                folded += bench.settle(shop).await.0.folded;
            }
            folded
        })
    };
    for _ in 0..8 {
        clean(&audited(&bench).await);
        clean(&audited_alone(&bench, shop).await);
    }
    stop.store(true, Ordering::Relaxed);
    let mut paid = 0;
    for payer in payers {
        paid += payer.await.expect("a payer ends");
    }
    let folded = folder.await.expect("the folder ends");
    assert!(paid > 0 && folded > 0);
    let report = audited(&bench).await;
    let sums = &report.sums["EUR"];
    assert!(report.is_clean() && sums.wallets == sums.balances + sums.waiting, "{report:#?}");
    assert_eq!(folded + report.waiting, paid);
}
