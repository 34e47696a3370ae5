//! The loop from a command to its end: read, decide, commit, and back to deciding when a race was lost.
//!
//! Never decides by itself, never retries a refusal, never tries without end. Both strategies run through the same loop;
//! the pessimistic one takes leases between deciding and committing.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use wallet_domain::{Command, Plan, Refusal, Snapshots, Timestamp, Transaction, WalletId, decide, replay};

use crate::commit::{Found, Rejected};
use crate::fault::Class;
use crate::lease::{Holder, Lease};
use crate::ledger::Ledger;
use crate::outcome::{Done, ExecuteError};
use crate::policy::Strategy;
use crate::preload::Preloaded;
use crate::usage::Usage;

impl Ledger {
    /// Runs `command` to its end: answered before, refused, or written.
    ///
    /// # Errors
    /// [`ExecuteError`]; see there for what each says about what has moved.
    pub async fn execute(
        &self,
        command: &Command,
        strategy: Strategy,
        usage: &mut Usage,
    ) -> Result<Done, ExecuteError> {
        Run::of(self, command, strategy, usage).finish(None).await
    }

    /// Does what [`Ledger::execute`] does, beginning with what was read for `command` among others. The outcome is added
    /// to it, so that the same request a second time finds its answer there.
    ///
    /// The shared read must come after the request, as a read of its own would: then a refusal may rest on it.
    ///
    /// # Errors
    /// As [`Ledger::execute`].
    pub async fn execute_preloaded(
        &self,
        preloaded: &mut Preloaded,
        command: &Command,
        strategy: Strategy,
        usage: &mut Usage,
    ) -> Result<Done, ExecuteError> {
        let done = Run::of(self, command, strategy, usage).finish(preloaded.of(command)?).await?;
        let (Done::Executed(transaction) | Done::Replayed(transaction)) = &done;
        preloaded.record(transaction);
        Ok(done)
    }
}

/// One command on its way.
struct Run<'a> {
    ledger: &'a Ledger,
    command: &'a Command,
    strategy: Strategy,
    usage: &'a mut Usage,
    holder: Holder,
    /// The plan whose wallets `holder` has leased.
    leased: Option<Plan>,
    /// What to decide on; `None` when it has to be read.
    snapshots: Option<Snapshots>,
    /// The wallets among `snapshots` that this request has seen in the table itself. A refusal needs them all.
    verified: BTreeSet<WalletId>,
    /// Whether the table has said, no earlier than `snapshots`, that this request was not answered before. A refusal
    /// that is not recorded needs it: what has moved the wallet on may have been this very request.
    unanswered: bool,
    /// Whether a commit of this request may be on its way still.
    unknown: bool,
    /// Whether `snapshots` came with a live lease of another: a commit would be refused.
    busy: bool,
    /// How often leases of others have been waited for.
    polls: u32,
    /// Since when leases of others are being waited for.
    waiting: Option<Instant>,
    /// Time spent on earlier waits for leases of others.
    waited: Duration,
}

/// What ended a round without an end.
enum Lost {
    Race,
    /// The snapshots were old, but the leases are ours: nobody can come in between.
    Behind,
    /// Another holds a lease, or is about to.
    Lease,
    Throttled,
    Unknown,
}

