//! The measurements as a table for people and as JSON for programs: the same figures.

use serde_json::{Value, json};

use super::over_http;
use super::pairs::Distribution;
use super::run::{Batched, Measured};
use crate::text::{self, micros};

/// A row for each run.
pub(super) fn table(runs: &[Measured]) -> impl std::fmt::Display {
    let head = [
        "wallets",
        "callers",
        "strategy",
        "transfers/s",
        "hot/uniform",
        "last/first",
        "p50 ms",
        "p99 ms",
        "conflicts",
        "calls",
        "WCU",
        "billed WCU",
        "lock wait ms",
        "409s",
        "settled",
        "row p99 ms",
    ];
    let row = |run: &Measured| {
        let absent = |text: Option<String>| text.unwrap_or_default();
        vec![
            run.setting.distribution.to_string(),
            run.setting.callers.to_string(),
            run.setting.mix.to_string(),
            format!("{:.0}", run.rate()),
            absent(by_uniform(run, runs).map(|ratio| format!("{ratio:.2}"))),
            format!("{:.2}", run.last_by_first),
            micros(run.latency.value_at_quantile(0.5)),
            micros(run.latency.value_at_quantile(0.99)),
            format!("{:.3}", run.per_transfer(run.conflicts)),
            format!("{:.2}", run.per_transfer(run.calls)),
            format!("{:.1}", run.per_transfer(run.write_half_units) / 2.0),
            format!("{:.1}", run.billed()),
            format!("{:.1}", run.per_transfer(run.lock_wait_ms)),
            run.repeated.to_string(),
            absent(run.batched.as_ref().and_then(kept_up).map(|share| format!("{share:.3}"))),
            absent(run.batched.as_ref().map(|batched| micros(batched.lag.value_at_quantile(0.99)))),
        ]
    };
    text::table(head, 3, runs.iter().map(row))
}

/// A document for each run.
pub(super) fn json(runs: &[Measured]) -> Value {
    let one = |run: &Measured| {
        let ms = |micros: u64| micros as f64 / 1000.0;
        let batched = run.batched.as_ref().map(|batched| {
            json!({
                "credits": batched.credits,
                "settled_share_when_credits_end": kept_up(batched),
                "answer_to_row_p50_ms": ms(batched.lag.value_at_quantile(0.5)),
                "answer_to_row_p99_ms": ms(batched.lag.value_at_quantile(0.99)),
            })
        });
        json!({
            "distribution": run.setting.distribution.to_string(),
            "strategy": run.setting.mix.to_string(),
            "callers": run.setting.callers,
            "instances": run.setting.instances.unwrap_or(run.setting.callers),
            "wallets": run.setting.wallets,
            "transfers": run.setting.transfers,
            "rate_limit_per_second": run.setting.rate,
            "delay_ms": u64::try_from(run.setting.network.delay.as_millis()).unwrap_or(u64::MAX),
            "conflicts_simulated": run.setting.network.conflicts,
            "transfers_per_second": run.rate(),
            "by_uniform": by_uniform(run, runs),
            "last_by_first": run.last_by_first,
            "p50_ms": ms(run.latency.value_at_quantile(0.5)),
            "p99_ms": ms(run.latency.value_at_quantile(0.99)),
            "conflicts_per_transfer": run.per_transfer(run.conflicts),
            "calls_per_transfer": run.per_transfer(run.calls),
            "write_units_per_transfer": run.per_transfer(run.write_half_units) / 2.0,
            "billed_write_units_per_transfer": run.billed(),
            "lock_wait_ms_per_transfer": run.per_transfer(run.lock_wait_ms),
            "repeated_409s": run.repeated,
            "batched": batched,
        })
    };
    json!({ "runs": runs.iter().map(one).collect::<Vec<_>>() })
}

/// A row for each run over HTTP.
pub(super) fn table_over_http(runs: &[over_http::Measured]) -> impl std::fmt::Display {
    let row = |run: &over_http::Measured| {
        vec![
            run.setting.distribution.to_string(),
            run.setting.callers.to_string(),
            format!("{:.0}", run.rate()),
            micros(run.latency.value_at_quantile(0.5)),
            micros(run.latency.value_at_quantile(0.99)),
            run.repeated.conflicts.to_string(),
            format!("{:.2} %", 100.0 * run.conflict_share()),
            run.repeated.others.to_string(),
        ]
    };
    let head = ["wallets", "callers", "transfers/s", "p50 ms", "p99 ms", "409s", "of answers", "other repeats"];
    text::table(head, 1, runs.iter().map(row))
}

/// A document for each run over HTTP.
pub(super) fn json_over_http(runs: &[over_http::Measured]) -> Value {
    let one = |run: &over_http::Measured| {
        json!({
            "distribution": run.setting.distribution.to_string(),
            "callers": run.setting.callers,
            "wallets": run.setting.wallets,
            "transfers": run.setting.transfers,
            "transfers_per_second": run.rate(),
            "p50_ms": run.latency.value_at_quantile(0.5) as f64 / 1000.0,
            "p99_ms": run.latency.value_at_quantile(0.99) as f64 / 1000.0,
            "repeated_409s": run.repeated.conflicts,
            "share_of_409s": run.conflict_share(),
            "repeated_for_other_reasons": run.repeated.others,
        })
    };
    json!({ "runs_over_http": runs.iter().map(one).collect::<Vec<_>>() })
}

/// The rate of a hot run by that of the uniform one that it is like.
fn by_uniform(run: &Measured, runs: &[Measured]) -> Option<f64> {
    let like = |other: &&Measured| {
        let (one, other) = (run.setting, other.setting);
        other.distribution == Distribution::Uniform && (one.callers, one.mix) == (other.callers, other.mix)
    };
    let uniform = runs.iter().find(like).filter(|_| run.setting.distribution == Distribution::Hot)?;
    Some(run.rate() / uniform.rate())
}

/// The share of the credits that were settled while credits went on.
fn kept_up(batched: &Batched) -> Option<f64> {
    (batched.credits > 0).then(|| batched.settled_by_then as f64 / batched.credits as f64)
}
