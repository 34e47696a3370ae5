//! Metrics: one line per request or queue record in CloudWatch's embedded metric format, which CloudWatch reads out of
//! the log by itself.
//!
//! Writes nothing unless the deployment names a namespace. Never holds an id: its dimensions are the function and the
//! strategy, and each name with each pair of them is a metric that somebody pays for. No I/O but standard output.

use std::io::{self, Write as _};
use std::sync::OnceLock;

pub use metrics::Unit;
use metrics_cloudwatch_embedded::{Builder, Collector};
use wallet_dynamodb::{Strategy, Usage};

/// Set once at start. A function works on one request at a time, so what it holds is always of one request.
static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

// Values of each request are kept apart, zeros too, so that averages and percentiles are over requests.
const ATTEMPTS: &str = "Attempts";
const CONFLICTS: &str = "Conflicts";
const LOCK_WAIT: &str = "LockWait";
const CALLS: &str = "DynamoDbCalls";
const WRITE_UNITS: &str = "ConsumedWriteUnits";
const READ_UNITS: &str = "ConsumedReadUnits";
/// Followed by the code: a metric of its own for each code, which costs nothing until the code occurs.
const REFUSED: &str = "Refused/";

/// Writes metrics from now on, if there is a `namespace` for them.
pub(crate) fn start(function: &'static str, namespace: Option<&str>) -> Result<(), lambda_runtime::Error> {
    if let Some(namespace) = namespace {
        let collector = collector(function, namespace)?;
        COLLECTOR.set(collector).map_err(|_| "the metrics were started twice")?;
    }
    Ok(())
}

/// Writes the metrics of one request or queue record. `code` is of what kept it from being done.
pub(crate) fn write(strategy: Option<Strategy>, usage: &Usage, code: Option<&str>) {
    let Some(collector) = COLLECTOR.get() else { return };
    record(strategy, usage, code);
    flush(collector);
}

/// A value of a function's own, such as the audit's findings. Its only dimension is the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in CloudWatch.
    pub name: &'static str,
    /// The unit of the value.
    pub unit: Unit,
    /// Written as 4,294,967,295 where it is more.
    pub value: u64,
}

/// Writes a function's own metrics on one line, if the deployment names a namespace for them.
pub fn emit(found: &[Metric]) {
    let Some(collector) = COLLECTOR.get() else { return };
    record_own(found);
    flush(collector);
}

fn flush(collector: &Collector) {
    let mut text = Vec::new();
    // In one piece, so that no log line gets in between. A request whose metrics cannot be written is answered all the same.
    let written = collector.flush(&mut text).and_then(|()| io::stdout().write_all(&text));
    if let Err(error) = written {
        tracing::warn!("metrics were not written: {error}");
    }
}

