//! One random schedule: callers, commands, strategies, clocks, deaths and weather, all drawn from a seed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wallet_domain::{
    Amend, Amount, BasisPoints, Bounds, Change, Command, Credits, Deposit, Expected, FeeSchedule, Kind, Money, Open,
    Outcome, PayRebate, RebateTerms, Refusal, Reverse, Status, Transaction, TransactionId, Transfer, WalletId,
    Withdraw,
};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy, Usage};

use super::check::{Books, audit};
use super::fault::Climate;
use super::table::Table;
use super::truth::{Moments, Window};
use super::world::{World, fair, runtime};
use crate::ledger::{caller, order};

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

/// How one attempt at a command ended for its caller.
#[derive(Debug)]
enum Answer {
    /// With what is on record.
    Done(Box<Transaction>),
    /// Refused, and the refusal is not recorded.
    Refused(Refusal),
    /// The caller was told that nothing has moved.
    Nothing(&'static str),
    Unknown,
    /// Its process died.
    Killed,
}

/// An attempt: when, by which clock, and how it ended.
#[derive(Debug)]
struct Attempt {
    window: Window,
    answer: Answer,
}

/// A command and all its answers.
struct Asked {
    command: Command,
    attempts: Vec<Attempt>,
    /// Asked by one caller, so that the last answer is about everything that was sent.
    alone: bool,
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

/// Where each process is, and who dies.
struct Processes {
    world: World,
    /// Skew in seconds and tries of each.
    traits: Vec<(i64, u32)>,
    ledgers: Mutex<Vec<Ledger>>,
}

impl Processes {
    fn ledger(&self, index: usize) -> Ledger {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)[index].clone()
    }

