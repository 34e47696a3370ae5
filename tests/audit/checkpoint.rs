//! Checkpoints: what an audit has seen is proved by the next one, and a history that was rewritten with all its hashes is seen.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use wallet_audit::checkpoint::SAFELY_PAST;
use wallet_audit::{Check, Checkpoint, CheckpointError, Report};
use wallet_domain::{Timestamp, WalletId};

use super::book::{Book, audit_at, key_of, put, report_at};
use super::clean;
use crate::ledger::Bench;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A file for checkpoints, in a directory that goes with it.
struct Place {
    _directory: TempDir,
    file: PathBuf,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("checkpoint.json");
        Place { _directory: directory, file }
    }

    /// An audit as the command does it: reads the file, proves it, and moves it on.
    async fn audited(&self, bench: &Bench, now: Timestamp) -> Report {
        let last = Checkpoint::read(&self.file, bench.database.table()).expect("a good file");
        let audit = audit_at(bench, now).with_checkpoint(last);
        let report = audit.table().await.expect("the table answers");
        if let Some(next) = &report.checkpoint {
            next.write(&self.file).expect("it is written");
        }
        report
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).expect("there is a file")
    }
}

/// Two wallets with a transfer, and carol, whose wallet is empty.
fn history(deposited: &str) -> (Book, [WalletId; 3]) {
    let mut book = Book::new("history");
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|owner| book.open(owner, "0", "10000"));
    let deposit = book.deposit(alice, deposited);
    book.pay(&deposit);
    book.transfer(alice, bob, "25");
    (book, [alice, bob, carol])
}

#[track_caller]
fn is_seen(report: &Report, words: &str) {
    let found: Vec<_> = report.findings.iter().filter(|finding| finding.check == Check::Checkpoint).collect();
    assert!(found.len() == 1 && found[0].difference.contains(words), "{words:?} is not in {:#?}", report.findings);
    assert_eq!(report.checkpoint, None, "it stays where it is");
}

#[tokio::test]
async fn a_history_that_goes_on_is_proved_and_moved_on() {
    let (mut book, [alice, ..]) = history("100");
    let (bench, place) = (book.table().await, Place::new());
    let report = place.audited(&bench, book.now + HOUR).await;
    clean(&report);
    let first = report.checkpoint.expect("one is made");
    assert_eq!((first.counts(), first.moment()), ((7, 6), book.now + HOUR - SAFELY_PAST));
    assert_eq!(Checkpoint::read(&place.file, bench.database.table()).expect("a good file"), Some(first));
    let size = place.text().len();
    book.now += HOUR;
    book.withdraw(alice, "5");
    put(&bench, book.items.clone()).await;
    // The withdrawal is too fresh to be covered.
    let report = place.audited(&bench, book.now + SAFELY_PAST / 2).await;
    clean(&report);
    assert_eq!(report.checkpoint.expect("it moves on").counts(), (7, 6));
    let report = place.audited(&bench, book.now + HOUR).await;
    clean(&report);
    assert_eq!(report.checkpoint.expect("it moves on").counts(), (8, 7));
    assert_eq!(place.text().len(), size, "the file stays as large as it was");
    // A clock that was set back moves no checkpoint back.
    let report = place.audited(&bench, book.now).await;
    clean(&report);
    assert_eq!(report.checkpoint.expect("the same").moment(), book.now + HOUR - SAFELY_PAST);
}

#[tokio::test]
async fn a_history_rewritten_with_all_its_hashes() {
    let (book, _) = history("100");
    let (bench, place) = (book.table().await, Place::new());
    let later = book.now + HOUR;
    place.audited(&bench, later).await;
    let kept = place.text();
    // The same keys at the same times, and 900 more: every seal, hash and state is as the ledger would write it.
    put(&bench, history("1000").0.items).await;
    let report = report_at(&bench, later).await;
    assert!(report.is_clean(), "nothing else sees it: {:#?}", report.findings);
    let report = place.audited(&bench, later + HOUR).await;
    is_seen(&report, "the 7 entries and 6 transactions up to 2026-11-21T");
    assert_eq!(place.text(), kept);
    is_seen(&place.audited(&bench, later + HOUR).await, "are not those that an earlier audit saw");
    put(&bench, book.items).await;
    assert!(place.audited(&bench, later + HOUR).await.is_clean(), "what was put right is right");
}

