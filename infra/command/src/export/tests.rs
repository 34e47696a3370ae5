//! hledger goes over the books: an auditor that shares no code with this ledger. Without it, its tests say that they were
//! skipped.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command as Process, Output};

use serde_json::json;
use wallet_domain::{Timestamp, Wallet, WalletId};
use wallet_dynamodb::scan::Scanned;
use wallet_dynamodb::{Ledger, Usage};
use wallet_measure::audit_speed::bulk::fill;
use wallet_stack::template::Template;
use wallet_stack::token::EVERYDAY_SCOPE;
use wallet_stack::{Options, Stack, Stores, TABLE};

use super::Source;
use super::journal::Journal;
use super::sheet::Sheet;
use crate::testing::json;

/// Of a table with 10,000 transactions and some: the bulk writer makes two entries of most.
const ENTRIES: u64 = 17_800;

fn source(ledger: &Ledger) -> Source {
    Source { ledger: ledger.clone(), until: Timestamp::MAX, bar: indicatif::ProgressBar::hidden() }
}

async fn journal(source: &Source, wallet: Option<WalletId>) -> String {
    let mut text = vec![];
    source.export(wallet, &mut Journal::new(&mut text)).await.expect("the table is readable");
    String::from_utf8(text).expect("UTF-8")
}

async fn csv(source: &Source, wallet: Option<WalletId>) -> Vec<BTreeMap<String, String>> {
    let mut text = vec![];
    source.export(wallet, &mut Sheet::new(&mut text)).await.expect("the table is readable");
    csv::Reader::from_reader(&*text).deserialize().collect::<Result<_, _>>().expect("lines of one length")
}

/// Whether hledger is there. Past the harness, which keeps what a test that passes prints.
fn hledger_is_missing() -> bool {
    let missing = Process::new("hledger").arg("--version").output().is_err();
    if missing {
        let told =
            "\n==> a test of `cargo wallet export` SKIPPED: hledger is missing (Debian: apt-get install hledger)\n";
        std::io::stderr().write_all(told.as_bytes()).expect("somebody reads it");
    }
    missing
}

/// What hledger prints of a journal, or what it has against it.
fn hledger(journal: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let file = tempfile::NamedTempFile::with_suffix(".journal").expect("a file");
    std::fs::write(&file, journal).expect("it is written");
    let mut hledger = Process::new("hledger");
    let output = hledger.env("LC_ALL", "C.UTF-8").arg("--file").arg(file.path()).args(arguments).output();
    let Output { status, stdout, stderr } = output.expect("hledger runs");
    if status.success() { Ok(stdout) } else { Err(String::from_utf8_lossy(&stderr).into_owned()) }
}

fn checks(journal: &str) -> Result<(), String> {
    hledger(journal, &["check"]).map(drop)
}

/// What hledger makes of each account that holds anything, in cents. It checks what is asserted first.
fn balances(journal: &str) -> BTreeMap<String, i128> {
    let told = hledger(journal, &["balance", "--flat", "--no-total", "--output-format", "csv"]);
    let told = told.expect("whole books");
    let lines = csv::Reader::from_reader(&*told).into_deserialize::<(String, String)>();
    lines
        .map(|line| {
            let (account, amount) = line.expect("an account and its amount");
            let amount = amount.strip_prefix("EUR ").unwrap_or_else(|| panic!("{account}: {amount}"));
            let (_, decimals) = amount.split_once('.').expect("cents");
            assert_eq!(decimals.len(), 2, "{amount}");
            (account, amount.replace('.', "").parse().expect("a number"))
        })
        .collect()
}

/// The wallets of a table, and the sums of the system accounts' legs, in cents.
async fn figures(ledger: &Ledger) -> (Vec<Wallet>, BTreeMap<String, i128>) {
    let (mut wallets, mut sums, mut from) = (vec![], BTreeMap::new(), None);
    loop {
        let page = ledger.scan(0, 1, from, &mut Usage::default()).await.expect("the table answers");
        for item in page.items {
            match item {
                Scanned::Wallet(wallet) => wallets.push(*wallet),
                Scanned::Transaction(transaction) => {
                    for leg in transaction.legs().iter().filter(|leg| leg.wallet().is_none()) {
                        *sums.entry(leg.account().to_string()).or_default() += leg.amount().minor_units();
                    }
                }
                _ => {}
            }
        }
        from = page.next;
        if from.is_none() {
            return (wallets, sums);
        }
    }
}

