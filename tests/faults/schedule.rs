//! One random schedule: callers, folders, commands, strategies, clocks, deaths and weather, all drawn from a seed.

mod asked;
mod client;
mod folder;
mod processes;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wallet_domain::{
    Change, Command, Credits, Kind, LONGEST_WAIT, Outcome, Refusal, Timestamp, Transaction, TransactionId,
};
use wallet_dynamodb::{DryRun, ExecuteError, Strategy, Usage};

use super::check::{Books, audit};
use super::fault::Climate;
use super::table::Table;
use super::truth::{Moments, Window};
use super::weather::fair;
use super::world::{World, runtime};
use crate::ledger::caller;
use asked::{Answer, Asked, Attempt, Tried};
use client::Client;
use folder::Folder;
use processes::Processes;

/// What the names of recorded refusals begin with.
pub(crate) const RECORDED: &str = "refused and recorded: ";

/// What happened in a schedule, by name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// A schedule that went well.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) counts: Counts,
    /// The same for the same seed.
    pub(crate) trace: u64,
}

/// Runs the schedule of `seed`, of `operations` commands, and audits the table afterwards.
///
/// # Errors
/// The promise that was broken.
pub(crate) fn run(seed: u64, operations: usize) -> Result<Report, String> {
    // Back-off, lease names and the SDK's own jitter draw on the thread's generator.
    fastrand::seed(seed);
    runtime().block_on(schedule(seed, operations, Table::default(), Climate::random))
}

/// Runs the schedule of `seed` on a table that has a twin, in weather in which the two must agree: no commit is ever seen
/// half applied.
///
/// # Errors
/// The promise that was broken.
pub(crate) fn beside_twin(seed: u64, operations: usize) -> Result<Report, String> {
    fastrand::seed(seed);
    let climate = |rng: &mut Rng| Climate { torn: false, ..Climate::random(rng) };
    runtime().block_on(schedule(seed, operations, Table::with_twin(), climate))
}

async fn schedule(
    seed: u64,
    operations: usize,
    table: Table,
    climate: impl Fn(&mut Rng) -> Climate,
) -> Result<Report, String> {
    let mut rng = Rng::with_seed(seed);
    let world = World::on(table);
    let (mut wallets, mut opened) = (vec![], vec![]);
    for number in 0..rng.usize(2..6) {
        let floor = if rng.u8(..4) == 0 { "-20.00" } else { "0" };
        let ceiling = (rng.u8(..3) == 0).then_some("150.00");
        let owner = format!("owner {number}");
        let wallet = world.open(&owner, floor, ceiling).await;
        if ceiling.is_none() && rng.u8(..4) > 0 {
            world.amend(wallet, 0, Change { credits: Some(Credits::Batched), ..Change::default() }).await;
            opened.push(TransactionId::amendment_of(wallet, 0));
        }
        wallets.push(wallet);
        let key = format!("open {owner}").parse().expect("a printable key");
        opened.push(TransactionId::requested_by(&caller(&owner).subject, &key));
    }
    let processes = rng.usize(1..6);
    let traits: Vec<_> = (0..processes).map(|_| (skew(&mut rng), [1, 2, 6, 10][rng.usize(..4)])).collect();
    let ledgers = Mutex::new(traits.iter().map(|(skew, tries)| world.ledger(*skew, *tries)).collect());
    let climate = climate(&mut rng);
    let mut weather = rng.fork();
    world.network.set(Box::new(move |call| climate.treat(call, &mut weather)));

    let processes = Arc::new(Processes { world, traits, ledgers });
    let callers = rng.usize(1..10).min(operations);
    let (mut tasks, posted) = (JoinSet::new(), Arc::default());
    for number in 0..callers {
        let share = operations / callers + usize::from(number < operations % callers);
        let caller = Client {
            processes: Arc::clone(&processes),
            wallets: wallets.clone(),
            posted: Arc::clone(&posted),
            rng: rng.fork(),
            name: format!("caller {number}"),
        };
        tasks.spawn(caller.work(share));
    }
    let mut folders = JoinSet::new();
    for _ in 0..rng.usize(1..4) {
        let folder = Folder { processes: Arc::clone(&processes), wallets: wallets.clone(), rng: rng.fork() };
        folders.spawn(folder.work(operations / 2));
    }
    let mut asked = vec![];
    while let Some(done) = tasks.join_next().await {
        asked.extend(done.map_err(|error| error.to_string())?);
    }
    let folded = folders.join_all().await;
    // Whatever is on its way still arrives.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let World { table, network, .. } = &processes.world;
    network.set(fair());
    let mut asked = merged(asked);
    for asked in asked.iter_mut().filter(|asked| asked.queued) {
        asked.drained = drained(&processes.world, &asked.command).await?;
    }
    let books = audit(table, &processes.world.plain()).await?;
    if let Some(waits) = books.requests.first() {
        return Err(format!("{} was accepted, and nobody knows of it", waits.id));
    }
    let mut counts = network.counts();
    folded.into_iter().flatten().for_each(|(name, count)| *counts.entry(name).or_default() += count);
    let opened: BTreeSet<_> = opened.into_iter().collect();
    kept(&books, &asked, &opened, &mut counts)?;
    let moments = Moments::of(&processes.world).await;
    for asked in &asked {
        told_the_truth(&books, &moments, asked)?;
    }
    for (name, count) in [("wallets", books.wallets), ("entries", books.entries), ("operations", asked.len())] {
        counts.insert(name.to_owned(), count as u64);
    }
    Ok(Report { counts, trace: network.trace() })
}

