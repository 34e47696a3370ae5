//! The audit: a table made by real commands adds up, and each kind of damage is found with its wallet and version.
//!
//! Damage is done with the SDK's own writes, past the ledger, which has none that could.

mod book;
mod checkpoint;
mod damage;
mod every;
mod follows;
mod function;
mod inbox;
mod kept;
mod months;
mod reversed;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_audit::{Audit, Check, Report};
use wallet_domain::{
    Authorise, Change, Command, Expected, HOLD_LIFETIME, LONGEST_WAIT, SignedDuration, Terms, TransactionId, WalletId,
    Withdraw,
};
use wallet_dynamodb::{Strategy, Usage};

use crate::ledger::{Bench, amendment, order, until_done};
use table::{Table, n, s, with};

async fn audited(bench: &Bench) -> Report {
    Audit::new(bench.another(), 3).table().await.expect("the table answers")
}

/// The audit of one wallet.
async fn audited_alone(bench: &Bench, wallet: WalletId) -> Report {
    alone(&Audit::new(bench.another(), 1), wallet).await
}

async fn alone(audit: &Audit, wallet: WalletId) -> Report {
    audit.wallet(wallet).await.expect("the table answers").expect("the wallet exists")
}

#[track_caller]
fn clean(report: &Report) {
    assert!(report.is_clean(), "{:#?}", report.findings);
}

#[tokio::test]
async fn what_the_ledger_writes_adds_up() {
    let table = Table::start().await;
    let report = audited(&table.bench).await;
    clean(&report);
    assert_eq!((report.wallets, report.entries, report.transactions), (2, 8, 8));
    let lines = report.sums["EUR"].lines().map(|(name, sum)| format!("{name} {sum}"));
    let wallets = ["wallets 140.50", "total 0.00", "waiting 0.00", "balances 140.50"];
    assert_eq!(lines, [&["external -140.00", "fees 0.50", "rebates -1.00"][..], &wallets].concat()[..]);
    let one = audited_alone(&table.bench, table.alice).await;
    clean(&one);
    assert_eq!((one.wallets, one.entries), (1, 5));
    let json = report.to_json();
    assert_eq!((&json["clean"], &json["sums"]["EUR"]["fees"]), (&true.into(), &"0.50".into()));
}

#[tokio::test]
async fn an_audit_tells_how_many_items_there_are_and_how_many_it_has_read() {
    let (table, read) = (Table::start().await, Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&read);
    let audit = Audit::new(table.bench.another(), 3)
        .with_progress(Arc::new(move |items| _ = counted.fetch_add(items, Ordering::Relaxed)));
    // Two wallets, their eight entries, eight transactions.
    assert_eq!(audit.items().await, Some(18));
    audit.table().await.expect("the table answers");
    assert_eq!(read.load(Ordering::Relaxed), 18);
    let nowhere = wallet_audit::connect(Some("http://127.0.0.1:1"), "wallets").await.expect("an address");
    assert_eq!(Audit::new(nowhere, 1).items().await, None);
}

