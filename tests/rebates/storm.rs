//! A storm of deposits through the local stack's own stream, dispatch, queue and poller, with a tenth of them delivered twice.
//!
//! ```text
//! WALLET_STORM_DEPOSITS=50000 cargo test -p wallet-tests storm -- --nocapture        ten times as many
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use serde_json::Value;
use tokio::task::JoinSet;
use wallet_audit::Audit;
use wallet_domain::{Kind, TransactionId, WalletId};
use wallet_dynamodb::scan::Scanned;
use wallet_dynamodb::{Ledger, Usage};
use wallet_stack::Options;

use super::{RULES, deposited};
use crate::faults::function;
use crate::http::TestApp;
use crate::ledger::in_turn;

const DEPOSITS: usize = 5_000;
const WALLETS: usize = 50;
/// Callers who pay in at once.
const CALLERS: usize = 8;
/// One message in so many is delivered a second time.
const DUPLICATE: usize = 10;
/// Without a delivery for so long, none will come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Delivers some messages twice: every other one of them again in its own batch, the rest in a later one.
#[derive(Default)]
struct Postman {
    deposits: BTreeSet<String>,
    /// To be delivered once more, with a later batch.
    kept: Vec<SqsMessage>,
    again: usize,
}

impl Postman {
    fn adapt(&mut self, mut batch: SqsEvent) -> SqsEvent {
        let mut later = mem::take(&mut self.kept);
        for message in batch.records.clone() {
            let body: Value = serde_json::from_str(message.body.as_deref().expect("a body")).expect("JSON");
            let is_new = self.deposits.insert(body["deposit_id"].as_str().expect("an id").to_owned());
            if is_new && self.deposits.len().is_multiple_of(2 * DUPLICATE) {
                later.push(message);
            } else if is_new && self.deposits.len().is_multiple_of(DUPLICATE) {
                self.kept.push(message);
            }
        }
        self.again += later.len();
        batch.records.append(&mut later);
        batch
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_deposits_earns_each_wallet_its_rebates_to_the_cent() {
    let length = std::env::var("WALLET_STORM_DEPOSITS").ok();
    let count = length.map_or(DEPOSITS, |length| length.parse().expect("WALLET_STORM_DEPOSITS is a number"));
    let postman: Arc<Mutex<Postman>> = Arc::default();
    let adapt_batch = {
        let postman = Arc::clone(&postman);
        Arc::new(move |batch| lock(&postman).adapt(batch))
    };
    let app = TestApp::with(Options { adapt_batch: Some(adapt_batch), ..Options::default() }).await;
    let wallets: Vec<WalletId> =
        in_turn(0..WALLETS, async |number| app.open(&format!("owner {number}")).await.parse().expect("an id")).await;

    let start = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (wallets, app) = (wallets.clone(), function(app.ledger(), &[("REBATE_RULES", RULES)]));
        callers.spawn(async move {
            let mut made = vec![];
            for number in (caller..count).step_by(CALLERS) {
                let (wallet, cents) = chosen(number, &wallets);
                let amount = format!("{}.{:02}", cents / 100, cents % 100);
                let earned = deposited(&app, wallet, &format!("deposit {number}"), &amount).await;
                made.push((earned.deposit, (wallet, cents)));
            }
            made
        });
    }
    let deposits: HashMap<String, (WalletId, i128)> = callers.join_all().await.into_iter().flatten().collect();
    assert_eq!(deposits.len(), count);
    let paid_in = start.elapsed();
    drained(&app, &postman, count).await;
    let (took, again) = (start.elapsed(), lock(&postman).again);
    println!("{count} deposits in {paid_in:.1?}, the last rebate after {took:.1?}; {again} messages delivered twice");
    assert!(again >= count / DUPLICATE - CALLERS, "{again} of {count} were delivered twice");
    assert_eq!(app.stack.queue("rebate").dead_letters().expect("read"), []);

    // A hundredth, rounded toward zero to the cent: worked out apart from the domain.
    let mut expected: BTreeMap<WalletId, i128> = BTreeMap::new();
    for (wallet, cents) in deposits.values() {
        *expected.entry(*wallet).or_default() += cents + cents / 100;
    }
    let ledger = app.ledger();
    let found = found(&ledger).await;
    let [middle, p99, longest] = found.lags(&[50, 99, 100]);
    println!(
        "from deposit to rebate: {middle} ms in the middle, {p99} ms at the 99th percentile, {longest} ms at most"
    );
    assert_eq!(found.balances, expected);
    assert_eq!(found.rebates.len(), count, "one rebate for each deposit");
    for (deposit, (wallet, cents)) in &deposits {
        let deposit: TransactionId = deposit.parse().expect("an id");
        assert_eq!(found.rebates.get(&deposit), Some(&vec![(*wallet, cents / 100)]), "{deposit}");
    }
    let report = Audit::new(ledger, 2).table().await.expect("the table answers");
    assert!(report.is_clean(), "{:#?}", report.findings);
    assert_eq!(report.transactions, (WALLETS + 2 * count) as u64, "openings, deposits, rebates, and nothing else");
    let (sums, paid) = (report.sums["EUR"], deposits.values().map(|(_, cents)| cents / 100).sum::<i128>());
    assert_eq!((sums.total(), sums.rebates, sums.balances), (0, -paid, expected.values().sum()));
    app.stack.stop().await;
}

/// Wallet and cents of a deposit: some are under a euro's hundredth short of the next cent, none earns nothing.
fn chosen(number: usize, wallets: &[WalletId]) -> (WalletId, i128) {
    let mut rng = fastrand::Rng::with_seed(number as u64);
    (wallets[rng.usize(..wallets.len())], i128::from(rng.u32(100..100_000)))
}

/// Waits until every deposit's message has been delivered and the queue is empty.
async fn drained(app: &TestApp, postman: &Mutex<Postman>, count: usize) {
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        let delivered = lock(postman).deposits.len();
        if delivered == count && app.stack.queue("rebate").depth().expect("read") == 0 {
            return;
        }
        if delivered > seen {
            (seen, since) = (delivered, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "{delivered} of {count} messages were delivered, and no more come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the table holds.
#[derive(Default)]
struct Found {
    balances: BTreeMap<WalletId, i128>,
    /// By deposit: to whom and how much.
    rebates: HashMap<TransactionId, Vec<(WalletId, i128)>>,
    /// When each deposit and each deposit's rebate was made, in milliseconds.
    deposited: HashMap<TransactionId, i64>,
    rebated: HashMap<TransactionId, i64>,
}

impl Found {
    /// The times from deposits to their rebates, at these percentiles, in milliseconds.
    fn lags<const N: usize>(&self, percentiles: &[usize; N]) -> [i64; N] {
        let mut lags: Vec<_> = self.rebated.iter().map(|(deposit, at)| at - self.deposited[deposit]).collect();
        lags.sort_unstable();
        percentiles.map(|percentile| lags[(lags.len() * percentile).div_ceil(100) - 1])
    }
}

async fn found(ledger: &Ledger) -> Found {
    let (mut found, mut from) = (Found::default(), None);
    loop {
        let page = ledger.scan(0, 1, from, &mut Usage::default()).await.expect("the table answers");
        for item in page.items {
            match item {
                Scanned::Wallet(wallet) => drop(found.balances.insert(wallet.id, wallet.balance.minor_units())),
                Scanned::Transaction(rebate) if rebate.kind == Kind::REBATE => {
                    assert!(!rebate.legs().is_empty(), "not paid: {rebate:?}");
                    let of = rebate.parent.expect("a rebate names its deposit");
                    found.rebated.insert(of, rebate.created_at.as_millisecond());
                    found.rebates.entry(of).or_default().push((rebate.wallet, rebate.amount.minor_units()));
                }
                Scanned::Transaction(deposit) if deposit.kind == Kind::DEPOSIT => {
                    found.deposited.insert(deposit.id, deposit.created_at.as_millisecond());
                }
                Scanned::Transaction(_)
                | Scanned::Entries(_)
                | Scanned::Queued(_)
                | Scanned::Mark(_)
                | Scanned::Credit(_)
                | Scanned::Hold(_) => {}
                Scanned::Unreadable(item) => panic!("{item:?}"),
            }
        }
        from = page.next;
        if from.is_none() {
            return found;
        }
    }
}

fn lock(postman: &Mutex<Postman>) -> MutexGuard<'_, Postman> {
    postman.lock().unwrap_or_else(PoisonError::into_inner)
}
