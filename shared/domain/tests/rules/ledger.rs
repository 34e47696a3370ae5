//! A ledger in memory beside the model: it asks both the same, and writes plans as they stand.

mod command;

use std::collections::BTreeMap;

use wallet_domain::*;

use crate::model::{ADMIN, Ask, CALLERS, Model, Place};
use crate::purse::Refused;
use crate::sound::sound;
use crate::stored::{step, write};
use crate::world::{attempted, currency, decided, key, owner};

/// Refusals that stay on record, by the contract's table.
const RECORDED: [&str; 9] = [
    "insufficient_funds",
    "max_balance_exceeded",
    "limit_exceeded",
    "wallet_frozen",
    "wallet_closed",
    "currency_mismatch",
    "rebate_below_minimum",
    "rebate_cap_reached",
    "rebate_too_late",
];

/// A request: who, what, and under which key.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) by: usize,
    pub(crate) ask: Ask,
    pub(crate) key: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) stored: Snapshots,
    pub(crate) statements: BTreeMap<WalletId, Vec<Entry>>,
    pub(crate) model: Model,
    /// What waits.
    inboxes: BTreeMap<WalletId, Vec<Credit>>,
    ids: Vec<WalletId>,
    deposits: Vec<TransactionId>,
    /// In step with the model's.
    movements: Vec<TransactionId>,
    /// In step with the model's.
    holds: Vec<TransactionId>,
    /// Which request each transaction answered first.
    answered: BTreeMap<TransactionId, usize>,
}

impl Ledger {
    /// Opens a wallet for each purse of the model, as it stands.
    pub(crate) fn opening(mut model: Model, now_ms: i64) -> Ledger {
        let mut ledger = Ledger::default();
        for (at, purse) in model.wallets.iter_mut().enumerate() {
            purse.updated_ms = now_ms;
            purse.switched_ms = purse.batched.then_some(now_ms);
            let of = |units| money(units, purse.code);
            let limit = |units: Option<i128>| units.map(|units| Amount::new(of(units)).expect("limits are positive"));
            let open = Open {
                caller: caller(ADMIN),
                key: key(&format!("open {at}")),
                owner: owner(CALLERS[purse.owner]),
                currency: currency(purse.code),
                floor: of(purse.floor),
                ceiling: purse.ceiling.map(of),
                limits: Limits {
                    max_movement: limit(purse.max_movement),
                    max_daily_outflow: limit(purse.daily),
                    transfers_per_minute: purse.rate,
                },
                credits: if purse.batched { Credits::Batched } else { Credits::Immediate },
                metadata: Metadata::default(),
            };
            ledger.ids.push(open.wallet());
            let plan = decided(&Snapshots::default(), &Command::Open(open), time(now_ms)).expect("bounds around zero");
            ledger.write(&plan);
        }
        Ledger { model, ..ledger }
    }

    /// Asks model and domain, expects one answer, and writes it.
    pub(crate) fn ask(&mut self, request: &Request, now_ms: i64) {
        let (command, now) = (self.command(request), time(now_ms));
        if let Some(first) = self.stored.transactions.get(&command.transaction()) {
            let same = self.answered[&first.id] == request.key || matches!(request.ask, Ask::Rebate { .. });
            match replay(&command, first) {
                Err(refusal) if !same => assert_eq!(refusal.code(), "version_mismatch", "only amendments share an id"),
                answer => assert_eq!(answer, Ok(first), "the same request gets its first answer"),
            }
            return;
        }
        let mut read = self.read(&command, now);
        while let Err(NoPlan::Unreleased(wallet)) = decide(&read, &command, now) {
            self.release(wallet, now_ms);
            read = self.read(&command, now);
        }
        let outcome = decide(&read, &command, now);
        let expected = self.model.answer(request.by, &request.ask, now_ms, &command.transaction().to_string());
        match outcome {
            Err(NoPlan::Unsettled(wallet)) => {
                assert_eq!(expected, Err(("unsettled", None, None)), "{request:?}");
                assert!(self.settle(self.at(wallet), now_ms) > 0, "what would cover it can be settled");
                self.ask(request, now_ms);
            }
            Err(NoPlan::Unreleased(_)) => unreachable!("it was released"),
            Err(NoPlan::Unsound(fault)) => panic!("{fault}: {request:?}"),
            Ok(plan) => {
                sound(&read, &command, &plan, now);
                assert_eq!(Ok(self.moves(&plan)), expected, "{request:?}");
                if plan.transaction().kind == Kind::DEPOSIT {
                    self.deposits.push(plan.transaction().id);
                }
                if plan.transaction().kind == Kind::HOLD {
                    self.holds.push(plan.transaction().id);
                }
                if plan.transaction().kind != Kind::AMENDMENT {
                    self.movements.push(plan.transaction().id);
                }
                for record in [plan.transaction()].into_iter().chain(plan.bars()) {
                    self.answered.insert(record.id, request.key);
                }
                self.write(&plan);
            }
            Err(NoPlan::Refused(refusal)) => {
                assert_eq!(Err(told(&refusal)), expected, "{request:?}");
                let failed = attempted(&read, &command, &refusal, now);
                let recorded = RECORDED.contains(&refusal.code()) && !matches!(request.ask, Ask::Amend { .. });
                assert_eq!(failed.is_some(), recorded, "{refusal:?}");
                if let Some(failed) = failed {
                    let wallet = refusal.facts().wallet.and_then(|id| self.stored.wallets.get(&id));
                    let owner = wallet.expect("one of the ledger's refused").owner.clone();
                    assert_eq!(failed.outcome, Outcome::Failed { refusal, owner });
                    self.answered.insert(failed.id, request.key);
                    self.stored.transactions.insert(failed.id, failed);
                }
            }
        }
    }

