//! The loop from a command to its end: read, decide, commit, and back to deciding when a race was lost.
//!
//! Never decides by itself, never retries a refusal, never tries without end. Each round decides on what is known by then:
//!
//! | known | true at | calls | a plan | a refusal |
//! |---|---|---|---|---|
//! | guess: the wallets as this process wrote them last | each at an earlier moment; others may have written since | 0 | commit; if it puts a credit into an inbox: read first | read, decide again |
//! | items: one consistent read of each item | each item at a moment of its own | 1 `BatchGetItem` | commit | recorded, if it rests on wallets alone and is of a kind that is recorded; else: moment |
//! | returned: items that a failed condition brought along | those items during the try, the others as before | 0 | commit | as for items, once each wallet was read or returned |
//! | moment: one read of all items together | one moment | 1 `TransactGetItems` | commit | recorded, or answered without a record |
//!
//! So every refusal was true at a moment between request and answer. A refusal's record is put on the condition that the
//! request has none yet; for a refusal that writes nothing, the `TransactGetItems` has shown that there is none.
//!
//! A commit ends the loop, or is rejected and brings along why. After one of unknown outcome the next read finds its record,
//! if it was carried out. Both strategies go the same way; the pessimistic one takes leases between deciding and committing.

mod known;
mod learn;
mod release;
mod settle;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use wallet_domain::{Command, NoPlan, Transaction, WalletId, decide, replay};

use crate::fault::{Class, Fault};
use crate::items::Record;
use crate::lease::Holder;
use crate::ledger::Ledger;
use crate::outcome::{Done, ExecuteError};
use crate::policy::Strategy;
use crate::transact::Rejected;
use crate::usage::Usage;
use known::{Found, Known, Looked, Lost};
use waits::Waits;

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
        self.run(command, false, strategy, usage).await
    }

    /// The same; for a command that was `queued`, that a wallet does not exist is recorded too: nobody was told.
    pub(crate) async fn run(
        &self,
        command: &Command,
        queued: bool,
        strategy: Strategy,
        usage: &mut Usage,
    ) -> Result<Done, ExecuteError> {
        let run = Run {
            ledger: self,
            command,
            queued,
            strategy,
            usage,
            holder: Holder::new(),
            held: BTreeSet::new(),
            known: self.guess(command),
            looked: BTreeMap::new(),
            looks: BTreeSet::new(),
            found: BTreeMap::new(),
            finds: BTreeSet::new(),
            unknown: false,
            waits: Waits::default(),
        };
        // In a box: layers of the SDK under layers of our own are too deep for the compiler in one piece.
        Box::pin(run.finish()).await
    }
}

/// One command on its way.
struct Run<'a> {
    ledger: &'a Ledger,
    command: &'a Command,
    /// Whether the command was accepted earlier and waited in a queue: nobody waits for this answer.
    queued: bool,
    strategy: Strategy,
    usage: &'a mut Usage,
    holder: Holder,
    /// The wallets that `holder` has leased.
    held: BTreeSet<WalletId>,
    /// What the next round decides on; `None` when it has to be read first.
    known: Option<Known>,
    /// The inboxes that this request has read through.
    looked: BTreeMap<WalletId, Looked>,
    /// Wallets whose inbox was read in this round: once each, and once more after each fold.
    looks: BTreeSet<WalletId>,
    /// The overdue holds that this request has looked up.
    found: BTreeMap<WalletId, Found>,
    /// Wallets whose overdue holds were looked up in this round: once each.
    finds: BTreeSet<WalletId>,
    /// True after a commit of unknown outcome: it may have been carried out, or may be yet.
    unknown: bool,
    /// How long this request has waited for leases of others.
    waits: Waits,
}

/// How a round ended: with an outcome, lost and to be tried again, or with an error that ends the request.
type Round = Result<Result<Done, Lost>, ExecuteError>;

