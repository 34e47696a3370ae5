//! One caller: what it asks, of which process, how often, and what it hears.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use wallet_domain::{
    Amend, Amount, Authorise, BasisPoints, Bounds, Capture, Change, Command, Credits, Deposit, Expected, FeeSchedule,
    Hold, IdempotencyKey, Money, Open, Order, PayRebate, Payment, Payout, RebateTerms, Reverse, SignedDuration, Status,
    Terms, Transaction, Transfer, Void, WalletId, Withdraw,
};
use wallet_dynamodb::{Accepted, Done, ExecuteError, Ledger, Strategy, Usage};

use super::asked::{Answer, Asked, Attempt, Tried};
use super::processes::Processes;
use crate::ledger::{caller, order};

/// How a command is asked for.
#[derive(Clone, Copy)]
enum Way {
    Directly,
    /// It is to wait.
    Accept,
    /// It is executed where it waits.
    Resume,
}

/// One caller with its own stream of chances.
pub(super) struct Client {
    pub(super) processes: Arc<Processes>,
    pub(super) wallets: Vec<WalletId>,
    /// What could be reversed, and which rebates could be paid.
    pub(super) posted: Arc<Mutex<Vec<Transaction>>>,
    pub(super) rng: Rng,
    pub(super) name: String,
}

impl Client {
    pub(super) async fn work(mut self, operations: usize) -> Vec<Asked> {
        let mut asked = vec![];
        let pause = (self.rng.u8(..5) == 0).then(|| self.rng.usize(..operations.max(1)));
        let mut number = 0;
        while number < operations {
            // Months later some rebates are still unpaid.
            if pause == Some(number) {
                tokio::time::sleep(Duration::from_secs(100 * 86_400)).await;
                asked.extend(self.overdue().await);
            }
            let at_once = if self.rng.u8(..6) == 0 { self.rng.usize(2..6).min(operations - number) } else { 1 };
            let mut commands = vec![];
            for number in number..number + at_once {
                commands.push(self.command(number).await);
            }
            asked.extend(self.together(commands).await);
            number += at_once;
        }
        asked
    }