    /// Folds what waits for a wallet, and lets the model do the same. Answers how many credits that were.
    pub(crate) fn settle(&mut self, at: usize, now_ms: i64) -> usize {
        let id = self.ids[at];
        self.model.wallets[at].settle(now_ms);
        let (mut settled, inbox) = (0, self.inboxes.entry(id).or_default());
        // The first time as far as one step goes.
        while let Some(fold) = Fold::of(&self.stored.wallets[&id], inbox, time(now_ms)) {
            step(&mut self.stored, fold.posting());
            let rows = &fold.posting().rows;
            inbox.retain(|credit| rows.iter().all(|row| row.transaction != credit.transaction));
            self.statements.entry(id).or_default().extend(rows.iter().cloned());
            settled += rows.len();
        }
        settled
    }

    /// Only what the command names.
    fn read(&self, command: &Command, now: Timestamp) -> Snapshots {
        let (Reads { wallets, transactions, marks, holds }, stored) = (command.reads(), &self.stored);
        let transaction = |id: TransactionId| Some((id, stored.transactions.get(&id)?.clone()));
        let incoming = |id: &WalletId| Some((*id, self.incoming(stored.wallets.get(id)?)));
        Snapshots {
            incoming: wallets.iter().filter_map(incoming).collect(),
            wallets: wallets.into_iter().filter_map(|id| Some((id, stored.wallets.get(&id)?.clone()))).collect(),
            transactions: transactions.into_iter().filter_map(transaction).collect(),
            marks: marks.into_iter().filter_map(|mark| Some((mark, *stored.marks.get(&mark)?))).collect(),
            holds: holds.into_iter().filter_map(|key| Some((key.id, stored.holds.get(&key.id)?.clone()))).collect(),
            overdue: stored.wallets.values().map(|wallet| (wallet.id, self.overdue(wallet, now))).collect(),
        }
    }

    fn incoming(&self, wallet: &Wallet) -> Incoming {
        Incoming::of(wallet, self.inboxes.get(&wallet.id).map_or(&[][..], Vec::as_slice))
    }

    fn overdue(&self, wallet: &Wallet, now: Timestamp) -> Money {
        let its = self.stored.holds.values().filter(|hold| hold.source == wallet.id && hold.is_overdue(now));
        its.fold(Money::zero(wallet.currency()), |sum, hold| {
            hold.held().and_then(|held| sum.plus(held)).expect("within bounds")
        })
    }

    /// Releases what is overdue of a wallet, as the storage does for whoever is short of it.
    fn release(&mut self, wallet: WalletId, now_ms: i64) {
        let before = &self.stored.wallets[&wallet];
        let holds =
            self.stored.holds.values().filter(|hold| hold.source == wallet && hold.status == HoldStatus::Active);
        let expire = Expire { wallet, version: before.version, holds: holds.map(Hold::key).collect() };
        let command = Command::Expire(expire);
        let read = self.read(&command, time(now_ms));
        let plan = decided(&read, &command, time(now_ms)).expect("something is overdue");
        self.write(&plan);
        let place = |release: &Release| self.holds.iter().position(|id| *id == release.hold);
        let released: Option<Vec<_>> = plan.transaction().released.iter().map(place).collect();
        self.model.expire(self.at(wallet), &released.expect("the ledger's"), now_ms);
    }

    /// A wallet's place in the model.
    fn at(&self, wallet: WalletId) -> usize {
        self.ids.iter().position(|id| *id == wallet).expect("only wallets that were opened")
    }