/// Gives a request that waits still its end: in fair weather each has one, once its wallet's minute is over and
/// nobody's lease is left.
async fn drained(world: &World, command: &Command) -> Result<Option<Attempt>, String> {
    let (ledger, terms) = (world.plain(), client::terms(command));
    for _ in 0..100 {
        let begun = Instant::now();
        let done = ledger.resume(command.transaction(), &terms, Strategy::Optimistic, &mut Usage::default()).await;
        let answer = match done {
            Ok(None) => return Ok(None),
            Ok(Some(done)) => client::answer(Ok(done)),
            // Or a lease of one whose clock was ahead, and who is gone.
            Err(
                ExecuteError::Refused(Refusal::RateLimited { .. })
                | ExecuteError::Conflict { .. }
                | ExecuteError::LockTimeout { .. },
            ) => {
                tokio::time::sleep(Duration::from_secs(61)).await;
                continue;
            }
            Err(error) => return Err(format!("{command:?} waits on: {error}")),
        };
        return Ok(Some(Attempt { window: Window { begun, ended: Instant::now(), skew_seconds: 0 }, answer }));
    }
    Err(format!("{command:?} is never executed"))
}

/// Within the five minutes by which clocks may differ, or beyond them.
fn skew(rng: &mut Rng) -> i64 {
    let minutes = 60;
    match rng.u32(..16) {
        0 => [-1, 1][rng.usize(..2)] * rng.i64(6 * minutes..3 * 60 * minutes),
        1 => [-1, 1][rng.usize(..2)] * rng.i64(1..100) * 24 * 60 * minutes,
        _ => rng.i64(-290..=290),
    }
}

/// Each request once: a caller that amends a wallet as it has amended that same version before repeats itself.
fn merged(asked: Vec<Asked>) -> Vec<Asked> {
    let mut requests = BTreeMap::<_, Asked>::new();
    for asked in asked {
        match requests.entry((asked.command.transaction(), asked.command.fingerprint().to_string())) {
            Entry::Vacant(place) => drop(place.insert(asked)),
            Entry::Occupied(mut place) => {
                // Or two callers pay the same rebate.
                place.get_mut().alone = false;
                place.get_mut().queued |= asked.queued;
                place.get_mut().attempts.extend(asked.attempts);
                place.get_mut().tried.extend(asked.tried);
            }
        }
    }
    requests.into_values().collect()
}

