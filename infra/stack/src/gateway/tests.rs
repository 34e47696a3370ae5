//! Through the router, with a handler that shows what it was given.

use super::*;
use aws_lambda_events::apigw::ApiGatewayV2httpRequestContext as Context2;
use axum::http::Request as HttpRequest;
use jiff::SignedDuration;
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use tower::ServiceExt as _;

fn route(method: &str, path: &str) -> Route {
    Route {
        method: method.to_owned(),
        path: path.to_owned(),
        function: "echo".to_owned(),
        scopes: vec!["things:read".to_owned()],
        timeout: Duration::from_millis(300),
    }
}

/// What the function sees of a request.
fn seen(request: &lambda_http::Request) -> Value {
    let RequestContext::ApiGatewayV2(context) = request.request_context() else { panic!("another event") };
    let Context2 { route_key, authorizer, http, stage, .. } = context;
    let jwt = authorizer.and_then(|authorizer| authorizer.jwt).expect("a JWT");
    let binary = matches!(request.body(), lambda_http::Body::Binary(_));
    json!({
        "route": route_key, "stage": stage, "method": http.method.as_str(), "path": request.uri().path(),
        "sub": jwt.claims["sub"], "scopes": jwt.scopes,
        "id": request.path_parameters().first("id"), "q": request.query_string_parameters().all("q"),
        "header": request.headers().get("x-thing").and_then(|v| v.to_str().ok()),
        "body": String::from_utf8_lossy(request.body()), "binary": binary,
    })
}

fn gateway() -> Router {
    let echo: Handler = Arc::new(|event| {
        Box::pin(async move {
            let request = wallet_lambda::request(&event)?;
            match request.uri().path() {
                "/panic" => panic!("on purpose"),
                "/slow" => std::future::pending().await,
                _ => Ok(lambda_http::Response::new(seen(&request).to_string().into())),
            }
        })
    });
    let routes =
        [route("GET", "/things/{id}"), route("POST", "/things"), route("GET", "/panic"), route("GET", "/slow")];
    answered_by(HashMap::from([("echo".to_owned(), echo)]), &routes).expect("every route has a handler")
}

fn answered_by(handlers: HashMap<String, Handler>, routes: &[Route]) -> Result<Router> {
    let gateway = Gateway {
        address: "127.0.0.1:9000".parse().expect("an address"),
        handlers,
        after: Arc::new(Notify::new()),
        observer: None,
    };
    router(gateway, routes)
}

fn request(method: &str, uri: &str) -> axum::http::request::Builder {
    let token = token::mint("alice", "", SignedDuration::from_mins(1), clock::now()).expect("minted");
    HttpRequest::builder().method(method).uri(uri).header("authorization", format!("Bearer {token}"))
}

async fn send(request: HttpRequest<Body>) -> Response<Value> {
    send_to(gateway(), request).await
}

async fn send_to(gateway: Router, request: HttpRequest<Body>) -> Response<Value> {
    let (parts, body) = gateway.oneshot(request).await.expect("the router answers").into_parts();
    let body = to_bytes(body, BODY_LIMIT_BYTES).await.expect("read");
    Response::from_parts(parts, serde_json::from_slice(&body).expect("JSON"))
}

async fn check_refused(request: HttpRequest<Body>, status: u16, code: &str) -> Response<Value> {
    let response = send(request).await;
    assert_eq!((response.status().as_u16(), &response.body()["code"]), (status, &json!(code)));
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.body()["request_id"], response.headers()[REQUEST_ID_HEADER].to_str().expect("text"));
    response
}

