//! Settings that are written as JSON, and the error of every setting.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use wallet_domain::{Bounds, Money};

use crate::json::Texts;

/// A variable of the environment that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {wrong}; {instead}")]
pub struct SettingsError {
    variable: &'static str,
    wrong: String,
    instead: String,
}

impl SettingsError {
    pub(super) fn new(variable: &'static str, wrong: String, instead: impl Into<String>) -> SettingsError {
        SettingsError { variable, wrong, instead: instead.into() }
    }

    /// The same, said to be of `part` of the setting.
    pub(super) fn of(self, part: impl Display) -> SettingsError {
        SettingsError { wrong: format!("{part}: {}", self.wrong), ..self }
    }
}

/// A JSON setting, and the words for what is wrong with it.
pub(super) struct JsonSetting {
    pub(super) variable: &'static str,
    pub(super) example: &'static str,
}

impl JsonSetting {
    pub(super) fn read<T: DeserializeOwned>(&self, text: &str) -> Result<T, SettingsError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            self.wrong(if matches!(path.as_str(), "." | "?") { "" } else { &path }, error.inner())
        })?;
        reader.end().map_err(|error| self.wrong("", &error))?;
        Ok(value)
    }

    /// The error at `place` in the JSON; at no place in particular where it is empty.
    pub(super) fn wrong(&self, place: &str, wrong: impl Display) -> SettingsError {
        let wrong = if place.is_empty() { wrong.to_string() } else { format!("at `{place}`: {wrong}") };
        SettingsError::new(self.variable, wrong, format!("write for example {}", self.example))
    }

    /// One bound per currency, as `{"EUR": "0.10"}`.
    pub(super) fn bounds(&self, place: &str, texts: Option<Texts>) -> Result<Bounds, SettingsError> {
        let mut amounts = Vec::new();
        for (code, text) in texts.unwrap_or_default().0 {
            let place = format!("{place}.{code}");
            let currency = code.parse().map_err(|error| self.wrong(&place, error))?;
            let amount = Money::parse(&text, currency);
            amounts.push(amount.map_err(|error| self.wrong(&place, format_args!("{text:?}: {error}")))?);
        }
        Bounds::new(amounts).map_err(|error| self.wrong(place, error))
    }
}