/// Whether everybody got what they were told.
fn kept(books: &Books, asked: &[Asked], opened: &BTreeSet<TransactionId>, counts: &mut Counts) -> Result<(), String> {
    let mut count = |name: String| *counts.entry(name).or_default() += 1;
    // A reversal bars the rebate that was not paid.
    let reversed = books.transactions.values().filter(|made| made.kind == Kind::REVERSAL && !made.legs().is_empty());
    let barred = reversed.filter_map(|made| books.transactions.get(&made.parent?)?.rebate());
    let mut expected: BTreeSet<_> = barred.chain(opened.iter().copied()).collect();
    for made in books.transactions.values().filter(|made| made.kind == Kind::EXPIRY) {
        expected.insert(made.id);
        count("posted: expiry".to_owned());
    }
    for Asked { command, attempts, tried, queued, drained, alone } in asked {
        tried
            .iter()
            .for_each(|tried| count(format!("dry run: {}", if tried.told.is_ok() { "told" } else { "refused" })));
        expected.insert(command.transaction());
        let record = books.transactions.get(&command.transaction());
        let ours = record.filter(|record| record.fingerprint == command.fingerprint());
        let mut executed = 0;
        if *queued {
            count("to be queued".to_owned());
        }
        for Attempt { answer, .. } in attempts.iter().chain(drained) {
            count(match answer {
                Answer::Done(transaction) => {
                    if record != Some(&**transaction) {
                        return Err(format!("told {transaction:?}, on record is {record:?}"));
                    }
                    executed += 1;
                    match &transaction.outcome {
                        Outcome::Failed { refusal, .. } => format!("{RECORDED}{}", refusal.facts().code),
                        Outcome::Posted { .. } => format!("posted: {}", transaction.kind.as_str()),
                    }
                }
                Answer::Refused(refusal) => format!("refused: {}", refusal.facts().code),
                Answer::Nothing(name) => (*name).to_owned(),
                Answer::Unknown => "outcome unknown".to_owned(),
                Answer::Waits(_) => "queued".to_owned(),
                Answer::Killed => "process killed".to_owned(),
            });
        }
        // Told for certain, and nobody else asked: nothing may have moved.
        let nothing = |attempt: &Attempt| matches!(attempt.answer, Answer::Nothing(_) | Answer::Refused(_));
        let by_reversal = |record: &Transaction| {
            matches!(record.outcome, Outcome::Failed { refusal: Refusal::DepositReversed { .. }, .. })
        };
        if *alone && attempts.iter().all(nothing) && ours.is_some_and(|record| !by_reversal(record)) {
            return Err(format!("told {attempts:?}, and yet on record is {ours:?}"));
        }
        if executed == 0 {
            count("left without an answer".to_owned());
        }
    }
    match books.transactions.keys().find(|id| !expected.contains(id)) {
        Some(id) => Err(format!("{id} is on record, and nobody asked for it")),
        None => Ok(()),
    }
}

/// Whether each refusal was true at a moment between its request and its answer.
fn told_the_truth(books: &Books, moments: &Moments, asked: &Asked) -> Result<(), String> {
    let Asked { command, attempts, tried, drained, .. } = asked;
    for Tried { window, told } in tried {
        let is_true = match told {
            Ok(DryRun::Decided(transaction)) => moments.allow(command, transaction, window),
            Ok(DryRun::Replayed(transaction)) => books.transactions.get(&transaction.id) == Some(transaction),
            Err(refusal) => moments.would_have(command, refusal, window),
        };
        if !is_true {
            return Err(format!("at no moment of {window:?} was it true: {told:?}, told to a dry run of {command:?}"));
        }
    }
    for Attempt { window, answer } in attempts {
        let Answer::Refused(refusal) = answer else { continue };
        if let Refusal::HoldExpired { hold } = refusal {
            let mut released = books.transactions.values().flat_map(|made| &made.released);
            if !released.any(|release| release.hold == *hold) {
                return Err(format!("{hold} was never released, and yet was told to have expired: {command:?}"));
            }
        }
        if !moments.have(command, refusal, std::slice::from_ref(window)) {
            return Err(format!("at no moment of {window:?} was it true: {refusal:?}, told to {command:?}"));
        }
    }
    let record = books.transactions.get(&command.transaction());
    let Some(record) = record else { return Ok(()) };
    let Outcome::Failed { refusal, .. } = &record.outcome else { return Ok(()) };
    if matches!(refusal, Refusal::DepositReversed { .. }) {
        return if moments.barred(record) { Ok(()) } else { Err(format!("barred by no reversal: {record:?}")) };
    }
    if matches!(refusal, Refusal::RequestExpired { .. }) {
        let accepted = |attempt: &Attempt| match attempt.answer {
            Answer::Waits(since) => Some(since),
            _ => None,
        };
        // Whoever accepted it may not have been told.
        let since = attempts.iter().find_map(accepted).unwrap_or(Timestamp::MIN);
        let waited = record.created_at.duration_since(since);
        return if waited >= LONGEST_WAIT { Ok(()) } else { Err(format!("ended after {waited}: {record:?}")) };
    }
    // Whichever attempt has recorded it, by whichever clock: it began before the record was made.
    let recorded = moments.recorded(command.transaction());
    let windows = attempts.iter().chain(drained).map(|attempt| attempt.window);
    let windows: Vec<_> = windows.filter_map(|window| window.until(recorded)).collect();
    if windows.is_empty() || moments.have(command, refusal, &windows) {
        return Ok(());
    }
    Err(format!("recorded, and true at no moment of {windows:?}: {refusal:?}, of {command:?}"))
}
