//! Capturing: some or all of what a hold keeps back goes to its payee. What a final capture leaves is released.
//!
//! The wallet's limits counted the whole hold when it was made. A capture costs the fee on all that is captured with it, less
//! the fee on what was captured before, so that the parts never cost more than the whole.

use crate::caller::Caller;
use crate::clock::Moment;
use crate::hash::Hasher;
use crate::hold::{Hold, HoldChange, HoldKey, MAX_CAPTURES};
use crate::hold_terms::HoldStatus;
use crate::id::{TransactionId, WalletId};
use crate::money::{Amount, Money};
use crate::movement::{accepts, posted, receive, short, shown};
use crate::plan::{Draft, Guard, NoPlan, Side, Step};
use crate::refusal::Refusal;
use crate::shape::{Legs, Place, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::text::IdempotencyKey;
use crate::transaction::{Account, Kind, Leg, Transaction};
use crate::verb::{Asked, Verb, record};
use crate::wallet::{Status, Wallet};

/// Takes money out of a hold.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Who asks: the owner of the hold's destination, of its source where there is none, or an administrator.
    pub caller: Caller,
    /// Names this request for ever.
    pub key: IdempotencyKey,
    /// The transaction that made the hold. Records never change, so it may have been read at any time.
    pub hold: Box<Transaction>,
    /// How much; `None` for all that remains.
    pub amount: Option<Amount>,
    /// Whether the rest is released.
    pub is_final: bool,
}

impl Kind {
    /// Money that was kept back moves.
    pub const CAPTURE: Kind = Kind::new("capture");
}

pub(crate) const SHAPE: Shape =
    Shape::of(Kind::CAPTURE, Legs::Movement(Place::Wallet, Place::DestinationOrOut)).with_fee().reversible();

impl Verb for Capture {
    fn transaction(&self) -> TransactionId {
        TransactionId::requested_by(&self.caller.subject, &self.key)
    }

    fn wallet(&self) -> WalletId {
        self.hold.wallet
    }

    fn destination(&self) -> Option<WalletId> {
        self.hold.destination
    }

    fn parent(&self) -> Option<TransactionId> {
        Some(self.hold.id)
    }

    fn reads(&self) -> Reads {
        reads(&self.hold)
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        hasher.field(&self.hold.id.to_string()).maybe(self.amount.map(Amount::money)).field(if self.is_final {
            "final"
        } else {
            "partial"
        })
    }

    fn asked(&self, snapshots: &Snapshots) -> Option<Asked> {
        asked(snapshots, &self.hold, &self.caller, self.amount)
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        let (hold, source) = live(snapshots, &self.hold, &self.caller, moment)?;
        let remaining = hold.remaining();
        let part = self.amount.map_or(remaining, Amount::money);
        if remaining.is_less_than(part)? {
            return Err(Refusal::CaptureExceedsHold { hold: hold.id, remaining, requested: part }.into());
        }
        accepts(source, part)?;
        if source.status == Status::Frozen {
            return Err(Refusal::WalletFrozen { wallet: source.id }.into());
        }
        let destination = hold.destination.map(|id| snapshots.wallet(id)).transpose()?;
        destination.map_or(Ok(()), |destination| accepts(destination, part))?;

        let (captured, captures) = (hold.captured.plus(part)?, hold.captures.saturating_add(1));
        let fee = hold.fee_on(captured).minus(hold.fee_on(hold.captured))?;
        let ends = self.is_final || captured == hold.amount || captures >= MAX_CAPTURES;
        let status = if ends { HoldStatus::Captured } else { HoldStatus::Active };
        let after = Hold { status, captured, captures, ..hold.clone() };
        let debit = self.debit(snapshots, source, (hold, &after), part.plus(fee)?)?;
        let mut legs = vec![debit.leg()];
        let mut sides = vec![debit];
        match destination {
            Some(destination) => {
                let credit = receive(destination, part, Account::Wallet(source.id), Some(&self.caller))?;
                legs.push(credit.leg());
                sides.push(credit);
            }
            None => legs.push(Leg::System { account: Account::External, amount: part }),
        }
        if !fee.is_zero() {
            legs.push(Leg::System { account: Account::Fees, amount: fee });
        }
        let asked = self.asked(snapshots).ok_or(Refusal::HoldNotFound)?;
        let mut transaction = record(self, asked, posted(legs), moment);
        transaction.fee = fee;
        let holds = vec![HoldChange { before: Some(hold.clone()), after }];
        Ok(Draft { holds, ..Draft::new(transaction, sides) })
    }
}

