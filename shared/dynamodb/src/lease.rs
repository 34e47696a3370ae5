//! Leases: all wallets of a request are taken in one `TransactWriteItems` or none, so nobody holds one while waiting for
//! another, and no order of taking can deadlock.
//!
//! A lease is a courtesy that saves work. What keeps money right is the version: taking a lease raises nothing, and a
//! holder that comes too late is refused by the version that the next one raised.

use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_domain::{Plan, Timestamp, Wallet};

use crate::commit::{Expression, Meaning, Rejected};
use crate::ledger::Ledger;
use crate::names::{LEASE_HOLDER, LEASE_UNTIL};
use crate::usage::Usage;

/// Who holds a lease: one request, by a random name.
#[derive(Debug, Clone)]
pub(crate) struct Holder(String);

impl Holder {
    pub(crate) fn new() -> Holder {
        Holder(format!("lease_{:032x}", fastrand::u128(..)))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a wallet's item says about its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) holder: String,
    pub(crate) until: Timestamp,
}

impl Lease {
    pub(crate) fn is_of(&self, holder: &Holder) -> bool {
        self.holder == holder.0
    }

    /// Another's, and not over at `now`.
    pub(crate) fn bars(&self, holder: &Holder, now: Timestamp) -> bool {
        !self.is_of(holder) && self.until > now
    }
}

impl Ledger {
    /// Takes the leases of every wallet that `plan` changes, at whatever version they are: from here on nobody else
    /// moves them, so that a commit on an old version costs one more try and no race.
    pub(crate) async fn lease(&self, plan: &Plan, holder: &Holder, usage: &mut Usage) -> Result<(), Rejected> {
        let now = self.now();
        let until = now.as_millisecond() + i64::try_from(self.policy.lease.as_millis()).unwrap_or(i64::MAX / 2);
        let actions = leased(plan).map(|before| {
            let mut change = Expression::default();
            change.set(LEASE_HOLDER, AttributeValue::S(holder.to_string()));
            change.set(LEASE_UNTIL, AttributeValue::N(until.to_string()));
            change.require_free_or(holder, now);
            (Meaning::Wallet(before.id), self.update(before.id, change))
        });
        self.transact(actions.collect(), usage).await
    }

    /// Gives the leases back without a movement. If that fails, they expire.
    pub(crate) async fn release(&self, plan: &Plan, holder: &Holder, usage: &mut Usage) {
        let now = self.now();
        let actions = leased(plan).map(|before| {
            let mut change = Expression::default();
            change.release();
            change.require_lease(Some(holder), now);
            (Meaning::Wallet(before.id), self.update(before.id, change))
        });
        if self.transact(actions.collect(), usage).await.is_err() {
            tracing::debug!("a lease was not given back; it expires by itself");
        }
    }
}

fn leased(plan: &Plan) -> impl Iterator<Item = &Wallet> {
    plan.postings.iter().filter_map(|posting| posting.before.as_ref())
}
