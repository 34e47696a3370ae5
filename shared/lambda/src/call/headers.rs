//! Reads `Idempotency-Key`, `If-Match` and `Content-Type`. Each may be there once.
//!
//! The gateway joins the values of a repeated header with commas before a function sees it. A media type and an entity
//! tag with a comma are refused; an idempotency key may hold one, so two bare keys become one, the same every time.

use lambda_http::http::header::{CONTENT_TYPE, IF_MATCH};
use lambda_http::http::{HeaderMap, HeaderName};
use wallet_domain::IdempotencyKey;

use crate::problem::{Code, Problem};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IF_MATCH_SHAPE: &str =
    "`If-Match` must be the wallet's version as its `ETag` gives it, such as \"3\" with the quotes";

pub(super) fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(&IDEMPOTENCY_KEY)
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    let Some(text) = single(headers, &IDEMPOTENCY_KEY, "Idempotency-Key")? else {
        let detail = "The request needs a header `Idempotency-Key` of 1 to 255 printable characters. \
                      Use a new one for each new request, and the same one to repeat a request.";
        return Err(Problem::new(Code::IdempotencyKeyMissing, detail));
    };
    text.parse().map_err(|error| Problem::malformed(format!("`Idempotency-Key` {error}.")))
}

pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(text) = single(headers, &IF_MATCH, "If-Match")? else { return Ok(None) };
    let why = match text {
        "*" => "`*` is not taken, because it pins no version",
        _ if text.contains(',') => "a list is not taken, because it pins no one version",
        _ if text.starts_with("W/") => "a weak tag doesn't compare for writing",
        _ => match version(text) {
            Some(version) => return Ok(Some(version)),
            None if !text.starts_with('"') => "the quotes are missing",
            None => "what is sent is no version",
        },
    };
    Err(Problem::malformed(format!("{IF_MATCH_SHAPE}; {why}.")))
}

/// Whether `preference` is among those that the caller has. One that is not understood is ignored (RFC 7240).
pub(super) fn prefers(headers: &HeaderMap, preference: &str) -> bool {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut names =
        preferences.flat_map(|text| text.split(',')).map(|one| one.split(['=', ';']).next().unwrap_or_default());
    names.any(|name| name.trim().eq_ignore_ascii_case(preference))
}

/// Whether `If-Match` asks for a wallet at whatever version.
pub(super) fn if_match_is_any(headers: &HeaderMap) -> Result<bool, Problem> {
    Ok(single(headers, &IF_MATCH, "If-Match")? == Some("*"))
}

pub(crate) fn precondition_required() -> Problem {
    Problem::new(Code::PreconditionRequired, format!("{IF_MATCH_SHAPE}: it says which version is to be changed."))
}

/// The version in a strong entity tag, written as we write it.
fn version(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    let version: u64 = digits.parse().ok()?;
    (version.to_string() == digits).then_some(version)
}

/// Refuses a body that doesn't say that it is JSON in UTF-8.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let text = single(headers, &CONTENT_TYPE, "Content-Type")?;
    if text.is_some_and(is_json) {
        return Ok(());
    }
    let detail = "The request needs a header `Content-Type: application/json` and a JSON body in UTF-8.";
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let json = parts.next().is_some_and(|essence| {
        let subtype = essence.strip_prefix("application/").filter(|subtype| !subtype.contains(','));
        subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
    });
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some(("charset", charset)) => matches!(charset.trim_matches('"'), "utf-8" | "utf8"),
        _ => true,
    })
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName, shown: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Problem::malformed(format!("The header `{shown}` is there twice.")));
    }
    let text = first.map(|value| value.to_str()).transpose();
    let text = text.map_err(|_| Problem::malformed(format!("The header `{shown}` is not printable ASCII.")))?;
    Ok(text.map(str::trim))
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let value = |text: &&str| HeaderValue::from_bytes(text.as_bytes()).expect("a header value");
        values.iter().map(|text| (name.clone(), value(text))).collect()
    }

    #[track_caller]
    fn check_json(value: &str, accepted: bool) {
        assert_eq!(require_json(&headers(&CONTENT_TYPE, &[value])).is_ok(), accepted, "{value}");
    }

    #[test]
    fn a_body_says_that_it_is_json() {
        check_json("application/json", true);
        check_json("Application/JSON; charset=UTF-8", true);
        check_json("application/merge-patch+json;charset=\"utf-8\"", true);
        check_json("application/json; charset=latin1", false);
        check_json("application/jsonp", false);
        check_json("application/json,application/json", false);
        check_json("text/json", false);
        check_json("text/plain", false);
        check_json("", false);
        let code = require_json(&HeaderMap::new()).expect_err("nothing said").code();
        assert_eq!(code, Code::UnsupportedMediaType);
    }

    #[track_caller]
    fn check_if_match(value: &str, expected: Option<u64>) {
        let found = if_match(&headers(&IF_MATCH, &[value]));
        assert_eq!(found.ok().flatten(), expected, "{value}");
    }

    #[test]
    fn if_match_is_one_strong_tag_of_a_version() {
        check_if_match("\"0\"", Some(0));
        check_if_match(" \"18446744073709551615\" ", Some(u64::MAX));
        for bad in [
            "",
            "3",
            "\"3",
            "3\"",
            "\"\"",
            "\"03\"",
            "\"+3\"",
            "\"-1\"",
            "\"3.0\"",
            "\"abc\"",
            "\"18446744073709551616\"",
            "*",
            "W/\"3\"",
            "\"3\", \"4\"",
            "\"\u{663}\"",
        ] {
            assert_eq!(if_match(&headers(&IF_MATCH, &[bad])).expect_err(bad).code(), Code::MalformedRequest);
        }
        assert_eq!(if_match(&HeaderMap::new()).expect("absent"), None);
        if_match(&headers(&IF_MATCH, &["\"3\"", "\"3\""])).expect_err("twice");
    }

    #[test]
    fn a_key_is_missing_or_malformed_or_good() {
        let code = |values: &[&str]| idempotency_key(&headers(&IDEMPOTENCY_KEY, values)).map_err(|p| p.code());
        assert_eq!(code(&[]), Err(Code::IdempotencyKeyMissing));
        for bad in [&[""][..], &["a", "a"], &["\"a\",\"b\""], &["\u{fc}"], &[&"x".repeat(256)]] {
            assert_eq!(code(bad), Err(Code::MalformedRequest), "{bad:?}");
        }
        assert_eq!(code(&["\"order 1\""]), code(&["order 1"]));
        assert!(code(&["order 1"]).is_ok());
    }
}
