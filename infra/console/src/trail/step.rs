//! One step of a movement.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use wallet_domain::{Timestamp, TransactionId};

use super::fields::Fields;

/// What kind of step it is. In the order in which those of one millisecond are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Request,
    Commit,
    Stream,
    Sent,
    Received,
    Done,
    Bus,
}

/// What a function took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Units {
    pub(super) calls: u64,
    pub(super) attempts: u64,
    pub(super) conflicts: u64,
    pub(super) write: u64,
    pub(super) read: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// To the millisecond.
    pub(super) at: Timestamp,
    pub(super) kind: Kind,
    pub(super) who: Box<str>,
    pub(super) took_ms: Option<u64>,
    pub(super) status: Option<u64>,
    pub(super) code: Option<Box<str>>,
    pub(super) units: Option<Units>,
    pub(super) queue: Option<Box<str>>,
    pub(super) waited_ms: Option<u64>,
}

impl Step {
    pub(super) fn new(kind: Kind, who: &str, at: Timestamp) -> Step {
        let (at, who) = (before(at, 0), who.into());
        Step { at, kind, who, took_ms: None, status: None, code: None, units: None, queue: None, waited_ms: None }
    }

    /// What a function's canonical line tells.
    pub(super) fn of_line(line: &Fields, kind: Kind, at: Timestamp) -> Step {
        let number = |name: &str| line.number(name).unwrap_or(0);
        Step {
            took_ms: line.number("duration_ms"),
            status: line.number("status"),
            code: line.text("code").map(Box::from),
            units: Some(Units {
                calls: number("dynamodb_calls"),
                attempts: number("attempts"),
                conflicts: number("conflicts"),
                write: number("write_units"),
                read: number("read_units"),
            }),
            waited_ms: line.number("waited_ms"),
            ..Step::new(kind, line.text("function").unwrap_or_default(), at)
        }
    }

    /// Write and read units, of which this movement bears one part in so many, to the hundredth.
    pub(super) fn share(&self, parts: u64) -> (Decimal, Decimal) {
        let of = |units: u64| (Decimal::from(units) / Decimal::from(parts.max(1))).round_dp(2).normalize();
        self.units.map_or_else(Default::default, |units| (of(units.write), of(units.read)))
    }

    pub(super) fn to_json(&self, parts: u64, of: TransactionId) -> Value {
        let units = self.units.as_ref();
        let (write, read) = self.share(parts);
        json!({
            "at": format!("{:.3}", self.at),
            "kind": self.kind,
            "who": self.who,
            "took_ms": self.took_ms,
            "status": self.status,
            "code": self.code,
            "calls": units.map(|units| units.calls),
            "attempts": units.map(|units| units.attempts),
            "conflicts": units.map(|units| units.conflicts),
            "write_units": units.map(|_| number(write)),
            "read_units": units.map(|_| number(read)),
            "queue": self.queue,
            "waited_ms": self.waited_ms,
            "transaction_id": of.to_string(),
        })
    }
}

/// A decimal as a JSON number.
pub(super) fn number(of: Decimal) -> Value {
    serde_json::from_str(&of.to_string()).expect("a decimal is a number of JSON")
}

/// So many milliseconds before, cut to the millisecond.
pub(super) fn before(at: Timestamp, ms: u64) -> Timestamp {
    let ms = at.as_millisecond().saturating_sub_unsigned(ms);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MIN)
}
