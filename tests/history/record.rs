//! Runs clients at once from a seed and records what they asked and were told, wallet by wallet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use wallet_domain::{
    Amount, Authorise, BasisPoints, Capture, Command, Credits, Deposit, HOLD_LIFETIME, Leg, Money, Order, Outcome,
    PayRebate, RebateTerms, Refusal, Reverse, Transaction, Transfer, Void, WalletId, Withdraw,
};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy, Usage};

use super::spec::{Answer, Request};
use crate::faults::{Climate, World, runtime};
use crate::ledger::{mode, order};

/// Something that happened at one wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Invoked { client: u32, request: Request },
    Answered { client: u32, answer: Answer },
}

/// What happened at each wallet, in order.
pub(crate) type Histories = BTreeMap<WalletId, Vec<Event>>;

/// A deposit that was posted, under a number of its own.
struct Earned {
    number: u32,
    deposit: Transaction,
    cents: i64,
    paid: bool,
    undone: bool,
}

/// A hold that was made, under a number of its own.
struct Kept {
    number: u32,
    hold: Transaction,
    cents: i64,
    /// How often somebody has asked to end it: two may.
    asked: u8,
}

const CLIENTS: usize = 4;
const REQUESTS: usize = 6;

/// What happened at each of two wallets under the schedule of `seed`.
pub(crate) fn histories(seed: u64) -> Histories {
    fastrand::seed(seed);
    runtime().block_on(async {
        let mut rng = Rng::with_seed(seed);
        let world = World::new();
        let wallets = [world.open("a", "0", None).await, world.open("b", "0", None).await];
        let batched = rng.bool().then_some(wallets[1]);
        if let Some(batched) = batched {
            world.amend(batched, 0, mode(Credits::Batched)).await;
        }
        let climate = Climate { faults: [0, 100, 250][rng.usize(..3)], delay_ms: 10, torn: true };
        let mut weather = rng.fork();
        world.network.set(Box::new(move |call| climate.treat(call, &mut weather)));
        let record = Arc::new(Record::default());
        let mut clients = JoinSet::new();
        let (earned, kept) = (Arc::default(), Arc::default());
        for number in 0..CLIENTS {
            let ledger = world.ledger(rng.i64(-290..=290), [2, 6][rng.usize(..2)]);
            let (record, earned, kept) = (Arc::clone(&record), Arc::clone(&earned), Arc::clone(&kept));
            let rng = rng.fork();
            clients.spawn(Client { ledger, wallets, batched, record, earned, kept, rng }.work(number));
        }
        let folders = batched.map(|batched| {
            let (folder, late) = (world.ledger(rng.i64(-290..=290), 4), world.ledger(0, 2));
            tokio::spawn(async move {
                loop {
                    let (mut usage, mut other) = Default::default();
                    let _ = tokio::join!(folder.settle(batched, &mut usage), late.settle(batched, &mut other));
                    tokio::time::sleep(Duration::from_millis(15)).await;
                }
            })
        });
        clients.join_all().await;
        folders.inspect(|folders| folders.abort());
        Arc::into_inner(record).expect("all clients are done").into_histories()
    })
}

/// The histories, and how many names clients have gone by.
#[derive(Default)]
struct Record(Mutex<(Histories, u32)>);

impl Record {
    /// A client goes by a new name after a request that it never heard of again.
    fn new_client(&self) -> u32 {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.1 += 1;
        inner.1
    }

    fn push(&self, wallet: WalletId, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.entry(wallet).or_default().push(event);
    }

    /// Takes back the newest invocation of `client`, which came to nothing.
    fn strike(&self, wallet: WalletId, client: u32) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let history = inner.0.entry(wallet).or_default();
        let invoked = |event: &Event| matches!(event, Event::Invoked { client: by, .. } if *by == client);
        let newest = history.iter().rposition(invoked).expect("what is taken back was recorded");
        history.remove(newest);
    }

    fn into_histories(self) -> Histories {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).0
    }
}

/// One client, which has one request at a time and asks each once.
struct Client {
    ledger: Ledger,
    wallets: [WalletId; 2],
    /// The one whose credits wait.
    batched: Option<WalletId>,
    record: Arc<Record>,
    /// What any client has heard of.
    earned: Arc<Mutex<Vec<Earned>>>,
    kept: Arc<Mutex<Vec<Kept>>>,
    rng: Rng,
}

