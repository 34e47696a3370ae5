//! What goes on to the API and what doesn't, who is answered, and what is told of an API that isn't there.

use std::sync::Mutex;

use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wallet_stack::{Options, Stack};

use super::*;

/// What a page here asks.
fn asked(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:9001")
        .header("origin", "http://127.0.0.1:9001")
}

async fn answer(router: &Router, request: axum::http::request::Builder, body: Value) -> (StatusCode, HeaderMap, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let Ok(response) = router.clone().oneshot(request.body(body).expect("a request")).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("an answer");
    (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn the_api_is_asked_with_the_caller_s_own_token_and_nothing_else_is_there() {
    let stack = Stack::start(Options::default()).await.expect("started");
    let router = router(&format!("{}/", stack.url())).expect("an address");
    let bearer = format!("Bearer {}", stack.token("alice", "wallets:read wallets:write wallets:admin"));
    for (status, replayed) in [(StatusCode::CREATED, None), (StatusCode::OK, Some("true"))] {
        let request = asked("POST", "/v1/wallets").header("authorization", &bearer).header("idempotency-key", "open");
        let request = request.header("content-type", "application/json");
        let (answered, headers, wallet) = answer(&router, request, json!({"currency": "EUR"})).await;
        assert_eq!((answered, &wallet["owner"]), (status, &json!("alice")), "{wallet}");
        assert_eq!(headers.get("idempotent-replayed").and_then(|value| value.to_str().ok()), replayed);
    }
    let listing = asked("GET", "/v1/wallets?limit=1").header("authorization", &bearer);
    let (status, _, list) = answer(&router, listing, Value::Null).await;
    assert_eq!((status, list["wallets"].as_array().map(Vec::len)), (StatusCode::OK, Some(1)));
    let (status, headers, problem) = answer(&router, asked("GET", "/v1/wallets"), Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")));
    assert_eq!(headers["www-authenticate"], "Bearer");
    for path in ["/_local", "/_local/queues", "/openapi.json", "/", "/v2/wallets"] {
        let (status, _, problem) =
            answer(&router, asked("GET", path).header("authorization", &bearer), Value::Null).await;
        assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("route_not_found")), "{path}");
    }
    let (status, headers, _) = answer(&router, asked("GET", "/console"), Value::Null).await;
    assert!(
        status == StatusCode::OK && headers["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/html"))
    );
    stack.stop().await;
}

#[tokio::test]
async fn pages_and_names_of_elsewhere_get_nothing() {
    let router = router("https://wallets.example.com").expect("an address");
    for (host, origin, expected) in [
        ("wallets.example.com", "http://127.0.0.1:9001", StatusCode::MISDIRECTED_REQUEST),
        ("127.0.0.1:9001", "https://wallets.example.com", StatusCode::FORBIDDEN),
        ("127.0.0.1:9001", "null", StatusCode::FORBIDDEN),
    ] {
        for path in ["/console", "/v1/wallets"] {
            let request = Request::get(path).header("host", host).header("origin", origin);
            assert_eq!(answer(&router, request, Value::Null).await.0, expected, "{host} {origin} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_about_this_machine_stays_here() {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let keeps = Arc::clone(&seen);
    let there = async move |request: Request| {
        keeps.lock().expect("no panic").clone_from(request.headers());
        let cookie = (header::SET_COOKIE, HeaderValue::from_static("session=1"));
        ([cookie, (header::ETAG, HeaderValue::from_static("\"7\""))], "{}").into_response()
    };
    let listener = listen(0).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move { axum::serve(listener, Router::new().fallback(there)).await });
    let router = router(&format!("http://{address}")).expect("an address");
    let request = asked("GET", "/v1/wallets").header("cookie", "session=2").header("referer", "http://127.0.0.1:9001/");
    let request = request.header("x-forwarded-for", "10.0.0.1").header("if-match", "\"7\"");
    let (status, headers, _) = answer(&router, request, Value::Null).await;
    assert_eq!(
        (status, headers.get("set-cookie"), &headers["etag"]),
        (StatusCode::OK, None, &"\"7\"".parse().expect("text"))
    );
    let seen = seen.lock().expect("no panic").clone();
    assert_eq!(seen["host"], address.to_string());
    assert_eq!(seen["if-match"], "\"7\"");
    for name in ["origin", "cookie", "referer", "x-forwarded-for"] {
        assert!(!seen.contains_key(name), "{name}");
    }
    server.abort();
}

#[tokio::test]
async fn an_api_that_is_not_there_is_told() {
    let router = router("http://127.0.0.1:1").expect("an address");
    let (status, _, problem) = answer(&router, asked("GET", "/v1/wallets"), Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("outcome_unknown")), "{problem}");
    assert!(
        problem["detail"].as_str().is_some_and(|detail| detail.starts_with("http://127.0.0.1:1 does not answer: "))
    );
    let large = asked("POST", "/v1/transfers");
    assert_eq!(answer(&router, large, json!("x".repeat(70_000))).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_bad_address_and_a_port_that_is_taken_are_told() {
    for url in ["", "wallets.example.com", "ftp://wallets.example.com", "http://wallets.example.com", "http://", "/v1"]
    {
        let failure = router(url).expect_err(url);
        assert!(matches!(failure, Failure::Unclear(_)), "{url}");
        assert!(failure.to_string().ends_with(&format!("and WALLET_URL or --url is `{url}`")), "{failure}");
    }
    let taken = listen(0).await.expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let failure = serve(&Arguments { url: "https://wallets.example.com".to_owned(), port }).await.expect_err("taken");
    let text = failure.to_string();
    assert!(text.starts_with(&format!("port {port} on 127.0.0.1 is in use by another program.")), "{text}");
}