    /// The next one in its place has none of its snapshots.
    fn killed(&self, index: usize) {
        let (skew, tries) = self.traits[index];
        let ledger = self.world.ledger(skew, tries);
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)[index] = ledger;
    }
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
        wallets.push(world.open(&owner, floor, ceiling).await);
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
    let mut asked = vec![];
    while let Some(done) = tasks.join_next().await {
        asked.extend(done.map_err(|error| error.to_string())?);
    }
    // Whatever is on its way still arrives.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let World { table, network, .. } = &processes.world;
    network.set(fair());
    let books = audit(table, &processes.world.plain()).await?;
    let asked = merged(asked);
    let mut counts = network.counts();
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
                place.get_mut().attempts.extend(asked.attempts);
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
    for Asked { command, attempts, alone } in asked {
        expected.insert(command.transaction());
        let record = books.transactions.get(&command.transaction());
        let ours = record.filter(|record| record.fingerprint == command.fingerprint());
        let mut executed = 0;
        for Attempt { answer, .. } in attempts {
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
    let Asked { command, attempts, .. } = asked;
    for Attempt { window, answer } in attempts {
        let Answer::Refused(refusal) = answer else { continue };
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
    // Whichever attempt has recorded it, by whichever clock: it began before the record was made.
    let recorded = moments.recorded(command.transaction());
    let windows = attempts.iter().map(|attempt| attempt.window);
    let windows: Vec<_> = windows.filter_map(|window| window.until(recorded)).collect();
    if windows.is_empty() || moments.have(command, refusal, &windows) {
        return Ok(());
    }
    Err(format!("recorded, and true at no moment of {windows:?}: {refusal:?}, of {command:?}"))
}

/// One caller with its own stream of chances.
struct Client {
    processes: Arc<Processes>,
    wallets: Vec<WalletId>,
    /// What could be reversed, and which rebates could be paid.
    posted: Arc<Mutex<Vec<Transaction>>>,
    rng: Rng,
    name: String,
}

impl Client {
    async fn work(mut self, operations: usize) -> Vec<Asked> {
        let mut asked = vec![];
        let pause = (self.rng.u8(..5) == 0).then(|| self.rng.usize(..operations.max(1)));
        for number in 0..operations {
            // Months later some rebates are still unpaid.
            if pause == Some(number) {
                tokio::time::sleep(Duration::from_secs(100 * 86_400)).await;
                asked.extend(self.overdue().await);
            }
            let command = self.command(number).await;
            asked.push(self.ask(command).await);
        }
        asked
    }

    /// Pays a rebate of today, then one of months ago, to the same wallet.
    async fn overdue(&mut self) -> Vec<Asked> {
        let capped = |made: &Transaction| made.rule.as_ref().is_some_and(|rule| rule.monthly_cap.is_some());
        let Some(old) = self.some_posted(|made| capped(made) && made.rebate().is_some()) else { return vec![] };
        let key = format!("{} overdue", self.name).parse().expect("a printable key");
        let mut rule = rule(&mut self.rng);
        rule.monthly_cap = bounds("6.00");
        let deposit = Deposit { order: order(&self.name, key, "20.00"), wallet: old.wallet, rules: [rule].into() };
        let today = self.ask(Command::Deposit(deposit)).await;
        let posted = today.attempts.iter().find_map(|attempt| match &attempt.answer {
            Answer::Done(made) if made.rebate().is_some() => Some((**made).clone()),
            _ => None,
        });
        let mut asked = vec![today];
        for made in posted.into_iter().chain([old]) {
            let Transaction { id: deposit, wallet, rule: Some(rule), .. } = made else { continue };
            asked.push(self.ask(Command::PayRebate(PayRebate { deposit, wallet, rule: rule.id })).await);
        }
        asked
    }

    /// Asks with the same key until there is an answer, or patience runs out.
    async fn ask(&mut self, command: Command) -> Asked {
        let patience = [1, 1, 3, 12][self.rng.usize(..4)];
        let mut asked = Asked { command, attempts: vec![], alone: true };
        for _ in 0..patience {
            let at_once = if self.rng.u8(..8) == 0 { self.rng.usize(2..4) } else { 1 };
            asked.alone &= at_once == 1;
            let mut tries = JoinSet::new();
            for _ in 0..at_once {
                tries.spawn(self.attempt(asked.command.clone()));
            }
            let attempts: Vec<Attempt> = tries.join_all().await;
            let answered = attempts.iter().any(|attempt| match &attempt.answer {
                Answer::Done(transaction) => {
                    self.posted.lock().unwrap_or_else(PoisonError::into_inner).push((**transaction).clone());
                    true
                }
                Answer::Refused(_) => true,
                Answer::Nothing(_) | Answer::Unknown | Answer::Killed => false,
            });
            asked.attempts.extend(attempts);
            if answered {
                break;
            }
            let pause = self.rng.u64(0..400);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        asked
    }

    /// One attempt, on any process, by either strategy, perhaps cut short by the death of the process.
    fn attempt(&mut self, command: Command) -> impl Future<Output = Attempt> + Send + use<> {
        let processes = Arc::clone(&self.processes);
        let process = self.rng.usize(..processes.traits.len());
        let strategy = if self.rng.bool() { Strategy::Optimistic } else { Strategy::Pessimistic };
        let dies = (self.rng.u8(..12) == 0).then(|| Duration::from_millis(self.rng.u64(0..200)));
        async move {
            let ledger = processes.ledger(process);
            let (mut usage, begun) = (Usage::default(), Instant::now());
            let run = ledger.execute(&command, strategy, &mut usage);
            let forever = Duration::from_secs(100_000_000);
            let answer = match tokio::time::timeout(dies.unwrap_or(forever), run).await {
                Ok(ended) => answer(ended),
                Err(_) => {
                    processes.killed(process);
                    Answer::Killed
                }
            };
            let window = Window { begun, ended: Instant::now(), skew_seconds: processes.traits[process].0 };
            Attempt { window, answer }
        }
    }

    async fn command(&mut self, number: usize) -> Command {
        let key = format!("{} {number}", self.name).parse().expect("a printable key");
        let cents = [1..100, 100..3_000, 3_000..12_000][self.rng.usize(..3)].clone();
        let cents = self.rng.u32(cents);
        let mut order = order(&self.name, key, &format!("{}.{:02}", cents / 100, cents % 100));
        order.caller.admin = true;
        if self.rng.u8(..20) == 0 {
            order.expected_version = Some(self.rng.u64(0..30));
        }
        if self.rng.u8(..40) == 0 {
            let dollars = "USD".parse().expect("a currency");
            order.amount = Amount::parse("1.00", dollars).expect("an amount");
        }
        let wallet = self.wallets[self.rng.usize(..self.wallets.len())];
        match self.rng.u32(..100) {
            0..25 => {
                let rules = if self.rng.bool() { [rule(&mut self.rng)].into() } else { [].into() };
                Command::Deposit(Deposit { order, wallet, rules })
            }
            25..40 => Command::Withdraw(Withdraw { order, wallet }),
            40..65 => {
                let destination = self.wallets[self.rng.usize(..self.wallets.len())];
                let fee = self.rng.bool().then(fee);
                Command::Transfer(Transfer { order, source: wallet, destination, fee })
            }
            65..80 => match self.some_posted(|made| made.rebate().is_some()) {
                Some(Transaction { id: deposit, wallet, rule: Some(rule), .. }) => {
                    Command::PayRebate(PayRebate { deposit, wallet, rule: rule.id })
                }
                _ => Command::Withdraw(Withdraw { order, wallet }),
            },
            80..90 => match self.some_posted(|made| !made.legs().is_empty()) {
                Some(original) => Command::Reverse(Reverse {
                    caller: order.caller,
                    key: order.key,
                    original: Box::new(original),
                    allow_overdraft: self.rng.bool(),
                    return_fee: self.rng.bool(),
                    reference: None,
                    metadata: Default::default(),
                }),
                None => Command::Withdraw(Withdraw { order, wallet }),
            },
            90..97 => self.amendment(wallet).await,
            _ => {
                let (caller, key) = (order.caller, order.key);
                let owner = caller.subject.clone();
                let currency = "EUR".parse().expect("a currency");
                let floor = Money::zero(currency);
                let (limits, metadata) = Default::default();
                let credits = Credits::Immediate;
                let open = Open { caller, key, owner, currency, floor, ceiling: None, limits, credits, metadata };
                // Perhaps it is opened: then money goes there too, until it is closed.
                self.wallets.push(open.wallet());
                Command::Open(open)
            }
        }
    }

    /// A transaction that somebody has heard of, one of the newest as a rule.
    fn some_posted(&mut self, which: impl Fn(&Transaction) -> bool) -> Option<Transaction> {
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<_> = posted.iter().rev().filter(|made| which(made)).collect();
        let among = if self.rng.u8(..3) == 0 { found.len() } else { found.len().min(3) };
        (among > 0).then(|| found[self.rng.usize(..among)].clone())
    }

    /// Freezes and thaws, tightens and loosens, at the version that the caller has just read, or guesses.
    async fn amendment(&mut self, wallet: WalletId) -> Command {
        let ledger = self.processes.ledger(self.rng.usize(..self.processes.traits.len()));
        let read = ledger.wallet(wallet, &mut Usage::default()).await.ok().flatten();
        let expected_version = read.map_or_else(|| self.rng.u64(0..10), |wallet| wallet.version);
        let amount = |rng: &mut Rng, cents: std::ops::Range<u32>| {
            Some((rng.u8(..3) > 0).then(|| format!("{}.00", rng.u32(cents))))
        };
        let rng = &mut self.rng;
        let mut change = Change::default();
        match rng.u32(..12) {
            6 => change.status = Some(Status::Closed),
            0 => change.status = Some(Status::Frozen),
            1 => change.status = Some(Status::Active),
            2 => change.ceiling = amount(rng, 100..400),
            3 | 7 | 8 => change.max_movement = amount(rng, 20..100),
            4 | 9 => change.max_daily_outflow = amount(rng, 100..1_000),
            _ => change.transfers_per_minute = Some((rng.u8(..3) > 0).then(|| rng.u32(1..50))),
        }
        // A frozen wallet is of little use: thawing comes along with most other changes.
        if change.status.is_none() && rng.u8(..4) > 0 {
            change.status = Some(Status::Active);
        }
        let mut caller = caller(&self.name);
        caller.admin = true;
        Command::Amend(Amend { caller, wallet, expected: Expected::Version(expected_version), change })
    }
}

fn answer(ended: Result<Done, ExecuteError>) -> Answer {
    match ended {
        Ok(Done::Executed(transaction) | Done::Replayed(transaction)) => Answer::Done(Box::new(transaction)),
        Err(ExecuteError::OutcomeUnknown) => Answer::Unknown,
        Err(ExecuteError::Conflict { .. }) => Answer::Nothing("conflict"),
        Err(ExecuteError::LockTimeout { .. }) => Answer::Nothing("lock timeout"),
        Err(ExecuteError::ClockSkew { .. }) => Answer::Nothing("clock skew"),
        Err(ExecuteError::Throttled { .. }) => Answer::Nothing("throttled for good"),
        Err(ExecuteError::Refused(refusal)) => Answer::Refused(refusal),
        Err(ExecuteError::Fault(fault)) => {
            // No fault here is one of the table or of the code's own.
            panic!("a fault: {fault}")
        }
    }
}

/// Much comes back, within small bounds, so that all of them are met.
fn rule(rng: &mut Rng) -> RebateTerms {
    let mut bound = |text: &str| if rng.bool() { bounds(text) } else { Bounds::default() };
    let (minimum, cap, monthly_cap) = (bound("0.50"), bound("4.00"), bound("6.00"));
    let share = BasisPoints::new(1_000).expect("a share");
    RebateTerms { minimum, cap, monthly_cap, ..RebateTerms::new("standard".parse().expect("a rule's name"), share) }
}

fn bounds(text: &str) -> Bounds {
    let eur = "EUR".parse().expect("a currency");
    Bounds::new([Money::parse(text, eur).expect("an amount")]).expect("not negative")
}

fn fee() -> FeeSchedule {
    let points = BasisPoints::new(150).expect("a share");
    FeeSchedule::new(points, bounds("0.05"), bounds("1.00")).expect("a schedule")
}
