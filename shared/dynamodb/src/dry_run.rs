//! A command decided and not carried out: what would be written, or the refusal.
//!
//! Writes nothing: no record of a refusal, no lease, no snapshot, and settles nothing. Everything that the decision rests on
//! is read at one moment, so that a plan and a refusal are both as true as those of [`Ledger::execute`]. If the balance does
//! not cover a debit, the inbox is read through, and everything is read again at one moment with the credits that were found:
//! if the wallet is still at its version, none of them is in its balance yet, and the decision counts them as settled. In the
//! same way it counts overdue holds as released. It does not wait for leases of others: a lease delays a request, and refuses
//! none.
//! Round trips: one; one more for each time that a transaction was in flight on one of the items; for an inbox those of
//! looking through it, and one for each 98 credits or fewer; for overdue holds those of finding them, and one.

use std::collections::{BTreeMap, BTreeSet};

use wallet_domain::{
    Command, Credit, Fold, Hold, HoldStatus, Incoming, NoPlan, Refusal, Snapshots, Transaction, Wallet, WalletId,
    decide, replay,
};

use crate::fault::{Class, Fault};
use crate::holds::held_by;
use crate::ledger::Ledger;
use crate::outcome::ExecuteError;
use crate::read::{MOST_READ, Read, places};
use crate::transact::Rejected;
use crate::usage::Usage;

/// Credits of an inbox that are read: ten folds of 98. If these don't cover a debit, and more wait, the answer is a conflict
/// and no refusal.
const LOOKED_THROUGH: usize = 980;

/// What would come of a command.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRun {
    /// The transaction that would be written.
    Decided(Transaction),
    /// The transaction that was written before, by the same request.
    Replayed(Transaction),
}

/// An inbox, read through after its wallet was seen at `version`.
struct Looked {
    version: u64,
    credits: Vec<Credit>,
    is_all: bool,
}

/// Overdue holds of a wallet, looked up after it was seen at `version`.
struct Found {
    version: u64,
    holds: Vec<Hold>,
}

/// What was looked up between two rounds.
#[derive(Default)]
struct Beside {
    inboxes: BTreeMap<WalletId, Looked>,
    holds: BTreeMap<WalletId, Found>,
}

/// Why a round came to no decision.
enum Lost {
    /// Transactions were in flight, or the wallet has changed between the reads.
    Race,
    /// DynamoDB throttled a read, or did not answer it.
    Busy,
    /// The inbox of this wallet, which is at this version, has to be read through first.
    Inbox(WalletId, u64),
    /// The overdue holds of this wallet have to be looked up first.
    Holds(Box<Wallet>),
}

impl Ledger {
    /// Decides `command` as [`Ledger::execute`] would at this moment.
    ///
    /// # Errors
    /// [`ExecuteError`]: a refusal is [`ExecuteError::Refused`], also where it would be recorded.
    pub async fn dry_run(&self, command: &Command, usage: &mut Usage) -> Result<DryRun, ExecuteError> {
        let retry_after_seconds = 1;
        let (mut round, mut beside) = (0, Beside::default());
        loop {
            usage.attempts += 1;
            let lost = match self.tried(command, &beside, usage).await? {
                Ok(told) => return Ok(told),
                Err(Lost::Inbox(wallet, version)) => match self.waiting(wallet, LOOKED_THROUGH, usage).await {
                    Ok(waiting) => {
                        let is_all = waiting.next.is_none();
                        beside.inboxes.insert(wallet, Looked { version, credits: waiting.credits, is_all });
                        Lost::Inbox(wallet, version)
                    }
                    Err(fault) => passing(fault)?,
                },
                Err(Lost::Holds(wallet)) => match self.overdue(&wallet, usage).await {
                    Ok(Some(holds)) => {
                        beside.holds.insert(wallet.id, Found { version: wallet.version, holds });
                        Lost::Holds(wallet)
                    }
                    Ok(None) => Lost::Race,
                    Err(fault) => passing(fault)?,
                },
                Err(lost) => lost,
            };
            round += 1;
            if round >= self.policy.max_attempts || usage.is_out_of_time() {
                return Err(match lost {
                    Lost::Busy => ExecuteError::Throttled { retry_after_seconds },
                    Lost::Race | Lost::Inbox(..) | Lost::Holds(_) => ExecuteError::Conflict { retry_after_seconds },
                });
            }
            if matches!(lost, Lost::Race | Lost::Busy) {
                usage.sleep(self.policy.delay(round - 1)).await;
            }
        }
    }

