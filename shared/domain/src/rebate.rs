//! Rebate rules: which share of a deposit comes back. A deposit pins the first rule that is for it in its record, so that
//! nothing that changes later changes its rebate.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::hash::Hasher;
use crate::money::{BasisPoints, Bounds, Currency, Money, MoneyError, Rounding};
use crate::text::TextError;

/// The name of a rule: 1 to 64 of `a-z A-Z 0-9 - _ .`
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(String);

impl RuleId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleId {
    type Err = TextError;

    /// # Errors
    /// [`TextError::Shape`] for anything else.
    fn from_str(text: &str) -> Result<RuleId, TextError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(TextError::Shape { max: 64, alphabet: "ASCII letter, digit, '-', '_' or '.'" });
        }
        Ok(RuleId(text.to_owned()))
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a deposit pins of the rule in force: everything that decides what its rebate comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebateRule {
    /// Its name; with the deposit, it names the rebate's transaction.
    pub id: RuleId,
    /// The share that comes back.
    pub basis_points: BasisPoints,
    /// How the share is rounded to the currency's scale.
    pub rounding: Rounding,
    /// A rebate of less than this is not paid.
    pub minimum: Option<Money>,
    /// No rebate is more than this.
    pub cap: Option<Money>,
    /// The rule's rebates for one wallet's deposits of one calendar month (UTC) are together no more than this.
    pub monthly_cap: Option<Money>,
}

impl RebateRule {
    /// The share of `deposit`, rounded and clipped to the cap, before month, room and minimum are looked at.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] when the rule is in another currency: no deposit has pinned it.
    pub fn rebate_on(&self, deposit: Money) -> Result<Money, MoneyError> {
        let share = deposit.share(self.basis_points, self.rounding);
        self.cap.map_or(Ok(share), |cap| share.at_most(cap))
    }

    pub(crate) fn hashed(&self, hasher: Hasher) -> Hasher {
        hasher
            .field(self.id.as_str())
            .shown(self.basis_points.get())
            .field(self.rounding.as_str())
            .maybe(self.minimum)
            .maybe(self.cap)
            .maybe(self.monthly_cap)
    }
}

/// A rule as the deployment sets it, for one or for all currencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebateTerms {
    /// Its name.
    pub id: RuleId,
    /// The share that comes back.
    pub basis_points: BasisPoints,
    /// How the share is rounded to the currency's scale.
    pub rounding: Rounding,
    /// The currencies it is for; `None` for all.
    pub currencies: Option<Vec<Currency>>,
    /// It is for deposits made at this time or later; `None` since ever.
    pub valid_from: Option<Timestamp>,
    /// It is for deposits made before this time; `None` for ever.
    pub valid_until: Option<Timestamp>,
    /// It is for deposits of at least this, per currency.
    pub minimum_deposit: Bounds,
    /// A rebate of less than this is not paid, per currency.
    pub minimum: Bounds,
    /// No rebate is more than this, per currency.
    pub cap: Bounds,
    /// The most for one wallet and calendar month, per currency.
    pub monthly_cap: Bounds,
}

impl RebateTerms {
    /// A share of every deposit, rounded toward zero, for ever and without bounds.
    #[must_use]
    pub fn new(id: RuleId, basis_points: BasisPoints) -> RebateTerms {
        RebateTerms {
            id,
            basis_points,
            rounding: Rounding::TowardZero,
            currencies: None,
            valid_from: None,
            valid_until: None,
            minimum_deposit: Bounds::default(),
            minimum: Bounds::default(),
            cap: Bounds::default(),
            monthly_cap: Bounds::default(),
        }
    }

    /// The rule as a deposit of `amount` pins it that is made `at` this time; `None` where the rule is not for it.
    #[must_use]
    pub fn pinned(&self, amount: Money, at: Timestamp) -> Option<RebateRule> {
        let currency = amount.currency();
        let minimum_deposit = self.minimum_deposit.get(currency).unwrap_or_else(|| Money::zero(currency));
        let applies = self.currencies.as_ref().is_none_or(|currencies| currencies.contains(&currency))
            && self.valid_from.is_none_or(|from| from <= at)
            && self.valid_until.is_none_or(|until| at < until)
            && !amount.is_less_than(minimum_deposit).expect("bounds are found by currency");
        applies.then(|| RebateRule {
            id: self.id.clone(),
            basis_points: self.basis_points,
            rounding: self.rounding,
            minimum: self.minimum.get(currency),
            cap: self.cap.get(currency),
            monthly_cap: self.monthly_cap.get(currency),
        })
    }
}
