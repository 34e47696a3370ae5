//! What the gateway answers by itself: RFC 9457 problems, in the shape of the functions' own.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::Refused;

pub(super) fn route_not_found(request_id: &str, method: &Method, path: &str) -> Response {
    problem(StatusCode::NOT_FOUND, "route_not_found", false, &format!("There is no {method} {path}."), request_id)
}

pub(super) fn unauthenticated(request_id: &str, refused: &Refused) -> Response {
    let (detail, challenge) = match refused {
        Refused::Absent => ("The request needs one header `Authorization: Bearer <token>`.", "Bearer"),
        Refused::Invalid(why) => (*why, "Bearer error=\"invalid_token\""),
    };
    let mut response = problem(StatusCode::UNAUTHORIZED, "unauthenticated", false, detail, request_id);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

pub(super) fn body_too_large(request_id: &str) -> Response {
    problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", false, "The body is too large.", request_id)
}

pub(super) fn timed_out(request_id: &str) -> Response {
    let detail = "The answer took too long. Repeat the request with the same Idempotency-Key to learn the outcome.";
    problem(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", true, detail, request_id)
}

pub(super) fn internal(request_id: &str) -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", true, "Something went wrong here.", request_id)
}

fn problem(status: StatusCode, code: &str, retryable: bool, detail: &str, request_id: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
        "retryable": retryable,
        "request_id": request_id,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
