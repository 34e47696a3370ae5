//! Reads a request from the text of API Gateway's event, whatever its caller may have sent, so that it can be answered.
//!
//! `lambda_http` fails at a header that is not ASCII, and panics at host, path and query that make no URI together. To
//! Lambda both are a fault of the function, which rings its alarm, and the caller gets 500. Here such headers stay as they
//! were sent, for the function to refuse; the host, which no function asks for, is left out; and of the query what a URI
//! cannot hold is percent-encoded, which reads the same.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::Request;
use lambda_http::http::header::HOST;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use lambda_http::request::LambdaRequest;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::de::Error as _;
use serde_json::{Error, Value};

/// The bytes of ASCII that a URI's query cannot hold.
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// The request in an event.
///
/// # Errors
/// When it is no event of an HTTP API.
pub fn request(event: &str) -> Result<Request, Error> {
    read(event).map(Request::from)
}

/// The same, as what Lambda's runtime hands to its adapter.
pub(crate) fn read(event: &str) -> Result<LambdaRequest, Error> {
    let mut event: Value = serde_json::from_str(event)?;
    let odd = odd_headers(&mut event);
    let mut read = serde_json::from_str(&event.to_string())?;
    if let LambdaRequest::ApiGatewayV2(request) = &mut read {
        request.headers.extend(odd);
        request.headers.remove(HOST);
        request.request_context.domain_name = None;
        if let Some(path) = request.raw_path.as_mut().filter(|path| !path.starts_with('/')) {
            path.insert(0, '/');
        }
        if let Some(query) = &mut request.raw_query_string {
            *query = utf8_percent_encode(query, NOT_IN_A_QUERY).to_string();
        }
        let decodes = |body: &String| BASE64_STANDARD.decode(body).is_ok();
        if request.is_base64_encoded && !request.body.as_ref().is_none_or(decodes) {
            return Err(Error::custom("the body is said to be in base64, and is not"));
        }
    }
    Ok(read)
}

/// Takes out of the event the headers with bytes beyond ASCII.
fn odd_headers(event: &mut Value) -> HeaderMap {
    let mut odd = HeaderMap::new();
    let Some(headers) = event.get_mut("headers").and_then(Value::as_object_mut) else { return odd };
    headers.retain(|name, value| {
        let Some(text) = value.as_str().filter(|text| !text.is_ascii()) else { return true };
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(text.as_bytes()));
        let (Ok(name), Ok(value)) = parsed else { return true };
        odd.insert(name, value);
        false
    });
    odd
}

#[cfg(test)]
mod tests {
    use lambda_http::RequestExt as _;
    use serde_json::json;

    use super::*;

    fn sent(change: impl FnOnce(&mut Value)) -> Request {
        let mut event = serde_json::from_str(include_str!("../tests/data/http_api.json")).expect("JSON");
        change(&mut event);
        request(&event.to_string()).expect("an event")
    }

    #[test]
    fn a_header_beyond_ascii_is_kept_for_the_function_to_refuse() {
        let request = sent(|event| event["headers"]["idempotency-key"] = json!("k\u{fc}"));
        request.headers()["idempotency-key"].to_str().expect_err("not ASCII");
        assert_eq!(request.headers()["accept"], "*/*");
    }

    #[test]
    fn host_path_and_query_of_any_kind_make_a_request() {
        for host in ["", " ", "[", "a b", "http://", "x:99999999", "\u{fc}"] {
            sent(|event| event["headers"]["host"] = json!(host));
            sent(|event| event["requestContext"]["domainName"] = json!(host));
            sent(|event| event["headers"]["x-forwarded-proto"] = json!(host));
        }
        for path in ["", ":x", "@", "//", "/a b", "/\u{fc}", "/?#", "\\", "/v1/%zz", "/\"<>"] {
            assert!(sent(|event| event["rawPath"] = json!(path)).raw_http_path().starts_with('/'));
        }
        for (query, value) in
            [("q=a b", "a b"), ("q=\"<\u{fc}>\"", "\"<\u{fc}>\""), ("q=%22#x", "\"#x"), ("q=a%", "a%")]
        {
            let request = sent(|event| event["rawQueryString"] = json!(query));
            assert_eq!(request.query_string_parameters().first("q"), Some(value), "{query}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for text in ["", "{}", "[]", "null", "{\"headers\": []}"] {
            request(text).expect_err(text);
        }
        let mut event: Value = serde_json::from_str(include_str!("../tests/data/http_api.json")).expect("JSON");
        (event["body"], event["isBase64Encoded"]) = (json!("{}"), json!(true));
        request(&event.to_string()).expect_err("no base64");
    }
}
