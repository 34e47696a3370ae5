//! Rebate rules: which share of a deposit comes back. A deposit pins the rule in force in its record.

use std::fmt;
use std::str::FromStr;

use crate::money::{BasisPoints, Bounds, Currency, Money, Rounding};
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

/// The terms of a rebate on a deposit of one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebateRule {
    /// Its name; with the deposit, it names the rebate's transaction.
    pub id: RuleId,
    /// The share that comes back.
    pub basis_points: BasisPoints,
    /// Less than this is not paid.
    pub minimum: Option<Money>,
    /// More than this is not paid.
    pub cap: Option<Money>,
}

impl RebateRule {
    /// The share of `deposit` rounded toward zero and clipped to the cap, before room and minimum are looked at.
    #[must_use]
    pub fn rebate_on(&self, deposit: Money) -> Money {
        let share = deposit.share(self.basis_points, Rounding::TowardZero);
        match self.cap {
            Some(cap) => share.at_most(cap).expect("a pinned rule is in its deposit's currency"),
            None => share,
        }
    }
}

/// A rule as the deployment sets it, for one or for all currencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebateTerms {
    /// Its name.
    pub id: RuleId,
    /// The share that comes back.
    pub basis_points: BasisPoints,
    /// The currencies it is for; `None` for all.
    pub currencies: Option<Vec<Currency>>,
    /// Less than this is not paid, per currency.
    pub minimum: Bounds,
    /// More than this is not paid, per currency.
    pub cap: Bounds,
}

impl RebateTerms {
    /// The rule as a deposit in `currency` pins it; `None` where the rule is not for that currency.
    #[must_use]
    pub fn pinned(&self, currency: Currency) -> Option<RebateRule> {
        if self.currencies.as_ref().is_some_and(|currencies| !currencies.contains(&currency)) {
            return None;
        }
        Some(RebateRule {
            id: self.id.clone(),
            basis_points: self.basis_points,
            minimum: self.minimum.get(currency),
            cap: self.cap.get(currency),
        })
    }
}
