//! The settings of the deployment, read from the environment once, at start. A function with a wrong setting doesn't start.

mod fee;
mod json;
mod rebate;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use wallet_domain::{FeeSchedule, RebateTerms};
use wallet_dynamodb::{Policy, Strategy};

pub use json::SettingsError;

/// The settings of the deployment, each named after its variable.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE_NAME`: the DynamoDB table.
    pub table: String,
    /// `SCOPE_PREFIX`: what the tokens' issuer puts before each scope, such as `wallets-api/`. Empty for nothing.
    pub scope_prefix: String,
    /// `LOCKING_STRATEGY`: for requests that ask for none.
    pub strategy: Strategy,
    /// `REBATE_RULES`: a deposit pins the first that fits.
    pub rebate_rules: Arc<[RebateTerms]>,
    /// `TRANSFER_FEE`: what a transfer, a payment of a payout or a capture costs.
    pub transfer_fee: Option<FeeSchedule>,
    /// `REVERSAL_RETURNS_FEE`: whether a reversal gives the fee back.
    pub reversal_returns_fee: bool,
    /// `MAX_ATTEMPTS`, `LEASE_MS` and `LOCK_WAIT_MS`: how often to try, and how long to hold and to wait for a lease.
    pub policy: Policy,
    /// `METRICS_NAMESPACE`: where CloudWatch keeps the functions' metrics; without it none are written.
    pub metrics_namespace: Option<String>,
}

impl Settings {
    /// From variables; `get` answers with a variable's value. An empty one counts as absent, except that an empty
    /// `REBATE_RULES` means that there are none.
    ///
    /// # Errors
    /// [`SettingsError`] for the first variable that is wrong: what, where, and what to write instead.
    pub fn from_vars(get: impl Fn(&str) -> Option<String>) -> Result<Settings, SettingsError> {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let policy = Policy::default();
        Ok(Settings {
            table: table(set("TABLE_NAME"))?,
            scope_prefix: scope_prefix(set("SCOPE_PREFIX"))?,
            strategy: strategy(set("LOCKING_STRATEGY"))?,
            rebate_rules: rebate::rules(get("REBATE_RULES").as_deref())?,
            transfer_fee: set("TRANSFER_FEE").map(|text| fee::schedule(&text)).transpose()?,
            reversal_returns_fee: switch("REVERSAL_RETURNS_FEE", set("REVERSAL_RETURNS_FEE"))?.unwrap_or(true),
            policy: Policy {
                max_attempts: number("MAX_ATTEMPTS", set("MAX_ATTEMPTS"), 1..=100)?.unwrap_or(policy.max_attempts),
                // A function that dies blocks its wallets for no longer than a lease.
                lease: milliseconds("LEASE_MS", set("LEASE_MS"), 100..=60_000)?.unwrap_or(policy.lease),
                // The gateway gives up after 30 s.
                lock_wait: milliseconds("LOCK_WAIT_MS", set("LOCK_WAIT_MS"), 0..=25_000)?.unwrap_or(policy.lock_wait),
                ..policy
            },
            metrics_namespace: namespace(set("METRICS_NAMESPACE"))?,
        })
    }

    pub(crate) fn from_env() -> Result<Settings, SettingsError> {
        Settings::from_vars(|name| std::env::var(name).ok())
    }

    /// `METRICS_NAMESPACE` alone: a wrong setting of another function stops none that knows no ledger.
    pub(crate) fn metrics_namespace_from_env() -> Result<Option<String>, SettingsError> {
        namespace(std::env::var("METRICS_NAMESPACE").ok().filter(|value| !value.is_empty()))
    }
}

fn table(value: Option<String>) -> Result<String, SettingsError> {
    let instead = "set it to the name of the table: 3 to 255 letters, digits, '-', '_' or '.'";
    let wrong = |wrong: String| SettingsError::new("TABLE_NAME", wrong, instead);
    let name = value.ok_or_else(|| wrong("is not set".to_owned()))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (3..=255).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(name)
    } else {
        Err(wrong(format!("{name:?} is no table's name")))
    }
}

fn scope_prefix(value: Option<String>) -> Result<String, SettingsError> {
    // RFC 6749, section 3.3, without what separates scopes in a list as API Gateway hands it on.
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"\\,[]".contains(&byte);
    let prefix = value.unwrap_or_default();
    if prefix.len() <= 256 && prefix.bytes().all(allowed) {
        return Ok(prefix);
    }
    let instead = "write what the issuer puts before wallets:read, such as wallets-api/, or nothing";
    Err(SettingsError::new("SCOPE_PREFIX", format!("{prefix:?} is no beginning of a scope"), instead))
}

fn strategy(value: Option<String>) -> Result<Strategy, SettingsError> {
    let Some(text) = value else { return Ok(Strategy::Optimistic) };
    let instead = "write optimistic or pessimistic";
    text.parse().map_err(|_| SettingsError::new("LOCKING_STRATEGY", format!("{text:?} is no strategy"), instead))
}

fn namespace(value: Option<String>) -> Result<Option<String>, SettingsError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#:".contains(&byte);
    match value {
        Some(name) if name.len() > 255 || !name.bytes().all(allowed) || name.starts_with("AWS/") => {
            let wrong = format!("{name:?} is no namespace of your own");
            let instead = "write up to 255 letters, digits or any of ._-/#: and not AWS/ at its start";
            Err(SettingsError::new("METRICS_NAMESPACE", wrong, instead))
        }
        value => Ok(value),
    }
}

fn switch(variable: &'static str, value: Option<String>) -> Result<Option<bool>, SettingsError> {
    let Some(text) = value else { return Ok(None) };
    let wrong = || SettingsError::new(variable, format!("{text:?} is neither"), "write true or false");
    text.parse().map(Some).map_err(|_| wrong())
}

fn milliseconds(
    variable: &'static str,
    value: Option<String>,
    range: RangeInclusive<u32>,
) -> Result<Option<Duration>, SettingsError> {
    Ok(number(variable, value, range)?.map(|number| Duration::from_millis(number.into())))
}

fn number(
    variable: &'static str,
    value: Option<String>,
    range: RangeInclusive<u32>,
) -> Result<Option<u32>, SettingsError> {
    let Some(text) = value else { return Ok(None) };
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(Some(number)),
        _ => {
            let instead = format!("write a whole number from {} to {}", range.start(), range.end());
            Err(SettingsError::new(variable, format!("{text:?} is out of bounds"), instead))
        }
    }
}

#[cfg(test)]
mod tests;
