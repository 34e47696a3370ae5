//! What should have followed and did not: a deposit whose rebate is neither paid, nor refused, nor barred by a reversal,
//! each of which leaves a record under the rebate's id; a queued request without an outcome.
//!
//! That a record is absent is settled by a consistent read of its id: a record never goes away once it is there.

use std::time::Duration;

use wallet_domain::{Request, Timestamp, Transaction};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::Key;

use crate::finding::{Check, Finding};
use crate::known::Known;
use crate::reader::Reader;

/// How long after the longest wait a request may still be without an outcome: whoever finds it ends it.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// A queued request that should have been executed or ended by `now`.
pub(crate) fn request(request: &Request, now: Timestamp) -> Option<Finding> {
    let before = now.saturating_sub(GRACE).unwrap_or(Timestamp::MIN);
    let difference = format!("the request, accepted {:.3}, is neither executed nor ended", request.accepted_at);
    request.has_expired(before).then(|| Finding::transaction(request.id, Check::Overdue, difference))
}

/// Those of `deposits` that earn a rebate, were made before `due` and have none.
pub(crate) async fn check<'a>(
    reader: &Reader,
    deposits: impl IntoIterator<Item = &'a Transaction>,
    due: Timestamp,
) -> Result<Vec<Finding>, Fault> {
    let earned = deposits.into_iter().filter(|deposit| deposit.created_at < due);
    let earned: Vec<_> = earned.filter_map(|deposit| Some((deposit, deposit.rebate()?))).collect();
    if earned.is_empty() {
        return Ok(vec![]);
    }
    let mut known = Known::default();
    known.read(reader, earned.iter().map(|(_, rebate)| Key::Transaction(*rebate))).await?;
    let missing = earned.into_iter().filter(|(_, rebate)| known.lacks(*rebate));
    let finding = |(deposit, rebate): (&Transaction, _)| {
        let difference = format!(
            "its rebate {rebate} is overdue: of a deposit of {:.3}, it is neither paid nor refused nor barred",
            deposit.created_at
        );
        Finding::transaction(deposit.id, Check::Overdue, difference)
    };
    Ok(missing.map(finding).collect())
}
