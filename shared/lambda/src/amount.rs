//! Turns the amounts, currencies and labels of bodies into the domain's values, and names the field that is wrong.

use wallet_domain::{Amount, Currency, Metadata, Money};

use crate::json::Texts;
use crate::problem::{Code, Problem};

/// An amount of a body.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged, expecting = "invalid type, expected an amount in a string, such as \"12.50\"")]
pub enum AmountText {
    /// A string, which an amount must be.
    Text(String),
    /// A number, which is refused: many readers of JSON round it. It is read so that the refusal can say so.
    Number(serde_json::Number),
}

impl AmountText {
    /// The text. The domain parses it, where the currency is the wallet's and the request does not say it.
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
