//! The audit as a function that a schedule calls: metrics of the outcome, and a line in the log for each finding.
//!
//! Findings are no failure of the function. A run that did not get to its end is one: it writes no metrics, so that what
//! was not audited never looks clean.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;
use wallet_lambda::{App, Metric, Unit, emit};

use crate::{Audit, Finding, Report};

/// The function's name.
pub const NAME: &str = "audit";

/// Findings with a line of their own in the log, and in the answer. `wallet audit` lists more.
const MAX_LOGGED: usize = 100;
/// Parts of the table that are read side by side.
const SEGMENTS: u32 = 4;
/// Kept back from Lambda's time-out, to still say that the time is over.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What each run works with.
pub struct Auditor {
    app: App,
    pace: Option<NonZeroU32>,
}

impl Auditor {
    /// Audits the table of `app`; `AUDIT_READ_UNITS_PER_SECOND`, of the variables that `get` answers with, is its pace.
    ///
    /// # Errors
    /// When the variable is no whole number above zero.
    pub fn new(app: App, get: impl Fn(&str) -> Option<String>) -> Result<Auditor, Error> {
        let name = "AUDIT_READ_UNITS_PER_SECOND";
        let set = get(name).filter(|value| !value.is_empty());
        let parsed = set.map(|text| {
            text.parse()
                .map_err(|_| format!("{name}: {text:?} is no pace; write a whole number of read units, at least 1"))
        });
        Ok(Auditor { app, pace: parsed.transpose()? })
    }
}

/// Audits the table, whatever the schedule's event says, and answers with the report.
///
/// # Errors
/// When the table cannot be read, or the time is over before the table is.
pub async fn handle(auditor: &Auditor, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (started, request_id) = (Instant::now(), event.context.request_id.as_str());
    let gone_through = Arc::new(AtomicU64::new(0));
    let audit = Audit::new(auditor.app.ledger().clone(), SEGMENTS).with_progress(Arc::new({
        let gone_through = Arc::clone(&gone_through);
        move |items| {
            gone_through.fetch_add(items as u64, Ordering::Relaxed);
        }
    }));
    let audit = auditor.pace.map_or(audit.clone(), |pace| audit.with_pace(pace));
    let outcome = match tokio::time::timeout(left(event.context.deadline()), audit.table()).await {
        Ok(outcome) => outcome.map_err(|fault| fault.to_string()),
        Err(_) => {
            let items = gone_through.load(Ordering::Relaxed);
            Err(format!(
                "the time was over after {items} items: run `cargo wallet audit` from a machine, which has as long as it takes"
            ))
        }
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let report = outcome.map_err(|cause| {
        tracing::error!(function = NAME, request_id, code = "audit_failed", cause, duration_ms, "done");
        cause
    })?;
    for finding in report.findings.iter().take(MAX_LOGGED) {
        log(finding, request_id);
    }
    tracing::info!(
        function = NAME,
        request_id,
        findings = report.count(),
        wallets = report.wallets,
        entries = report.entries,
        transactions = report.transactions,
        read_units = report.read_units,
        duration_ms,
        "done"
    );
    emit(&metrics(&report, duration_ms));
    Ok(answer(report))
}

/// What CloudWatch is told of a run that got to its end.
#[must_use]
pub fn metrics(report: &Report, duration_ms: u64) -> [Metric; 7] {
    let count = |name, value| Metric { name, unit: Unit::Count, value };
    [
        count("Findings", report.count()),
        count("Imbalance", u64::try_from(report.imbalance()).unwrap_or(u64::MAX)),
        count("Wallets", report.wallets),
        count("Entries", report.entries),
        count("Transactions", report.transactions),
        count("ReadUnits", report.read_units),
        Metric { name: "Duration", unit: Unit::Milliseconds, value: duration_ms },
    ]
}

fn left(deadline: SystemTime) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the edge's clock")]
    let now = SystemTime::now();
    deadline.duration_since(now).unwrap_or_default().saturating_sub(LAST_WORDS)
}

fn log(finding: &Finding, request_id: &str) {
    tracing::error!(
        function = NAME,
        request_id,
        code = "audit_finding",
        check = finding.check.as_str(),
        wallet_ids = finding.wallet.map(|id| id.to_string()),
        version = finding.version,
        transaction_id = finding.transaction.map(|id| id.to_string()),
        cause = finding.difference,
        "finding"
    );
}

/// The report with no more findings than the log has.
fn answer(mut report: Report) -> Value {
    let beyond = report.findings.iter().nth(MAX_LOGGED).cloned();
    if let Some(beyond) = beyond {
        report.unlisted += report.findings.split_off(&beyond).len() as u64;
    }
    report.to_json()
}
