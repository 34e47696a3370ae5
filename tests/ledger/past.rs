//! A wallet as it was, on a table and on a statement of a million rows that nobody has stored: what the search finds, and
//! in how many reads.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::sleep;
use wallet_domain::{Counters, GENESIS, Limits, Metadata, Money, Rebated, Status, Timestamp, Wallet};
use wallet_dynamodb::{Ledger, Strategy, Usage};

use super::torn::{check, deposit, withdraw};
use super::{Bench, posted, run};
use crate::faults::{Call, LONG, Treatment, first};
use crate::http::wire::http_client;

const VERSIONS: usize = 1_000_000;
const WALLET: &str = "wal_00000000000000000000000000000001";

/// A statement whose row of version v came at the v-th time and leaves v cents, `run` rows to an item.
struct Statement {
    times: Vec<i64>,
    run: usize,
}

impl Statement {
    /// Rows that are in one item have one time: that of the first.
    fn new(mut times: Vec<i64>, run: usize) -> Arc<Statement> {
        for at in 0..times.len() {
            times[at] = times[at - at % run];
        }
        assert!(times.is_sorted());
        Arc::new(Statement { times, run })
    }

    fn wallet(&self) -> Wallet {
        let newest = self.times.len() - 1;
        Wallet {
            id: WALLET.parse().expect("an id"),
            owner: "alice".parse().expect("an owner"),
            balance: cents(newest),
            held: cents(0),
            version: newest as u64,
            status: Status::Active,
            floor: cents(0),
            ceiling: None,
            limits: Limits::default(),
            counters: Counters::new(cents(0).currency()),
            rebated: Rebated::default(),
            head: GENESIS,
            metadata: Metadata::default(),
            credits: Default::default(),
            credits_changed_at: None,
            created_at: moment(self.times[0]),
            updated_at: moment(self.times[newest]),
        }
    }

    fn ledger(self: &Arc<Statement>) -> Ledger {
        let statement = Arc::clone(self);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "wallet-tests"))
            .http_client(http_client(move |request| {
                let body = SdkBody::from(statement.answer(&request).to_string());
                HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().expect("a status of HTTP"), body)))
            }));
        Ledger::new(Client::from_conf(config.build()), "sparse")
    }

    /// The item that begins with row `first`, as the ledger writes it.
    fn item(&self, first: usize) -> Value {
        let digest = json!({"B": "A".repeat(43) + "="});
        let last = (first + self.run).min(self.times.len()) - 1;
        let row = |version: usize| {
            json!({"M": {
                "transaction_id": {"S": "txn_00000000000000000000000000000001"}, "type": {"S": "deposit"},
                "amount": {"N": if version == 0 { "0" } else { "0.01" }}, "caller": {"S": "bank"}, "seal": digest,
            }})
        };
        json!({
            "PK": {"S": format!("WALLET#{WALLET}")}, "SK": {"S": format!("ENTRY#{first:016}")}, "currency": {"S": "EUR"},
            "created_at": {"S": format!("{:.3}", moment(self.times[first]))}, "format": {"N": "1"}, "state": digest,
            "previous_hash": digest, "hash": digest, "balance_after": {"N": cents(last).to_string()},
            "rows": {"L": (first..=last).map(row).collect::<Vec<_>>()},
        })
    }

    /// The answer to a consistent query of the newest so many items up to a version.
    fn answer(&self, request: &HttpRequest) -> Value {
        let target = request.headers().get("x-amz-target").expect("each request has one");
        assert!(target.ends_with(".Query"), "{target}");
        let asked: Value = serde_json::from_slice(request.body().bytes().expect("in memory")).expect("JSON");
        assert_eq!((&asked["ConsistentRead"], &asked["ScanIndexForward"]), (&json!(true), &json!(false)), "{asked}");
        let newest = asked["ExpressionAttributeValues"][":newest"]["S"].as_str().expect("a key");
        let newest: usize = newest.trim_start_matches("ENTRY#").parse().expect("a version");
        assert!(newest < self.times.len(), "nothing beyond the wallet's version is asked for: {newest}");
        let limit = usize::try_from(asked["Limit"].as_u64().expect("a limit")).expect("small");
        let item = |at: usize| (newest / self.run).checked_sub(at).map(|item| self.item(item * self.run));
        let items: Vec<_> = (0..limit).map_while(item).collect();
        json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items})
    }
}

fn cents(number: usize) -> Money {
    Money::from_minor(number as i128, "EUR".parse().expect("a currency")).expect("small")
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("in range")
}