impl Capture {
    /// Takes `leaving` out of the source's balance, and what the hold keeps back no longer out of what is held.
    fn debit(
        &self,
        snapshots: &Snapshots,
        source: &Wallet,
        (before, after): (&Hold, &Hold),
        leaving: Money,
    ) -> Result<Side, NoPlan> {
        let lowest = source.floor.plus(leaving)?;
        if source.balance.is_less_than(lowest)? {
            // A reversal has taken the wallet too low. To release other holds is no help: a capture may use what they keep
            // back.
            let zero = Money::zero(source.currency());
            let above = |wallet: &Wallet| Wallet { held: zero, ..wallet.clone() }.available();
            let refusal = short(snapshots, source, above, zero, leaving);
            return Err(match refusal {
                NoPlan::Refused(Refusal::InsufficientFunds { wallet, available, requested }) => {
                    let available = available.and_then(|available| shown(available, source, Some(&self.caller)));
                    Refusal::InsufficientFunds { wallet, available, requested }.into()
                }
                not_yet => not_yet,
            });
        }
        let mut step = Step::movement(source, leaving.negated(), before.payee(), Guard::AtLeast(lowest))?;
        let freed = before.held()?.minus(after.held()?)?;
        step.after = released(step.after, before, freed, freed.minus(leaving)?)?;
        Ok(step.into())
    }
}

/// What captures and voids of the hold that `made` made are decided on.
pub(crate) fn reads(made: &Transaction) -> Reads {
    let key = HoldKey { wallet: made.wallet, created_at: made.created_at, id: made.id };
    let wallets = [made.wallet].into_iter().chain(made.destination).collect();
    Reads { wallets, holds: vec![key], ..Reads::default() }
}

/// What the record of a capture or void of the hold that `made` made says. Where no amount is named, it is all that remains.
pub(crate) fn asked(
    snapshots: &Snapshots,
    made: &Transaction,
    caller: &Caller,
    amount: Option<Amount>,
) -> Option<Asked> {
    let remaining = snapshots.holds.get(&made.id).map(Hold::remaining)?;
    Some(Asked {
        caller: caller.subject.clone(),
        amount: amount.map_or(remaining, Amount::money),
        reference: made.reference.clone(),
        metadata: made.metadata.clone(),
    })
}

/// The hold that `made` made and its source, if the caller may end it and its time is not over.
pub(crate) fn live<'a>(
    snapshots: &'a Snapshots,
    made: &Transaction,
    caller: &Caller,
    moment: Moment,
) -> Result<(&'a Hold, &'a Wallet), NoPlan> {
    let hold = snapshots.holds.get(&made.id).ok_or(Refusal::HoldNotFound)?;
    if !caller.owns(snapshots.wallet(hold.beneficiary())?) {
        return Err(Refusal::HoldNotFound.into());
    }
    let source = snapshots.wallet(hold.source)?;
    // Overdue by the clock and the source's time, as for its release: the time of the other wallet may be later.
    if hold.is_overdue(Moment::of(moment.clock, [source.updated_at]).now) {
        return Err(NoPlan::Unreleased(source.id));
    }
    match hold.status {
        HoldStatus::Active => Ok((hold, source)),
        HoldStatus::Expired => Err(Refusal::HoldExpired { hold: hold.id }.into()),
        status => Err(Refusal::HoldNotActive { hold: hold.id, status }.into()),
    }
}

/// `wallet` once `hold` keeps back `freed` less. Of that, `unspent` stays in the wallet, and the day on which the hold was
/// made counts it as outflow no longer.
pub(crate) fn released(wallet: Wallet, hold: &Hold, freed: Money, unspent: Money) -> Result<Wallet, NoPlan> {
    let mut after = Wallet { held: wallet.held.minus(freed)?, ..wallet };
    after.counters.give_back(unspent, hold.created_at);
    Ok(after)
}
