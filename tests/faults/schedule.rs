//! One random schedule: callers, commands, strategies, clocks, deaths and weather, all drawn from a seed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use wallet_domain::{
    Amend, BasisPoints, Bounds, Change, Command, Deposit, FeeSchedule, Money, Open, Outcome, Status, Transaction,
    Transfer, WalletId, Withdraw,
};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy, Usage};

use super::check::{Books, audit};
use super::fault::Climate;
use super::world::{World, fair, runtime};
use crate::ledger::{caller, order};

/// What happened in a schedule, by name.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

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
    /// The caller was told that nothing has moved.
    Nothing(&'static str),
    Unknown,
    /// Its process died.
    Killed,
}

/// A command and all its answers.
struct Asked {
    command: Command,
    answers: Vec<Answer>,
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
    runtime().block_on(schedule(seed, operations))
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

async fn schedule(seed: u64, operations: usize) -> Result<Report, String> {
    let mut rng = Rng::with_seed(seed);
    let world = World::new();
    let mut wallets = vec![];
    for number in 0..rng.usize(2..6) {
        let floor = if rng.u8(..4) == 0 { "-20.00" } else { "0" };
        let ceiling = (rng.u8(..3) == 0).then_some("150.00");
        wallets.push(world.open(&format!("owner {number}"), floor, ceiling).await);
    }
    let processes = rng.usize(1..6);
    let traits: Vec<_> = (0..processes).map(|_| (rng.i64(-300..=300), [1, 2, 6, 10][rng.usize(..4)])).collect();
    let ledgers = Mutex::new(traits.iter().map(|(skew, tries)| world.ledger(*skew, *tries)).collect());
    let climate = Climate::random(&mut rng);
    let mut weather = rng.fork();
    world.network.set(Box::new(move |call| climate.treat(call, &mut weather)));

    let processes = Arc::new(Processes { world, traits, ledgers });
    let callers = rng.usize(1..10).min(operations);
    let mut tasks = JoinSet::new();
    for number in 0..callers {
        let share = operations / callers + usize::from(number < operations % callers);
        let caller = Client {
            processes: Arc::clone(&processes),
            wallets: wallets.clone(),
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
    kept(&books, &asked, wallets.len(), &mut counts)?;
    for (name, count) in [("wallets", books.wallets), ("entries", books.entries), ("operations", asked.len())] {
        counts.insert(name, count as u64);
    }
    Ok(Report { counts, trace: network.trace() })
}

/// Each request once: a caller that amends a wallet as it has amended that same version before repeats itself.
fn merged(asked: Vec<Asked>) -> Vec<Asked> {
    let mut requests = BTreeMap::<_, Asked>::new();
    for asked in asked {
        match requests.entry((asked.command.transaction(), asked.command.fingerprint().to_string())) {
            Entry::Vacant(place) => drop(place.insert(asked)),
            Entry::Occupied(mut place) => {
                place.get_mut().alone &= asked.alone;
                place.get_mut().answers.extend(asked.answers);
            }
        }
    }
    requests.into_values().collect()
}

/// Whether everybody got what they were told.
fn kept(books: &Books, asked: &[Asked], opened: usize, counts: &mut Counts) -> Result<(), String> {
    let mut on_record = opened;
    for Asked { command, answers, alone } in asked {
        let record = books.transactions.get(&command.transaction());
        let ours = record.filter(|record| record.fingerprint == command.fingerprint());
        // Two amendments of one version share an id; one of them is on record.
        on_record += usize::from(ours.is_some());
        let mut executed = 0;
        for answer in answers {
            let name = match answer {
                Answer::Done(transaction) => {
                    if record != Some(&**transaction) {
                        return Err(format!("told {transaction:?}, on record is {record:?}"));
                    }
                    executed += 1;
                    if matches!(transaction.outcome, Outcome::Failed(_)) { "refused, on record" } else { "posted" }
                }
                Answer::Nothing(name) => name,
                Answer::Unknown => "outcome unknown",
                Answer::Killed => "process killed",
            };
            *counts.entry(name).or_default() += 1;
        }
        // Told for certain, and nobody else asked: nothing may have moved.
        if *alone && answers.iter().all(|answer| matches!(answer, Answer::Nothing(_))) && ours.is_some() {
            return Err(format!("told {answers:?}, and yet on record is {ours:?}"));
        }
        if executed == 0 {
            *counts.entry("left without an answer").or_default() += 1;
        }
    }
    let recorded = books.transactions.len();
    if recorded != on_record {
        return Err(format!("{recorded} transactions on record, {on_record} asked for"));
    }
    Ok(())
}

/// One caller with its own stream of chances.
struct Client {
    processes: Arc<Processes>,
    wallets: Vec<WalletId>,
    rng: Rng,
    name: String,
}

impl Client {
    async fn work(mut self, operations: usize) -> Vec<Asked> {
        let mut asked = vec![];
        for number in 0..operations {
            let command = self.command(number).await;
            asked.push(self.ask(command).await);
        }
        asked
    }

    /// Asks with the same key until there is an answer, or patience runs out.
    async fn ask(&mut self, command: Command) -> Asked {
        let patience = [1, 1, 3, 12][self.rng.usize(..4)];
        let mut asked = Asked { command, answers: vec![], alone: true };
        for _ in 0..patience {
            let at_once = if self.rng.u8(..8) == 0 { self.rng.usize(2..4) } else { 1 };
            asked.alone &= at_once == 1;
            let mut tries = JoinSet::new();
            for _ in 0..at_once {
                tries.spawn(self.attempt(asked.command.clone()));
            }
            let answers: Vec<Answer> = tries.join_all().await;
            let answered =
                answers.iter().any(|answer| matches!(answer, Answer::Done(_) | Answer::Nothing("refused" | "fault")));
            asked.answers.extend(answers);
            if answered {
                break;
            }
            let pause = self.rng.u64(0..400);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        asked
    }

    /// One attempt, on any process, by either strategy, perhaps cut short by the death of the process.
    fn attempt(&mut self, command: Command) -> impl Future<Output = Answer> + Send + use<> {
        let processes = Arc::clone(&self.processes);
        let process = self.rng.usize(..processes.traits.len());
        let strategy = if self.rng.bool() { Strategy::Optimistic } else { Strategy::Pessimistic };
        let dies = (self.rng.u8(..12) == 0).then(|| Duration::from_millis(self.rng.u64(0..200)));
        async move {
            let ledger = processes.ledger(process);
            let mut usage = Usage::default();
            let run = ledger.execute(&command, strategy, &mut usage);
            let Some(dies) = dies else { return answer(run.await) };
            match tokio::time::timeout(dies, run).await {
                Ok(ended) => answer(ended),
                Err(_) => {
                    processes.killed(process);
                    Answer::Killed
                }
            }
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
        let wallet = self.wallets[self.rng.usize(..self.wallets.len())];
        match self.rng.u32(..100) {
            0..30 => Command::Deposit(Deposit { order, wallet, rules: [].into() }),
            30..50 => Command::Withdraw(Withdraw { order, wallet }),
            50..90 => {
                let destination = self.wallets[self.rng.usize(..self.wallets.len())];
                let fee = self.rng.bool().then(fee);
                Command::Transfer(Transfer { order, source: wallet, destination, fee })
            }
            90..97 => self.amendment(wallet).await,
            _ => {
                let (caller, key) = (order.caller, order.key);
                let (owner, currency) = (caller.subject.clone(), order.amount.money().currency());
                let floor = Money::zero(currency);
                let (limits, metadata) = Default::default();
                Command::Open(Open { caller, key, owner, currency, floor, ceiling: None, limits, metadata })
            }
        }
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
        match rng.u32(..6) {
            0 => change.status = Some(Status::Frozen),
            1 => change.status = Some(Status::Active),
            2 => change.ceiling = amount(rng, 100..400),
            3 => change.max_movement = amount(rng, 20..100),
            4 => change.max_daily_outflow = amount(rng, 100..1_000),
            _ => change.transfers_per_minute = Some((rng.u8(..3) > 0).then(|| rng.u32(5..50))),
        }
        // A frozen wallet is of little use: thawing comes along with most other changes.
        if change.status.is_none() && rng.u8(..4) > 0 {
            change.status = Some(Status::Active);
        }
        let mut caller = caller(&self.name);
        caller.admin = true;
        Command::Amend(Amend { caller, wallet, expected_version, change })
    }
}

fn answer(ended: Result<Done, ExecuteError>) -> Answer {
    match ended {
        Ok(Done::Executed(transaction) | Done::Replayed(transaction)) => Answer::Done(Box::new(transaction)),
        Err(ExecuteError::OutcomeUnknown) => Answer::Unknown,
        Err(ExecuteError::Conflict { .. }) => Answer::Nothing("conflict"),
        Err(ExecuteError::LockTimeout { .. }) => Answer::Nothing("lock timeout"),
        Err(ExecuteError::Throttled { .. }) => Answer::Nothing("throttled for good"),
        Err(ExecuteError::Refused(_)) => Answer::Nothing("refused"),
        Err(ExecuteError::Fault(fault)) => {
            // No fault here is one of the table or of the code's own.
            panic!("a fault: {fault}")
        }
    }
}

fn fee() -> FeeSchedule {
    let eur = "EUR".parse().expect("a currency");
    let bounds = |text| Bounds::new([Money::parse(text, eur).expect("an amount")]).expect("not negative");
    let points = BasisPoints::new(150).expect("a share");
    FeeSchedule::new(points, bounds("0.05"), bounds("1.00")).expect("a schedule")
}
