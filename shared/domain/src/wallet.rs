//! A wallet as it stands at one version: its balance, its bounds, and the counters that its limits need.

use jiff::Timestamp;

use crate::clock::believed_until;
use crate::hash::{Digest, Hasher};
use crate::id::WalletId;
use crate::money::{Amount, Currency, MAX_MINOR_UNITS, Money};
use crate::rebated::Rebated;
use crate::text::{Metadata, Owner};

/// One wallet at one version. Plain data: every change of it is made by [`crate::decide`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    /// Its id.
    pub id: WalletId,
    /// Whose it is. Never changes.
    pub owner: Owner,
    /// What it holds; its currency never changes.
    pub balance: Money,
    /// What active holds keep back of the balance, fees included. Never negative.
    pub held: Money,
    /// Raised by one with every entry; opening is 0.
    pub version: u64,
    /// Active, frozen or closed.
    pub status: Status,
    /// How money comes in.
    pub credits: Credits,
    /// When `credits` changed last; `None` if it has always been [`Credits::Immediate`].
    pub credits_changed_at: Option<Timestamp>,
    /// The balance never goes below. Zero or negative.
    pub floor: Money,
    /// The balance never goes above; `None` stands for the largest value that exists.
    pub ceiling: Option<Money>,
    /// Bounds on movements.
    pub limits: Limits,
    /// What the limits have counted so far.
    pub counters: Counters,
    /// What rebates with a monthly cap have come to.
    pub rebated: Rebated,
    /// Hash of the newest entry.
    pub head: Digest,
    /// The owner's own labels.
    pub metadata: Metadata,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its newest entry was made.
    pub updated_at: Timestamp,
}

impl Wallet {
    /// The currency of everything in it.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.balance.currency()
    }

    /// Digest of all that an entry does not say by itself: everything but balance, version, head and the time of the newest
    /// entry. Each entry holds it, so that a wallet that was tampered with no longer matches its newest entry.
    #[must_use]
    pub fn state(&self) -> Digest {
        let Wallet {
            owner,
            held,
            status,
            credits,
            credits_changed_at,
            floor,
            ceiling,
            limits,
            counters,
            rebated,
            metadata,
            created_at,
            ..
        } = self;
        let hasher = Hasher::new("wallet:1")
            .shown(self.id)
            .field(owner.as_str())
            .field(self.currency().code())
            .field(status.as_str())
            .shown(floor)
            .maybe(*ceiling)
            .maybe(limits.max_movement.map(Amount::money))
            .maybe(limits.max_daily_outflow.map(Amount::money))
            .maybe(limits.transfers_per_minute)
            .shown(counters.day)
            .shown(counters.outflow)
            .shown(counters.minute)
            .shown(counters.transfers)
            .texts(metadata.labels())
            .shown(created_at.as_millisecond());
        let sums = rebated.all().map(|(month, rule, sum)| (month.to_string(), rule.as_str().to_owned(), sum));
        let hasher = sums.fold(hasher, |hasher, (month, rule, sum)| hasher.field(&month).field(&rule).shown(sum));
        // Behind the rest, so that a wallet whose credits never changed keeps the digest that it has always had.
        let hasher = match (credits, credits_changed_at) {
            (Credits::Immediate, None) => hasher,
            _ => {
                hasher.field("credits").field(credits.as_str()).maybe(credits_changed_at.map(Timestamp::as_millisecond))
            }
        };
        let hasher = if held.is_zero() { hasher } else { hasher.field("held").shown(held) };
        hasher.finish()
    }

    /// What can leave, beside what holds keep back: zero for one that a reversal has taken too low.
    #[must_use]
    pub fn available(&self) -> Money {
        let free = self.balance.minor_units() - self.held.minor_units() - self.floor.minor_units();
        Money::from_minor(free.clamp(0, MAX_MINOR_UNITS), self.currency()).expect("within bounds")
    }

    /// Whether credits may wait in its inbox. Some may for a while after it has gone back to [`Credits::Immediate`].
    #[must_use]
    pub fn may_have_incoming(&self) -> bool {
        self.credits == Credits::Batched || self.credits_changed_at.is_some()
    }

    /// The highest balance allowed.
    #[must_use]
    pub fn highest_balance(&self) -> Money {
        self.ceiling.unwrap_or_else(|| Money::largest(self.currency()))
    }
}

