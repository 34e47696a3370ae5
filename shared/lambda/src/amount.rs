//! Amounts and labels as bodies hold them: text, turned into the domain's values with the field named.

use wallet_domain::{Amount, Currency, Metadata, Money};

use crate::json::Texts;
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

/// The labels of a body, as the domain keeps them.
///
/// # Errors
/// `malformed_request` for too many bytes, or a label without a name.
pub fn metadata(labels: Option<Texts>) -> Result<Metadata, Problem> {
    let Texts(labels) = labels.unwrap_or_default();
    if labels.contains_key("") {
        return Err(Problem::malformed("`metadata`: a label needs a name."));
    }
    Metadata::new(labels).map_err(|error| Problem::malformed(format!("`metadata`: {error}.")))
}