impl<'a> Run<'a> {
    fn of(ledger: &'a Ledger, command: &'a Command, strategy: Strategy, usage: &'a mut Usage) -> Run<'a> {
        Run {
            ledger,
            command,
            strategy,
            usage,
            holder: Holder::new(),
            leased: None,
            snapshots: None,
            verified: BTreeSet::new(),
            unanswered: false,
            unknown: false,
            busy: false,
            polls: 0,
            waiting: None,
            waited: Duration::ZERO,
        }
    }

    /// `read` is what was read for it already, along with other commands.
    async fn finish(mut self, read: Option<(Snapshots, Vec<Lease>)>) -> Result<Done, ExecuteError> {
        self.snapshots = match read {
            Some((snapshots, leases)) => self.caught_up(snapshots, &leases),
            None => self.cached(),
        };
        let mut round = 0;
        let outcome = loop {
            match self.round().await {
                Ok(Ok(done)) => break Ok(done),
                Err(error) => break Err(error),
                Ok(Err(lost)) => {
                    // Waiting for a lease is bounded by time, everything else by rounds.
                    let waiting = matches!(lost, Lost::Lease) && self.strategy == Strategy::Pessimistic;
                    let given_up = if waiting {
                        self.waiting.get_or_insert_with(Instant::now);
                        self.waited() >= self.ledger.policy.lock_wait
                    } else {
                        round += 1;
                        round >= self.ledger.policy.max_attempts
                    };
                    if given_up {
                        break Err(self.given_up(&lost));
                    }
                    match lost {
                        Lost::Behind => {}
                        _ if waiting => self.wait().await,
                        _ => tokio::time::sleep(self.ledger.policy.delay(round - 1)).await,
                    }
                }
            }
        };
        self.usage.lock_wait_ms = u64::try_from(self.waited().as_millis()).unwrap_or(u64::MAX);
        if let Some(plan) = self.leased.take() {
            self.ledger.release(&plan, &self.holder, self.usage).await;
        }
        outcome
    }

    /// Once around: read if need be, decide, lease if asked to, commit.
    async fn round(&mut self) -> Result<Result<Done, Lost>, ExecuteError> {
        self.usage.attempts += 1;
        let (plan, refused) = loop {
            let snapshots = match self.snapshots.take() {
                Some(snapshots) => snapshots,
                None => match self.read().await? {
                    Ok(snapshots) => snapshots,
                    Err(lost) => return Ok(Err(lost)),
                },
            };
            if let Some(existing) = snapshots.transactions.get(&self.command.transaction()) {
                return self.answered(existing.clone()).map(Ok);
            }
            let now = self.ledger.now();
            match decide(&snapshots, self.command, now) {
                Ok(plan) => {
                    self.snapshots = Some(snapshots);
                    break (plan, false);
                }
                // A refusal never rests on a snapshot that this request has not seen in the table.
                Err(_) if !self.all_verified() => {}
                Err(refusal) => break (self.refused(&snapshots, refusal, now)?, true),
            }
        };
        if self.busy && !refused {
            self.snapshots = None;
            return Ok(Err(Lost::Lease));
        }
        // An opening has no wallet to lease yet.
        let leases = self.strategy == Strategy::Pessimistic && plan.postings.iter().any(|step| step.before.is_some());
        if leases && self.leased.is_none() {
            match self.ledger.lease(&plan, &self.holder, self.usage).await {
                Ok(()) => {
                    self.leased = Some(plan.clone());
                    self.waited = self.waited();
                    self.waiting = None;
                }
                // Leasing moves nothing, so an unknown outcome of it leaves no doubt about the money.
                Err(Rejected::Failed(fault)) if fault.class() == Class::Unknown => return Ok(Err(Lost::Unknown)),
                // Another is taking them at this moment, or writing one of the wallets.
                Err(Rejected::Conflict) => {
                    self.usage.conflicts += 1;
                    self.snapshots = None;
                    return Ok(Err(Lost::Lease));
                }
                Err(rejected) => {
                    // Taking leases doesn't look at the transaction.
                    self.unanswered = false;
                    return self.rejected(rejected);
                }
            }
        }
        let holder = self.leased.as_ref().map(|_| &self.holder).filter(|_| !refused);
        match self.ledger.commit(&plan, holder, self.usage).await {
            Ok(()) => {
                for posting in &plan.postings {
                    self.ledger.cache.keep(&posting.after);
                }
                if !refused {
                    // The commit gave the leases back.
                    self.leased = None;
                }
                Ok(Ok(Done::Executed(plan.transaction)))
            }
            Err(rejected) => {
                self.unanswered |= matches!(rejected, Rejected::Stale(..));
                self.rejected(rejected)
            }
        }
    }

    /// The record of a refusal as a plan, or the refusal itself where none is kept.
    fn refused(&self, snapshots: &Snapshots, refusal: Refusal, now: Timestamp) -> Result<Plan, ExecuteError> {
        match self.command.failed(snapshots, &refusal, now) {
            Some(transaction) => Ok(Plan::new(transaction, vec![])),
            // An earlier commit of this request may still arrive, and then the refusal would have been a lie.
            None if self.unknown => Err(ExecuteError::OutcomeUnknown),
            None => Err(ExecuteError::Refused(refusal)),
        }
    }

    /// The answer to a request whose transaction exists.
    fn answered(&self, existing: Transaction) -> Result<Done, ExecuteError> {
        replay(self.command, &existing).map_err(ExecuteError::Refused)?;
        // After a commit of unknown outcome, the transaction found is most likely our own.
        Ok(if self.unknown { Done::Executed(existing) } else { Done::Replayed(existing) })
    }

    fn rejected(&mut self, rejected: Rejected) -> Result<Result<Done, Lost>, ExecuteError> {
        match rejected {
            Rejected::Exists(existing) => self.answered(*existing).map(Ok),
            // The mark is there, and our own transaction is not: somebody else's reversal came first.
            Rejected::Reversed(transaction) => Err(ExecuteError::Refused(Refusal::AlreadyReversed { transaction })),
            Rejected::Stale(found, barred) => {
                self.usage.conflicts += 1;
                Ok(Err(self.refreshed(found, barred)))
            }
            Rejected::Conflict => {
                self.usage.conflicts += 1;
                Ok(Err(Lost::Race))
            }
            Rejected::Failed(fault) => match fault.class() {
                Class::Throttled => Ok(Err(Lost::Throttled)),
                Class::Unknown => {
                    tracing::warn!(cause = %fault, "the outcome of a commit is unknown; reading it back");
                    self.unknown = true;
                    self.snapshots = None;
                    self.verified.clear();
                    self.ledger.cache.forget(&self.command.wallets());
                    Ok(Err(Lost::Unknown))
                }
                Class::Final if self.unknown => Err(ExecuteError::OutcomeUnknown),
                Class::Final => Err(ExecuteError::Fault(fault)),
            },
        }
    }

    /// Takes over the wallets and transactions that a failed condition returned: the next round needs no read, unless
    /// it has to wait for a lease.
    fn refreshed(&mut self, found: Vec<Found>, barred: Vec<Transaction>) -> Lost {
        let leases = || found.iter().map(|found| found.lease.as_ref());
        let busy = self.barred(leases().flatten());
        if !leases().all(|lease| lease.is_some_and(|lease| lease.is_of(&self.holder))) {
            // They expired, and were taken over.
            self.leased = None;
        }
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.transactions.extend(barred.into_iter().map(|transaction| (transaction.id, transaction)));
        }
        for Found { wallet, .. } in found {
            self.ledger.cache.keep(&wallet);
            self.verified.insert(wallet.id);
            if let Some(snapshots) = &mut self.snapshots {
                snapshots.wallets.insert(wallet.id, wallet);
            }
        }
        if busy {
            // It has to go first, and will have changed the wallet: read then.
            self.snapshots = None;
            return Lost::Lease;
        }
        if self.leased.is_some() { Lost::Behind } else { Lost::Race }
    }

