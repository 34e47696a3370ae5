//! That the page and the document are there without a token, and for this machine alone.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt as _;

use super::*;

async fn get(path: &str, hosts: &[&str]) -> (StatusCode, String) {
    from(path, hosts, &[]).await
}

async fn from(path: &str, hosts: &[&str], origins: &[&str]) -> (StatusCode, String) {
    let request = hosts.iter().fold(Request::get(path), |request, host| request.header("host", *host));
    let request = origins.iter().fold(request, |request, origin| request.header("origin", *origin));
    let Ok(response) = of_loopback(router()).oneshot(request.body(Body::empty()).expect("a request")).await;
    if response.status() == StatusCode::OK {
        assert_eq!(response.headers()["content-security-policy"], POLICY);
    }
    let status = response.status();
    let body = to_bytes(response.into_body(), 16 * 1024 * 1024).await.expect("an answer");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn the_page_and_the_document_are_there_and_load_nothing_from_elsewhere() {
    let here = &["127.0.0.1:9000"];
    let (status, document) = get("/openapi.json", here).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&document).expect("JSON")["openapi"], "3.1.0");
    let (status, page) = get("/docs/", here).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("swagger-ui-bundle.js") && !page.contains("//"), "{page}");
    let (status, script) = get("/docs/swagger-initializer.js", here).await;
    assert!(status == StatusCode::OK && script.contains("/openapi.json") && !script.contains("Bearer"), "{script}");
    assert_eq!(get("/docs/swagger-ui-bundle.js", here).await.0, StatusCode::OK);
}

#[tokio::test]
async fn other_hosts_get_nothing() {
    for host in ["localhost", "LOCALHOST:9000", "127.0.0.1:9000", "[::1]:9000", "127.9.9.9"] {
        assert_eq!(get("/openapi.json", &[host]).await.0, StatusCode::OK, "{host}");
    }
    for hosts in
        [&["wallet.example"][..], &["127.0.0.1.example:9000"], &["10.0.0.1"], &[""], &["localhost", "evil"], &[]]
    {
        assert_eq!(get("/openapi.json", hosts).await.0, StatusCode::MISDIRECTED_REQUEST, "{hosts:?}");
    }
}

#[tokio::test]
async fn pages_of_elsewhere_get_nothing() {
    let here = &["127.0.0.1:9000"];
    for origin in ["http://127.0.0.1:9000", "http://localhost:9001", "https://localhost", "http://[::1]:9000"] {
        assert_eq!(from("/openapi.json", here, &[origin]).await.0, StatusCode::OK, "{origin}");
    }
    for origins in [
        &["https://wallet.example"][..],
        &["http://127.0.0.1.example:9000"],
        &["http://127.0.0.1@wallet.example"],
        &["http://wallet.example@127.0.0.1"],
        &["http://127.0.0.1:9000/path"],
        &["null"],
        &[""],
        &["127.0.0.1:9000"],
        &["file://localhost"],
        &["http://localhost", "http://localhost"],
    ] {
        assert_eq!(from("/openapi.json", here, origins).await.0, StatusCode::FORBIDDEN, "{origins:?}");
    }
    // A name that was made to lead here is refused as a host, whatever its page's origin is.
    let rebound = from("/openapi.json", &["wallet.example:9000"], &["http://wallet.example:9000"]).await.0;
    assert_eq!(rebound, StatusCode::MISDIRECTED_REQUEST);
}