    /// Asks for several `commands` together, as those who have a queue's messages at hand do, and for each by itself that has no
    /// outcome then.
    async fn together(&mut self, commands: Vec<Command>) -> Vec<Asked> {
        let (mut outcomes, mut window) = (BTreeMap::new(), None);
        if commands.len() > 1 {
            let process = self.rng.usize(..self.processes.traits.len());
            let dies = (self.rng.u8(..12) == 0).then(|| Duration::from_millis(self.rng.u64(0..200)));
            let (ledger, mut usage) = (self.processes.ledger(process), Usage::default());
            let run = ledger.execute_together(&commands, &mut usage);
            let (found, during) = self.processes.run(process, dies, run).await;
            (outcomes, window) = (found.unwrap_or_default(), Some(during));
        }
        let mut all = vec![];
        for command in commands {
            let outcome = outcomes.remove(&command.transaction());
            let told = outcome.map_or(Answer::Unknown, |done| answer(Ok(done)));
            let mut asked = if let Answer::Done(transaction) = &told {
                self.posted.lock().unwrap_or_else(PoisonError::into_inner).push((**transaction).clone());
                Asked { command, attempts: vec![], tried: vec![], queued: false, drained: None, alone: true }
            } else {
                self.ask(command).await
            };
            asked.attempts.splice(0..0, window.map(|window| Attempt { window, answer: told }));
            all.push(asked);
        }
        all
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
        let waits = |command: &Command| matches!(command.request(self.processes.ledger(0).now()), Ok(Some(_)));
        let queued = self.rng.u8(..4) == 0 && waits(&command);
        let mut asked = Asked { command, attempts: vec![], tried: vec![], queued, drained: None, alone: true };
        if self.rng.u8(..6) == 0 {
            // At the same time as it is asked for, or before.
            let mut tries = JoinSet::new();
            tries.spawn(self.dry_run(asked.command.clone()));
            if self.rng.bool() && !queued {
                let attempt = self.attempt(asked.command.clone(), Way::Directly).await;
                asked.attempts.push(attempt);
            }
            asked.tried.extend(tries.join_all().await.into_iter().flatten());
        }
        for number in 0..patience {
            let at_once = if self.rng.u8(..8) == 0 { self.rng.usize(2..4) } else { 1 };
            asked.alone &= at_once == 1;
            let mut tries = JoinSet::new();
            for _ in 0..at_once {
                let way = match (queued, number) {
                    (false, _) => Way::Directly,
                    (true, 0) => Way::Accept,
                    (true, _) => [Way::Accept, Way::Resume, Way::Resume, Way::Directly][self.rng.usize(..4)],
                };
                tries.spawn(self.attempt(asked.command.clone(), way));
            }
            let attempts: Vec<Attempt> = tries.join_all().await;
            let answered = attempts.iter().any(|attempt| match &attempt.answer {
                Answer::Done(transaction) => {
                    self.posted.lock().unwrap_or_else(PoisonError::into_inner).push((**transaction).clone());
                    true
                }
                Answer::Refused(_) => true,
                Answer::Nothing(_) | Answer::Unknown | Answer::Waits(_) | Answer::Killed => false,
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

    /// A dry run, on any process.
    fn dry_run(&mut self, command: Command) -> impl Future<Output = Option<Tried>> + Send + use<> {
        let processes = Arc::clone(&self.processes);
        let process = self.rng.usize(..processes.traits.len());
        async move {
            let (ledger, mut usage) = (processes.ledger(process), Usage::default());
            let (told, window) = processes.run(process, None, ledger.dry_run(&command, &mut usage)).await;
            let told = match told? {
                Ok(told) => Ok(told),
                Err(ExecuteError::Refused(refusal)) => Err(refusal),
                Err(_) => return None,
            };
            Some(Tried { window, told })
        }
    }

    /// One attempt, on any process, by either strategy, perhaps cut short by the death of the process.
    fn attempt(&mut self, command: Command, way: Way) -> impl Future<Output = Attempt> + Send + use<> {
        let processes = Arc::clone(&self.processes);
        let process = self.rng.usize(..processes.traits.len());
        let strategy = if self.rng.bool() { Strategy::Optimistic } else { Strategy::Pessimistic };
        let dies = (self.rng.u8(..12) == 0).then(|| Duration::from_millis(self.rng.u64(0..200)));
        async move {
            let (ledger, mut usage) = (processes.ledger(process), Usage::default());
            let run = run(&ledger, &command, way, strategy, &mut usage);
            let (answer, window) = processes.run(process, dies, run).await;
            Attempt { window, answer: answer.unwrap_or(Answer::Killed) }
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
            0..22 => {
                let rules = if self.rng.bool() { [rule(&mut self.rng)].into() } else { [].into() };
                Command::Deposit(Deposit { order, wallet, rules })
            }
            22..34 => Command::Withdraw(Withdraw { order, wallet }),
            34..41 => {
                let payments = [(); 2].map(|()| {
                    let destination = self.wallets[self.rng.usize(..self.wallets.len())];
                    Payment { destination, amount: order.amount, reference: None }
                });
                let order = Order { amount: Payout::total(&payments).expect("an amount"), ..order };
                let fee = self.rng.bool().then(fee);
                Command::Payout(Payout { order, source: wallet, payments: payments.into(), fee })
            }
            41..54 => {
                let destination = self.wallets[self.rng.usize(..self.wallets.len())];
                let fee = self.rng.bool().then(fee);
                Command::Transfer(Transfer { order, source: wallet, destination, fee })
            }
            54..66 => match self.some_posted(|made| made.rebate().is_some()) {
                Some(Transaction { id: deposit, wallet, rule: Some(rule), .. }) => {
                    Command::PayRebate(PayRebate { deposit, wallet, rule: rule.id })
                }
                _ => Command::Withdraw(Withdraw { order, wallet }),
            },
            66..75 => match self.some_posted(|made| !made.legs().is_empty()) {
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
            75..84 => {
                let destination = self.wallets[self.rng.usize(..self.wallets.len())];
                let destination = (self.rng.u8(..4) > 0).then_some(destination);
                // Short lives: many are over before they are asked for.
                let expires_in = SignedDuration::from_secs(self.rng.i64(1..20));
                let fee = self.rng.bool().then(fee);
                Command::Authorise(Authorise { order, source: wallet, destination, expires_in, fee })
            }
            84..92 => match self.some_posted(|made| Hold::made_by(made).is_some()) {
                Some(hold) if self.rng.u8(..4) > 0 => {
                    let of_its_currency = order.amount.money().currency() == hold.amount.currency();
                    let amount = (of_its_currency && self.rng.bool()).then_some(order.amount);
                    let (caller, key, hold, is_final) = (order.caller, order.key, Box::new(hold), self.rng.bool());
                    Command::Capture(Capture { caller, key, hold, amount, is_final })
                }
                Some(hold) => Command::Void(Void { caller: order.caller, key: order.key, hold: Box::new(hold) }),
                None => Command::Withdraw(Withdraw { order, wallet }),
            },
            92..98 => self.amendment(wallet, order.key).await,
            _ => {
                let (caller, key) = (order.caller, order.key);
                let owner = caller.subject.clone();
                let currency = "EUR".parse().expect("a currency");
                let floor = Money::zero(currency);
                let (limits, metadata) = Default::default();
                let credits = if self.rng.bool() { Credits::Batched } else { Credits::Immediate };
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
    async fn amendment(&mut self, wallet: WalletId, key: IdempotencyKey) -> Command {
        let ledger = self.processes.ledger(self.rng.usize(..self.processes.traits.len()));
        let read = ledger.wallet(wallet, &mut Usage::default()).await.ok().flatten();
        let expected_version = read.map_or_else(|| self.rng.u64(0..10), |wallet| wallet.version);
        let amount = |rng: &mut Rng, cents: std::ops::Range<u32>| {
            Some((rng.u8(..3) > 0).then(|| format!("{}.00", rng.u32(cents))))
        };
        let rng = &mut self.rng;
        let mut change = Change::default();
        match rng.u32(..16) {
            12..16 => {
                change.credits = Some(if rng.bool() { Credits::Batched } else { Credits::Immediate });
                if rng.bool() {
                    change.ceiling = Some(None);
                }
            }
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
        let expected = match rng.u8(..3) {
            0 => Expected::Any(key),
            _ => Expected::Version(expected_version),
        };
        Command::Amend(Amend { caller, wallet, expected, change })
    }
}

/// What the deployment adds to `command` when it is executed where it waits: what it has been given already.
pub(super) fn terms(command: &Command) -> Terms {
    match command {
        Command::Deposit(Deposit { rules, .. }) => Terms { rules: rules.clone(), fee: None },
        Command::Transfer(Transfer { fee, .. }) | Command::Payout(Payout { fee, .. }) => {
            Terms { rules: [].into(), fee: fee.clone() }
        }
        _ => Terms { rules: [].into(), fee: None },
    }
}

async fn run(ledger: &Ledger, command: &Command, way: Way, strategy: Strategy, usage: &mut Usage) -> Answer {
    match way {
        Way::Directly => answer(ledger.execute(command, strategy, usage).await),
        Way::Resume => match ledger.resume(command.transaction(), &terms(command), strategy, usage).await {
            Ok(None) => Answer::Nothing("nothing to execute"),
            Ok(Some(done)) => answer(Ok(done)),
            Err(error) => answer(Err(error)),
        },
        Way::Accept => {
            let request = command.request(ledger.now()).expect("it is admissible").expect("it can wait");
            match ledger.accept(&request, Some(strategy), usage).await {
                Ok(Accepted::Waits { queued, .. }) => Answer::Waits(queued.request.accepted_at),
                Ok(Accepted::Done(done)) => answer(Ok(*done)),
                Err(error) => answer(Err(error)),
            }
        }
    }
}

pub(super) fn answer(ended: Result<Done, ExecuteError>) -> Answer {
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
