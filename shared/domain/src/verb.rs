//! What every verb answers: how it names itself, what it must read, what it decides, and what of it is kept when refused.
//!
//! A verb is one file under `verbs/`; [`crate::Command`] lists them. Nothing else knows them all.

use crate::caller::{Order, Payment};
use crate::clock::Moment;
use crate::hash::{Digest, GENESIS, Hasher};
use crate::id::{TransactionId, WalletId};
use crate::money::Money;
use crate::plan::{Draft, NoPlan};
use crate::refusal::Refusal;
use crate::request::{Request, Terms};
use crate::snapshots::{Reads, Snapshots};
use crate::text::{Metadata, Owner, Reference};
use crate::transaction::{FORMAT, Kind, Outcome, Transaction};

const NAMED: &str = "a verb that carries out no order says all of it itself";

/// What the registry gives to each verb of its list, out of the verb's own file.
pub(crate) trait Registered {
    /// The kind of transaction that it makes.
    fn kind(&self) -> Kind;

    /// Whether `original` can be undone: a posted transaction of a kind that can be.
    fn is_reversible(&self, original: &Transaction) -> bool;
}

/// One thing that can be asked for. Of a verb that carries out an order, the methods below answer what the order says.
pub(crate) trait Verb: Registered {
    /// The id of the transaction that it will become.
    fn transaction(&self) -> TransactionId {
        let order = self.order().expect(NAMED);
        TransactionId::requested_by(&order.caller.subject, &order.key)
    }

    /// The wallet that it is about.
    fn wallet(&self) -> WalletId;

    /// The wallet that the money goes to, if it is another than [`Verb::wallet`].
    fn destination(&self) -> Option<WalletId> {
        None
    }

    /// The order that it carries out; `None` for a verb that cannot wait in a queue.
    fn order(&self) -> Option<&Order> {
        None
    }

    /// The payments of a payout.
    fn payments(&self) -> &[Payment] {
        &[]
    }

    /// The verb that a queued `request` asks for, if it is this one.
    fn requested(_request: &Request, _terms: &Terms) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Refuses a request that cannot be carried out whatever the wallets are like.
    fn admissible(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// The transaction that it follows, as a rebate its deposit, a reversal its original, a capture or void its hold.
    fn parent(&self) -> Option<TransactionId> {
        None
    }

    /// What has to be read before deciding, beside its own record.
    fn reads(&self) -> Reads {
        Reads { wallets: vec![self.wallet()], ..Reads::default() }
    }

    /// Hashes everything that the caller said beside kind and wallet, but not how (strategy, `If-Match`), and nothing that
    /// the deployment adds (fee, rebate rule).
    fn said(&self, hasher: Hasher) -> Hasher {
        self.order().expect(NAMED).said(hasher)
    }

    /// What its record says of the request; `None` if the snapshots lack what the record would say.
    fn asked(&self, _snapshots: &Snapshots) -> Option<Asked> {
        self.order().map(Order::asked)
    }

    /// The one choice: what is to be written, or why not.
    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan>;

    /// Whether a refusal by a wallet's state is kept as a failed transaction.
    fn keeps_refusals(&self) -> bool {
        true
    }

    /// The answer when its transaction's id belongs to another request.
    fn taken(&self) -> Refusal {
        Refusal::IdempotencyKeyReused
    }
}

/// What a record says of the request behind it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) caller: Owner,
    pub(crate) amount: Money,
    pub(crate) reference: Option<Reference>,
    pub(crate) metadata: Metadata,
}

impl Order {
    /// What the record of a movement says of its request.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            caller: self.caller.subject.clone(),
            amount: self.amount.money(),
            reference: self.reference.clone(),
            metadata: self.metadata.clone(),
        }
    }

    /// Hashes what the caller said.
    pub(crate) fn said(&self, hasher: Hasher) -> Hasher {
        let amount = self.amount.money();
        hasher
            .texts(self.metadata.labels())
            .field(amount.currency().code())
            .field(&amount.to_string())
            .maybe(self.reference.as_ref())
    }
}

/// The record of `verb`, not sealed yet.
pub(crate) fn record(verb: &dyn Verb, asked: Asked, outcome: Outcome, moment: Moment) -> Transaction {
    let Asked { caller, amount, reference, metadata } = asked;
    Transaction {
        id: verb.transaction(),
        kind: verb.kind(),
        wallet: verb.wallet(),
        destination: verb.destination(),
        amount,
        fee: Money::zero(amount.currency()),
        outcome,
        caller,
        reference,
        metadata,
        parent: verb.parent(),
        rule: None,
        hold: None,
        released: vec![],
        fingerprint: fingerprint(verb),
        created_at: moment.recorded,
        format: FORMAT,
        seal: GENESIS,
    }
}

/// The digest by which a repeated request is known to be the same.
pub(crate) fn fingerprint(verb: &dyn Verb) -> Digest {
    let hasher = Hasher::new("request:1").field(verb.kind().as_str()).field(&verb.wallet().to_string());
    verb.said(hasher).finish()
}
