//! The audit as a function that a schedule calls: metrics of the outcome, and a line in the log for each finding.
//!
//! Findings do not fail the function. A run that does not get to its end does, and writes no metrics, so that what was not
//! audited never looks clean. So does a run whose checkpoint cannot be read or kept.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;
use wallet_lambda::{App, Metric, Unit, emit};

use crate::bucket::{Bucket, BucketError};
use crate::{Audit, Checkpoint, Finding, Progress, REBATE_OVERDUE, Report};

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
    rebate_overdue: Duration,
    keeper: Keeper,
}

/// Where checkpoints are kept.
enum Keeper {
    Nowhere,
    /// In the bucket of this name, at this endpoint if one is set, with the environment's credentials.
    Named(String, Option<String>),
    Ready(Bucket),
}

impl Auditor {
    /// Audits the table of `app`, as the variables say that `get` answers with: `AUDIT_READ_UNITS_PER_SECOND` is its pace,
    /// `AUDIT_REBATE_OVERDUE_MINUTES` how long a rebate may take, `CHECKPOINT_BUCKET` where checkpoints are kept.
    ///
    /// # Errors
    /// When a number is no whole number above zero.
    pub fn new(app: App, get: impl Fn(&str) -> Option<String>) -> Result<Auditor, Error> {
        let set = |name| get(name).filter(|value| !value.is_empty());
        let number = |name, what| {
            let parsed = set(name).map(|text| {
                text.parse::<NonZeroU32>()
                    .map_err(|_| format!("{name}: {text:?} is no {what}; write a whole number, at least 1"))
            });
            parsed.transpose()
        };
        let pace = number("AUDIT_READ_UNITS_PER_SECOND", "pace in read units")?;
        let minutes = number("AUDIT_REBATE_OVERDUE_MINUTES", "number of minutes")?;
        let rebate_overdue =
            minutes.map_or(REBATE_OVERDUE, |minutes| Duration::from_secs(60 * u64::from(minutes.get())));
        let endpoint = || ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].into_iter().find_map(set);
        let keeper = set("CHECKPOINT_BUCKET").map_or(Keeper::Nowhere, |name| Keeper::Named(name, endpoint()));
        Ok(Auditor { app, pace, rebate_overdue, keeper })
    }

    /// The same, keeping its checkpoints in `bucket`.
    #[must_use]
    pub fn with_bucket(self, bucket: Bucket) -> Auditor {
        Auditor { keeper: Keeper::Ready(bucket), ..self }
    }

    /// Audits the table, with the newest checkpoint if any are kept, and adds the next one.
    async fn audited(&self, progress: Progress) -> Result<Kept, Error> {
        let ledger = self.app.ledger();
        let audit =
            Audit::new(ledger.clone(), SEGMENTS).with_progress(progress).with_rebate_overdue(self.rebate_overdue);
        let audit = self.pace.map_or(audit.clone(), |pace| audit.with_pace(pace));
        let connected;
        let bucket = match &self.keeper {
            Keeper::Nowhere => {
                return Ok(Kept { report: audit.table().await?, kept: Ok(()) });
            }
            Keeper::Named(name, endpoint) => {
                connected = Bucket::connect(name, endpoint.as_deref(), ledger.table()).await?;
                &connected
            }
            Keeper::Ready(bucket) => bucket,
        };
        let newest = bucket.newest(ledger.now()).await?;
        let last = newest.map(|text| Checkpoint::parse(&text, ledger.table())).transpose();
        let last = last.map_err(|error| format!("the newest object in the bucket of checkpoints: {error}"))?;
        let moment = last.as_ref().map(Checkpoint::moment);
        let report = audit.with_checkpoint(last).table().await?;
        let next = report.checkpoint.as_ref().filter(|next| Some(next.moment()) != moment);
        let kept = match next {
            Some(next) => bucket.add(next.moment(), next.to_text(), ledger.now()).await,
            None => Ok(()),
        };
        Ok(Kept { report, kept })
    }
}

/// A table that was audited, and whether its checkpoint was kept.
struct Kept {
    report: Report,
    kept: Result<(), BucketError>,
}

/// Audits the table, whatever the schedule's event says, and answers with the report.
///
/// # Errors
/// When the table cannot be read, or the time is over before the table is.
pub async fn handle(auditor: &Auditor, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (started, request_id) = (Instant::now(), event.context.request_id.as_str());
    let gone_through = Arc::new(AtomicU64::new(0));
    let progress: Progress = Arc::new({
        let gone_through = Arc::clone(&gone_through);
        move |items| {
            gone_through.fetch_add(items as u64, Ordering::Relaxed);
        }
    });
    let outcome = match tokio::time::timeout(left(event.context.deadline()), auditor.audited(progress)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let items = gone_through.load(Ordering::Relaxed);
            Err(format!(
                "the time was over after {items} items: run `cargo wallet audit` from a machine, which has as long as it takes"
            )
            .into())
        }
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let failed = |cause: Error| {
        tracing::error!(function = NAME, request_id, code = "audit_failed", %cause, duration_ms, "done");
        cause
    };
    let Kept { report, kept } = outcome.map_err(failed)?;
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
        waiting = report.waiting,
        waiting_ms = report.waiting_ms,
        read_units = report.read_units,
        duration_ms,
        "done"
    );
    // A clean run whose checkpoint was not kept writes no metrics, so that the alarm for missing runs rings. With findings,
    // theirs does.
    if kept.is_ok() || !report.is_clean() {
        emit(&metrics(&report, duration_ms));
    }
    kept.map_err(|error| failed(error.into()))?;
    Ok(answer(report))
}

/// What CloudWatch is told of a run that got to its end.
#[must_use]
pub fn metrics(report: &Report, duration_ms: u64) -> [Metric; 9] {
    let count = |name, value| Metric { name, unit: Unit::Count, value };
    [
        count("Findings", report.count()),
        count("Imbalance", u64::try_from(report.imbalance()).unwrap_or(u64::MAX)),
        count("Wallets", report.wallets),
        count("Entries", report.entries),
        count("Transactions", report.transactions),
        count("Waiting", report.waiting),
        Metric { name: "WaitingAge", unit: Unit::Milliseconds, value: report.waiting_ms },
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
