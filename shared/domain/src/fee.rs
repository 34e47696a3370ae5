//! What a transfer, a payment of a payout or a capture costs: basis points of the amount, between a minimum and a maximum.

use crate::money::{BasisPoints, Bounds, Currency, Money, Rounding};

/// The deployment's price of a transfer, a payment of a payout or a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeSchedule {
    basis_points: BasisPoints,
    minimum: Bounds,
    maximum: Bounds,
}

/// The bounds contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the minimum {minimum:?} is above the maximum {maximum:?}")]
pub struct FeeError {
    minimum: Money,
    maximum: Money,
}

impl FeeSchedule {
    /// # Errors
    /// [`FeeError`] when the minimum of a currency is above its maximum.
    pub fn new(basis_points: BasisPoints, minimum: Bounds, maximum: Bounds) -> Result<FeeSchedule, FeeError> {
        for minimum in minimum.all() {
            if let Some(maximum) = maximum.get(minimum.currency())
                && maximum.minor_units() < minimum.minor_units()
            {
                return Err(FeeError { minimum, maximum });
            }
        }
        Ok(FeeSchedule { basis_points, minimum, maximum })
    }

    /// The same price in `currency` alone: what a hold pins.
    #[must_use]
    pub fn within(&self, currency: Currency) -> FeeSchedule {
        let one = |bounds: &Bounds| Bounds::new(bounds.get(currency)).expect("one bound is no twin");
        FeeSchedule { basis_points: self.basis_points, minimum: one(&self.minimum), maximum: one(&self.maximum) }
    }

    /// The share of what moves.
    #[must_use]
    pub fn basis_points(&self) -> BasisPoints {
        self.basis_points
    }

    /// The least and the most in `currency`.
    #[must_use]
    pub fn bounds(&self, currency: Currency) -> (Option<Money>, Option<Money>) {
        (self.minimum.get(currency), self.maximum.get(currency))
    }

    /// The fee on `amount`, half-even to the currency's scale.
    #[must_use]
    pub fn fee_on(&self, amount: Money) -> Money {
        let same = "bounds are found by currency";
        let share = amount.share(self.basis_points, Rounding::HalfEven);
        let raised = self.minimum.get(amount.currency()).map_or(share, |bound| share.at_least(bound).expect(same));
        self.maximum.get(amount.currency()).map_or(raised, |bound| raised.at_most(bound).expect(same))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(text: Option<&str>) -> Bounds {
        let eur = "EUR".parse().expect("a currency");
        Bounds::new(text.map(|text| Money::parse(text, eur).expect("an amount"))).expect("not negative, no twins")
    }

    #[track_caller]
    fn check(schedule: (u32, Option<&str>, Option<&str>), amount: &str, fee: &str) {
        let (points, minimum, maximum) = schedule;
        let points = BasisPoints::new(points).expect("a share");
        let schedule = FeeSchedule::new(points, bounds(minimum), bounds(maximum)).expect("a schedule");
        let amount = Money::parse(amount, "EUR".parse().expect("a currency")).expect("an amount");
        assert_eq!(schedule.fee_on(amount).to_string(), fee);
    }

    #[test]
    fn a_fee_is_a_share_between_its_bounds_with_ties_to_the_even_cent() {
        check((100, None, None), "10.00", "0.10");
        check((100, None, None), "0.50", "0.00");
        check((100, None, None), "1.50", "0.02");
        check((100, None, None), "2.50", "0.02");
        check((100, Some("0.25"), Some("5.00")), "10.00", "0.25");
        check((100, Some("0.25"), Some("5.00")), "499.99", "5.00");
        check((100, Some("0.25"), Some("5.00")), "9999.00", "5.00");
        check((0, Some("1"), None), "0.01", "1.00");
    }

    #[test]
    fn a_minimum_above_its_maximum_is_refused() {
        let points = BasisPoints::new(1).expect("a share");
        assert!(FeeSchedule::new(points, bounds(Some("2")), bounds(Some("1"))).is_err());
    }
}
