//! What all JSON responses have in common, answers and problems alike.

use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// Tells the caller that the answer was given before, to the same key.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Nobody may cache it: balances and outcomes change.
pub(crate) fn json_response(
    status: StatusCode,
    content_type: &'static str,
    body: String,
    replayed: bool,
) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if replayed {
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

pub(crate) fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("what is shown has text for keys and no failing fields")
}
