//! Exact money per ISO 4217 currency: parsing, checked arithmetic, shares with a named rounding.
//!
//! Never rounds silently, never uses binary floating point, never mixes currencies, and implements no `Add` or `Sub`:
//! each operation says by its result that it can fail.

mod bounds;

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};

pub use bounds::{Bounds, BoundsError};

/// The largest magnitude of any money value, in minor units: 18 nines.
///
/// A balance is a running sum, so both amounts and balances are held to this bound. 18 digits times 10,000 basis points
/// is 22 digits, within the 28 that a [`Decimal`] carries exactly and the 38 that DynamoDB does. Beyond the bound an
/// operation answers [`MoneyError::OutOfRange`] and nothing moves.
pub const MAX_MINOR_UNITS: i128 = 999_999_999_999_999_999;

/// An ISO 4217 currency that has minor units (scale 0 to 4). Precious metals and test codes have none and are refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The three-letter code, upper case.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimal places of the minor unit: 0 for JPY, 2 for EUR, 3 for KWD, 4 for CLF.
    #[must_use]
    pub fn scale(self) -> u32 {
        u32::from(self.0.exponent().expect("a Currency is only made from one with minor units"))
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    /// # Errors
    /// [`CurrencyError`] for anything but an upper-case ISO 4217 code of a currency with minor units.
    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some() && currency.code() == code)
            .map(Currency)
            .ok_or_else(|| CurrencyError(code.chars().take(16).collect()))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is no currency that a wallet can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 4217 currency with minor units; use an upper-case code such as \"EUR\"")]
pub struct CurrencyError(String);

/// A signed amount of one currency, at exactly that currency's scale, within ±[`MAX_MINOR_UNITS`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    decimal: Decimal,
    currency: Currency,
}

impl Money {
    /// Nothing, in `currency`.
    #[must_use]
    pub fn zero(currency: Currency) -> Money {
        Money { decimal: Decimal::new(0, currency.scale()), currency }
    }

    /// The largest value that exists in `currency`.
    #[must_use]
    pub fn largest(currency: Currency) -> Money {
        Money { decimal: Decimal::from_i128_with_scale(MAX_MINOR_UNITS, currency.scale()), currency }
    }

    /// From minor units: 1250 EUR minor units are 12.50.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] beyond ±[`MAX_MINOR_UNITS`].
    pub fn from_minor(minor_units: i128, currency: Currency) -> Result<Money, MoneyError> {
        if minor_units.unsigned_abs() > MAX_MINOR_UNITS.unsigned_abs() {
            return Err(MoneyError::OutOfRange);
        }
        Ok(Money { decimal: Decimal::from_i128_with_scale(minor_units, currency.scale()), currency })
    }

    /// From text such as `12.5`, `-3` or `0.05`: an optional minus, digits, at most the currency's decimals.
    ///
    /// # Errors
    /// [`AmountError`] for exponents, signs other than one minus, blanks, leading zeros, a bare point, more decimals
    /// than the currency has, or a magnitude beyond [`MAX_MINOR_UNITS`].
    pub fn parse(text: &str, currency: Currency) -> Result<Money, AmountError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(AmountError::NotDecimal),
            None => (digits, ""),
        };
        let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !only_digits(whole) || !only_digits(fraction) {
            return Err(AmountError::NotDecimal);
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(AmountError::NotDecimal);
        }
        let scale = currency.scale();
        if fraction.len() > scale as usize {
            return Err(AmountError::TooManyDecimals { currency, scale });
        }
        // 19 whole digits are beyond every bound, so the text is refused by length before it is converted.
        if whole.len() > 19 {
            return Err(AmountError::TooLarge { largest: Money::largest(currency) });
        }
        let minor: i128 = format!("{whole}{fraction:0<width$}", width = scale as usize)
            .parse()
            .expect("at most 23 ASCII digits fit an i128");
        let signed = if text.starts_with('-') { -minor } else { minor };
        Money::from_minor(signed, currency).map_err(|_| AmountError::TooLarge { largest: Money::largest(currency) })
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The value as a decimal at the currency's scale.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        self.decimal
    }

    /// The value in minor units: 12.50 EUR is 1250.
    #[must_use]
    pub fn minor_units(self) -> i128 {
        self.decimal.mantissa()
    }

    /// Whether it is exactly nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.decimal.is_zero()
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.minor_units() < 0
    }

    /// The same magnitude with the other sign. The bound is symmetric, so this cannot fail.
    #[must_use]
    pub fn negated(self) -> Money {
        Money { decimal: Decimal::from_i128_with_scale(-self.minor_units(), self.currency.scale()), ..self }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the sum passes ±[`MAX_MINOR_UNITS`].
    pub fn plus(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        Money::from_minor(self.minor_units() + other.minor_units(), self.currency)
    }

    /// The difference.
    ///
    /// # Errors
    /// As [`Money::plus`].
    pub fn minus(self, other: Money) -> Result<Money, MoneyError> {
        self.plus(other.negated())
    }

    /// Which is larger, if the currencies agree.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn compare(self, other: Money) -> Result<std::cmp::Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor_units().cmp(&other.minor_units()))
    }

    /// Whether it is less than `other`.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn is_less_than(self, other: Money) -> Result<bool, MoneyError> {
        Ok(self.compare(other)?.is_lt())
    }

    /// The smaller of the two.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn at_most(self, other: Money) -> Result<Money, MoneyError> {
        Ok(if self.is_less_than(other)? { self } else { other })
    }

    /// The larger of the two.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn at_least(self, other: Money) -> Result<Money, MoneyError> {
        Ok(if self.is_less_than(other)? { other } else { self })
    }

    /// `basis_points` ten-thousandths of this, rounded to the currency's scale as `rounding` says.
    #[must_use]
    pub fn share(self, basis_points: BasisPoints, rounding: Rounding) -> Money {
        // 18 digits times at most 10,000, as a decimal of four more places: exact before the one rounding.
        let exact = self.decimal * Decimal::new(i64::from(basis_points.get()), 4);
        let mut decimal = exact.round_dp_with_strategy(self.currency.scale(), rounding.strategy());
        decimal.rescale(self.currency.scale());
        Money { decimal, ..self }
    }

    fn same_currency(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

impl fmt::Display for Money {
    /// The value alone at the currency's full scale: `12.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.decimal)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal, self.currency)
    }
}

