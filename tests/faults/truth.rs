//! What was so at which moment: every refusal was true at one between its request and its answer.
//!
//! The table remembers all its states. At each moment the domain is asked anew what becomes of the command, on the whole
//! state of that moment and by the clock of the process that answered; one of the moments must give the same refusal, and
//! at that moment the request had no record yet. A commit is one moment, any one from its decision to its last item.

mod dry_run;

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use wallet_domain::{
    Command, Credit, Hold, HoldKey, Incoming, MarkName, Money, NoPlan, Refusal, Snapshots, Timestamp, Transaction,
    TransactionId, Wallet, WalletId, decide, replay,
};
use wallet_dynamodb::Usage;
use wallet_dynamodb::scan::{Key, Scanned};

use super::table::{Moment, State, Table};
use super::world::World;

/// When somebody asked and was answered, and how far the clock of the process was off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    pub(crate) skew_seconds: i64,
}

impl Window {
    /// The part of it before `end`, which may be later than its own: a process that died has sent what it has sent.
    pub(crate) fn until(self, end: Instant) -> Option<Window> {
        (self.begun <= end).then_some(Window { ended: end, ..self })
    }
}

/// Which moment a commit is.
#[derive(Debug, Clone, Copy)]
enum Commit {
    /// That of its decision.
    Decided,
    /// That from which on all of it can be seen.
    Applied,
}

impl Commit {
    fn of<T>(self, state: &Since<T>) -> Moment {
        match self {
            Commit::Decided => state.decided,
            Commit::Applied => state.applied,
        }
    }

    /// What was so at `moment`.
    fn at<T>(self, states: &[Since<T>], moment: Moment) -> Option<&T> {
        states.iter().rfind(|state| self.of(state) <= moment).map(|state| &state.what)
    }
}

/// Something that has been so since a commit.
struct Since<T> {
    decided: Moment,
    applied: Moment,
    what: T,
}

/// A credit since it waited, and since when it did no more.
type Waited = (Since<Credit>, Option<Since<()>>);

/// All states that the table was ever in.
pub(crate) struct Moments<'a> {
    world: &'a World,
    wallets: BTreeMap<WalletId, Vec<Since<Wallet>>>,
    transactions: BTreeMap<TransactionId, Since<Transaction>>,
    marks: BTreeMap<(TransactionId, MarkName), Since<TransactionId>>,
    /// What waited, and until when.
    credits: BTreeMap<WalletId, Vec<Waited>>,
    holds: BTreeMap<TransactionId, Vec<Since<Hold>>>,
    /// At each of these something changed.
    times: BTreeSet<Moment>,
}

