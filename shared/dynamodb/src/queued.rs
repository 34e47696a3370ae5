//! Requests that wait: accepted now, executed later, once.
//!
//! A request is put under the key of the transaction that it will become, and the transaction replaces it: so an idempotency
//! key moves money once, whether a queued or a direct request comes first. Never sends anything: the table's stream says what
//! was accepted.

use wallet_domain::{Command, Plan, Refusal, Request, Snapshots, Terms, Timestamp, TransactionId};

use crate::fault::{Class, Fault};
use crate::item::Fields;
use crate::items::{Queued, Record, SHARES, due, item_of_queued};
use crate::ledger::Ledger;
use crate::names::PK;
use crate::outcome::{Done, ExecuteError};
use crate::policy::Strategy;
use crate::transact::{Meaning, Rejected};
use crate::usage::Usage;

/// What became of a request that was to wait.
#[derive(Debug)]
pub enum Accepted {
    /// It waits now, or has waited since an earlier acceptance.
    Waits {
        /// The request, as it was accepted first.
        queued: Box<Queued>,
        /// Whether it was accepted before.
        before: bool,
    },
    /// It has an outcome already.
    Done(Box<Done>),
}

impl Ledger {
    /// Lets `request` wait until it is executed, unless it waits already or has an outcome.
    ///
    /// # Errors
    /// `IdempotencyKeyReused` as a refusal when its key is another request's; otherwise as [`Ledger::execute`].
    pub async fn accept(
        &self,
        request: &Request,
        strategy: Option<Strategy>,
        usage: &mut Usage,
    ) -> Result<Accepted, ExecuteError> {
        let queued = Queued { request: request.clone(), strategy };
        let mut found = match self.skew.has_to_be_asked() {
            true => self.record(request.id, usage).await?,
            false => None,
        };
        let mut unknown = false;
        for round in 0..self.policy.max_attempts {
            if let Some(record) = found.take() {
                return accepted(request, record, unknown);
            }
            self.clock_is_right().map_err(|error| if unknown { ExecuteError::OutcomeUnknown } else { error })?;
            let put = vec![(Meaning::Transaction, self.put(item_of_queued(&queued)))];
            match self.transact(put, usage).await {
                Ok(()) => return Ok(Accepted::Waits { queued: Box::new(queued), before: false }),
                Err(Rejected::Exists(record)) => return accepted(request, *record, unknown),
                Err(Rejected::Failed(fault)) if fault.class() == Class::Final && !unknown => return Err(fault.into()),
                Err(rejected) => {
                    unknown |= matches!(rejected, Rejected::Failed(fault) if fault.class() == Class::Unknown);
                    if usage.is_out_of_time() {
                        break;
                    }
                    usage.sleep(self.policy.delay(round)).await;
                    // If this put was carried out all the same, the next one finds the request.
                }
            }
        }
        Err(if unknown { ExecuteError::OutcomeUnknown } else { ExecuteError::Throttled { retry_after_seconds: 1 } })
    }

    /// Executes the request under `id` if it waits still; its outcome is on record then. Ends one that has waited too long as
    /// failed. `None` if there is nothing under the id.
    ///
    /// # Errors
    /// As [`Ledger::execute`]. The request waits on; it may be executed again.
    pub async fn resume(
        &self,
        id: TransactionId,
        terms: &Terms,
        strategy: Strategy,
        usage: &mut Usage,
    ) -> Result<Option<Done>, ExecuteError> {
        let queued = match self.record(id, usage).await? {
            None => return Ok(None),
            Some(Record::Transaction(transaction)) => return Ok(Some(Done::Replayed(*transaction))),
            Some(Record::Queued(queued)) => queued,
        };
        let unreadable = || Fault::damaged(format!("{id}: the queued request is none that this code can execute"));
        let command = Command::of(&queued.request, terms).ok_or_else(unreadable)?;
        let strategy = queued.strategy.unwrap_or(strategy);
        self.run(&command, true, strategy, usage).await.map(Some)
    }

    /// The record that ends a request which has waited too long.
    pub(crate) fn end(&self, command: &Command) -> Result<Plan, Fault> {
        let refusal = Refusal::RequestExpired { wallet: command.wallet() };
        let attempt = command.queued_attempt(&Snapshots::default(), &refusal, self.now());
        attempt.ok_or_else(|| Fault::damaged("a request that waits has an order"))
    }

    /// Requests that have waited since `until` or longer, the oldest of each share first: `limit` of each at most. The index is
    /// eventually consistent: what was executed a moment ago may be among them.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn overdue_requests(
        &self,
        until: Timestamp,
        limit: i32,
        usage: &mut Usage,
    ) -> Result<Vec<TransactionId>, Fault> {
        let mut found = vec![];
        for share in 0..SHARES {
            let page = self.due(due(share), until, None, None, limit, usage).await?;
            for item in &page.items {
                found.push(Fields(item).named(PK, |pk| pk.strip_prefix("TXN#")?.parse().ok())?);
            }
        }
        Ok(found)
    }
}

/// The answer to a request that was to wait, when `record` is there already.
fn accepted(request: &Request, record: Record, unknown: bool) -> Result<Accepted, ExecuteError> {
    if record.fingerprint() != request.fingerprint {
        return Err(ExecuteError::Refused(Refusal::IdempotencyKeyReused));
    }
    Ok(match record {
        Record::Transaction(transaction) => Accepted::Done(Box::new(Done::Replayed(*transaction))),
        // After a put of unknown outcome, the request found is most likely our own.
        Record::Queued(queued) => Accepted::Waits { queued, before: !unknown },
    })
}