impl Client {
    async fn work(mut self, number: usize) {
        let mut client = self.record.new_client();
        for request in 0..REQUESTS {
            tokio::time::sleep(Duration::from_millis(self.rng.u64(0..60))).await;
            if self.rng.u8(..4) == 0 {
                self.read(client).await;
            } else if self.movement(client, &format!("client {number} request {request}")).await.is_none() {
                client = self.record.new_client();
            }
        }
    }

    async fn read(&mut self, client: u32) {
        // Balance and inbox are not read at one moment.
        let among = if self.batched.is_some() { 1 } else { 2 };
        let wallet = self.wallets[self.rng.usize(..among)];
        self.record.push(wallet, Event::Invoked { client, request: Request::Read });
        match self.ledger.wallet(wallet, &mut Usage::default()).await {
            Ok(found) => {
                let found = found.expect("the wallet exists");
                let answer = Answer::Balance { version: found.version, balance: cents(found.balance) };
                self.record.push(wallet, Event::Answered { client, answer });
            }
            // A read that failed said nothing and changed nothing.
            Err(_) => self.record.strike(wallet, client),
        }
    }

    /// A movement of any kind; `None` when its outcome stays unknown.
    async fn movement(&mut self, client: u32, key: &str) -> Option<()> {
        let first = self.rng.usize(..2);
        let (wallet, destination) = (self.wallets[first], self.wallets[1 - first]);
        let amount = self.rng.i64(10..2_000);
        let text = format!("{}.{:02}", amount / 100, amount % 100);
        let mut order = order("client", key.parse().expect("a printable key"), &text);
        order.caller.admin = true;
        let of_earlier = match self.rng.u8(..8) {
            0 | 1 => self.rebate(),
            2 => self.reversal(&order),
            3 => self.end(&order),
            4 => Some(self.hold(order.clone(), wallet, amount)),
            _ => None,
        };
        let (command, moves) = match (of_earlier, self.rng.u8(..4)) {
            (Some((command, request)), _) => {
                let wallet = command.wallet();
                (command, vec![(wallet, request)])
            }
            (None, 0 | 1) => {
                let deposit = Deposit { order, wallet, rules: [rule()].into() };
                (Command::Deposit(deposit), vec![(wallet, Request::Move(amount))])
            }
            (None, 2) => (Command::Withdraw(Withdraw { order, wallet }), vec![(wallet, Request::Move(-amount))]),
            (None, _) => {
                let transfer = Transfer { order, source: wallet, destination, fee: None };
                let moves = vec![(wallet, Request::Move(-amount)), (destination, Request::Move(amount))];
                (Command::Transfer(transfer), moves)
            }
        };
        for (wallet, request) in &moves {
            self.record.push(*wallet, Event::Invoked { client, request: *request });
        }
        let strategy = if self.rng.bool() { Strategy::Optimistic } else { Strategy::Pessimistic };
        match self.ledger.execute(&command, strategy, &mut Usage::default()).await {
            Ok(Done::Executed(transaction) | Done::Replayed(transaction)) => {
                self.answered(client, &transaction, &moves);
            }
            Err(ExecuteError::OutcomeUnknown) => return None,
            Err(
                ExecuteError::Conflict { .. }
                | ExecuteError::LockTimeout { .. }
                | ExecuteError::Throttled { .. }
                | ExecuteError::ClockSkew { .. },
            ) => {
                // Nothing has moved, and that is taken at its word: had it moved, the others' answers would not fit.
                moves.iter().for_each(|(wallet, _)| self.record.strike(*wallet, client));
            }
            Err(ExecuteError::Refused(Refusal::HoldNotActive { .. })) => {
                for (wallet, _) in &moves {
                    self.record.push(*wallet, Event::Answered { client, answer: Answer::Ended });
                }
            }
            Err(error @ (ExecuteError::Refused(_) | ExecuteError::Fault(_))) => panic!("{error}"),
        }
        Some(())
    }

    /// The payment of a rebate that nobody has asked for yet.
    fn rebate(&mut self) -> Option<(Command, Request)> {
        let mut earned = self.earned.lock().unwrap_or_else(PoisonError::into_inner);
        let Earned { number, deposit, cents, paid, .. } = earned.iter_mut().rev().find(|earned| !earned.paid)?;
        *paid = true;
        let rule = deposit.rule.as_ref()?.id.clone();
        let pay = PayRebate { deposit: deposit.id, wallet: deposit.wallet, rule };
        Some((Command::PayRebate(pay), Request::Pay { deposit: *number, cents: *cents / 10 }))
    }