impl Moments<'_> {
    pub(crate) async fn of(world: &World) -> Moments<'_> {
        let mut moments = Moments {
            world,
            wallets: BTreeMap::new(),
            transactions: BTreeMap::new(),
            marks: BTreeMap::new(),
            credits: BTreeMap::new(),
            holds: BTreeMap::new(),
            times: BTreeSet::new(),
        };
        let history = world.table.history().into_iter().filter(|(key, _)| !key.1.starts_with("ENTRY#"));
        let (states, gone): (Vec<_>, Vec<_>) = history.partition(|(_, state)| state.item.is_some());
        let states: Vec<_> = states.into_iter().map(|(_, state)| state).collect();
        for (State { committed: decided, applied, .. }, item) in states.iter().zip(decoded(&states).await) {
            let (decided, applied) = (*decided, *applied);
            match item {
                Scanned::Wallet(wallet) => {
                    let states = moments.wallets.entry(wallet.id).or_default();
                    // Taking or giving back a lease changes nothing.
                    if states.last().is_some_and(|last| last.what == *wallet) {
                        continue;
                    }
                    states.push(Since { decided, applied, what: *wallet });
                }
                Scanned::Transaction(made) => {
                    moments.transactions.insert(made.id, Since { decided, applied, what: *made });
                }
                Scanned::Mark(mark) => {
                    moments.marks.insert((mark.of, mark.name), Since { decided, applied, what: mark.by });
                }
                Scanned::Credit(credit) => {
                    let waits = moments.credits.entry(credit.wallet).or_default();
                    waits.push((Since { decided, applied, what: *credit }, None));
                }
                Scanned::Hold(hold) => {
                    moments.holds.entry(hold.id).or_default().push(Since { decided, applied, what: *hold });
                }
                // No record yet.
                Scanned::Queued(_) => {}
                other => panic!("not of this table: {other:?}"),
            }
            moments.times.extend([decided, applied]);
        }
        for ((pk, sk), State { committed: decided, applied, .. }) in gone {
            let waits = pk.strip_prefix("INBOX#").and_then(|id| moments.credits.get_mut(&id.parse().ok()?));
            let mut waits = waits.into_iter().flatten();
            let settled = waits.find(|(credit, _)| credit.what.transaction.to_string() == sk);
            settled.expect("nothing but credits is ever deleted").1 = Some(Since { decided, applied, what: () });
            moments.times.extend([decided, applied]);
        }
        moments
    }

    /// When the record of a request could be seen, all that came with it included.
    pub(crate) fn recorded(&self, id: TransactionId) -> Instant {
        self.transactions.get(&id).expect("the record is there").applied.0
    }

    /// Whether the record of a rebate came along with the reversal of its deposit, which is who says that it is barred.
    pub(crate) fn barred(&self, rebate: &Transaction) -> bool {
        let made = self.transactions.get(&rebate.id).map(|made| made.decided);
        let reversed = rebate.parent.and_then(|deposit| self.marks.get(&(deposit, MarkName::REVERSAL)));
        made.is_some() && reversed.map(|mark| mark.decided) == made
    }

    /// Whether `refusal` was true of `command` at a moment of one of `windows`.
    ///
    /// Of credits that came while an inbox was looked through some were counted and some were not: then it was true when
    /// the look began, with less available than was told, and by its end so much was there.
    pub(crate) fn have(&self, command: &Command, refusal: &Refusal, windows: &[Window]) -> bool {
        windows.iter().any(|window| {
            let moments = || self.moments(window);
            let held = |refusal: &Refusal| {
                moments().find(|moment| {
                    let commits = [Commit::Decided, Commit::Applied];
                    commits.into_iter().any(|commit| self.was_true(command, refusal, window, *moment, commit))
                })
            };
            if held(refusal).is_some() {
                return true;
            }
            let &Refusal::InsufficientFunds { wallet, available: Some(told), requested } = refusal else {
                return false;
            };
            let available = |moment| self.available(wallet, moment, window.skew_seconds);
            let figures: BTreeSet<_> = moments().filter_map(available).collect();
            let less = figures.iter().filter(|figure| **figure < told.minor_units());
            let more = |since: &Moment| {
                let mut later = moments().filter(|moment| moment >= since);
                later.any(|moment| available(moment).is_some_and(|figure| figure >= told.minor_units()))
            };
            less.filter_map(|figure| Money::from_minor(*figure, told.currency()).ok()).any(|figure| {
                let then = Refusal::InsufficientFunds { wallet, available: Some(figure), requested };
                held(&then).is_some_and(|since| more(&since))
            })
        })
    }

    /// The begin of `window`, and when something changed in it.
    fn moments(&self, window: &Window) -> impl Iterator<Item = Moment> {
        let begun = (window.begun, 0);
        [begun].into_iter().chain(self.times.range(begun..=(window.ended, u64::MAX)).copied())
    }

    /// What could have left a wallet then, with all that waited and all that was overdue.
    fn available(&self, wallet: WalletId, moment: Moment, skew_seconds: i64) -> Option<i128> {
        let state = Commit::Applied.at(self.wallets.get(&wallet)?, moment)?;
        let incoming = self.incoming(state, moment, Commit::Applied).amount;
        let balance = state.balance.plus(incoming).ok()?;
        let overdue = self.overdue(wallet, moment, Commit::Applied, self.clock(moment.0, skew_seconds));
        let held = state.held.minus(overdue.unwrap_or(Money::zero(state.currency()))).ok()?;
        Some(Wallet { balance, held, ..state.clone() }.available().minor_units())
    }

    /// The holds of `wallet` as they were then.
    fn holds_of(&self, wallet: WalletId, moment: Moment, commit: Commit) -> impl Iterator<Item = &Hold> {
        let states = self.holds.values().filter_map(move |states| commit.at(states, moment));
        states.filter(move |hold| hold.source == wallet)
    }

    /// What holds of `wallet` kept back then and should not at `now`; `None` where there were none.
    fn overdue(&self, wallet: WalletId, moment: Moment, commit: Commit, now: Timestamp) -> Option<Money> {
        let overdue = self.holds_of(wallet, moment, commit).filter(|hold| hold.is_overdue(now));
        overdue
            .map(|hold| hold.held().expect("it was written"))
            .reduce(|sum, held| sum.plus(held).expect("one wallet's"))
    }

    /// `snapshots` of then, with what was overdue at `now`.
    fn with_overdue(&self, snapshots: &Snapshots, moment: Moment, commit: Commit, now: Timestamp) -> Snapshots {
        let overdue = |(id, wallet): (&WalletId, &Wallet)| {
            (*id, self.overdue(*id, moment, commit, now).unwrap_or(Money::zero(wallet.currency())))
        };
        Snapshots { overdue: snapshots.wallets.iter().map(overdue).collect(), ..snapshots.clone() }
    }

    /// The times at which a decision on what was so at `moment` could come out otherwise: then, at the end of the window, and
    /// when the time of a hold is over between the two.
    fn nows(&self, snapshots: &Snapshots, moment: Moment, commit: Commit, window: &Window) -> BTreeSet<Timestamp> {
        let both = [moment.0, window.ended].map(|now| self.clock(now, window.skew_seconds));
        let holds = snapshots.wallets.keys().flat_map(|wallet| self.holds_of(*wallet, moment, commit));
        let ends = holds.map(|hold| hold.terms.expires_at).filter(|end| both[0] < *end && *end < both[1]);
        ends.chain(both).collect()
    }

    /// What waited for `wallet` then.
    fn waiting(&self, wallet: WalletId, moment: Moment, commit: Commit) -> Vec<Credit> {
        let waits = self.credits.get(&wallet).into_iter().flatten().filter(|(came, gone)| {
            commit.of(came) <= moment && gone.as_ref().is_none_or(|gone| commit.of(gone) > moment)
        });
        waits.map(|(came, _)| came.what.clone()).collect()
    }

    /// What that came to for `wallet` as it was.
    fn incoming(&self, wallet: &Wallet, moment: Moment, commit: Commit) -> Incoming {
        Incoming::of(wallet, &self.waiting(wallet.id, moment, commit))
    }

    /// Whether `command` would have come to `transaction` at a moment of `window`, when it had no record yet. Where an inbox
    /// had to be settled for it, how much of it would have been is not told by the moment.
    pub(crate) fn allow(&self, command: &Command, transaction: &Transaction, window: &Window) -> bool {
        self.moments(window).any(|moment| {
            [Commit::Decided, Commit::Applied].into_iter().any(|commit| {
                let snapshots = self.at(command, moment, commit);
                let own = self.transactions.get(&command.transaction());
                let told =
                    |now: Timestamp| match decide(&self.with_overdue(&snapshots, moment, commit, now), command, now) {
                        Ok(plan) => plan.transaction().legs() == transaction.legs(),
                        Err(NoPlan::Unsettled(_) | NoPlan::Unreleased(_)) => true,
                        Err(_) => false,
                    };
                own.is_none_or(|own| commit.of(own) > moment)
                    && self.nows(&snapshots, moment, commit, window).into_iter().any(told)
            })
        })
    }

    fn was_true(&self, command: &Command, refusal: &Refusal, window: &Window, moment: Moment, commit: Commit) -> bool {
        let snapshots = self.at(command, moment, commit);
        let own = self.transactions.get(&command.transaction()).filter(|own| commit.of(own) <= moment);
        if let Some(own) = own {
            return replay(command, &own.what).is_err_and(|told| same(&told, refusal));
        }
        let refused = |snapshots: &Snapshots| {
            self.nows(snapshots, moment, commit, window).into_iter().any(|now| {
                let snapshots = self.with_overdue(snapshots, moment, commit, now);
                match decide(&snapshots, command, now) {
                    Err(NoPlan::Refused(told)) => same(&told, refusal),
                    _ => false,
                }
            })
        };
        // What is said of one wallet says nothing of the others, each of which may have been read at another moment, or may
        // not have been there at all.
        let about = refusal.facts().wallet;
        let others = command.reads().wallets.into_iter().filter(|id| about.is_some_and(|about| about != *id));
        let (mut all, others) = (vec![snapshots], others.collect::<BTreeSet<_>>());
        for other in others {
            for at in 0..all.len() {
                let among = self.within(other, window).map(|state| {
                    let mut snapshots = all[at].clone();
                    snapshots.wallets.insert(other, state.clone());
                    snapshots
                });
                let among: Vec<_> = among.collect();
                all.extend(among);
            }
        }
        all.iter().any(refused)
    }

    /// What there was to decide on.
    fn at(&self, command: &Command, moment: Moment, commit: Commit) -> Snapshots {
        let wallet = |id: WalletId| Some((id, commit.at(self.wallets.get(&id)?, moment)?.clone()));
        let hold = |key: HoldKey| Some((key.id, commit.at(self.holds.get(&key.id)?, moment)?.clone()));
        let transaction = |id: TransactionId| {
            let made = self.transactions.get(&id).filter(|made| commit.of(made) <= moment)?;
            Some((id, made.what.clone()))
        };
        let mark = |mark: (TransactionId, MarkName)| {
            Some((mark, self.marks.get(&mark).filter(|made| commit.of(made) <= moment)?.what))
        };
        let reads = command.reads();
        let wallets: BTreeMap<_, _> = reads.wallets.into_iter().filter_map(wallet).collect();
        Snapshots {
            incoming: wallets.iter().map(|(id, wallet)| (*id, self.incoming(wallet, moment, commit))).collect(),
            wallets,
            transactions: reads.transactions.into_iter().filter_map(transaction).collect(),
            marks: reads.marks.into_iter().filter_map(mark).collect(),
            holds: reads.holds.into_iter().filter_map(hold).collect(),
            ..Snapshots::default()
        }
    }

    /// Every state that the wallet was in during `window`.
    fn within(&self, id: WalletId, window: &Window) -> impl Iterator<Item = &Wallet> {
        let states = self.wallets.get(&id).map_or(&[][..], Vec::as_slice);
        let over = states.iter().skip(1).map(|next| next.applied).map(Some).chain([None]);
        let inside = move |state: &Since<Wallet>, over: Option<Moment>| {
            state.decided.0 <= window.ended && over.is_none_or(|over| over.0 >= window.begun)
        };
        states.iter().zip(over).filter(move |(state, over)| inside(state, *over)).map(|(state, _)| &state.what)
    }

    fn clock(&self, moment: Instant, skew_seconds: i64) -> Timestamp {
        let now = self.world.time_at(moment).as_millisecond() + skew_seconds * 1_000;
        Timestamp::from_millisecond(now).expect("a time within all dates")
    }
}

