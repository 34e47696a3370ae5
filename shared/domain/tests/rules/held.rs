//! A hold of the model: what it keeps back, in plain whole numbers.

use crate::purse::{Share, fee_on};

/// A hold that was made.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) from: usize,
    pub(crate) to: Option<usize>,
    pub(crate) units: i128,
    pub(crate) fee: Option<Share>,
    pub(crate) made_ms: i64,
    pub(crate) ends_ms: i64,
    pub(crate) status: &'static str,
    pub(crate) captured: i128,
    pub(crate) captures: u32,
}

impl Held {
    /// What captures of so much in all take, fees included.
    pub(crate) fn cost(&self, captured: i128) -> i128 {
        if captured == 0 { 0 } else { captured + fee_on(self.fee, captured) }
    }

    pub(crate) fn held(&self) -> i128 {
        if self.status == "active" { self.cost(self.units) - self.cost(self.captured) } else { 0 }
    }

    pub(crate) fn is_overdue(&self, now_ms: i64) -> bool {
        self.status == "active" && self.ends_ms <= now_ms
    }
}