    /// The reversal of a deposit that nobody has tried to reverse yet, with the key of `order`.
    fn reversal(&mut self, order: &Order) -> Option<(Command, Request)> {
        let mut earned = self.earned.lock().unwrap_or_else(PoisonError::into_inner);
        let Earned { number, deposit, cents, undone, .. } = earned.iter_mut().rev().find(|earned| !earned.undone)?;
        *undone = true;
        let reverse = Reverse {
            caller: order.caller.clone(),
            key: order.key.clone(),
            original: Box::new(deposit.clone()),
            allow_overdraft: false,
            return_fee: true,
            reference: None,
            metadata: Default::default(),
        };
        let request = Request::Undo { deposit: *number, cents: *cents, rebate: *cents / 10 };
        Some((Command::Reverse(reverse), request))
    }

    /// A hold under the next number, which it has whether it comes to be or not.
    fn hold(&self, order: Order, source: WalletId, cents: i64) -> (Command, Request) {
        let number = self.record.new_client();
        let (destination, expires_in, fee) = (None, HOLD_LIFETIME, None);
        let hold = Authorise { order, source, destination, expires_in, fee };
        (Command::Authorise(hold), Request::Hold { number, cents })
    }

    /// The capture of half of a hold, or its void, which at most one other has asked for.
    fn end(&mut self, order: &Order) -> Option<(Command, Request)> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { number, hold, cents, asked } = kept.iter_mut().rev().find(|kept| kept.asked < 2)?;
        *asked += 1;
        let (caller, key, hold) = (order.caller.clone(), order.key.clone(), Box::new(hold.clone()));
        if self.rng.bool() {
            return Some((Command::Void(Void { caller, key, hold }), Request::End { hold: *number, cents: 0 }));
        }
        let half = *cents / 2;
        let amount = Amount::parse(&format!("{}.{:02}", half / 100, half % 100), hold.amount.currency());
        let amount = Some(amount.expect("half an amount"));
        let capture = Capture { caller, key, hold, amount, is_final: true };
        Some((Command::Capture(capture), Request::End { hold: *number, cents: half }))
    }

    fn answered(&self, client: u32, transaction: &Transaction, moves: &[(WalletId, Request)]) {
        match &transaction.outcome {
            Outcome::Failed { refusal: Refusal::DepositReversed { wallet }, .. } => {
                self.record.push(*wallet, Event::Answered { client, answer: Answer::Barred });
            }
            Outcome::Posted { legs, .. } => {
                if transaction.rule.is_some() {
                    let mut earned = self.earned.lock().unwrap_or_else(PoisonError::into_inner);
                    let number = u32::try_from(earned.len()).expect("few deposits");
                    let (deposit, cents) = (transaction.clone(), cents(transaction.amount));
                    earned.push(Earned { number, deposit, cents, paid: false, undone: false });
                }
                if let [(_, Request::Hold { number, cents })] = *moves {
                    let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.push(Kept { number, hold: transaction.clone(), cents, asked: 0 });
                }
                for leg in legs {
                    let Some(wallet) = leg.wallet() else { continue };
                    let answer = match leg {
                        Leg::Wallet { balance_after, version_after, .. } if self.batched != Some(wallet) => {
                            Answer::Moved { version: *version_after, balance: cents(*balance_after) }
                        }
                        _ => Answer::Done,
                    };
                    self.record.push(wallet, Event::Answered { client, answer });
                }
            }
            Outcome::Failed { refusal: Refusal::InsufficientFunds { wallet: source, .. }, .. } => {
                for (wallet, _) in moves {
                    if wallet == source {
                        self.record.push(*wallet, Event::Answered { client, answer: Answer::TooLittle });
                    } else {
                        // Nothing was asked of the destination.
                        self.record.strike(*wallet, client);
                    }
                }
            }
            Outcome::Failed { refusal, .. } => panic!("refused: {refusal}"),
        }
    }
}

/// A tenth comes back, rounded toward zero.
fn rule() -> RebateTerms {
    RebateTerms::new("standard".parse().expect("a rule's name"), BasisPoints::new(1_000).expect("a share"))
}

fn cents(money: Money) -> i64 {
    money.minor_units().try_into().expect("small amounts")
}
