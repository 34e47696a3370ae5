//! What records say of holds: what one pins for its life, what has become of it, and what a release gave back.

use jiff::Timestamp;

use crate::fee::FeeSchedule;
use crate::hash::Hasher;
use crate::id::TransactionId;
use crate::money::{Currency, Money};

/// What has become of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldStatus {
    /// It keeps money back.
    Active,
    /// Its last capture has been made.
    Captured,
    /// It was given up.
    Voided,
    /// It was released after its time.
    Expired,
}

impl HoldStatus {
    const ALL: [HoldStatus; 4] = [HoldStatus::Active, HoldStatus::Captured, HoldStatus::Voided, HoldStatus::Expired];

    /// As callers and the table spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            HoldStatus::Active => "active",
            HoldStatus::Captured => "captured",
            HoldStatus::Voided => "voided",
            HoldStatus::Expired => "expired",
        }
    }

    /// The status spelled `text`, if any.
    #[must_use]
    pub fn from_name(text: &str) -> Option<HoldStatus> {
        HoldStatus::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What a hold pins for its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldTerms {
    /// From here on it is not captured.
    pub expires_at: Timestamp,
    /// What captures cost; bounds of the hold's currency alone.
    pub fee: Option<FeeSchedule>,
}

impl HoldTerms {
    pub(crate) fn hashed(&self, hasher: Hasher, currency: Currency) -> Hasher {
        let hasher = hasher.shown(self.expires_at.as_millisecond());
        match &self.fee {
            Some(fee) => {
                let (minimum, maximum) = fee.bounds(currency);
                hasher.field("fee").shown(fee.basis_points().get()).maybe(minimum).maybe(maximum)
            }
            None => hasher.field("no fee"),
        }
    }
}

/// What a release gave back of one hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Which hold.
    pub hold: TransactionId,
    /// What it had kept back, fees included.
    pub amount: Money,
}
