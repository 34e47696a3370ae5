//! What a good token is, and every way of not being one.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

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
    check_refused("exp", json!(0), "expired");
    check_refused("exp", Value::Null, "lacks a claim");
    check_refused("nbf", json!(now + 60), "not valid yet");
    check_refused("iat", json!(now + 60), "issued in the future");
    check_refused("iss", json!("https://example.com"), "another issuer");
    check_refused("iss", json!(format!("{ISSUER}/")), "another issuer");
    check_refused("iss", json!([ISSUER]), "one text");
    check_refused("iss", Value::Null, "lacks a claim");
    check_refused("aud", json!("others"), "another audience");
    check_refused("aud", json!(["others"]), "another audience");
    check_refused("aud", Value::Null, "lacks a claim");
    check_refused("sub", Value::Null, "lacks a claim");
    check_refused("sub", json!(["alice", "bob"]), "");
    check_refused("sub", json!({"alice": 1}), "");
}

#[test]
fn what_is_no_time_is_no_expiry_and_no_start() {
    let odd = [json!("soon"), json!("99999999999"), json!([]), json!({}), json!(true), json!(-1), json!(1e300)];
    for value in &odd[..6] {
        check_refused("exp", value.clone(), "");
    }
    for value in &odd[..5] {
        check_refused("nbf", value.clone(), "");
        check_refused("iat", value.clone(), "issued in the future");
    }
    check_refused("nbf", odd[6].clone(), "");
    check_refused("iat", odd[6].clone(), "issued in the future");
}

#[test]
fn clocks_may_be_apart_by_the_leeway_and_no_more() {
    let good = |claim: &str, second: i64| {
        let mut claims = claims();
        claims[claim] = json!(second);
        check(&sign(&claims).expect("signed"), now()).is_ok()
    };
    let (leeway, slack) = (i64::try_from(LEEWAY_S).expect("seconds"), 2);
    for (claim, inside, outside) in
        [("exp", slack - leeway, -leeway - slack), ("nbf", leeway, leeway + slack), ("iat", leeway, leeway + slack)]
    {
        let now = now().as_second();
        assert!(good(claim, now + inside), "{claim} {inside} s from now");
        assert!(!good(claim, now + outside), "{claim} {outside} s from now");
    }
}

/// A token of good claims under this header, signed with the development key.
fn under(header: &Value) -> String {
    let message = format!("{}.{}", encoded(header), encoded(&claims()));
    let key = EncodingKey::from_secret(KEY);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("signed");
    format!("{message}.{signature}")
}

fn encoded(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}

#[test]
fn only_the_pinned_algorithm_counts_whatever_the_header_says() {
    check(&under(&json!({"alg": "HS256", "kid": KEY_ID})), now()).expect("good");
    // The right signature under another name: what would let a public RSA key pass for an HMAC secret.
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA", "HS384", "HS512", "hs256", "none", "None", "", "HS256 "] {
        check(&under(&json!({"alg": algorithm, "kid": KEY_ID})), now()).expect_err(algorithm);
    }
    for algorithm in ["none", "None", "NONE", "nOnE", "HS256"] {
        let header = encoded(&json!({"alg": algorithm, "kid": KEY_ID}));
        for signature in ["", "AA", "."] {
            check(&format!("{header}.{}.{signature}", encoded(&claims())), now()).expect_err(algorithm);
        }
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let header = Header { alg: algorithm, ..header() };
        let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(KEY)).expect("signed");
        assert!(check(&token, now()).expect_err("refused").contains("HS256"));
    }
}

#[test]
fn a_token_names_the_key_and_brings_none() {
    for kid in [json!(null), json!("other"), json!(""), json!("../development"), json!("development' OR '1'='1")] {
        let complaint = check(&under(&json!({"alg": "HS256", "kid": kid})), now()).expect_err("refused");
        assert!(complaint.contains("another key"), "{kid}: {complaint}");
    }
    assert!(check(&under(&json!({"alg": "HS256"})), now()).expect_err("refused").contains("another key"));

    let theirs = b"a key of the caller's own choosing, long enough for HMAC with SHA-256";
    let own = json!({"kty": "oct", "alg": "HS256", "k": BASE64_URL_SAFE_NO_PAD.encode(theirs)});
    let mut header = serde_json::to_value(header()).expect("JSON");
    header["jwk"] = own;
    header["jku"] = json!("https://example.com/keys");
    header["x5u"] = json!("https://example.com/certificate");
    check(&under(&header), now()).expect("what else the header holds is not looked at");
    let header: Header = serde_json::from_value(header).expect("a header");
    let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(theirs)).expect("signed");
    assert!(check(&token, now()).expect_err("refused").contains("signature"));
    let extended = under(&json!({"alg": "HS256", "kid": KEY_ID, "crit": ["exp"]}));
    assert!(check(&extended, now()).expect_err("refused").contains("extensions"));
}

#[test]
fn a_changed_or_broken_token_is_refused() {
    let token = sign(&claims()).expect("signed");
    let parts: Vec<&str> = token.split('.').collect();
    let admin =
        encoded(&json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "root", "scope": "wallets:admin", "exp": i64::MAX}));
    assert!(check(&format!("{}.{admin}.{}", parts[0], parts[2]), now()).expect_err("refused").contains("signature"));
    for at in 0..token.len() {
        let other = if token[at..].starts_with('A') { "B" } else { "A" };
        // The last character holds bits that are of no byte; the reader refuses them too.
        let changed = [&token[..at], other, &token[at + 1..]].concat();
        check(&changed, now()).expect_err(&changed);
    }
    for at in 0..token.len() {
        check(&token[..at], now()).expect_err("cut short");
    }
    let doubled = [format!("{token},{token}"), format!("{token} {token}"), format!("{token}.{token}")];
    let padded = [format!("{token}="), format!(" {token}"), format!("{token}\n")];
    for bad in doubled.iter().chain(&padded).map(String::as_str).chain(["", ".", "..", "a.b.c", "{}.{}.", "\u{fc}"]) {
        check(bad, now()).expect_err(bad);
    }
}

#[test]
fn a_complaint_shows_nothing_of_the_token() {
    let mut claims = claims();
    claims["iss"] = json!("secret-issuer");
    let complaint = check(&sign(&claims).expect("signed"), now()).expect_err("refused");
    assert!(!complaint.contains("secret"), "{complaint}");
}

#[test]
fn lives_are_read() {
    assert_eq!(parse_life("12h").expect("good"), SignedDuration::from_hours(12));
    assert_eq!(parse_life("1h 30m").expect("good"), SignedDuration::from_mins(90));
    for wrong in ["", "12", "-1h", "0s", "9000h", "soon"] {
        parse_life(wrong).expect_err(wrong);
    }
}