fn collector(function: &'static str, namespace: &str) -> Result<&'static Collector, lambda_runtime::Error> {
    let builder = Builder::new().cloudwatch_namespace(namespace.to_owned()).with_dimension("Function", function);
    let collector = builder.init()?;
    for name in [ATTEMPTS, CONFLICTS, CALLS, WRITE_UNITS, READ_UNITS] {
        metrics::describe_histogram!(name, Unit::Count, "");
    }
    metrics::describe_histogram!(LOCK_WAIT, Unit::Milliseconds, "");
    Ok(collector)
}

/// Capacity units from halves, rounded up: an index read of up to 4 KB costs half a unit.
pub(crate) fn whole(half_units: u64) -> u64 {
    half_units.div_ceil(2)
}

fn record(strategy: Option<Strategy>, usage: &Usage, code: Option<&str>) {
    let strategy = strategy.map_or("none", Strategy::as_str);
    for (name, value) in [
        (ATTEMPTS, usage.attempts.into()),
        (CONFLICTS, usage.conflicts.into()),
        (LOCK_WAIT, usage.lock_wait_ms),
        (CALLS, usage.calls.into()),
        (WRITE_UNITS, whole(usage.write_half_units())),
        (READ_UNITS, whole(usage.read_half_units())),
    ] {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        metrics::histogram!(name, "Strategy" => strategy).record(value);
    }
    if let Some(code) = code {
        metrics::counter!(format!("{REFUSED}{code}"), "Strategy" => strategy).increment(1);
    }
}

fn record_own(found: &[Metric]) {
    for Metric { name, unit, value } in found {
        metrics::describe_histogram!(*name, *unit, "");
        metrics::histogram!(*name).record(u32::try_from(*value).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn emitted(collector: &Collector, strategy: Option<Strategy>, usage: &Usage, code: Option<&str>) -> Value {
        record(strategy, usage, code);
        flushed(collector)
    }

    fn flushed(collector: &Collector) -> Value {
        let mut text = Vec::new();
        collector.flush(&mut text).expect("a Vec takes everything");
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1, "one line per request");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// What the specification of the embedded metric format asks for: each metric and dimension that is named is a
    /// member of the root, dimensions are texts, and values are numbers or up to 100 of them.
    fn check(document: &Value, dimensions: &[&str]) {
        let aws = &document["_aws"];
        assert!(aws["Timestamp"].is_u64(), "{document}");
        let directives = aws["CloudWatchMetrics"].as_array().expect("directives");
        assert_eq!(directives.len(), 1);
        assert_eq!(directives[0]["Namespace"], "WalletFunctions");
        assert_eq!(directives[0]["Dimensions"], json!([dimensions]));
        for dimension in dimensions {
            assert!(document[*dimension].is_string(), "{document}");
        }
        for metric in directives[0]["Metrics"].as_array().expect("metrics") {
            let value = &document[metric["Name"].as_str().expect("a name")];
            let numbers = value.as_array().map_or(1, Vec::len);
            assert!(value.is_number() || value.as_array().is_some_and(|all| all.iter().all(Value::is_number)));
            assert!((1..=100).contains(&numbers), "{document}");
        }
    }

    fn used([attempts, conflicts, calls, lock_wait_ms]: [u32; 4]) -> Usage {
        let mut usage = Usage::default();
        (usage.attempts, usage.conflicts, usage.calls) = (attempts, conflicts, calls);
        usage.lock_wait_ms = lock_wait_ms.into();
        usage
    }

    // One test: there is one collector in a process, as in a function.
    #[test]
    fn each_request_is_one_line_of_the_embedded_format() {
        let collector = collector("deposit", "WalletFunctions").expect("the first collector");
        let deposit = emitted(collector, Some(Strategy::Optimistic), &used([2, 1, 3, 12]), None);
        check(&deposit, &["Function", "Strategy"]);
        assert_eq!((&deposit["Function"], &deposit["Strategy"]), (&json!("deposit"), &json!("optimistic")));
        let number = |document: &Value, name: &str| document[name][0].to_string();
        assert_eq!((number(&deposit, CONFLICTS), number(&deposit, ATTEMPTS)), ("1.0".into(), "2.0".into()));
        assert_eq!((number(&deposit, CALLS), number(&deposit, LOCK_WAIT)), ("3.0".into(), "12.0".into()));

        let usage = used([1, 0, 2, 0]);
        let refused = emitted(collector, Some(Strategy::Pessimistic), &usage, Some("insufficient_funds"));
        check(&refused, &["Function", "Strategy"]);
        assert_eq!((&refused["Strategy"], &refused["Refused/insufficient_funds"]), (&json!("pessimistic"), &json!(1)));
        assert_eq!(number(&refused, CONFLICTS), "0.0", "what did not happen counts as well");

        let read = emitted(collector, None, &usage, None);
        check(&read, &["Function", "Strategy"]);
        assert_eq!((&read["Strategy"], read.get("Refused/insufficient_funds")), (&json!("none"), None));

        record_own(&[
            Metric { name: "Findings", unit: Unit::Count, value: 2 },
            Metric { name: "Duration", unit: Unit::Milliseconds, value: u64::MAX },
        ]);
        let own = flushed(collector);
        check(&own, &["Function"]);
        assert_eq!((number(&own, "Findings"), number(&own, "Duration")), ("2.0".into(), "4294967295.0".into()));
        let metrics = own["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().expect("metrics");
        assert!(metrics.contains(&json!({"Name": "Duration", "Unit": "Milliseconds"})), "{own}");
        assert_eq!(metrics.len(), 2, "nothing is left of the requests before: {own}");
    }
}
