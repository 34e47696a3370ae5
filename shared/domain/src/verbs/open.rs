//! Opening a wallet: version 0, balance zero, the first entry of its chain.

use crate::caller::Caller;
use crate::clock::Moment;
use crate::hash::{GENESIS, Hasher};
use crate::id::{TransactionId, WalletId};
use crate::money::{Amount, AmountError, Currency, Money};
use crate::plan::{Draft, NoPlan, Step};
use crate::rebated::Rebated;
use crate::refusal::Refusal;
use crate::shape::{Legs, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::text::{IdempotencyKey, Metadata, Owner};
use crate::transaction::{Kind, Outcome};
use crate::verb::{Asked, Verb, record};
use crate::wallet::{Counters, Credits, Limits, Status, Wallet};

/// Opens a wallet.
#[derive(Debug, Clone)]
pub struct Open {
    /// Who asks.
    pub caller: Caller,
    /// Names this request for ever.
    pub key: IdempotencyKey,
    /// Whose the wallet will be.
    pub owner: Owner,
    /// What it will hold.
    pub currency: Currency,
    /// The lowest balance: zero or negative.
    pub floor: Money,
    /// The highest balance.
    pub ceiling: Option<Money>,
    /// Bounds on movements.
    pub limits: Limits,
    /// How money comes in.
    pub credits: Credits,
    /// The owner's labels.
    pub metadata: Metadata,
}

impl Open {
    /// The id of the wallet to be.
    #[must_use]
    pub fn wallet(&self) -> WalletId {
        WalletId::opened_by(&self.caller.subject, &self.key)
    }
}

impl Kind {
    /// A wallet comes to be.
    pub const OPENING: Kind = Kind::new("opening");
}

pub(crate) const SHAPE: Shape = Shape::of(Kind::OPENING, Legs::KeptWallet);

impl Verb for Open {
    fn transaction(&self) -> TransactionId {
        TransactionId::requested_by(&self.caller.subject, &self.key)
    }

    fn wallet(&self) -> WalletId {
        Open::wallet(self)
    }

    fn reads(&self) -> Reads {
        Reads::default()
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        let hasher = hasher
            .texts(self.metadata.labels())
            .field(self.owner.as_str())
            .field(self.currency.code())
            .field(&self.floor.to_string())
            .maybe(self.ceiling)
            .maybe(self.limits.max_movement.map(Amount::money))
            .maybe(self.limits.max_daily_outflow.map(Amount::money))
            .maybe(self.limits.transfers_per_minute);
        match self.credits {
            Credits::Immediate => hasher,
            Credits::Batched => hasher.field(self.credits.as_str()),
        }
    }

    fn asked(&self, _: &Snapshots) -> Option<Asked> {
        let (caller, amount) = (self.caller.subject.clone(), Money::zero(self.currency));
        Some(Asked { caller, amount, reference: None, metadata: self.metadata.clone() })
    }

    fn keeps_refusals(&self) -> bool {
        false
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        let for_admins = self.owner != self.caller.subject
            || !self.floor.is_zero()
            || self.limits != Limits::default()
            || self.credits != Credits::Immediate;
        if for_admins && !self.caller.admin {
            return Err(Refusal::MissingScope { scope: "wallets:admin" }.into());
        }
        self.in_its_currency()?;
        bounds(self.floor, self.ceiling)?;
        if self.credits == Credits::Batched && self.ceiling.is_some() {
            return Err(Refusal::CeilingWithBatchedCredits { wallet: self.wallet() }.into());
        }
        let step = Step::opening(Wallet {
            id: self.wallet(),
            owner: self.owner.clone(),
            balance: Money::zero(self.currency),
            held: Money::zero(self.currency),
            version: 0,
            status: Status::Active,
            credits: self.credits,
            credits_changed_at: (self.credits == Credits::Batched).then_some(moment.recorded),
            floor: self.floor,
            ceiling: self.ceiling,
            limits: self.limits,
            counters: Counters::new(self.currency),
            rebated: Rebated::default(),
            head: GENESIS,
            metadata: self.metadata.clone(),
            created_at: moment.recorded,
            updated_at: moment.recorded,
        });
        let asked = self.asked(snapshots).expect("an opening is asked for whatever there is");
        let mut transaction = record(self, asked, Outcome::Posted { legs: vec![], wallet: None }, moment);
        transaction.outcome = step.as_result(&transaction);
        Ok(Draft::new(transaction, vec![step.into()]))
    }
}

impl Open {
    /// Every amount of a wallet's terms is in what the wallet holds.
    fn in_its_currency(&self) -> Result<(), Refusal> {
        let Limits { max_movement, max_daily_outflow, transfers_per_minute: _ } = self.limits;
        let limits = [max_movement, max_daily_outflow].into_iter().flatten().map(Amount::money);
        let mut terms = [self.floor].into_iter().chain(self.ceiling).chain(limits);
        match terms.find(|money| money.currency() != self.currency) {
            Some(money) => {
                let (wallet, holds, requested) = (self.wallet(), self.currency, money.currency());
                Err(Refusal::CurrencyMismatch { wallet, holds, requested })
            }
            None => Ok(()),
        }
    }
}

/// A floor is zero or less, a ceiling zero or more: a wallet at zero is always within its bounds.
pub(crate) fn bounds(floor: Money, ceiling: Option<Money>) -> Result<(), Refusal> {
    if floor.minor_units() > 0 {
        let largest = Money::zero(floor.currency());
        return Err(Refusal::InvalidAmount { field: "floor", error: AmountError::TooLarge { largest } });
    }
    if ceiling.is_some_and(Money::is_negative) {
        return Err(Refusal::InvalidAmount { field: "ceiling", error: AmountError::NotPositive });
    }
    Ok(())
}
