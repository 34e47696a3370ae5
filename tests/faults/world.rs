//! A table in memory behind a faulty network, in paused time: what a schedule and the single-fault tests run on.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use wallet_domain::{Amend, Change, Command, Credits, Expected, Money, Open, Timestamp, WalletId};
use wallet_dynamodb::{Clock, Ledger, Policy, Strategy, Usage};
use wallet_lambda::{App, Settings};
use wallet_stack::{REGION, TABLE};

use super::call::Call;
use super::fault::{Fault, Treatment};
use super::network::{Network, Weather, time_after};
use super::table::Table;
use crate::ledger::caller;

/// One try of the SDK.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_millis(300);
/// All its tries of a call.
const OPERATION_TIMEOUT: Duration = Duration::from_millis(800);

/// One thread and paused time: whatever waits, waits for nothing, and in the same order each time.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime starts")
}

pub(crate) struct World {
    pub(crate) table: Table,
    pub(crate) network: Arc<Network>,
    start: Instant,
}

impl World {
    /// Fair weather and no delay.
    pub(crate) fn new() -> World {
        World::on(Table::default())
    }

    pub(crate) fn on(table: Table) -> World {
        let start = Instant::now();
        let network = Network::new(table.clone(), start, fair());
        World { table, network, start }
    }

    /// A process of its own, its clock off by `skew_seconds`, that tries so many times.
    pub(crate) fn ledger(&self, skew_seconds: i64, max_attempts: u32) -> Ledger {
        let policy = Policy {
            max_attempts,
            lease: Duration::from_secs(1),
            lock_wait: Duration::from_secs(2),
            ..Policy::default()
        };
        Ledger::new(client(&self.network, impatient()), TABLE).with_policy(policy).with_clock(self.clock(skew_seconds))
    }

    /// A function's process with nothing set but its table, and the time-outs of a deployment.
    pub(crate) fn app(&self, skew_seconds: i64) -> App {
        let variable = |name: &str| (name == "TABLE_NAME").then(|| TABLE.to_owned());
        let settings = Settings::from_vars(variable).expect("settings with nothing but a table");
        let ledger = Ledger::new(client(&self.network, wallet_dynamodb::timeouts()), TABLE);
        App::new(ledger.with_clock(self.clock(skew_seconds)), settings)
    }

    /// The table's time, so many seconds off.
    pub(crate) fn clock(&self, skew_seconds: i64) -> Clock {
        let start = self.start;
        Arc::new(move || {
            let now = time_after(start.elapsed()).as_millisecond() + skew_seconds * 1_000;
            Timestamp::from_millisecond(now).expect("a time within all dates")
        })
    }

    /// The table's time at `moment`.
    pub(crate) fn time_at(&self, moment: Instant) -> Timestamp {
        time_after(moment - self.start)
    }

    /// Past every fault and delay.
    pub(crate) fn plain(&self) -> Ledger {
        let network = Network::new(self.table.clone(), self.start, fair());
        Ledger::new(client(&network, impatient()), TABLE).with_clock(self.clock(0))
    }

    /// Opens a wallet between its bounds, in fair weather.
    pub(crate) async fn open(&self, name: &str, floor: &str, ceiling: Option<&str>) -> WalletId {
        let eur = "EUR".parse().expect("a currency");
        let money = |text| Money::parse(text, eur).expect("an amount");
        let mut caller = caller(name);
        caller.admin = true;
        let open = Open {
            owner: caller.subject.clone(),
            caller,
            key: format!("open {name}").parse().expect("a printable key"),
            currency: eur,
            floor: money(floor),
            ceiling: ceiling.map(money),
            limits: Default::default(),
            credits: Credits::Immediate,
            metadata: Default::default(),
        };
        let wallet = open.wallet();
        let (open, mut usage) = (Command::Open(open), Usage::default());
        let _ = self.plain().execute(&open, Strategy::Optimistic, &mut usage).await.expect("a wallet opens");
        wallet
    }

    /// Changes a wallet's terms in fair weather.
    pub(crate) async fn amend(&self, wallet: WalletId, expected_version: u64, change: Change) {
        let mut caller = caller("root");
        caller.admin = true;
        let amend = Command::Amend(Amend { caller, wallet, expected: Expected::Version(expected_version), change });
        let _ = self.plain().execute(&amend, Strategy::Optimistic, &mut Usage::default()).await.expect("new terms");
    }

    /// The version that a wallet is at.
    pub(crate) async fn version(&self, wallet: WalletId) -> u64 {
        let found = self.plain().wallet(wallet, &mut Usage::default()).await.expect("the table answers");
        found.expect("the wallet exists").version
    }
}

pub(crate) fn fair() -> Weather {
    Box::new(|_| Treatment::default())
}

/// The fault for the first `times` calls that `which` picks.
pub(crate) fn first(times: u32, which: impl Fn(&Call) -> bool + Send + 'static, fault: Fault) -> Weather {
    let mut seen = 0;
    Box::new(move |call| {
        let picked = seen < times && which(call);
        seen += u32::from(picked);
        if picked { Treatment::with(fault) } else { Treatment::default() }
    })
}

pub(crate) fn always(which: impl Fn(&Call) -> bool + Send + 'static, fault: Fault) -> Weather {
    first(u32::MAX, which, fault)
}

/// The fault for every commit; once there was one, nothing else arrives.
pub(crate) fn cut_off(fault: Fault) -> Weather {
    let mut sent = false;
    Box::new(move |call| {
        sent |= call.is_commit();
        match call.is_commit() {
            true => Treatment::with(fault),
            false if sent => Treatment::with(Fault::RequestLost),
            false => Treatment::default(),
        }
    })
}

fn impatient() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).operation_timeout(OPERATION_TIMEOUT).build()
}

fn client(network: &Arc<Network>, timeouts: TimeoutConfig) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new("local", "local", None, None, "wallet-tests"))
        .endpoint_url("http://dynamodb.invalid")
        .http_client(network.http_client())
        .timeout_config(timeouts)
        // Its tries draw on a budget that is shared by name: a name of its own keeps one test out of another's.
        .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(20)))
        .retry_partition(RetryPartition::new(format!("faults {:032x}", fastrand::u128(..))))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Client::from_conf(config.build())
}
