//! Amounts and labels as bodies hold them: text, turned into the domain's values with the field named.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use wallet_domain::{Amount, Currency, Metadata, Money};

use crate::problem::{Code, Problem};

/// An amount of a body. A JSON number is read only to be refused for what it is.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged, expecting = "invalid type, expected an amount in a string, such as \"12.50\"")]
pub enum AmountText {
    /// As it must be.
    Text(String),
    /// What many JSON readers would have rounded already.
    Number(serde_json::Number),
}

impl AmountText {
    /// The text, not yet looked at: for amounts of a currency that only the wallet knows.
    ///
    /// # Errors
    /// `invalid_amount` for a JSON number.
    pub fn text(self, field: &str) -> Result<String, Problem> {
        match self {
            AmountText::Text(text) => Ok(text),
            AmountText::Number(number) => {
                let detail = format!(
                    "`{field}`: write the amount as a string, \"{number}\" instead of {number}: numbers lose digits."
                );
                Err(Problem::new(Code::InvalidAmount, detail))
            }
        }
    }

    /// A value of `currency`, of either sign.
    ///
    /// # Errors
    /// `invalid_amount`.
    pub fn money(self, field: &str, currency: Currency) -> Result<Money, Problem> {
        Money::parse(&self.text(field)?, currency).map_err(|error| Problem::invalid_amount(field, &error))
    }

    /// A value of `currency` above zero.
    ///
    /// # Errors
    /// `invalid_amount`.
    pub fn amount(self, field: &str, currency: Currency) -> Result<Amount, Problem> {
        Amount::parse(&self.text(field)?, currency).map_err(|error| Problem::invalid_amount(field, &error))
    }
}

/// The currency of a body.
///
/// # Errors
/// `invalid_currency`.
pub fn currency(text: &str) -> Result<Currency, Problem> {
    text.parse().map_err(|error| Problem::invalid_currency(&error))
}

/// The labels of a body, each there once: of two, readers of JSON disagree which counts.
#[derive(Debug, Default)]
pub struct Labels(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
        deserializer.deserialize_map(LabelsVisitor)
    }
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = Labels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut labels = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if labels.insert(name, value).is_some() {
                return Err(A::Error::custom("a label is there twice"));
            }
        }
        Ok(Labels(labels))
    }
}

/// The labels of a body, as the domain keeps them.
///
/// # Errors
/// `malformed_request` for too many bytes, or a label without a name.
pub fn metadata(labels: Option<Labels>) -> Result<Metadata, Problem> {
    let Labels(labels) = labels.unwrap_or_default();
    if labels.contains_key("") {
        return Err(Problem::malformed("`metadata`: a label needs a name."));
    }
    Metadata::new(labels).map_err(|error| Problem::malformed(format!("`metadata`: {error}.")))
}