/// Arithmetic that cannot be carried out exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The two values are of different currencies.
    #[error("{left} and {right} cannot be combined")]
    CurrencyMismatch {
        /// Of the left operand.
        left: Currency,
        /// Of the right operand.
        right: Currency,
    },
    /// The result passes ±[`MAX_MINOR_UNITS`].
    #[error("the result has more than 18 digits")]
    OutOfRange,
}

/// Text that is no amount of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a plain decimal number.
    #[error("must be a plain decimal in a string, such as \"12.50\": no exponent, blanks, plus sign or leading zeros")]
    NotDecimal,
    /// More decimals than the currency has.
    #[error("{currency} has {scale} decimals; more cannot be moved")]
    TooManyDecimals {
        /// The currency asked for.
        currency: Currency,
        /// Its decimals.
        scale: u32,
    },
    /// Zero or less where only a positive amount makes sense.
    #[error("must be greater than zero")]
    NotPositive,
    /// Beyond the largest amount.
    #[error("must not exceed {largest}")]
    TooLarge {
        /// The bound.
        largest: Money,
    },
}

/// A strictly positive [`Money`]: what a caller asks to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount(Money);

impl Amount {
    /// # Errors
    /// [`AmountError::NotPositive`] for zero or less.
    pub fn new(money: Money) -> Result<Amount, AmountError> {
        if money.minor_units() > 0 { Ok(Amount(money)) } else { Err(AmountError::NotPositive) }
    }

    /// # Errors
    /// As [`Money::parse`] and [`Amount::new`].
    pub fn parse(text: &str, currency: Currency) -> Result<Amount, AmountError> {
        Money::parse(text, currency).and_then(Amount::new)
    }

    /// The value.
    #[must_use]
    pub fn money(self) -> Money {
        self.0
    }
}

/// Hundredths of a percent, 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// # Errors
    /// [`BasisPointsError`] above 10,000, which is the whole.
    pub fn new(value: u32) -> Result<BasisPoints, BasisPointsError> {
        match u16::try_from(value) {
            Ok(points) if points <= 10_000 => Ok(BasisPoints(points)),
            _ => Err(BasisPointsError(value)),
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

/// More than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} basis points are more than the whole (10000)")]
pub struct BasisPointsError(u32);

/// How a share that falls between two minor units is rounded. Named at each call, never assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// Cut off: 0.019 becomes 0.01, −0.019 becomes −0.01.
    TowardZero,
    /// To the nearest, a tie to the even digit (ISO 80000-1 rule A; "banker's rounding").
    HalfEven,
    /// To the nearest, a tie away from zero.
    HalfUp,
}

impl Rounding {
    /// As settings and the table spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Rounding::TowardZero => "toward_zero",
            Rounding::HalfEven => "half_even",
            Rounding::HalfUp => "half_up",
        }
    }

    /// The rounding spelled `text`, if any.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Rounding> {
        let all = [Rounding::TowardZero, Rounding::HalfEven, Rounding::HalfUp];
        all.into_iter().find(|rounding| rounding.as_str() == text)
    }

    fn strategy(self) -> RoundingStrategy {
        match self {
            Rounding::TowardZero => RoundingStrategy::ToZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        }
    }
}

#[cfg(test)]
mod tests;
