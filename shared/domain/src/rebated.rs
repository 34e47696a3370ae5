//! What a wallet has been paid in rebates, month by month: the count that monthly caps go by.
//!
//! It lives in the wallet and moves with its version, so it is exact. The month is that of the deposit, not of the payment:
//! however late a rebate is paid, it counts where it was earned.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::clock::believed_until;
use crate::money::{Money, MoneyError};
use crate::rebate::RuleId;
use crate::text::TextError;

/// Months of which the count is kept, the newest included. Queues keep a message for 14 days at most, so a rebate comes
/// one month late at worst.
const MONTHS_KEPT: i32 = 3;

/// A calendar month (UTC), written `2026-11`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// The month of `time`.
    #[must_use]
    pub fn of(time: Timestamp) -> Month {
        let date = Offset::UTC.to_datetime(time).date();
        Month(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
    }
}

impl FromStr for Month {
    type Err = TextError;

    /// # Errors
    /// [`TextError::Shape`] for anything but a year, a hyphen and a month of two digits.
    fn from_str(text: &str) -> Result<Month, TextError> {
        let read = || {
            let (year, month) = text.rsplit_once('-')?;
            let months = Month(year.parse::<i32>().ok()?.checked_mul(12)?.checked_add(month.parse::<i32>().ok()? - 1)?);
            (months.to_string() == text).then_some(months)
        };
        read().ok_or(TextError::Shape { max: 7, alphabet: "YYYY-MM" })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The sums of the rebates paid to one wallet under rules with a monthly cap, of the newest three months that have any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebated(BTreeMap<(Month, RuleId), Money>);

impl Rebated {
    /// From its sums, as they were kept.
    pub fn new(sums: impl IntoIterator<Item = (Month, RuleId, Money)>) -> Rebated {
        Rebated(sums.into_iter().map(|(month, rule, sum)| ((month, rule), sum)).collect())
    }

    /// Every sum, oldest month first.
    pub fn all(&self) -> impl Iterator<Item = (Month, &RuleId, Money)> {
        self.0.iter().map(|((month, rule), sum)| (*month, rule, *sum))
    }

    /// What is left at `now` of `cap` in `month`; `None` when the month is no longer counted.
    ///
    /// # Errors
    /// [`MoneyError`] when the cap is in another currency than the sums.
    pub fn left(&self, month: Month, rule: &RuleId, cap: Money, now: Timestamp) -> Result<Option<Money>, MoneyError> {
        if month < self.oldest(now) {
            return Ok(None);
        }
        let zero = Money::zero(cap.currency());
        let sum = self.0.get(&(month, rule.clone())).copied().unwrap_or(zero);
        // A cap that was lowered in mid-month may have been passed already.
        cap.minus(sum)?.at_least(zero).map(Some)
    }

    /// Counts `amount`, which must be at most what is [`left`](Rebated::left), and drops months that are too old.
    pub(crate) fn plus(
        mut self,
        month: Month,
        rule: &RuleId,
        amount: Money,
        now: Timestamp,
    ) -> Result<Rebated, MoneyError> {
        let sum = self.0.entry((month, rule.clone())).or_insert_with(|| Money::zero(amount.currency()));
        *sum = sum.plus(amount)?;
        let oldest = self.oldest(now);
        self.0.retain(|(month, _), _| *month >= oldest);
        Ok(self)
    }

    /// Takes `amount` off again, if its month is still counted. A sum of zero stays: it says which months are too old.
    pub(crate) fn minus(mut self, month: Month, rule: &RuleId, amount: Money) -> Result<Rebated, MoneyError> {
        if let Some(sum) = self.0.get_mut(&(month, rule.clone())) {
            // A wrong clock may have dropped the month and begun it anew between payment and reversal: then it holds less.
            *sum = sum.minus(amount)?.at_least(Money::zero(amount.currency()))?;
        }
        Ok(self)
    }

    /// The oldest month that is counted at `now`: two before the newest that has a sum. A month that lies farther ahead than
    /// clocks may differ was written by a wrong clock, and is not taken for the newest.
    fn oldest(&self, now: Timestamp) -> Month {
        let latest = Month::of(believed_until(now));
        let newest = self.0.keys().map(|(month, _)| *month).filter(|month| *month <= latest).max();
        newest.map_or(Month(i32::MIN), |newest| Month(newest.0 - MONTHS_KEPT + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().expect("a month")
    }

    #[test]
    fn a_month_is_a_month_of_utc() {
        for (time, written) in [
            ("2026-11-30T23:59:59.999Z", "2026-11"),
            ("2026-12-01T00:00:00Z", "2026-12"),
            ("2026-12-01T00:30:00+01:00", "2026-11"),
            ("2024-02-29T12:00:00Z", "2024-02"),
            ("0000-01-01T00:00:00Z", "0000-01"),
        ] {
            let time: Timestamp = time.parse().expect("a time");
            assert_eq!((Month::of(time).to_string().as_str(), Month::of(time)), (written, month(written)));
        }
        assert!(month("2025-12") < month("2026-01"));
        for bad in ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "+2026-11", "999999999-01"] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
    }
}
