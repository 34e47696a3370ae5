//! What capacity costs, from `infra/prices.toml`, which `infra/bill.py` reckons by: decimals, never binary fractions.

use std::sync::LazyLock;

use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Dollars for a million units.
pub(crate) struct Prices {
    write: Decimal,
    read: Decimal,
}

/// The list prices.
pub(crate) static PRICES: LazyLock<Prices> = LazyLock::new(|| Prices::read(include_str!("../../prices.toml")));

impl Prices {
    /// # Panics
    /// When the file has no price of either: a test would know.
    fn read(text: &str) -> Prices {
        let (_, millions) = text.split_once("[million]").expect("the prices have a part `million`");
        let lines = || millions.lines().take_while(|line| !line.starts_with('['));
        let price = |name: &str| {
            let value = |line: &str| {
                let (key, value) = line.split_once('=')?;
                value.split('#').next()?.trim().parse().ok().filter(|_| key.trim() == name)
            };
            lines().find_map(value).unwrap_or_else(|| panic!("the prices have no {name}"))
        };
        Prices { write: price("write_units"), read: price("read_units") }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({"write_million": self.write.to_string(), "read_million": self.read.to_string(), "currency": "USD"})
    }

    /// What so many units cost, in dollars.
    pub(crate) fn dollars(&self, write_units: Decimal, read_units: Decimal) -> Decimal {
        ((write_units * self.write + read_units * self.read) / Decimal::from(1_000_000)).normalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_costs_ten_write_units_and_three_read_units() {
        assert_eq!(PRICES.to_json(), json!({"write_million": "0.625", "read_million": "0.125", "currency": "USD"}));
        assert_eq!(PRICES.dollars(10.into(), 0.into()).to_string(), "0.00000625");
        assert_eq!(PRICES.dollars(10.into(), 3.into()).to_string(), "0.000006625");
        assert_eq!(PRICES.dollars(0.into(), 0.into()).to_string(), "0");
    }

    #[test]
    fn other_parts_have_units_of_their_own() {
        let text = "[million]\nread_units = 1 # x\nwrite_units = 2\n[movements]\nwrite_units = 12\n";
        let prices = Prices::read(text);
        assert_eq!((prices.write, prices.read), (2.into(), 1.into()));
    }
}
