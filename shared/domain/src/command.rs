//! The one way through every verb. [`decide`] takes what was read, what was asked and the
//! time, and answers with a [`Plan`] or a [`Refusal`]; the storage writes the plan as it stands.
//!
//! Never does I/O, never reads a clock.

use jiff::Timestamp;

use crate::clock::Moment;
use crate::hash::Digest;
use crate::id::{TransactionId, WalletId};
use crate::plan::{NoPlan, Plan};
use crate::refusal::Refusal;
use crate::request::{Request, Terms};
use crate::snapshots::{Reads, Snapshots};
use crate::transaction::{Kind, Outcome, Transaction};
use crate::verb::{fingerprint, record};
use crate::verbs::Command;

impl Command {
    /// The kind of transaction that it makes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.verb().kind()
    }

    /// The id of the transaction that it will become.
    #[must_use]
    pub fn transaction(&self) -> TransactionId {
        self.verb().transaction()
    }

    /// The wallet that it is about.
    #[must_use]
    pub fn wallet(&self) -> WalletId {
        self.verb().wallet()
    }

    /// The transaction that it follows.
    #[must_use]
    pub fn parent(&self) -> Option<TransactionId> {
        self.verb().parent()
    }

    /// The answer where its id belongs to another request.
    #[must_use]
    pub fn taken(&self) -> Refusal {
        self.verb().taken()
    }

    /// The command as a request to be queued; `None` for one that carries out no order, or pins a version.
    ///
    /// # Errors
    /// What the request alone is refused for.
    pub fn request(&self, now: Timestamp) -> Result<Option<Request>, Refusal> {
        let verb = self.verb();
        let Some(order) = verb.order().filter(|order| order.expected_version.is_none()) else { return Ok(None) };
        verb.admissible()?;
        Ok(Some(Request {
            id: verb.transaction(),
            kind: verb.kind(),
            wallet: verb.wallet(),
            destination: verb.destination(),
            payments: verb.payments().to_vec(),
            caller: order.caller.clone(),
            key: order.key.clone(),
            amount: order.amount,
            reference: order.reference.clone(),
            metadata: order.metadata.clone(),
            fingerprint: self.fingerprint(),
            accepted_at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
        }))
    }

    /// The command that `request` asks for. `None` for a kind that only a newer version of this code knows, and where what is
    /// stored does not give the id and the fingerprint that are stored with it.
    #[must_use]
    pub fn of(request: &Request, terms: &Terms) -> Option<Command> {
        Command::requested(request, terms).filter(|command| {
            let (id, kind, fingerprint) = (command.transaction(), command.kind(), command.fingerprint());
            (id, kind, fingerprint) == (request.id, request.kind, request.fingerprint)
        })
    }

    /// What has to be read before deciding, beside its own record.
    #[must_use]
    pub fn reads(&self) -> Reads {
        self.verb().reads()
    }

    /// The digest by which a repeated request is known to be the same: of everything that the caller said, but not how
    /// (strategy, `If-Match`), and nothing that the deployment adds (fee, rebate rule).
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        fingerprint(self.verb())
    }

    /// A plan that writes nothing but the record of this command and its `refusal`. The record is the answer to the command's
    /// key from then on. `None` for a refusal that is not recorded.
    #[must_use]
    pub fn attempt(&self, snapshots: &Snapshots, refusal: &Refusal, now: Timestamp) -> Option<Plan> {
        let (verb, facts) = (self.verb(), refusal.facts());
        if !facts.recorded || !verb.keeps_refusals() {
            return None;
        }
        let wallet = snapshots.wallets.get(&facts.wallet?)?;
        let outcome = Outcome::Failed { refusal: refusal.clone(), owner: wallet.owner.clone() };
        let moment = Moment::of(now, [wallet.updated_at]);
        Some(Plan::attempt(record(verb, verb.asked(snapshots)?, outcome, moment)))
    }

    /// The same for a request that was queued. Its caller was told nothing yet: so that a wallet does not exist is recorded
    /// too, and he alone may read it.
    #[must_use]
    pub fn queued_attempt(&self, snapshots: &Snapshots, refusal: &Refusal, now: Timestamp) -> Option<Plan> {
        let (verb, facts) = (self.verb(), refusal.facts());
        if !facts.recorded && refusal.code() != "wallet_not_found" {
            return None;
        }
        let asked = verb.asked(snapshots)?;
        let wallet = snapshots.wallets.get(&facts.wallet.unwrap_or(verb.wallet())).filter(|_| facts.recorded);
        let owner = wallet.map_or(&asked.caller, |wallet| &wallet.owner).clone();
        let moment = Moment::of(now, wallet.map(|wallet| wallet.updated_at));
        let outcome = Outcome::Failed { refusal: refusal.clone(), owner };
        Some(Plan::attempt(record(verb, asked, outcome, moment)))
    }
}

/// Decides what becomes of `command`, given what was read and the time.
///
/// The snapshots must hold everything of [`Command::reads`] that exists. Whether the request was answered before is
/// [`replay`]'s question and comes first.
///
/// # Errors
/// A refusal rests on the snapshots: if they may be stale, read again and decide again before believing it. A plan that
/// would not add up is a fault.
pub fn decide(snapshots: &Snapshots, command: &Command, now: Timestamp) -> Result<Plan, NoPlan> {
    let moment = Moment::of(now, snapshots.wallets.values().map(|wallet| wallet.updated_at));
    Ok(Plan::new(command.verb().decide(snapshots, moment)?)?)
}

/// The answer to a request whose transaction exists already.
///
/// # Errors
/// [`Refusal::IdempotencyKeyReused`] when the transaction belongs to a different request; for an amendment, whose id is
/// its wallet's version, that means the version was used up: [`Refusal::VersionMismatch`].
pub fn replay<'a>(command: &Command, existing: &'a Transaction) -> Result<&'a Transaction, Refusal> {
    if existing.fingerprint == command.fingerprint() { Ok(existing) } else { Err(command.taken()) }
}