#[tokio::test]
async fn a_wallet_that_is_not_there_is_said_to_be_so() {
    let table = Table::start().await;
    let missing = format!("wal_{:032}", 0).parse().expect("an id");
    let audit = Audit::new(table.bench.another(), 1);
    assert!(audit.wallet(missing).await.expect("the table answers").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_in_use_adds_up_at_every_moment() {
    let bench = Arc::new(Bench::start().await);
    let mut wallets = vec![];
    for number in 0..4 {
        wallets.push(bench.open("alice", &format!("{}", 1_000 + number)).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|number| {
            let (bench, stop, wallets) = (Arc::clone(&bench), Arc::clone(&stop), wallets.clone());
            tokio::spawn(async move {
                let (ledger, mut moved) = (bench.another(), number);
                while !stop.load(Ordering::Relaxed) {
                    let transfer = bench.transfer(wallets[moved % 4], wallets[(moved + 1 + moved / 4 % 3) % 4], "0.01");
                    let _ = until_done(&ledger, &transfer, Strategy::Optimistic).await;
                    moved += 1;
                }
                moved - number
            })
        })
        .collect();
    for _ in 0..8 {
        let report = audited(&bench).await;
        clean(&report);
        for wallet in &wallets {
            clean(&audited_alone(&bench, *wallet).await);
        }
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.expect("a writer ends") > 0);
    }
    let report = audited(&bench).await;
    assert!(report.is_clean() && report.sums["EUR"].wallets == report.sums["EUR"].balances, "{report:#?}");
}

/// What one commit wrote of several transfers is one item of their payer's statement, and each leg is found in it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_together_is_found_leg_by_leg() {
    let bench = Bench::start().await;
    let alice = bench.open("alice", "10").await;
    let (bob, carol) = (bench.open("bob", "0").await, bench.open("carol", "0").await);
    let commands = [bob, carol, bob].map(|payee| bench.transfer(alice, payee, "1"));
    let done = bench.another().execute_together(&commands, &mut Usage::default()).await;
    assert_eq!(done.len(), commands.len());
    for wallet in [alice, bob, carol] {
        clean(&audited_alone(&bench, wallet).await);
    }
}

/// Queued requests of which no wallet refused one: there is none, it is a stranger's, nobody asked it in time. Their records
/// name a wallet that is not there, or not of their owner.
#[tokio::test]
async fn what_no_wallet_refused_is_its_callers() {
    let table = Table::start().await;
    let (bench, missing) = (&table.bench, format!("wal_{:032}", 9).parse().expect("an id"));
    let stranger = Withdraw { order: order("mallory", bench.key(), "1"), wallet: table.alice };
    let ledger = bench.another();
    let late = LONGEST_WAIT + SignedDuration::from_secs(1);
    for (command, ago, code) in [
        (bench.withdraw(missing, "1"), SignedDuration::ZERO, "wallet_not_found"),
        (Command::Withdraw(stranger), SignedDuration::ZERO, "wallet_not_found"),
        (bench.deposit(table.alice, "1"), late, "request_expired"),
        (bench.withdraw(missing, "1"), late, "request_expired"),
    ] {
        let request = command.request(ledger.now() - ago).expect("it can be carried out").expect("it may wait");
        ledger.accept(&request, None, &mut Usage::default()).await.expect("accepted");
        let terms = Terms { rules: [].into(), fee: None };
        let done = ledger.resume(request.id, &terms, Strategy::Optimistic, &mut Usage::default()).await;
        assert_eq!(crate::ledger::refusal(&done.expect("an answer").expect("it waits")), Some(code));
        clean(&audited(bench).await);
        let mut record = table.record(request.id).await;
        let untouched = record.clone();
        let Some(AttributeValue::M(refusal)) = record.get_mut("refusal") else { panic!("it was refused") };
        refusal.insert("owner".to_owned(), s("carol"));
        table.put(record).await;
        finds_in(&table, request.id, Check::Refusal, "no wallet refused it, and its owner is carol").await;
        table.put(untouched).await;
    }
}

/// `If-Match: *`: its id is the key's, and not that of its wallet's version.
#[tokio::test]
async fn an_amendment_that_a_key_names_adds_up() {
    let (bench, alice) = Bench::with_one("10").await;
    let change = Change { transfers_per_minute: Some(Some(5)), ..Change::default() };
    bench.post(&amendment(alice, Expected::Any(bench.key()), change)).await;
    clean(&audited(&bench).await);
    clean(&audited_alone(&bench, alice).await);
}

/// By the audit of the table, and of the wallet by itself.
#[tokio::test]
async fn a_hold_is_what_its_transactions_make_of_it() {
    let table = Table::start().await;
    let (bench, alice) = (&table.bench, table.alice);
    let order = order("alice", bench.key(), "5");
    let hold = Authorise { order, source: alice, destination: None, expires_in: HOLD_LIFETIME, fee: None };
    let hold = bench.post(&Command::Authorise(hold)).await;
    clean(&audited_alone(bench, alice).await);
    let finds = async |wallet, words: &str| {
        for report in [audited(bench).await, audited_alone(bench, wallet).await] {
            let found = report.findings.iter().any(|finding| finding.difference.contains(words));
            assert!(found, "{words} is not among {:#?}", report.findings);
        }
    };
    let place = format!("HOLD#{:013}#{}", hold.created_at.as_millisecond(), hold.id);
    let item = table.item(&format!("WALLET#{alice}"), &place).await;
    table.put(with(item.clone(), [("captured", n(1))])).await;
    finds(alice, "its item says active with 1.00").await;
    table.put(with(item.clone(), [("status", s("gone"))])).await;
    finds(alice, "is missing or not readable").await;
    table.put(item.clone()).await;
    clean(&audited(bench).await);
    // The same of a wallet that is not there, in the same share of the index.
    let text = alice.to_string();
    let nobody = format!("wal_{:031}{}", 0, text.chars().last().expect("digits"));
    table.put(with(item, [("PK", s(format!("WALLET#{nobody}")))])).await;
    finds(nobody.parse().expect("an id"), "whose money it keeps back, is missing").await;
}

/// Whether the whole table's audit, and the wallet's own, find `check` at the wallet's `version`.
async fn finds(table: &Table, check: Check, version: u64) {
    let wallet = table.alice;
    for report in [audited(&table.bench).await, audited_alone(&table.bench, wallet).await] {
        let found = report
            .findings
            .iter()
            .any(|finding| (finding.wallet, finding.version, finding.check) == (Some(wallet), Some(version), check));
        assert!(found, "{} at version {version} is not among {:#?}", check.as_str(), report.findings);
        let same = |finding: &wallet_audit::Finding| finding.wallet.is_none_or(|found| found == wallet);
        assert!(report.findings.iter().all(same), "another wallet is blamed: {:#?}", report.findings);
    }
}

/// Whether the whole table's audit finds `check` in the transaction, in words that hold `words`.
async fn finds_in(table: &Table, transaction: TransactionId, check: Check, words: &str) {
    let report = audited(&table.bench).await;
    let found = report.findings.iter().any(|finding| {
        finding.transaction == Some(transaction) && finding.check == check && finding.difference.contains(words)
    });
    assert!(found, "{} of {transaction} is not among {:#?}", check.as_str(), report.findings);
}
