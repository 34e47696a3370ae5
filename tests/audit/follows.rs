//! What is legal is no finding, and what should have followed and did not is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wallet_audit::{Audit, Check};
use wallet_domain::{Change, Status};

use super::book::{Book, audit_at, ledger_at, report_at};
use super::{alone, clean};

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn a_book_of_every_kind_adds_up() {
    let book = Book::full("whole");
    let bench = book.table().await;
    let report = report_at(&bench, book.now + 2 * HOUR).await;
    clean(&report);
    assert_eq!((report.wallets, report.transactions, report.waiting), (6, 45, 0));
}

#[tokio::test]
async fn a_wallet_below_its_floor_by_a_reversal_with_leave_is_legal_until_it_is_back() {
    let mut book = Book::new("below");
    let (alice, bob) = (book.open("alice", "0", "1000"), book.open("bob", "0", "1000"));
    let deposits = [book.deposit(alice, "40"), book.deposit(alice, "10")];
    book.withdraw(alice, "49.50");
    for deposit in &deposits {
        book.reverse(deposit, true);
    }
    // It can be frozen, and it takes what comes, and is still below.
    book.amend(alice, Change { status: Some(Status::Frozen), ..Change::default() });
    let gift = book.deposit(bob, "5");
    book.transfer(bob, alice, "4");
    let bench = book.table().await;
    let report = report_at(&bench, book.now).await;
    clean(&report);
    assert!(report.sums["EUR"].wallets < 0, "{:?}", report.sums);
    let one = alone(&audit_at(&bench, book.now), alice).await;
    clean(&one);
    book.pay(&gift);
}

#[tokio::test]
async fn a_wallet_below_its_floor_otherwise_is_found() {
    // The same debit by a reversal without leave: decided while there was enough, and then the floor is another one.
    let mut book = Book::new("raised");
    let alice = book.open("alice", "-5", "1000");
    let deposit = book.deposit(alice, "40");
    book.withdraw(alice, "4");
    book.reverse(&deposit, false);
    clean(&report_at(&book.table().await, book.now).await);
    for item in book.items.iter_mut().filter(|item| item.contains_key("floor") && item.contains_key("head_hash")) {
        item.insert("floor".to_owned(), super::table::n(0));
    }
    let report = report_at(&book.table().await, book.now).await;
    let found = report.findings.iter().find(|finding| finding.check == Check::Bounds).expect("it is below");
    assert!(found.wallet == Some(alice) && found.difference.contains("no reversal with allow_overdraft"), "{found}");
}

#[tokio::test]
async fn a_rebate_is_overdue_after_an_hour_or_what_was_set() {
    let mut book = Book::new("late");
    let alice = book.open("alice", "0", "1000");
    let unpaid = book.deposit(alice, "100");
    let made = unpaid.created_at;
    // Paid, refused for its minimum, and barred: each has its record.
    let paid = book.deposit(alice, "60");
    book.pay(&paid);
    let small = book.deposit(alice, "1");
    book.pay(&small);
    let reversed = book.deposit(alice, "70");
    book.reverse(&reversed, false);
    let bench = book.table().await;
    clean(&report_at(&bench, made + HOUR).await);
    let whole = report_at(&bench, made + HOUR + Duration::from_secs(1)).await;
    let one = alone(&audit_at(&bench, made + 2 * HOUR), alice).await;
    let soon = audit_at(&bench, made + Duration::from_secs(61)).with_rebate_overdue(Duration::from_secs(60));
    for report in [whole, one, soon.table().await.expect("the table answers")] {
        let found: Vec<_> = report.findings.iter().map(|finding| (finding.check, finding.transaction)).collect();
        assert_eq!(found, [(Check::Overdue, Some(unpaid.id))], "{:#?}", report.findings);
        let rebate = unpaid.rebate().expect("it earns one").to_string();
        assert!(report.findings.iter().all(|finding| finding.difference.contains(&rebate)), "{:#?}", report.findings);
    }
}

/// A deposit that waits is on no statement, and holds back no time of its rebate.
#[tokio::test]
async fn clocks_apart_at_a_months_turn_are_legal_where_credits_wait() {
    let mut book = Book::new("turn, batched");
    book.now = "2026-11-30T23:57:00Z".parse().expect("a time");
    let shop = book.open_shop("shop");
    book.now += Duration::from_secs(4 * 60);
    let december = book.deposit(shop, "100");
    book.now -= Duration::from_secs(4 * 60);
    book.pay(&december);
    let bench = book.table().await;
    clean(&report_at(&bench, book.now).await);
}

/// It begins in November, and in December the wallet has dropped September while it goes on.
#[tokio::test]
async fn an_audit_that_runs_over_a_months_turn_finds_nothing() {
    let mut book = Book::new("long");
    book.now = "2026-09-15T12:00:00Z".parse().expect("a time");
    let alice = book.open("alice", "0", "1000");
    let september = book.deposit(alice, "100");
    book.pay(&september);
    book.now = "2026-12-01T00:00:30Z".parse().expect("a time");
    let december = book.deposit(alice, "100");
    book.pay(&december);
    let bench = book.table().await;
    let (began, now) = ("2026-11-30T23:35:00Z".parse().expect("a time"), book.now);
    let is_asked_first = AtomicBool::new(true);
    let clock = move || if is_asked_first.swap(false, Ordering::Relaxed) { began } else { now };
    let audit = Audit::new(ledger_at(&bench, now).with_clock(Arc::new(clock)), 1);
    clean(&audit.table().await.expect("the table answers"));
}

#[tokio::test]
async fn clocks_apart_at_a_months_turn_are_legal() {
    let mut book = Book::new("turn");
    book.now = "2026-11-30T23:57:00Z".parse().expect("a time");
    let alice = book.open("alice", "0", "1000");
    let november = book.deposit(alice, "100");
    // A function four minutes ahead, then one that is right: the wallet's times stay in December.
    book.now += Duration::from_secs(4 * 60);
    let december = book.deposit(alice, "100");
    book.now -= Duration::from_secs(4 * 60);
    book.pay(&november);
    book.pay(&december);
    book.reverse(&november, false);
    let after = book.deposit(alice, "50");
    book.pay(&after);
    let bench = book.table().await;
    for now in [book.now, book.now + 24 * HOUR, book.now + 100 * 24 * HOUR] {
        clean(&report_at(&bench, now).await);
    }
}