    /// Once around: read, and decide.
    async fn tried(
        &self,
        command: &Command,
        beside: &Beside,
        usage: &mut Usage,
    ) -> Result<Result<DryRun, Lost>, ExecuteError> {
        let looked = &beside.inboxes;
        // A credit that waited at any moment of this version is in no balance of this version: several reads may share the
        // credits.
        let all: Vec<&Credit> = looked.values().flat_map(|looked| &looked.credits).collect();
        let (mut rest, room) = (&all[..], MOST_READ - places(command).len());
        let (mut settled, mut read) = (BTreeSet::new(), None);
        while read.is_none() || !rest.is_empty() {
            let (credits, more) = rest.split_at(rest.len().min(room));
            rest = more;
            let found = match self.load_at_once(command, credits.iter().copied(), usage).await {
                Ok(Some(read)) => read,
                Ok(None) => {
                    usage.conflicts += 1;
                    return Ok(Err(Lost::Race));
                }
                Err(fault) => return passing(fault).map(Err),
            };
            let waits = |credit: &Credit| found.waiting.contains(&(credit.wallet, credit.transaction));
            settled.extend(credits.iter().filter(|credit| !waits(credit)).map(|credit| credit.wallet));
            let version = |id| found.snapshots.wallets.get(id).map(|wallet| wallet.version);
            settled.extend(looked.iter().filter(|(id, looked)| version(id) != Some(looked.version)).map(|(id, _)| *id));
            read = Some(found);
        }
        let Read { mut snapshots, queued, .. } = read.expect("it was read once at least");
        if let Some(existing) = snapshots.transactions.get(&command.transaction()) {
            replay(command, existing).map_err(ExecuteError::Refused)?;
            return Ok(Ok(DryRun::Replayed(existing.clone())));
        }
        let waits = queued.iter().map(|queued| &queued.request).find(|request| request.id == command.transaction());
        if waits.is_some_and(|request| request.fingerprint != command.fingerprint()) {
            return Err(ExecuteError::Refused(command.taken()));
        }
        self.clock_is_right()?;
        if waits.is_some_and(|request| request.has_expired(self.now())) {
            return Err(ExecuteError::Refused(Refusal::RequestExpired { wallet: command.wallet() }));
        }
        let (mut credits, mut overdue) = (BTreeMap::new(), BTreeMap::new());
        for (id, looked) in looked {
            if let Some(wallet) = snapshots.wallets.get(id).filter(|_| !settled.contains(id)) {
                snapshots.incoming.insert(*id, Incoming::of(wallet, &looked.credits));
                credits.insert(*id, looked.credits.clone());
            }
        }
        for (id, found) in &beside.holds {
            if let Some(wallet) = snapshots.wallets.get(id).filter(|wallet| wallet.version == found.version) {
                let sum = held_by(&found.holds, wallet);
                snapshots.overdue.insert(*id, sum);
                overdue.insert(*id, found.holds.clone());
            }
        }
        loop {
            match decide(&snapshots, command, self.now()) {
                Ok(plan) => return Ok(Ok(DryRun::Decided(plan.transaction().clone()))),
                Err(NoPlan::Unsound(fault)) => return Err(Fault::damaged(fault.to_string()).into()),
                Err(NoPlan::Refused(_)) if credits.keys().any(|wallet| !looked[wallet].is_all) => {
                    return Ok(Err(Lost::Race));
                }
                Err(NoPlan::Refused(refusal)) => return Err(ExecuteError::Refused(refusal)),
                Err(NoPlan::Unreleased(wallet)) => {
                    match self.taken_for_released(&mut snapshots, &mut overdue, wallet) {
                        Ok(None) => {}
                        Ok(Some(lost)) => return Ok(Err(lost)),
                        Err(Rejected::Failed(fault)) => return Err(fault.into()),
                        Err(_) => return Ok(Err(Lost::Race)),
                    }
                }
                Err(NoPlan::Unsettled(wallet)) => match credits.get_mut(&wallet) {
                    None => {
                        let version = snapshots.wallets.get(&wallet).map_or(0, |wallet| wallet.version);
                        return Ok(Err(Lost::Inbox(wallet, version)));
                    }
                    Some(credits) => {
                        if !self.taken_for_settled(&mut snapshots, wallet, credits) {
                            return Ok(Err(Lost::Race));
                        }
                    }
                },
            }
        }
    }

    /// Changes the snapshots as a release of overdue holds of `wallet` would: of those that the command reads, or else of
    /// those that were looked up. `Some` if it cannot: they have to be looked up first, or none of them is overdue.
    fn taken_for_released(
        &self,
        snapshots: &mut Snapshots,
        overdue: &mut BTreeMap<WalletId, Vec<Hold>>,
        wallet: WalletId,
    ) -> Result<Option<Lost>, Rejected> {
        let own = snapshots.holds.values().filter(|hold| hold.source == wallet && hold.status == HoldStatus::Active);
        let own: Vec<_> = own.cloned().collect();
        if own.is_empty() && !overdue.contains_key(&wallet) {
            return Ok(Some(Lost::Holds(Box::new(snapshots.wallets[&wallet].clone()))));
        }
        let rest = overdue.entry(wallet).or_default();
        let before = &snapshots.wallets[&wallet];
        let Some(plan) = self.expiry(before, if own.is_empty() { &rest[..] } else { &own[..] })? else {
            return Ok(Some(Lost::Race));
        };
        for change in plan.holds() {
            rest.retain(|hold| hold.id != change.after.id);
            if let Some(hold) = snapshots.holds.get_mut(&change.after.id) {
                hold.clone_from(&change.after);
            }
        }
        for posting in plan.postings() {
            snapshots.overdue.insert(wallet, held_by(rest, &posting.after));
            snapshots.wallets.insert(wallet, posting.after.clone());
        }
        Ok(None)
    }

    /// Changes the snapshot of `wallet` as a fold of some of `credits` would, and takes these out of `credits`. False if none
    /// can be settled.
    fn taken_for_settled(&self, snapshots: &mut Snapshots, wallet: WalletId, credits: &mut Vec<Credit>) -> bool {
        let fold = snapshots.wallets.get(&wallet).and_then(|wallet| Fold::of(wallet, credits, self.now()));
        let Some(fold) = fold else { return false };
        let after = fold.posting().after.clone();
        credits.retain(|credit| fold.posting().rows.iter().all(|row| row.transaction != credit.transaction));
        snapshots.incoming.insert(wallet, Incoming::of(&after, credits));
        snapshots.wallets.insert(wallet, after);
        true
    }
}

/// A failed read has changed nothing: it is tried again, unless its fault is final.
fn passing(fault: Fault) -> Result<Lost, ExecuteError> {
    if fault.class() == Class::Final { Err(fault.into()) } else { Ok(Lost::Busy) }
}
