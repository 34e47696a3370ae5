//! Faults as callers meet them: the transfer function itself, from an API Gateway event to a response.

use std::collections::BTreeMap;
use std::time::Duration;

use lambda_http::{Body, Response};
use serde_json::{Value, json};
use wallet_domain::{Command, Deposit, WalletId};
use wallet_dynamodb::{Strategy, Usage};
use wallet_stack::invoke;

use super::call::Call;
use super::check::audit;
use super::fault::Fault;
use super::network::Weather;
use super::weather::{always, cut_off, fair, first};
use super::world::{World, function, runtime};
use crate::ledger::order;

/// Asks the function once in `weather` and once more when it is fair.
#[track_caller]
fn check(strategy: &str, weather: Weather, status: u16, code: Option<&str>, then: u16) {
    fastrand::seed(1);
    let (first, again, balance) = runtime().block_on(async {
        let world = World::new();
        let (a, b) = (world.open("a", "0", None).await, world.open("b", "0", None).await);
        let fund = order("bank", "fund".parse().expect("a printable key"), "100.00");
        let fund = Command::Deposit(Deposit { order: fund, wallet: a, rules: [].into() });
        let funded = world.plain().execute(&fund, Strategy::Optimistic, &mut Usage::default()).await;
        let _ = funded.expect("a deposit in fair weather");
        let app = function(world.ledger(0, 1), &[]);
        world.network.set(weather);
        let first = told(invoke("transfer", &app, request(a, b, strategy)).await);
        tokio::time::sleep(Duration::from_secs(60)).await;
        world.network.set(fair());
        let again = told(invoke("transfer", &app, request(a, b, strategy)).await);
        audit(&world.table, &world.plain()).await.expect("the books add up");
        (first, again, world.balance(b).await)
    });
    assert_eq!((first.0, first.1["code"].as_str()), (status, code), "{}", first.1);
    if code.is_some() {
        assert_eq!(first.1["retryable"], true, "{}", first.1);
        assert!(first.2, "no Retry-After");
    }
    assert_eq!(again.0, then, "{}", again.1);
    assert_eq!(balance, "10.00", "moved once");
}

/// Status, body, and whether it says when to try again.
fn told(response: Response<Body>) -> (u16, Value, bool) {
    let body = serde_json::from_slice(response.body()).expect("answers are JSON");
    (response.status().as_u16(), body, response.headers().contains_key("retry-after"))
}

fn request(source: WalletId, destination: WalletId, strategy: &str) -> lambda_http::Request {
    let body = json!({
        "source": source.to_string(), "destination": destination.to_string(),
        "amount": "10.00", "currency": "EUR", "locking_strategy": strategy,
    });
    event("POST /v1/transfers", &[], "a", "one", "wallets:write", &body)
}

/// A request as API Gateway hands it to a function, on `route`, with its query if there is one, by `caller`. A GET has no use
/// for key and body.
pub(crate) fn event(
    route: &str,
    parameters: &[(&str, &str)],
    caller: &str,
    key: &str,
    scope: &str,
    body: &Value,
) -> lambda_http::Request {
    let (route, query) = route.split_once('?').unwrap_or((route, ""));
    let (method, path) = route.split_once(' ').expect("a method and a path");
    let path =
        parameters.iter().fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query,
        "headers": { "content-type": "application/json", "idempotency-key": key },
        "pathParameters": parameters.iter().copied().collect::<BTreeMap<_, _>>(),
        "requestContext": {
            "accountId": "000000000000", "apiId": "local", "stage": "$default", "requestId": "one",
            "domainName": "localhost", "domainPrefix": "local", "routeKey": route,
            "authorizer": { "jwt": { "claims": { "sub": caller, "scope": scope }, "scopes": [] } },
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": "tests",
            },
            "time": "01/Mar/2026:23:58:00 +0000", "timeEpoch": 1_772_409_480_000_i64,
        },
        "body": body.to_string(), "isBase64Encoded": false,
    });
    wallet_lambda::request(&event.to_string()).expect("an event of API Gateway")
}

#[test]
fn a_conflict_to_the_end_is_409_and_the_same_key_may_try_again() {
    for (strategy, code) in [("optimistic", "concurrency_conflict"), ("pessimistic", "lock_timeout")] {
        check(strategy, always(Call::is_write, Fault::Conflict), 409, Some(code), 201);
    }
}

#[test]
fn throttling_to_the_end_is_503_and_the_same_key_may_try_again() {
    for fault in [Fault::Throttled, Fault::ThrottledWithin] {
        check("optimistic", always(Call::is_write, fault), 503, Some("throttled"), 201);
    }
}

#[test]
fn an_outcome_that_cannot_be_read_back_is_503_and_the_same_key_tells() {
    for (fault, then) in
        [(Fault::ReplyLost, 200), (Fault::Late(Duration::from_secs(20)), 200), (Fault::RequestLost, 201)]
    {
        check("optimistic", cut_off(fault), 503, Some("outcome_unknown"), then);
    }
}

#[test]
fn a_reply_lost_once_is_none_of_the_callers_business() {
    check("pessimistic", first(1, Call::is_commit, Fault::ReplyLost), 201, None, 200);
}
