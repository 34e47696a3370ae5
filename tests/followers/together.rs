//! Queued requests of one wallet: what a hot payer costs when they are executed from the queue, beside as many callers at
//! once. In paused time: 10 ms for each call, and of two transactions in flight on one item one is cancelled.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::time::Instant;
use wallet_domain::{Command, Transfer, WalletId};
use wallet_dynamodb::{Ledger, Strategy, Usage};
use wallet_lambda::work;
use wallet_requests::Execute;
use wallet_stack::TABLE;

use super::numbered;
use crate::faults::{Call, Fault, Treatment, World, audit, first, function, runtime};
use crate::ledger::{in_turn, order, until_done};

/// Transfers out of one wallet.
const TRANSFERS: usize = 64;
/// Functions at once, and messages of a batch, as the template has them.
const FUNCTIONS: usize = 2;
const BATCH: usize = 10;

/// What a run came to.
#[derive(Debug, Default, Clone)]
struct Cost {
    reads: u64,
    writes: u64,
    /// Transactions that were cancelled since they met another.
    met: u64,
    /// Write units, of what was cancelled too: two for each item below a kilobyte.
    units: u64,
    time: Duration,
}

/// A payer, and so many who are to be paid.
async fn wallets(world: &World, count: usize) -> (WalletId, Vec<WalletId>) {
    let payer = world.open("alice", "-64", None).await;
    let payees = in_turn(0..count, async |number| world.open(&format!("payee {number}"), "0", None).await).await;
    (payer, payees)
}

fn transfers(payer: WalletId, payees: &[WalletId]) -> Vec<Command> {
    let transfer = |(number, destination): (usize, &WalletId)| {
        let order = order("alice", format!("pay {number}").parse().expect("a key"), "1");
        Command::Transfer(Transfer { order, source: payer, destination: *destination, fee: None })
    };
    payees.iter().enumerate().map(transfer).collect()
}

/// What `work` sends, in how much time.
async fn cost(world: &World, work: impl Future<Output = ()>) -> Cost {
    let units = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&units);
    world.network.set(Box::new(move |call| {
        *counted.lock().expect("no panic") += call.write_units();
        Treatment { work: Duration::from_millis(10), ..Treatment::default() }
    }));
    let (before, start) = (world.network.counts(), Instant::now());
    work.await;
    let (after, time) = (world.network.counts(), start.elapsed());
    let count = |what: &str| after.get(what).unwrap_or(&0) - before.get(what).unwrap_or(&0);
    let units = *units.lock().expect("no panic");
    let met = count("transactions in flight on one item");
    Cost { reads: count("reads"), writes: count("writes"), met, units, time }
}

async fn directly(world: &World, commands: &[Command]) {
    let callers = commands.iter().map(|command| async {
        let ledger = world.ledger(0, 10);
        while until_done(&ledger, command, Strategy::Optimistic).await.0.is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    join_all(callers).await;
}

async fn accept(ledger: &Ledger, commands: &[Command]) -> VecDeque<String> {
    let mut messages = VecDeque::new();
    for command in commands {
        let request = command.request(ledger.now()).expect("it can be carried out").expect("it may wait");
        let _ = ledger.accept(&request, None, &mut Usage::default()).await.expect("it waits");
        messages.push_back(json!({"table": TABLE, "transaction_id": request.id.to_string()}).to_string());
    }
    messages
}

/// Functions take batch by batch; what fails goes back to the end of the queue.
async fn from_the_queue(world: &World, messages: VecDeque<String>) {
    let queue = Mutex::new(messages);
    let take = || {
        let mut queue = queue.lock().expect("no panic");
        let count = BATCH.min(queue.len());
        queue.drain(..count).collect::<Vec<_>>()
    };
    let functions = (0..FUNCTIONS).map(|_| async {
        let app = function(world.ledger(0, 10), &[]);
        loop {
            let taken = take();
            if taken.is_empty() {
                return;
            }
            let report = work::<Execute>(&app, numbered(taken.iter().map(String::as_str))).await;
            for failed in report.response.batch_item_failures {
                let place: usize = failed.item_identifier.parse().expect("a place");
                queue.lock().expect("no panic").push_back(taken[place].clone());
            }
        }
    });
    join_all(functions).await;
}

/// Runs `test` with so many transfers out of one wallet; afterwards each is on record once, and the books add up.
fn with_a_hot_payer(transfers: usize, test: impl AsyncFnOnce(&World, &[Command]) -> Cost) -> Cost {
    fastrand::seed(1);
    runtime().block_on(async {
        let world = World::new();
        let (payer, payees) = wallets(&world, transfers).await;
        let commands = self::transfers(payer, &payees);
        let cost = test(&world, &commands).await;
        // What was late has arrived.
        tokio::time::sleep(Duration::from_secs(60)).await;
        let books = audit(&world.table, &world.plain()).await.expect("the books add up");
        let moved = commands.iter().filter(|command| books.transactions.contains_key(&command.transaction()));
        assert_eq!(moved.count(), transfers);
        assert_eq!(world.balance(payer).await, format!("-{transfers}.00"), "each once");
        cost
    })
}

#[test]
fn a_hot_payer_is_served_from_the_queue_at_a_fraction_of_what_his_callers_cost() {
    let direct = with_a_hot_payer(TRANSFERS, async |world, commands| cost(world, directly(world, commands)).await);
    let queued = with_a_hot_payer(TRANSFERS, async |world, commands| {
        let messages = accept(&world.plain(), commands).await;
        cost(world, from_the_queue(world, messages)).await
    });
    println!("direct {direct:?}\nqueued {queued:?}");
    let calls = |cost: &Cost| cost.reads + cost.writes;
    assert!(calls(&queued) * 10 < calls(&direct) && queued.time * 2 < direct.time, "{queued:?} against {direct:?}");
    assert!(queued.units * 5 < direct.units && queued.met < direct.met, "{queued:?} against {direct:?}");
}

/// Whatever becomes of the commit of all of them, and of the first that follows it, each is executed once.
#[test]
fn what_is_not_done_together_is_done_one_by_one() {
    let late = Fault::Late(Duration::from_secs(2));
    let faults = [Fault::Conflict, Fault::Throttled, Fault::ThrottledWithin, Fault::ServerError, Fault::RequestLost];
    let lost = [Fault::ReplyLost, Fault::BrokenOff, Fault::ServerErrorAfter, late];
    for (fault, times) in faults.into_iter().chain(lost).flat_map(|fault| [(fault, 1), (fault, 2), (fault, 5)]) {
        with_a_hot_payer(5, async |world, commands| {
            let messages = accept(&world.plain(), commands).await;
            world.network.set(first(times, Call::is_write, fault));
            from_the_queue(world, messages).await;
            Cost::default()
        });
    }
}