    fn write(&mut self, plan: &Plan) {
        write(&mut self.stored, plan);
        for posting in plan.postings() {
            self.statements.entry(posting.after.id).or_default().extend(posting.rows.iter().cloned());
        }
        for credit in plan.credits() {
            self.inboxes.entry(credit.wallet).or_default().push(credit.clone());
        }
    }

    fn moves(&self, plan: &Plan) -> Vec<(Place, i128)> {
        plan.transaction().legs().iter().map(|leg| (self.place(leg), leg.amount().minor_units())).collect()
    }

    fn place(&self, leg: &Leg) -> Place {
        match leg {
            Leg::Wallet { wallet, .. } | Leg::Credit { wallet, .. } => Place::Wallet(self.at(*wallet)),
            Leg::System { account: Account::External, .. } => Place::System("external"),
            Leg::System { account: Account::Fees, .. } => Place::System("fees"),
            Leg::System { account: Account::Rebates, .. } => Place::System("rebates"),
            Leg::System { account: Account::Wallet(_), .. } => panic!("a wallet is no system account"),
        }
    }

    /// Wallets are where the model has them, within their bounds; nothing was made or lost; every rebate is on record or
    /// still to come.
    pub(crate) fn adds_up(&self) {
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for (purse, id) in self.model.wallets.iter().zip(&self.ids) {
            let wallet = &self.stored.wallets[id];
            let balance = wallet.balance.minor_units();
            assert_eq!((balance, wallet.version), (purse.balance, purse.version));
            assert_eq!((wallet.status.as_str(), wallet.updated_at), (purse.status, time(purse.updated_ms)));
            assert!((purse.floor <= balance || purse.overdrawn) && balance <= purse.top(), "{wallet:?}");
            let inbox = self.inboxes.get(id).into_iter().flatten();
            let waits: Vec<_> = inbox.map(|credit| credit.amount.minor_units()).collect();
            assert_eq!(waits.len(), purse.waits.len());
            assert!(purse.waits.iter().all(|(.., units)| waits.contains(units)), "{waits:?} {purse:?}");
            *sums.entry(purse.code).or_default() += balance + waits.iter().sum::<i128>();
            let held = self
                .stored
                .holds
                .values()
                .filter(|hold| hold.source == *id)
                .map(|hold| hold.held().expect("within bounds").minor_units());
            assert_eq!((wallet.held.minor_units(), held.sum::<i128>()), (purse.held, purse.held));
        }
        for (held, id) in self.model.holds.iter().zip(&self.holds) {
            let hold = &self.stored.holds[id];
            assert_eq!((hold.status.as_str(), hold.captured.minor_units()), (held.status, held.captured));
        }
        let mut system: BTreeMap<_, i128> = BTreeMap::new();
        for leg in self.stored.transactions.values().flat_map(Transaction::legs) {
            let (place, amount) = (self.place(leg), leg.amount());
            if let Place::System(name) = place {
                *system.entry((name, amount.currency().code())).or_default() += amount.minor_units();
                *sums.entry(amount.currency().code()).or_default() += amount.minor_units();
            }
        }
        assert_eq!(system, self.model.system);
        for (deposited, id) in self.model.deposits.iter().zip(&self.deposits) {
            let record = self.stored.transactions[id].rebate().and_then(|rebate| self.stored.transactions.get(&rebate));
            let paid = record.map(|record| (!record.legs().is_empty()).then(|| record.amount.minor_units()));
            assert_eq!(paid, deposited.rebate);
        }
        assert!(sums.values().all(|sum| *sum == 0), "money was made or lost: {sums:?}");
    }
}

fn told(refusal: &Refusal) -> Refused<'_> {
    let units = |money: &Money| Some(money.minor_units());
    let (available, requested) = match refusal {
        Refusal::InsufficientFunds { available, requested, .. }
        | Refusal::MaxBalanceExceeded { available, requested, .. }
        | Refusal::LimitExceeded { available, requested, .. } => (available.map(Money::minor_units), units(requested)),
        Refusal::RebateBelowMinimum { requested, .. }
        | Refusal::RebateCapReached { requested, .. }
        | Refusal::RebateTooLate { requested, .. } => (None, units(requested)),
        Refusal::Payment { refusal, .. } => return told(refusal),
        _ => (None, None),
    };
    (refusal.code(), available, requested)
}

fn time(now_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(now_ms).expect("within a few years of the start")
}

fn money(units: i128, code: &str) -> Money {
    Money::from_minor(units, currency(code)).expect("the model stays within bounds")
}

fn caller(by: usize) -> Caller {
    Caller { subject: owner(CALLERS[by]), admin: by == ADMIN }
}