impl Run<'_> {
    async fn finish(mut self) -> Result<Done, ExecuteError> {
        let mut round = 0;
        let outcome = loop {
            let lost = match self.round().await {
                Ok(Ok(done)) => break Ok(done),
                Ok(Err(lost)) => lost,
                Err(error) => break Err(error),
            };
            // Waiting for a lease is bounded by time, everything else by rounds.
            let waiting = matches!(lost, Lost::Lease) && self.strategy == Strategy::Pessimistic;
            let given_up = if waiting {
                self.waits.begin();
                self.waits.time() >= self.ledger.policy.lock_wait
            } else {
                round += 1;
                round >= self.ledger.policy.max_attempts
            };
            if given_up || self.usage.is_out_of_time() {
                break self.read_back().await.unwrap_or_else(|| Err(self.given_up(&lost)));
            }
            match lost {
                Lost::Behind => {}
                _ if waiting => self.waits.wait(&self.ledger.policy, self.usage).await,
                _ => {
                    self.usage.sleep(self.ledger.policy.delay(round - 1)).await;
                    // Returned items are old after a long wait: from the second loss on a read costs less than another loss.
                    self.known = self.known.take().filter(|_| round < 2);
                }
            }
        };
        self.usage.lock_wait_ms = u64::try_from(self.waits.time().as_millis()).unwrap_or(u64::MAX);
        if !self.held.is_empty() {
            let held: Vec<_> = self.held.iter().copied().collect();
            self.ledger.release(&held, &self.holder, self.usage).await;
        }
        outcome
    }

    /// Once around: read if need be, decide, lease if asked to, commit.
    async fn round(&mut self) -> Round {
        self.usage.attempts += 1;
        self.looks.clear();
        self.finds.clear();
        if self.ledger.skew.has_to_be_asked() {
            self.known = None;
        }
        let (plan, moves) = loop {
            let known = match self.known.take() {
                Some(known) => known,
                None => match self.read().await? {
                    Ok(known) => known,
                    Err(lost) => return Ok(Err(lost)),
                },
            };
            if let Some(existing) = known.snapshots.transactions.get(&self.command.transaction()) {
                return self.answered(existing.clone()).map(Ok);
            }
            if known.taken {
                return Err(ExecuteError::Refused(self.command.taken()));
            }
            self.clock_is_right()?;
            if known.expired {
                self.known = Some(known);
                break (self.ledger.end(self.command).map_err(|fault| self.fault(fault))?, false);
            }
            let now = self.ledger.now();
            let refusal = match decide(&known.snapshots, self.command, now) {
                Ok(plan) if plan.postings().iter().any(|step| known.busy.contains(&step.after.id)) => {
                    return Ok(Err(Lost::Lease));
                }
                // The commit asks nothing of a wallet whose inbox it puts a credit into: this request must have read it.
                Ok(plan) if !plan.credits().is_empty() && known.is_guess() => continue,
                Ok(plan) => {
                    self.known = Some(known);
                    break (plan, true);
                }
                Err(lacking @ (NoPlan::Unsettled(wallet) | NoPlan::Unreleased(wallet))) => {
                    let before = known.snapshots.wallets.get(&wallet).filter(|_| !self.usage.is_out_of_time()).cloned();
                    let found = match before {
                        _ if known.is_guess() => self.read().await?,
                        None => Err(Lost::Race),
                        Some(before) if lacking == NoPlan::Unsettled(wallet) => self.settle(known, &before).await?,
                        Some(before) => self.release(known, &before).await?,
                    };
                    match found {
                        Ok(known) => self.known = Some(known),
                        Err(lost) => return Ok(Err(lost)),
                    }
                    continue;
                }
                Err(NoPlan::Unsound(fault)) if known.is_moment() => {
                    return Err(self.fault(Fault::damaged(fault.to_string())));
                }
                // Items read at different moments need not add up: a hold may have ended between its read and its wallet's.
                Err(NoPlan::Unsound(_)) => match self.read_at_once().await? {
                    Ok(known) => {
                        self.known = Some(known);
                        continue;
                    }
                    Err(lost) => return Ok(Err(lost)),
                },
                Err(NoPlan::Refused(refusal)) => refusal,
            };
            let attempt = match self.queued {
                true => self.command.queued_attempt(&known.snapshots, &refusal, now),
                false => self.command.attempt(&known.snapshots, &refusal, now),
            };
            if known.shows(self.command, attempt.is_some()) {
                match attempt {
                    Some(attempt) => {
                        self.known = Some(known);
                        break (attempt, false);
                    }
                    // An earlier commit of this request may yet be carried out, and the refusal would have been a lie.
                    None if self.unknown => return Err(ExecuteError::OutcomeUnknown),
                    None => return Err(ExecuteError::Refused(refusal)),
                }
            }
            if !known.is_guess() {
                match self.read_at_once().await? {
                    Ok(known) => self.known = Some(known),
                    Err(lost) => return Ok(Err(lost)),
                }
            }
        };
        let wallets: Vec<_> =
            plan.postings().iter().filter(|step| step.before.is_some()).map(|step| step.after.id).collect();
        let leases = self.strategy == Strategy::Pessimistic && !wallets.iter().all(|id| self.held.contains(id));
        if leases {
            if let Err(lost) = self.lease(&wallets).await? {
                return Ok(Err(lost));
            }
            self.clock_is_right()?;
        }
        let holder = (moves && !self.held.is_empty()).then_some(&self.holder);
        let rested_on_a_guess =
            moves && !wallets.is_empty() && self.known.as_ref().is_some_and(|known| known.is_guess());
        let committed = self.ledger.commit(&plan, holder, false, self.usage).await;
        if rested_on_a_guess
            && !matches!(committed, Err(Rejected::Exists(_) | Rejected::Conflict | Rejected::Failed(_)))
        {
            self.ledger.cache.proved(committed.is_ok());
        }
        match committed {
            Ok(()) => {
                for posting in plan.postings() {
                    self.ledger.cache.keep(&posting.after);
                    // The commit gave the lease back.
                    self.held.remove(&posting.after.id);
                }
                Ok(Ok(Done::Executed(plan.transaction().clone())))
            }
            Err(rejected) => self.rejected(rejected),
        }
    }

    /// An error if the `Date` of DynamoDB's last answer says that this process's clock is wrong.
    fn clock_is_right(&self) -> Result<(), ExecuteError> {
        self.ledger.clock_is_right().map_err(|error| if self.unknown { ExecuteError::OutcomeUnknown } else { error })
    }

    /// The answer to a request that has given up after a commit of unknown outcome, if its record is there.
    async fn read_back(&mut self) -> Option<Result<Done, ExecuteError>> {
        if !self.unknown || self.usage.is_out_of_time() {
            return None;
        }
        let existing = self.ledger.transaction(self.command.transaction(), self.usage).await.ok()??;
        Some(self.answered(existing))
    }

    /// The answer to a request whose transaction exists.
    fn answered(&self, existing: Transaction) -> Result<Done, ExecuteError> {
        replay(self.command, &existing).map_err(ExecuteError::Refused)?;
        // After a commit of unknown outcome, the transaction found is most likely our own.
        Ok(if self.unknown { Done::Executed(existing) } else { Done::Replayed(existing) })
    }

    /// Takes the leases of `wallets`, all or none.
    async fn lease(&mut self, wallets: &[WalletId]) -> Result<Result<(), Lost>, ExecuteError> {
        match self.ledger.lease(wallets, &self.holder, self.usage).await {
            Ok(()) => {
                self.held = wallets.iter().copied().collect();
                self.waits.end();
                Ok(Ok(()))
            }
            // Leasing moves nothing, so an unknown outcome of it leaves no doubt about the money.
            Err(Rejected::Failed(fault)) if fault.class() == Class::Unknown => Ok(Err(Lost::Busy)),
            // Another request is taking one of these leases at this moment, or writing one of the wallets.
            Err(Rejected::Conflict) => {
                self.usage.conflicts += 1;
                self.known = None;
                Ok(Err(Lost::Lease))
            }
            Err(rejected) => self.rejected(rejected).map(|round| round.map(drop)),
        }
    }

    fn rejected(&mut self, rejected: Rejected) -> Round {
        match rejected {
            Rejected::Exists(record) => match *record {
                Record::Transaction(existing) => self.answered(*existing).map(Ok),
                // The same request was queued and has waited too long to be replaced: the next round reads and ends it.
                Record::Queued(queued) if queued.request.fingerprint == self.command.fingerprint() => {
                    self.known = None;
                    Ok(Err(Lost::Race))
                }
                Record::Queued(_) => Err(ExecuteError::Refused(self.command.taken())),
            },
            Rejected::Moved(moved) => {
                self.usage.conflicts += 1;
                Ok(Err(self.refreshed(moved)))
            }
            Rejected::Conflict | Rejected::Settled => {
                self.usage.conflicts += 1;
                Ok(Err(Lost::Race))
            }
            // Another commit has put this entry or credit, and no reason said so of the wallet; or the table is damaged.
            Rejected::Entry(wallet) => {
                tracing::debug!(%wallet, "the wallet's next entry is there already");
                self.usage.conflicts += 1;
                self.known = None;
                Ok(Err(Lost::Race))
            }
            Rejected::Failed(fault) => match fault.class() {
                Class::Throttled => Ok(Err(Lost::Busy)),
                Class::Unknown => {
                    tracing::warn!(cause = %fault, "the outcome of a commit is unknown; reading it back");
                    self.unknown = true;
                    self.known = None;
                    self.ledger.cache.forget(&self.command.reads().wallets);
                    Ok(Err(Lost::Unknown))
                }
                Class::Final => Err(self.fault(fault)),
            },
        }
    }

    /// Whether this request may fold or release on `wallet` now, beside its own movement.
    fn may_step_aside(&self, known: &Known, wallet: WalletId) -> Result<Result<(), Lost>, ExecuteError> {
        self.clock_is_right()?;
        Ok(if known.busy.contains(&wallet) { Err(Lost::Lease) } else { Ok(()) })
    }

    /// What a fold or release was lost to. Whether it was made or not, it has not moved the money of the request itself.
    fn lost_aside(&mut self, rejected: Rejected) -> Result<Lost, ExecuteError> {
        if let Rejected::Failed(fault) = rejected {
            return match fault.class() {
                Class::Throttled | Class::Unknown => Ok(Lost::Busy),
                Class::Final => Err(self.fault(fault)),
            };
        }
        self.usage.conflicts += 1;
        let Rejected::Moved(moved) = rejected else { return Ok(Lost::Race) };
        let mut leases = moved.wallets.iter().filter_map(|found| found.lease.as_ref());
        let busy = leases.any(|lease| lease.bars(&self.holder, self.ledger.now()));
        Ok(if busy { Lost::Lease } else { Lost::Race })
    }

    /// The error that a fault ends the request with; an earlier commit of unknown outcome may have moved money.
    fn fault(&self, fault: Fault) -> ExecuteError {
        if self.unknown { ExecuteError::OutcomeUnknown } else { ExecuteError::Fault(fault) }
    }

    fn given_up(&self, lost: &Lost) -> ExecuteError {
        let retry_after_seconds = match lost {
            Lost::Lease => self.waits.retry_after_seconds(self.ledger.now()),
            _ => 1,
        };
        match lost {
            _ if self.unknown => ExecuteError::OutcomeUnknown,
            Lost::Lease if self.strategy == Strategy::Pessimistic => ExecuteError::LockTimeout { retry_after_seconds },
            Lost::Race | Lost::Behind | Lost::Lease => ExecuteError::Conflict { retry_after_seconds },
            Lost::Busy => ExecuteError::Throttled { retry_after_seconds },
            Lost::Unknown => ExecuteError::OutcomeUnknown,
        }
    }
}
