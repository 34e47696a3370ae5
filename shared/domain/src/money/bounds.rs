//! One amount per currency, as fees and rebates are bounded by.

use super::{Currency, Money};

/// At most one amount per currency: what a fee or rebate is at least, or at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds(Vec<Money>);

/// The amounts bound nothing sensible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoundsError {
    /// Below zero.
    #[error("{0:?} is negative")]
    Negative(Money),
    /// Two for one currency.
    #[error("{0} is named twice")]
    Twice(Currency),
}

impl Bounds {
    /// # Errors
    /// [`BoundsError`] for a negative amount or two of one currency.
    pub fn new(amounts: impl IntoIterator<Item = Money>) -> Result<Bounds, BoundsError> {
        let mut bounds = Bounds::default();
        for amount in amounts {
            if amount.is_negative() {
                return Err(BoundsError::Negative(amount));
            }
            if bounds.get(amount.currency()).is_some() {
                return Err(BoundsError::Twice(amount.currency()));
            }
            bounds.0.push(amount);
        }
        Ok(bounds)
    }

    /// The bound in `currency`, if there is one.
    #[must_use]
    pub fn get(&self, currency: Currency) -> Option<Money> {
        self.all().find(|bound| bound.currency() == currency)
    }

    /// Every bound, each of another currency.
    pub fn all(&self) -> impl Iterator<Item = Money> {
        self.0.iter().copied()
    }
}
