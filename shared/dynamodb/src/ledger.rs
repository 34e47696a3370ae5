//! The ledger: one table, one client, one policy. Built once, lent to every request.

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use wallet_domain::Timestamp;

use crate::cache::Cache;
use crate::outcome::ExecuteError;
use crate::policy::Policy;
use crate::skew::{Clock, Skew};

/// Wallets and their movements on one table. Cheap to clone; clones share their snapshots.
#[derive(Clone)]
pub struct Ledger {
    /// The client as it was handed over, without the interceptor that [`Ledger::skew`] is.
    bare: Client,
    pub(crate) client: Client,
    pub(crate) skew: Skew,
    pub(crate) table: Arc<str>,
    pub(crate) policy: Policy,
    pub(crate) clock: Clock,
    pub(crate) cache: Arc<Cache>,
}

/// One try of a call. A strongly consistent read or a transaction takes single-digit milliseconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// All the SDK's tries of a call: below the functions' own time-out, so that the caller gets an answer.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call to DynamoDB may take: 2 s for one try, 5 s for all that the SDK makes of it.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).operation_timeout(OPERATION_TIMEOUT).build()
}

impl Ledger {
    /// A ledger on `table` through `client`, with the default policy and the system's clock.
    pub fn new(client: Client, table: impl Into<Arc<str>>) -> Ledger {
        #[expect(clippy::disallowed_methods, reason = "the edge's clock")]
        let clock: Clock = Arc::new(Timestamp::now);
        let (watched, skew) = watched(&client, &clock);
        let (table, policy, cache) = (table.into(), Policy::default(), Arc::default());
        Ledger { bare: client, client: watched, skew, table, policy, clock, cache }
    }

    /// A ledger on `table` with region, credentials and endpoint from the environment, as any AWS SDK reads them.
    pub async fn connect(table: &str) -> Ledger {
        let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts()).load().await;
        Ledger::new(Client::new(&config), table)
    }

    /// The same ledger under other bounds.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Ledger {
        Ledger { policy, ..self }
    }

    /// The same ledger by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Ledger {
        let (client, skew) = watched(&self.bare, &clock);
        Ledger { client, skew, clock, ..self }
    }

    /// The time by the ledger's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// An error if the clock differs by more than clocks may from the `Date` of DynamoDB's last answer.
    pub(crate) fn clock_is_right(&self) -> Result<(), ExecuteError> {
        self.skew.beyond_bounds().map_or(Ok(()), |seconds| Err(ExecuteError::ClockSkew { seconds }))
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }
}

/// The client with an interceptor that compares `clock` with the `Date` of each answer, and that interceptor.
fn watched(client: &Client, clock: &Clock) -> (Client, Skew) {
    let skew = Skew::new(Arc::clone(clock));
    (Client::from_conf(client.config().to_builder().interceptor(skew.clone()).build()), skew)
}
