//! An HTTP request as the event that API Gateway's HTTP API (payload format 2.0) hands to a function.
//!
//! The shape: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::names::ACCOUNT;
use crate::template::Route;

/// The headers that the gateway sets itself, whatever the caller sent.
const OWN_HEADERS: [&str; 4] = ["host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"];

/// All that an event is made of.
pub(super) struct Arrival<'a> {
    pub(super) route: &'a Route,
    pub(super) parts: &'a Parts,
    /// Decoded, in the order of the path.
    pub(super) path_parameters: BTreeMap<String, String>,
    pub(super) body: &'a [u8],
    pub(super) claims: HashMap<String, String>,
    pub(super) request_id: &'a str,
    /// Where the gateway listens.
    pub(super) gateway: SocketAddr,
    pub(super) at: Timestamp,
}

impl Arrival<'_> {
    pub(super) fn event(&self) -> Value {
        let (method, path) = (self.parts.method.as_str(), self.parts.uri.path());
        let query = self.parts.uri.query().unwrap_or_default();
        let headers = self.headers();
        let (body, is_base64) = self.body();
        json!({
            "version": "2.0",
            "routeKey": self.route.key(),
            "rawPath": path,
            "rawQueryString": query,
            "cookies": cookies(&self.parts.headers),
            "headers": headers,
            "queryStringParameters": some(joined(form_urlencoded::parse(query.as_bytes()))),
            "pathParameters": some(self.path_parameters.clone()),
            "stageVariables": null,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "authorizer": {"jwt": {"claims": self.claims, "scopes": self.route.scopes}},
                "domainName": self.gateway.to_string(),
                "domainPrefix": "local",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": format!("{:?}", self.parts.version),
                    "sourceIp": self.gateway.ip().to_string(),
                    "userAgent": headers.get("user-agent").map_or("", String::as_str),
                },
                "requestId": self.request_id,
                "routeKey": self.route.key(),
                "stage": "$default",
                "time": self.at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "timeEpoch": self.at.as_millisecond(),
            },
            "body": body,
            "isBase64Encoded": is_base64,
        })
    }

    /// Lower-case names; the values of one name joined by commas; no cookies, which have a place of their own.
    fn headers(&self) -> BTreeMap<String, String> {
        let sent =
            self.parts.headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
        let handed_on = |name: &str| name != header::COOKIE.as_str() && !OWN_HEADERS.contains(&name);
        let mut headers = joined(sent.filter(|(name, _)| handed_on(name)));
        let (ip, port) = (self.gateway.ip().to_string(), self.gateway.port().to_string());
        let own = [self.gateway.to_string(), ip, port, "http".to_owned()];
        headers.extend(OWN_HEADERS.map(str::to_owned).into_iter().zip(own));
        headers
    }

    /// The body as it is if it is text, else in base64, and which of the two.
    fn body(&self) -> (Option<String>, bool) {
        if self.body.is_empty() {
            return (None, false);
        }
        match std::str::from_utf8(self.body) {
            Ok(text) if is_text(&self.parts.headers) => (Some(text.to_owned()), false),
            _ => (Some(BASE64_STANDARD.encode(self.body)), true),
        }
    }
}

/// Whether the content type is one that the HTTP API hands on as text. Forms are not.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&kind)
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

fn cookies(headers: &HeaderMap) -> Option<Vec<String>> {
    let mut all: Vec<String> = vec![];
    for cookies in headers.get_all(header::COOKIE) {
        let cookies = String::from_utf8_lossy(cookies.as_bytes());
        all.extend(cookies.split(';').map(|cookie| cookie.trim().to_owned()));
    }
    Some(all).filter(|all| !all.is_empty())
}

/// The values of one name joined by commas.
fn joined<N: AsRef<str>, V: AsRef<str>>(pairs: impl Iterator<Item = (N, V)>) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        by_name
            .entry(name.as_ref().to_owned())
            .and_modify(|values| *values = format!("{values},{}", value.as_ref()))
            .or_insert_with(|| value.as_ref().to_owned());
    }
    by_name
}

/// API Gateway leaves an empty map out.
fn some(map: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    Some(map).filter(|map| !map.is_empty())
}
