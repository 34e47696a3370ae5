//! What is wrong with an argument is said before anything is asked.

use std::str::FromStr;

use wallet_domain::{Currency, CurrencyError};

/// An amount as it was written: digits, with a point if need be. The API checks it against its currency.
#[derive(Debug, Clone)]
pub(crate) struct Amount(String);

impl Amount {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Amount, String> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let good =
            text.split_once('.').map_or_else(|| digits(text), |(whole, fraction)| digits(whole) && digits(fraction));
        if good { Ok(Amount(text.to_owned())) } else { Err("write it as 5 or 12.50".to_owned()) }
    }
}

/// A currency by its three letters, capital or not.
pub(crate) fn currency(text: &str) -> Result<Currency, String> {
    text.to_ascii_uppercase().parse().map_err(|error: CurrencyError| error.to_string())
}

/// `name=text`.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, text) = parts.ok_or("write it as name=text")?;
    Ok((name.to_owned(), text.to_owned()))
}

pub(crate) fn limit(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| "a number from 1 on".to_owned())
}

/// What somebody else has written must not reach a terminal as a command to it.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
