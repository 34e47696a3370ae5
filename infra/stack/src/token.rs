//! Tokens for the local stack: signed with a key that everybody knows, good for development and nothing else.
//!
//! The cloud's authorizer checks the key's id, the signature, issuer, audience and times of a JWT (RFC 7519), and takes RSA
//! alone; so does this, with HS256 pinned instead. A token without an expiry or a subject is refused, and so is one with
//! extensions that must be understood: none are. Keys in a token's own header are never looked at.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use wallet_lambda::scope;

/// Who the local stack's tokens are from.
const ISSUER: &str = "https://wallet.localhost";
/// Whom they are for.
const AUDIENCE: &str = "wallet-functions";
/// The development key. Public on purpose: no deployment accepts it.
const KEY: &[u8] = b"wallet-functions development key: no secret, signs nothing that counts";
/// What a token calls [`KEY`]: one that names another key, or none, is refused.
const KEY_ID: &str = "development";
/// Every scope there is.
pub const SCOPES: [&str; 4] = [scope::WALLETS_READ, scope::WALLETS_WRITE, scope::FUNDS_DEPOSIT, scope::WALLETS_ADMIN];
/// All that a wallet's owner needs, deposits included.
pub const EVERYDAY_SCOPE: &str = "wallets:read wallets:write funds:deposit";
/// How far the clocks of signer and checker may be apart.
const LEEWAY_S: u64 = 5;
/// The longest life of a token that is asked for on the command line.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A token of `sub` with `scope` (names separated by spaces, each after the `SCOPE_PREFIX` of the environment) that expires `life` after `now`; a negative `life` gives an expired
/// one.
///
/// # Errors
/// When the expiry is beyond all dates.
pub fn mint(sub: &str, scope: &str, life: SignedDuration, now: Timestamp) -> Result<String> {
    let expires = now.checked_add(life).context("the token would live beyond all dates")?;
    // An expired token was issued before it expired.
    let issued = now.min(expires);
    sign(&json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": sub,
        "scope": scope.split_whitespace().map(named).collect::<Vec<_>>().join(" "),
        "iat": issued.as_second(),
        "nbf": issued.as_second(),
        "exp": expires.as_second(),
    }))
}

/// A token of exactly these claims, whatever they are.
fn sign(claims: &Value) -> Result<String> {
    Ok(jsonwebtoken::encode(&header(), claims, &EncodingKey::from_secret(KEY))?)
}

fn header() -> Header {
    Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::HS256) }
}

/// The claims of a good token, each as a text, as API Gateway hands them on.
///
/// # Errors
/// A sentence for the caller that says what is wrong with the token; it shows nothing of it.
pub(crate) fn check(token: &str, now: Timestamp) -> Result<HashMap<String, String>, &'static str> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    let decoded = jsonwebtoken::decode::<Map<String, Value>>(token, &DecodingKey::from_secret(KEY), &validation)
        .map_err(|error| complaint(error.kind()))?;
    if decoded.header.kid.as_deref() != Some(KEY_ID) {
        return Err("The token names another key.");
    }
    if decoded.header.crit.is_some() {
        return Err("The token has extensions that are not understood.");
    }
    // Where these may be lists, one of several would do.
    if ["iss", "sub"].iter().any(|name| !decoded.claims.get(*name).is_some_and(Value::is_string)) {
        return Err("The token's `iss` and `sub` must each be one text.");
    }
    let latest = now.as_second().saturating_add_unsigned(LEEWAY_S);
    if decoded.claims.get("iat").is_some_and(|issued| issued.as_i64().is_none_or(|issued| issued > latest)) {
        return Err("The token is issued in the future.");
    }
    Ok(decoded.claims.into_iter().map(|(name, value)| (name, flat(value))).collect())
}

/// Whether claims that [`check`] found good hold `scope`.
pub(crate) fn has_scope(claims: &HashMap<String, String>, scope: &str) -> bool {
    let named = named(scope);
    claims.get("scope").is_some_and(|scopes| scopes.split_whitespace().any(|one| one == named))
}

/// A scope as tokens name it: `cargo wallet up` gives its functions the `SCOPE_PREFIX` of its environment, and a token is for
/// the same functions.
fn named(scope: &str) -> String {
    std::env::var("SCOPE_PREFIX").unwrap_or_default() + scope
}

/// Texts as they are; everything else in the way that API Gateway writes it: `[a b]` for a list.
fn flat(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(items) => format!("[{}]", items.into_iter().map(flat).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

fn complaint(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "The token has expired.",
        ErrorKind::ImmatureSignature => "The token is not valid yet.",
        ErrorKind::InvalidIssuer => "The token is of another issuer.",
        ErrorKind::InvalidAudience => "The token is for another audience.",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            "The token is signed in another way than HS256."
        }
        ErrorKind::InvalidSignature => "The token's signature is wrong.",
        ErrorKind::MissingRequiredClaim(_) => "The token lacks a claim; `exp`, `iss`, `aud` and `sub` must be there.",
        _ => "The token cannot be read.",
    }
}

/// A token's life from a text such as `12h` or `1h 30m`.
///
/// # Errors
/// When it is no duration, not positive, or longer than a year.
pub fn parse_life(text: &str) -> Result<SignedDuration> {
    let life: SignedDuration =
        text.parse().ok().with_context(|| format!("`{text}` is no duration; write it as 90s, 30m, 12h or 1h 30m"))?;
    ensure!(life.is_positive(), "a token must live longer than nothing");
    ensure!(life <= LONGEST_LIFE, "a token lives a year at most (8784h)");
    Ok(life)
}

#[cfg(test)]
mod tests;
