//! Tokens for the local stack: signed with a key that everybody knows, good for development and nothing else.
//!
//! The cloud's authorizer checks signature, issuer, audience and times of a JWT (RFC 7519); so does this, with HS256
//! pinned, and a token without an expiry is refused.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use wallet_lambda::scope;

/// Who the local stack's tokens are from.
pub const ISSUER: &str = "https://wallet.localhost";
/// Whom they are for.
pub const AUDIENCE: &str = "wallet-functions";
/// The development key. Public on purpose: no deployment accepts it.
pub const KEY: &[u8] = b"wallet-functions development key: no secret, signs nothing that counts";
/// Every scope there is.
pub const SCOPES: [&str; 4] = [scope::WALLETS_READ, scope::WALLETS_WRITE, scope::FUNDS_DEPOSIT, scope::WALLETS_ADMIN];
/// All that a wallet's owner needs, deposits included.
pub const EVERYDAY_SCOPE: &str = "wallets:read wallets:write funds:deposit";
/// How far the clocks of signer and checker may be apart.
const LEEWAY_S: u64 = 5;
/// The longest life of a token that is asked for on the command line.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A token of `sub` with `scope` (names separated by spaces) that expires `life` after `now`; a negative `life` gives an expired
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
        "scope": scope,
        "iat": issued.as_second(),
        "nbf": issued.as_second(),
        "exp": expires.as_second(),
    }))
}

/// A token of exactly these claims, whatever they are: for trying what is refused.
///
/// # Errors
/// When they are not an object.
pub fn sign(claims: &Value) -> Result<String> {
    ensure!(claims.is_object(), "a token's claims are an object");
    Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(KEY))?)
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
    let latest = now.as_second().saturating_add_unsigned(LEEWAY_S);
    if decoded.claims.get("iat").is_some_and(|issued| issued.as_i64().is_none_or(|issued| issued > latest)) {
        return Err("The token is issued in the future.");
    }
    Ok(decoded.claims.into_iter().map(|(name, value)| (name, flat(value))).collect())
}

/// Whether claims that [`check`] found good hold `scope`.
pub(crate) fn has_scope(claims: &HashMap<String, String>, scope: &str) -> bool {
    claims.get("scope").is_some_and(|scopes| scopes.split_whitespace().any(|one| one == scope))
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
mod tests {
    use super::*;

    fn now() -> Timestamp {
        crate::clock::now()
    }

    fn claims() -> Value {
        let now = now().as_second();
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": now + 60})
    }

    /// The claims with one replaced, or taken away by `null`, are refused with `expected`.
    #[track_caller]
    fn check_refused(claim: &str, value: Value, expected: &str) {
        let mut claims = claims();
        claims[claim] = value;
        claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        let complaint = check(&sign(&claims).expect("signed"), now()).expect_err("refused");
        assert!(complaint.contains(expected), "{complaint}");
    }

    #[test]
    fn a_minted_token_is_good() {
        let token = mint("alice", "wallets:read", SignedDuration::from_mins(1), now()).expect("minted");
        let claims = check(&token, now()).expect("good");
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["scope"], "wallets:read");
        assert!(claims["exp"].parse::<i64>().is_ok());
    }

    #[test]
    fn lists_are_written_as_api_gateway_does() {
        let mut claims = claims();
        claims["groups"] = json!(["a", "b"]);
        assert_eq!(check(&sign(&claims).expect("signed"), now()).expect("good")["groups"], "[a b]");
    }

    #[test]
    fn every_wrong_claim_is_refused() {
        let now = now().as_second();
        check_refused("exp", json!(now - 60), "expired");
        check_refused("exp", Value::Null, "lacks a claim");
        check_refused("sub", Value::Null, "lacks a claim");
        check_refused("nbf", json!(now + 60), "not valid yet");
        check_refused("iat", json!(now + 60), "issued in the future");
        check_refused("iss", json!("https://example.com"), "another issuer");
        check_refused("aud", json!("others"), "another audience");
    }

    #[test]
    fn another_key_and_another_algorithm_are_refused() {
        let other = EncodingKey::from_secret(b"another key");
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &other).expect("signed");
        assert!(check(&token, now()).expect_err("refused").contains("signature"));
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims(), &EncodingKey::from_secret(KEY));
        assert!(check(&token.expect("signed"), now()).expect_err("refused").contains("HS256"));
        for garbage in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            check(garbage, now()).expect_err(garbage);
        }
    }

    #[test]
    fn lives_are_read() {
        assert_eq!(parse_life("12h").expect("good"), SignedDuration::from_hours(12));
        assert_eq!(parse_life("1h 30m").expect("good"), SignedDuration::from_mins(90));
        for wrong in ["", "12", "-1h", "0s", "9000h", "soon"] {
            parse_life(wrong).expect_err(wrong);
        }
    }
}