/// Looks back to so many moments and some more, and answers with the most reads that one took, that of the wallet included.
async fn most_reads(statement: &Arc<Statement>, moments: usize) -> u32 {
    let (ledger, wallet, mut rng) = (statement.ledger(), statement.wallet(), Rng::with_seed(1));
    let newest = statement.times.len() - 1;
    let some = (0..moments).map(|_| rng.usize(..=newest));
    let versions = some.chain([0, 1, newest - 1, newest]).collect::<Vec<_>>();
    let mut most = 0;
    for version in versions {
        let at = statement.times[version] + rng.i64(-1..=1);
        let mut usage = Usage::default();
        let found = ledger.wallet_at(&wallet, moment(at), &mut usage).await.expect("the table answers");
        let rows = statement.times.partition_point(|time| *time <= at);
        let Some(version) = rows.checked_sub(1) else {
            assert_eq!((found, usage.calls), (None, 0), "there was no wallet before its opening");
            continue;
        };
        let found = found.expect("there was a wallet");
        let expected = (version as u64, cents(version), moment(statement.times[version]));
        assert_eq!((found.version, found.balance, found.since), expected, "at {at}");
        most = most.max(1 + usage.calls);
    }
    most
}

#[tokio::test]
async fn a_moment_among_a_million_versions_is_found_in_twenty_reads_however_the_times_are_spread() {
    let even = |version: usize| version as i64 * 1_000;
    let early = |version: usize| (version as i64).checked_ilog2().map_or(0, i64::from) * 86_400_000;
    let late = |version: usize| if version < VERSIONS - 10 { 5 } else { version as i64 };
    let bursts = |version: usize| version as i64 / 10_000 * 3_600_000;
    let spreads: [&dyn Fn(usize) -> i64; 4] = [&even, &early, &late, &bursts];
    for (number, spread) in spreads.into_iter().enumerate() {
        // Runs are slow to make, here.
        for (run, moments) in [(1, 40), (98, 1)] {
            let most = most_reads(&Statement::new((0..VERSIONS).map(spread).collect(), run), moments).await;
            assert!(most <= 20, "spread {number}, {run} rows to an item: {most} reads");
        }
    }
    for versions in 2..30 {
        let most = most_reads(&Statement::new((0..versions).map(even).collect(), 1 + versions % 3), 10).await;
        assert!(most <= 5, "{versions}: {most}");
    }
}

#[tokio::test]
async fn each_row_is_found_at_its_time_and_the_last_of_those_with_one_time() {
    let (bench, wallet) = Bench::with_one("0").await;
    let start = bench.wallet(wallet).await.created_at;
    let mut told = vec![];
    for number in 0..12_i64 {
        // Three of each time.
        let at = start + Duration::from_secs(60 * (1 + number as u64 / 3));
        let ledger = bench.another().with_clock(Arc::new(move || at));
        posted(run(&ledger, &bench.deposit(wallet, "1"), Strategy::Optimistic).await.0);
        told.push(at);
    }
    let (ledger, now) = (bench.another(), bench.wallet(wallet).await);
    for (at, version) in [(0, 0), (59, 0), (60, 3), (61, 3), (120, 6), (239, 9), (240, 12), (999, 12)] {
        let at = start + Duration::from_secs(at);
        let past = ledger.wallet_at(&now, at, &mut Usage::default()).await.expect("the table answers");
        assert_eq!(past.map(|past| (past.version, past.balance)), Some((version, cents(100 * version as usize))));
    }
    let before = ledger.wallet_at(&now, start - Duration::from_millis(1), &mut Usage::default()).await;
    assert_eq!(before.expect("the table answers"), None);
}

/// The wallet can be seen 25 ms before the row that the commit wrote with it, and another commit may follow meanwhile.
#[test]
fn a_row_that_is_still_being_applied_is_waited_for() {
    check(async |world, wallet| {
        world.network.set(first(1, Call::is_commit, Treatment { work: LONG, ..Treatment::default() }));
        let (slow, reader) = (world.ledger(0, 10), world.plain());
        let first = withdraw("slow", wallet, "10", None);
        let ((first, _), found) = tokio::join!(run(&slow, &first, Strategy::Optimistic), async {
            // Of record, wallet and entry the wallet can be seen at 75 ms, the entry at 100.
            sleep(Duration::from_millis(80)).await;
            world.post(&deposit(world, wallet, "5", None)).await;
            let mut usage = Usage::default();
            let now = reader.wallet(wallet, &mut usage).await.expect("the table answers").expect("it is there");
            assert_eq!(now.version, 3);
            let before = now.updated_at - Duration::from_millis(1);
            let past = reader.wallet_at(&now, before, &mut usage).await.expect("the table answers");
            (past.expect("it was there"), usage.calls)
        });
        let (past, calls) = found;
        assert_eq!((past.version, past.balance, past.since), (2, cents(9_000), posted(first).created_at));
        assert!(calls > 2, "the row was not there at once: {calls}");
    });
}
