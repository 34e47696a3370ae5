//! The API as a document and as a page: `/openapi.json`, and `/docs`, from which each call can be tried.
//!
//! Neither needs a token and neither holds one: who tries a call pastes his own. The page is built in, and loads nothing from
//! elsewhere.

use std::net::IpAddr;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};
use wallet_lambda::openapi;

use crate::functions;

/// Swagger UI sets styles from its script and draws from data; everything else is from here.
const POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(|| openapi::document(functions::described()));

/// The document: every route of the functions, as they describe it.
pub fn document() -> &'static OpenApi {
    &DOCUMENT
}

/// The document as it is printed and kept: JSON with a line for each value.
pub fn text() -> String {
    let mut text = document().to_pretty_json().expect("a document is JSON");
    text.push('\n');
    text
}

pub(crate) fn router() -> Router {
    // Its validator would send the document elsewhere.
    let config =
        Config::from("/openapi.json").try_it_out_enabled(true).display_request_duration(true).validator_url("none");
    let page: Router = SwaggerUi::new("/docs").url("/openapi.json", document().clone()).config(config).into();
    page.layer(from_fn(async |request, next: Next| {
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }))
}

/// `router` for requests whose `Host` is this machine, and whose `Origin`, if they have one, is a page of this machine. A
/// page from elsewhere has a foreign `Host` if its name was made to lead here, and a foreign `Origin` if it asks across
/// origins.
pub fn of_loopback(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| match refusal(request.headers()) {
        None => next.run(request).await,
        Some((status, why)) => (status, why).into_response(),
    }))
}

/// Why a request with these headers is refused, if it is.
fn refusal(headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let each = |name: HeaderName| headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or_default());
    let (mut hosts, mut origins) = (each(header::HOST), each(header::ORIGIN));
    if !matches!((hosts.next(), hosts.next()), (Some(host), None) if is_authority_of_loopback(host)) {
        let why = "This answers requests to localhost, 127.0.0.1 and [::1] alone.\n";
        return Some((StatusCode::MISDIRECTED_REQUEST, why));
    }
    match (origins.next(), origins.next()) {
        (None, _) => None,
        (Some(origin), None) if is_origin_of_loopback(origin) => None,
        _ => Some((StatusCode::FORBIDDEN, "This answers pages of this machine alone.\n")),
    }
}

fn is_authority_of_loopback(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| is_loopback(authority.host()))
}

/// An origin is a scheme, a host and perhaps a port; `null` is that of a page that hides its own.
fn is_origin_of_loopback(origin: &str) -> bool {
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.contains('@') && is_authority_of_loopback(rest))
}

/// Whether `host`, as a URL has it, is this machine, whatever a name server says.
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