/// Transfers with fees, deposits with rebates, withdrawals, reversals and refusals.
#[tokio::test]
async fn hledger_recomputes_a_used_ledger_of_ten_thousand_transactions_to_the_cent() {
    if hledger_is_missing() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.db");
    let filled = fill(&path, ENTRIES, |_| {}).await.expect("the file is filled");
    assert!(filled.transactions >= 10_000, "{filled:?}");
    let stores = Stores::start(&Template::embedded().expect("complete"), Some(&path), 0).await.expect("it is served");
    let ledger = wallet_audit::connect(Some(stores.dynamodb_url()), TABLE).await.expect("an endpoint");
    let text = journal(&source(&ledger), None).await;
    checks(&text).expect("every balance is as asserted");
    assert_eq!(text.matches(", version:").count() as u64, filled.entries + filled.wallets, "each balance is asserted");

    // Nothing is in transit, and no account holds anything but these.
    let (wallets, system) = figures(&ledger).await;
    let money = wallets.iter().map(|wallet| (format!("wallets:{}", wallet.id), wallet.balance.minor_units()));
    let expected: BTreeMap<_, _> = money.filter(|(_, sum)| *sum != 0).chain(system).collect();
    assert_eq!(balances(&text), expected);
    let told = ["external", "fees", "rebates"].map(|account| expected[account].signum());
    assert_eq!((told, expected.values().sum()), ([-1, 1, -1], 0));

    // One wallet by itself: its statement, and what came of each of its transactions.
    let one = &wallets[7];
    let statement = journal(&source(&ledger), Some(one.id)).await;
    let found = balances(&statement);
    assert_eq!(found[&format!("wallets:{}", one.id)], one.balance.minor_units());
    assert!(!found.contains_key(&format!("transit:{}", one.id)) && found.values().sum::<i128>() == 0);
    let lines = csv(&source(&ledger), Some(one.id)).await;
    assert_eq!(lines.len() as u64, one.version + 1);
    assert!(lines.iter().enumerate().all(|(version, line)| line["version"] == version.to_string()));
    assert_eq!(lines.last().expect("an opening at least")["balance_after"], one.balance.to_string());

    // As of a moment amid it all: whole books of then.
    let middle = wallets.iter().map(|wallet| wallet.updated_at).min().expect("a wallet");
    let earlier = Source { until: middle, ..source(&ledger) };
    let text_then = journal(&earlier, None).await;
    let then = balances(&text_then);
    assert!(text_then.len() < text.len() && then.values().sum::<i128>() == 0);
    assert!(!then.keys().any(|account| account.starts_with("transit")), "{then:?}");
    stores.stop().await;

    // It would see what is wrong: a row that is missing, legs that don't sum to zero, a transaction that is missing.
    let without = |what: &str| {
        let at = statement.find(what).unwrap_or_else(|| panic!("no {what:?} in {statement}"));
        let begin = statement[..at].rfind("\n\n").expect("a blank line before each");
        let end = at + statement[at..].find("\n\n").expect("a blank line after each");
        [&statement[..begin], &statement[end..]].concat()
    };
    checks(&without(", version:5\n")).expect_err("a balance is not as asserted");
    checks(&statement.replacen("    fees  EUR 0.01", "    fees  EUR 0.02", 1)).expect_err("it doesn't come to zero");
    let left = balances(&without("\n    external  "));
    assert!(left.contains_key(&format!("transit:{}", one.id)), "a row without its transaction: {left:?}");
}

/// Comments, dates, tags, assertions and account names of hledger, in every text that a caller may choose.
#[tokio::test]
async fn what_callers_write_is_a_comment_and_never_a_part_of_the_books() {
    let nasty = "a; b, date:2020-99-99 [2020-13-45] = EUR 5  \"{x}\" \u{2028} end comment";
    let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("a stack starts");
    let ledger = Ledger::new(stack.own_client(), stack.table());
    let caller = stack.caller(nasty, EVERYDAY_SCOPE);
    let opened = json(caller.post("/v1/wallets", "open", &json!({"currency": "EUR"})).await);
    let wallet: WalletId = opened["id"].as_str().expect("an id").parse().expect("an id");
    let deposit = json!({"amount": "12.5", "currency": "EUR", "reference": nasty});
    let deposit = json(caller.post(&format!("/v1/wallets/{wallet}/deposits"), "deposit", &deposit).await);
    assert_eq!(deposit["status"], "posted");
    let lines = csv(&source(&ledger), None).await;
    assert_eq!((lines[1]["reference"].as_str(), lines[1]["amount"].as_str()), (nasty, "12.50"));
    let text = journal(&source(&ledger), Some(wallet)).await;
    let nobody: WalletId = "wal_00000000000000000000000000000000".parse().expect("an id");
    let missing = source(&ledger).export(Some(nobody), &mut Journal::new(vec![])).await.expect_err("no such wallet");
    assert_eq!(missing.to_string(), format!("there is no {nobody} in table {TABLE:?}"));
    stack.stop().await;
    if hledger_is_missing() {
        return;
    }
    checks(&text).expect("nothing of it is read as more than a comment");
    let expected = [("external".to_owned(), -1_250), (format!("wallets:{wallet}"), 1_250)];
    assert_eq!(balances(&text), BTreeMap::from(expected));
}