/// Every state as the ledger reads it.
async fn decoded(states: &[State]) -> Vec<Scanned> {
    // Each under a key of its own, so that all states of one item can be read at once.
    let places: Vec<WalletId> =
        (0..states.len()).map(|number| format!("wal_{number:032x}").parse().expect("an id")).collect();
    let world = World::on(Table::default());
    for (place, state) in places.iter().zip(states) {
        let item = state.item.clone().expect("one that is there");
        world.table.change(&(format!("WALLET#{place}"), "WALLET".to_owned()), |made| *made = item);
    }
    let keys: Vec<_> = places.into_iter().map(Key::Wallet).collect();
    let found = world.plain().look_up(&keys, &mut Usage::default()).await.expect("the table answers");
    assert_eq!(found.len(), states.len());
    found
}

/// When to try again depends on the second in which it was said.
fn same(told: &Refusal, refusal: &Refusal) -> bool {
    match (told, refusal) {
        (Refusal::RateLimited { wallet, limit, .. }, Refusal::RateLimited { wallet: other, limit: and, .. }) => {
            (wallet, limit) == (other, and)
        }
        (Refusal::CreditsInFlight { wallet, .. }, Refusal::CreditsInFlight { wallet: other, .. }) => wallet == other,
        _ => told == refusal,
    }
}