    fn cached(&self) -> Option<Snapshots> {
        if !self.command.references().is_empty() {
            return None;
        }
        let wallets = self.ledger.cache.all(&self.command.wallets())?;
        let wallets = wallets.into_iter().map(|wallet| (wallet.id, wallet)).collect();
        Some(Snapshots { wallets, ..Snapshots::default() })
    }

    /// What was read along with other commands, with the wallets that this process has written since: those are newer
    /// than the read, and no refusal may rest on them. Where another held a lease it has to be read again.
    fn caught_up(&mut self, mut snapshots: Snapshots, leases: &[Lease]) -> Option<Snapshots> {
        if self.barred(leases) {
            return None;
        }
        self.unanswered = true;
        for id in self.command.wallets() {
            match self.ledger.cache.newer(id, snapshots.wallets.get(&id).map(|wallet| wallet.version)) {
                Some(wallet) => {
                    self.unanswered = false;
                    snapshots.wallets.insert(id, wallet);
                }
                None => drop(self.verified.insert(id)),
            }
        }
        Some(snapshots)
    }

    async fn read(&mut self) -> Result<Result<Snapshots, Lost>, ExecuteError> {
        match self.ledger.load(self.command, self.usage).await {
            Ok((snapshots, leases)) => {
                self.busy = self.barred(&leases);
                self.verified.extend(self.command.wallets());
                self.unanswered = true;
                Ok(Ok(snapshots))
            }
            Err(fault) => match fault.class() {
                Class::Throttled => Ok(Err(Lost::Throttled)),
                // A read has no outcome to lose: it is only tried again.
                Class::Unknown => Ok(Err(Lost::Unknown)),
                Class::Final if self.unknown => Err(ExecuteError::OutcomeUnknown),
                Class::Final => Err(ExecuteError::Fault(fault)),
            },
        }
    }

    /// Whether another holds one of `leases` now.
    fn barred<'l>(&self, leases: impl IntoIterator<Item = &'l Lease>) -> bool {
        leases.into_iter().any(|lease| lease.bars(&self.holder, self.ledger.now()))
    }

    fn all_verified(&self) -> bool {
        self.unanswered && self.command.wallets().iter().all(|id| self.verified.contains(id))
    }

    /// Waits before looking at a lease again: longer each time, so that many who wait do not slow the one who works.
    async fn wait(&mut self) {
        let policy = self.ledger.policy;
        let delay = policy.delay(2 + self.polls).min(policy.lock_wait.saturating_sub(self.waited()));
        self.polls = self.polls.saturating_add(1);
        tokio::time::sleep(delay).await;
    }

    /// Time spent on leases of others so far.
    fn waited(&self) -> Duration {
        self.waited + self.waiting.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn given_up(&self, lost: &Lost) -> ExecuteError {
        let retry_after_seconds = 1;
        match lost {
            _ if self.unknown => ExecuteError::OutcomeUnknown,
            Lost::Race | Lost::Behind => ExecuteError::Conflict { retry_after_seconds },
            Lost::Lease if self.strategy == Strategy::Pessimistic => ExecuteError::LockTimeout { retry_after_seconds },
            Lost::Lease => ExecuteError::Conflict { retry_after_seconds },
            Lost::Throttled => ExecuteError::Throttled { retry_after_seconds },
            Lost::Unknown => ExecuteError::OutcomeUnknown,
        }
    }
}
