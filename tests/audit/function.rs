//! The audit as a schedule calls it: an event in; a report, metrics and lines of the log out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Context, Error, LambdaEvent};
use serde_json::{Value, json};
use wallet_audit::function::{Auditor, handle, metrics};
use wallet_audit::{Check, Report};
use wallet_dynamodb::Ledger;
use wallet_lambda::{App, Metric, Settings, Unit};

use super::audited;
use super::table::{Item, Table, n, s, with, with_leg};
use crate::security::lines::Log;

/// The lines with `code` since this was asked last.
fn lines(log: &Log, code: &str) -> Vec<Value> {
    log.take_lines().into_iter().filter(|line| line["code"] == code).collect()
}

pub(crate) fn auditor(ledger: Ledger, pace: Option<&str>) -> Result<Auditor, Error> {
    let settings = Settings::from_vars(|name| (name == "TABLE_NAME").then(|| ledger.table().to_owned()));
    let app = App::new(ledger, settings.expect("good settings"));
    Auditor::new(app, |name| pace.filter(|_| name == "AUDIT_READ_UNITS_PER_SECOND").map(str::to_owned))
}

/// An event of EventBridge's schedule, and the time until Lambda would end the call.
pub(crate) async fn called(auditor: &Auditor, left: Duration) -> Result<Value, Error> {
    let mut context = Context::default();
    "c6af9ac6-7b61-11e6-9a41-93e8deadbeef".clone_into(&mut context.request_id);
    #[expect(clippy::disallowed_methods, reason = "Lambda's deadline is by the clock")]
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + left;
    context.deadline = u64::try_from(deadline.as_millis()).expect("a date of this age");
    let event = json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-21T03:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/wallets-AuditFunctionTime"],
        "detail": {},
    });
    handle(auditor, LambdaEvent::new(event, context)).await
}

pub(crate) const AMPLE: Duration = Duration::from_secs(900);

#[track_caller]
fn value(report: &Report, name: &str) -> u64 {
    let found = metrics(report, 12).into_iter().find(|metric| metric.name == name);
    found.unwrap_or_else(|| panic!("{name} is among the metrics")).value
}

#[tokio::test]
async fn a_sound_table_is_reported_as_such() {
    let table = Table::start().await;
    let log = Log::start("");
    let auditor = auditor(table.bench.another(), None).expect("good settings");
    let answer = called(&auditor, AMPLE).await.expect("it got to its end");
    assert_eq!((&answer["clean"], &answer["entries"]), (&json!(true), &json!(8)), "{answer}");
    assert!(answer["read_units"].as_u64() > Some(0), "{answer}");
    assert!(log.take_lines().iter().all(|line| line["level"] == "INFO"), "nothing is wrong");
    let report = audited(&table.bench).await;
    let [wallets, entries, transactions] = ["Wallets", "Entries", "Transactions"].map(|name| value(&report, name));
    assert_eq!((wallets, entries, transactions), (2, 8, 8));
    assert_eq!((value(&report, "Findings"), value(&report, "Imbalance")), (0, 0));
    assert!(metrics(&report, 12).contains(&Metric { name: "Duration", unit: Unit::Milliseconds, value: 12 }));
}

#[tokio::test]
async fn each_finding_has_a_line_that_names_it() {
    let table = Table::start().await;
    table.put(with(table.wallet_item().await, [("balance", n("75.51"))])).await;
    table.put(with_leg(table.record(table.deposit.id).await, "-100", "0")).await;
    let log = Log::start("");
    let auditor = auditor(table.bench.another(), None).expect("good settings");
    let answer = called(&auditor, AMPLE).await.expect("findings are no failure");
    assert_eq!(answer["clean"], json!(false));
    let found = lines(&log, "audit_finding");
    let named = |check: Check, field: &str, id: String| {
        found.iter().any(|line| line["check"] == check.as_str() && line[field] == json!(id) && line["level"] == "ERROR")
    };
    assert!(named(Check::Wallet, "wallet_ids", table.alice.to_string()), "{found:#?}");
    assert!(named(Check::Legs, "transaction_id", table.deposit.id.to_string()), "{found:#?}");
    assert!(found.iter().all(|line| line["request_id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"), "{found:#?}");
    assert!(found.iter().any(|line| line["cause"].as_str().is_some_and(|cause| cause.contains("off by 0.01"))));
    let report = audited(&table.bench).await;
    assert_eq!(value(&report, "Findings"), found.len() as u64);
    assert_eq!(value(&report, "Imbalance"), 10_000, "100.00 came out of nowhere");
}

#[tokio::test]
async fn more_findings_than_the_log_takes_are_counted() {
    let table = Table::start().await;
    for number in 0..103 {
        table.put(Item::from([("PK".to_owned(), s(format!("JUNK#{number}"))), ("SK".to_owned(), s("x"))])).await;
    }
    let log = Log::start("");
    let auditor = auditor(table.bench.another(), None).expect("good settings");
    let answer = called(&auditor, AMPLE).await.expect("findings are no failure");
    assert_eq!(lines(&log, "audit_finding").len(), 100);
    assert_eq!(answer["findings"].as_array().map(Vec::len), Some(100));
    assert_eq!(answer["findings_not_listed"], json!(3));
    assert_eq!(value(&audited(&table.bench).await, "Findings"), 103);
}

#[tokio::test]
async fn a_run_that_does_not_get_to_its_end_fails() {
    let table = Table::start().await;
    let log = Log::start("");
    let slow = auditor(table.bench.another(), Some("1")).expect("good settings");
    let error = called(&slow, Duration::from_millis(5_100)).await.expect_err("the time is over").to_string();
    assert!(error.contains("the time was over after"), "{error}");
    let elsewhere = Ledger::new(table.bench.database.client(), "another-table");
    let missing = auditor(elsewhere, None).expect("good settings");
    let error = called(&missing, AMPLE).await.expect_err("there is no such table").to_string();
    assert!(error.contains("ResourceNotFound"), "{error}");
    assert_eq!(lines(&log, "audit_failed").len(), 2);
}

#[tokio::test]
async fn a_wrong_pace_is_told_at_the_start() {
    let table = Table::start().await;
    for wrong in ["0", "-1", "fast"] {
        let error = auditor(table.bench.another(), Some(wrong)).err().expect("no pace").to_string();
        assert!(error.starts_with("AUDIT_READ_UNITS_PER_SECOND") && error.contains(wrong), "{error}");
    }
    assert!(auditor(table.bench.another(), Some("")).is_ok());
}