fn empty(builder: axum::http::request::Builder) -> HttpRequest<Body> {
    builder.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn the_function_sees_a_real_event() {
    let get = request("GET", "/things/a%20b?q=1&q=2&r=%2B").header("x-thing", "1").header("x-thing", "2");
    let seen = send(empty(get)).await;
    assert_eq!(seen.status(), StatusCode::OK);
    let expected = json!({
        "route": "GET /things/{id}", "stage": "$default", "method": "GET", "path": "/things/a%20b", "sub": "alice",
        "scopes": ["things:read"], "id": "a b", "q": ["1", "2"], "header": "1,2", "body": "", "binary": false,
    });
    assert_eq!(*seen.body(), expected);
}

#[tokio::test]
async fn bodies_are_text_or_base64() {
    let cases: [(&str, &[u8], bool); 4] = [
        ("application/json; charset=utf-8", b"{}", false),
        ("text/plain", b"hello", false),
        ("application/x-www-form-urlencoded", b"a=b", true),
        ("application/json", b"\xff\xfe", true),
    ];
    for (kind, body, binary) in cases {
        let post = request("POST", "/things").header("content-type", kind).body(Body::from(body)).expect("a request");
        let seen = send(post).await.into_body();
        assert_eq!((&seen["body"], &seen["binary"]), (&json!(String::from_utf8_lossy(body)), &json!(binary)), "{kind}");
    }
}

#[tokio::test]
async fn what_has_no_route_is_not_found() {
    for (method, path) in [("GET", "/"), ("GET", "/things"), ("DELETE", "/things"), ("POST", "/x")] {
        let without_token = HttpRequest::builder().method(method).uri(path);
        check_refused(empty(without_token), 404, "route_not_found").await;
    }
    let head = gateway().oneshot(empty(request("HEAD", "/things/1"))).await.expect("the router answers");
    assert_eq!(head.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_good_token_nothing_is_called() {
    let absent = check_refused(empty(HttpRequest::builder().uri("/things/1")), 401, "unauthenticated").await;
    assert_eq!(absent.headers()["www-authenticate"], "Bearer");
    for value in ["Bearer", "Bearer ", "Basic YTpi", "bearer a.b.c"] {
        let wrong = HttpRequest::builder().uri("/things/1").header("authorization", value);
        check_refused(empty(wrong), 401, "unauthenticated").await;
    }
    let token = token::mint("alice", "", SignedDuration::from_mins(1), clock::now()).expect("minted");
    let bare = || HttpRequest::builder().uri("/things/1");
    for second in ["Bearer x", "", &format!("Bearer {token}")] {
        let twice = request("GET", "/things/1").header("authorization", second);
        check_refused(empty(twice), 401, "unauthenticated").await;
    }
    for odd in [token.clone(), format!("Bearer {token},Bearer {token}"), format!("Bearer Bearer {token}")] {
        check_refused(empty(bare().header("authorization", odd)), 401, "unauthenticated").await;
    }
    let elsewhere = HttpRequest::builder().uri(format!("/things/1?access_token={token}&authorization={token}"));
    check_refused(empty(elsewhere.header("cookie", format!("token={token}"))), 401, "unauthenticated").await;
}

#[tokio::test]
async fn a_body_is_bounded() {
    let large = request("POST", "/things").body(Body::from(vec![b' '; BODY_LIMIT_BYTES + 1])).expect("a request");
    check_refused(large, 413, "body_too_large").await;
}

#[tokio::test]
async fn request_line_and_headers_are_bounded_together_to_the_byte() {
    let sized = |method: &str, path: &str, value: usize| {
        let bare = HttpRequest::builder().method(method).uri(path).header("x-filler", "f".repeat(value));
        empty(bare.header("authorization", "Bearer x"))
    };
    // `GET /things/1 HTTP/1.1` and `Bearer x` are 30 bytes; without a good token it goes no further.
    check_refused(sized("GET", "/things/1", HEAD_LIMIT_BYTES - 30), 401, "unauthenticated").await;
    check_refused(sized("GET", "/things/1", HEAD_LIMIT_BYTES - 29), 431, "headers_too_large").await;
    check_refused(sized("GET", "/nowhere", HEAD_LIMIT_BYTES), 431, "headers_too_large").await;
    let long = format!("/things/1?q={}", "q".repeat(HEAD_LIMIT_BYTES));
    check_refused(empty(request("GET", &long)), 431, "headers_too_large").await;
    let long = format!("/things/{}", "1".repeat(HEAD_LIMIT_BYTES));
    check_refused(empty(request("GET", &long)), 431, "headers_too_large").await;
}

#[tokio::test]
async fn a_panic_and_a_slow_function_harm_nobody() {
    check_refused(empty(request("GET", "/panic")), 500, "internal").await;
    check_refused(empty(request("GET", "/slow")), 503, "outcome_unknown").await;
}

#[tokio::test]
async fn where_no_function_listens_the_caller_is_told_what_to_look_at() {
    let routes = [route("GET", "/things/{id}")];
    // Port 1 is the one of a service that nobody runs.
    let nobody = crate::remote::Lambda::at("http://127.0.0.1:1").expect("a URL").http(&routes);
    let gateway = answered_by(nobody, &routes).expect("every route has a handler");
    let answer = send_to(gateway, empty(request("GET", "/things/1"))).await;
    let problem = answer.body();
    assert_eq!((answer.status().as_u16(), &problem["retryable"]), (503, &json!(true)));
    let told = "`echo` cannot be invoked at http://127.0.0.1:1; is `cargo lambda watch` running there?";
    assert_eq!(problem["detail"], told);
}

#[tokio::test]
async fn hostile_heads_are_answered() {
    let odd = request("GET", "/things/%7B%22?%%%&=&q").header("host", "a b/\u{7f}".trim_end_matches('\u{7f}'));
    assert_eq!(send(empty(odd.header("x-forwarded-proto", "no scheme"))).await.status(), StatusCode::OK);
    check_refused(empty(request("GET", "/things/%ff")), 404, "route_not_found").await;
    let beyond_ascii = HeaderValue::from_bytes(b"k\xc3\xbc\xff").expect("HTTP allows it");
    assert_eq!(send(empty(request("GET", "/things/1").header("x-thing", beyond_ascii))).await.status(), StatusCode::OK);
}

#[test]
fn a_route_without_a_handler_is_named() {
    let error = answered_by(HashMap::new(), &[route("GET", "/things")]).expect_err("no handler").to_string();
    assert!(error.contains("`GET /things` to `echo`"), "{error}");
}