#[tokio::test]
async fn a_wallet_removed_with_all_that_it_ever_did() {
    let (book, [_, _, carol]) = history("100");
    let (bench, place) = (book.table().await, Place::new());
    place.audited(&bench, book.now + HOUR).await;
    let client = bench.database.client();
    for item in &book.items {
        let opens = item.get("wallet_id").is_some_and(|id| id.as_s() == Ok(&carol.to_string()));
        if opens || key_of(item).0.ends_with(&carol.to_string()) {
            let delete = client.delete_item().table_name(bench.database.table());
            let gone = delete.key("PK", item["PK"].clone()).key("SK", item["SK"].clone()).send().await;
            gone.expect("the table takes it");
        }
    }
    let report = report_at(&bench, book.now + HOUR).await;
    assert!(report.is_clean(), "nothing else sees it: {:#?}", report.findings);
    let words = "an earlier audit saw 7 entries and 6 transactions, and now there are 6 entries and 5 transactions";
    is_seen(&place.audited(&bench, book.now + 2 * HOUR).await, words);
}

#[tokio::test]
async fn something_slipped_in_before_the_moment() {
    let (mut book, [alice, ..]) = history("100");
    let (bench, place) = (book.table().await, Place::new());
    let later = book.now + HOUR;
    place.audited(&bench, later).await;
    book.withdraw(alice, "5");
    put(&bench, book.items).await;
    assert!(report_at(&bench, later).await.is_clean(), "nothing else sees it");
    is_seen(&place.audited(&bench, later).await, "now there are 8 entries and 7 transactions");
}

#[tokio::test]
async fn what_is_wrong_is_not_sealed_as_right_and_what_is_late_is_no_reason_to_stay() {
    let (mut book, [alice, ..]) = history("100");
    book.deposit(alice, "60");
    let (bench, place) = (book.table().await, Place::new());
    let report = place.audited(&bench, book.now + 2 * HOUR).await;
    assert!(report.findings.iter().all(|finding| finding.check == Check::Overdue), "{:#?}", report.findings);
    assert_eq!((report.count(), report.checkpoint.map(|next| next.counts())), (1, Some((8, 7))));
    let mut wallet = book.items.iter().find(|item| key_of(item).1 == "WALLET").expect("there is one").clone();
    wallet.insert("owner".to_owned(), super::table::s("mallory"));
    put(&bench, vec![wallet]).await;
    assert_eq!(place.audited(&bench, book.now + 3 * HOUR).await.checkpoint, None);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_told_and_left_alone() {
    let (book, _) = history("100");
    let (bench, place) = (book.table().await, Place::new());
    let (table, read) = (bench.database.table(), |table: &str| Checkpoint::read(&place.file, table));
    assert!(read(table).expect("none is no error").is_none());
    place.audited(&bench, book.now + HOUR).await;
    let good = place.text();
    let told = |table: &str, text: &str| {
        std::fs::write(&place.file, text).expect("it is written");
        let told = read(table).expect_err("not to be used");
        assert_eq!(place.text(), text);
        told
    };
    let error = told("another", &good);
    assert!(matches!(error, CheckpointError::AnotherTable { .. }), "{error}");
    assert_eq!(error.to_string(), format!("the checkpoint is of the table {table:?}, and the audit of \"another\""));
    let error = told(table, &good.replace("\"format\": 1", "\"format\": 2"));
    assert!(matches!(error, CheckpointError::Newer(2)) && error.to_string().contains("newer version"), "{error}");
    let flipped = good.replacen("\"entries\": 7", "\"entries\": 8", 1);
    assert_ne!(flipped, good);
    for damaged in
        ["", "{}", "null", &good[..good.len() / 2], &flipped, &good.replace("\"format\": 1", "\"format\": 0")]
    {
        let error = told(table, damaged);
        assert!(
            matches!(error, CheckpointError::Damaged) && error.to_string().contains("no whole checkpoint"),
            "{error}"
        );
    }
    // An audit that was interrupted while it wrote leaves a part of a file beside the whole one.
    std::fs::write(&place.file, &good).expect("it is written");
    std::fs::write(place.file.with_file_name("checkpoint.json.new"), &good[..9]).expect("it is written");
    assert!(place.audited(&bench, book.now + 2 * HOUR).await.checkpoint.is_some());
    assert!(read(table).expect("a good file").is_some_and(|next| next.moment() == book.now + 2 * HOUR - SAFELY_PAST));
}