/// What a wallet accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Credits and debits.
    Active,
    /// Credits only.
    Frozen,
    /// Nothing, for ever.
    Closed,
}

impl Status {
    /// As callers and the table spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Frozen => "frozen",
            Status::Closed => "closed",
        }
    }

    /// The status spelled `text`, if any.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Status> {
        [Status::Active, Status::Frozen, Status::Closed].into_iter().find(|status| status.as_str() == text)
    }
}

/// How money comes into a wallet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Credits {
    /// Each credit makes the wallet's next version.
    #[default]
    Immediate,
    /// Credits wait in the inbox and are settled many at a time.
    Batched,
}

impl Credits {
    /// As callers and the table spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Credits::Immediate => "immediate",
            Credits::Batched => "batched",
        }
    }

    /// The mode spelled `text`, if any.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Credits> {
        [Credits::Immediate, Credits::Batched].into_iter().find(|credits| credits.as_str() == text)
    }
}

/// Bounds on movements; `None` bounds nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The largest amount of one deposit, or of one withdrawal, transfer, payout or hold.
    pub max_movement: Option<Amount>,
    /// The most that may leave within one UTC day, fees included. A hold counts on the day on which it is made.
    pub max_daily_outflow: Option<Amount>,
    /// The most transfers, payouts and holds within one UTC minute.
    pub transfers_per_minute: Option<u32>,
}

/// Running counts. They live in the wallet and move with its version, so they are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// The UTC day that `outflow` counts, in days since 1970-01-01.
    pub day: i64,
    /// What has left on that day.
    pub outflow: Money,
    /// The UTC minute that `transfers` counts, in minutes since 1970-01-01T00:00Z.
    pub minute: i64,
    /// Transfers, payouts and holds of that minute.
    pub transfers: u32,
}

const SECONDS_PER_MINUTE: i64 = 60;
const SECONDS_PER_DAY: i64 = 86_400;

impl Counters {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(currency: Currency) -> Counters {
        Counters { day: 0, outflow: Money::zero(currency), minute: 0, transfers: 0 }
    }

    /// The counters as they stand at `now`: a new day or minute starts from nothing.
    ///
    /// A function whose clock runs late counts on in the newer window, so skew never widens a limit. A window that lies
    /// farther ahead than clocks may differ was written by a wrong clock, and starts from nothing too.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Counters {
        let windows = |time: Timestamp| {
            (time.as_second().div_euclid(SECONDS_PER_DAY), time.as_second().div_euclid(SECONDS_PER_MINUTE))
        };
        let ((day, minute), (last_day, last_minute)) = (windows(now), windows(believed_until(now)));
        if !(day..=last_day).contains(&self.day) {
            self.day = day;
            self.outflow = Money::zero(self.outflow.currency());
        }
        if !(minute..=last_minute).contains(&self.minute) {
            self.minute = minute;
            self.transfers = 0;
        }
        self
    }

    /// Takes back `outflow` that was counted at `time`, if that day is the one being counted.
    pub(crate) fn give_back(&mut self, outflow: Money, time: Timestamp) {
        if self.day == time.as_second().div_euclid(SECONDS_PER_DAY) {
            let zero = Money::zero(self.outflow.currency());
            self.outflow = self.outflow.minus(outflow).and_then(|left| left.at_least(zero)).unwrap_or(zero);
        }
    }

    /// Whole seconds from `now` until the minute being counted is over: 1 or more.
    #[must_use]
    pub fn seconds_to_next_minute(self, now: Timestamp) -> u64 {
        let end = self.minute.saturating_add(1).saturating_mul(SECONDS_PER_MINUTE);
        u64::try_from(end.saturating_sub(now.as_second())).unwrap_or(0).max(1)
    }
}
