//! Hostile input, made up by proptest: whatever arrives, the answer is a success or a problem, never a fault of ours, and
//! the table adds up afterwards.
//!
//! Each property runs 256 cases. `PROPTEST_CASES=20000 cargo test -p wallet-tests --release fuzz` is the long form.

mod events;
mod inputs;
mod texts;

use std::collections::BTreeMap;
use std::fmt::Debug;

use lambda_http::{Body, Request, Response};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use wallet_audit::Audit;
use wallet_dynamodb::Ledger;
use wallet_lambda::{App, Code, Settings};
use wallet_stack::template::Template;
use wallet_stack::{Options, Stack, api, invoke};

use super::{Route, routes};

/// One system for all cases of a property, and the functions on its table.
struct World {
    runtime: Runtime,
    stack: Stack,
    app: App,
    /// Of alice, with money and a statement.
    wallet: String,
    /// A deposit in it.
    deposit: String,
    /// A hold of its money.
    hold: String,
    asks: Vec<Ask>,
    routes: Vec<wallet_stack::template::Route>,
}

/// A request that is good. What stands in braces in its path or body, named as in the template's paths, is the world's.
struct Ask {
    method: String,
    path: String,
    body: Option<String>,
}

/// Beside each route with the body that its description shows.
const MORE: [(&str, &str, Option<&str>); 10] = [
    (
        "POST",
        "/v1/wallets/{wallet_id}/withdrawals",
        Some(r#"{"amount":"0.01","currency":"EUR","reference":"r","metadata":{"a":"b"}}"#),
    ),
    (
        "POST",
        "/v1/payouts",
        Some(
            r#"{"source":"{wallet_id}","currency":"EUR","payments":[{"destination":"{wallet_id}","amount":"1","reference":"r"}]}"#,
        ),
    ),
    (
        "POST",
        "/v1/wallets",
        Some(r#"{"currency":"EUR","ceiling":"9","limits":{"max_movement":"5","transfers_per_minute":2}}"#),
    ),
    ("PATCH", "/v1/wallets/{wallet_id}", Some(r#"{"ceiling":null,"limits":{"max_daily_outflow":"100"}}"#)),
    ("GET", "/v1/transactions?reference=r", None),
    ("GET", "/v1/wallets?owner=bob&limit=5", None),
    ("GET", "/v1/wallets/{wallet_id}?at=2026-11-21T03:00:00.5Z", None),
    (
        "POST",
        "/v1/wallets/{wallet_id}/withdrawals?dry_run=true",
        Some(r#"{"amount":"0.01","currency":"EUR","reference":"r"}"#),
    ),
    (
        "POST",
        "/v1/transactions/{transaction_id}/reversals?dry_run=true",
        Some(r#"{"reference":"r","allow_overdraft":true}"#),
    ),
    ("POST", "/v1/transactions/{transaction_id}/reversals", Some(r#"{"reference":"r","allow_overdraft":true}"#)),
];

fn asks() -> Vec<Ask> {
    let document = serde_json::to_value(api::document()).expect("JSON");
    let mut asks: Vec<Ask> = MORE
        .map(|(method, path, body)| Ask {
            method: method.to_owned(),
            path: path.to_owned(),
            body: body.map(str::to_owned),
        })
        .into();
    // The one shown freezes the wallet, the other needs a query: they are above alone.
    let others = ["PATCH /v1/wallets/{wallet_id}", "GET /v1/transactions"];
    for Route { method, path, .. } in routes().into_iter().filter(|route| !others.contains(&route.key().as_str())) {
        let shown = &document["paths"][&path][method.to_lowercase()]["requestBody"]["content"]["application/json"];
        let body = shown.get("example").map(|body| {
            // The ids in it are those of the description's own wallets.
            let body = body.to_string();
            let (before, others) = body.split_once("wal_").unwrap_or((&body, ""));
            others.split("wal_").fold(before.to_owned(), |body, part| match part.get(32..) {
                Some(part) => format!("{body}{{wallet_id}}{part}"),
                None => body,
            })
        });
        asks.push(Ask { method, path, body });
    }
    asks
}

impl World {
    fn start() -> World {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let options = Options { deliver: false, ..Options::default() };
        let stack = runtime.block_on(Stack::start(options)).expect("a stack starts");
        let variables = BTreeMap::from([
            ("TABLE_NAME", stack.table()),
            ("REBATE_RULES", r#"[{"id":"standard","basis_points":100}]"#),
            ("TRANSFER_FEE", r#"{"basis_points":10}"#),
        ]);
        let settings = Settings::from_vars(|name| variables.get(name).map(|value| (*value).to_owned()));
        let ledger = Ledger::new(stack.own_client(), stack.table());
        let app = App::new(ledger, settings.expect("good settings"));
        let (wallet, deposit, hold) = Default::default();
        let routes = Template::embedded().expect("a template").routes;
        let mut world = World { runtime, stack, app, wallet, deposit, hold, asks: asks(), routes };
        let open = world.posted("/v1/wallets", "open", r#"{"currency":"EUR"}"#);
        world.wallet = open["id"].as_str().expect("an id").to_owned();
        for number in 0..5 {
            let path = "/v1/wallets/{wallet_id}/deposits";
            let deposit = world.posted(path, &format!("deposit-{number}"), r#"{"amount":"1000","currency":"EUR"}"#);
            world.deposit = deposit["id"].as_str().expect("an id").to_owned();
        }
        let held = r#"{"source":"{wallet_id}","amount":"5","currency":"EUR"}"#;
        world.hold = world.posted("/v1/holds", "hold", held)["id"].as_str().expect("an id").to_owned();
        world
    }

    fn posted(&self, path: &str, key: &str, body: &str) -> Value {
        let mut event = self.event("POST", path, Some(body));
        event["headers"]["idempotency-key"] = json!(key);
        let (status, answer) = self.told(&event).expect("an answer").expect("a request");
        assert_eq!(status, 201, "{answer}");
        answer
    }

    /// A good request of alice, who may do everything.
    fn event(&self, method: &str, path: &str, body: Option<&str>) -> Value {
        let ids = [("wallet_id", &self.wallet), ("transaction_id", &self.deposit), ("hold_id", &self.hold)];
        let fill =
            |text: &str| ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let captured = include_str!("../../shared/lambda/tests/data/http_api.json");
        let mut event: Value = serde_json::from_str(captured).expect("JSON");
        let path = fill(path);
        event["pathParameters"] = json!({});
        let mut route = format!("{method} {path}");
        let of_transaction = if path.starts_with("/v1/holds") { "hold_id" } else { "transaction_id" };
        for (prefix, parameter) in [("wal_", "wallet_id"), ("txn_", of_transaction)] {
            if let Some(id) = path.split('/').find(|part| part.starts_with(prefix)) {
                route = route.replace(id, &format!("{{{parameter}}}"));
                event["pathParameters"][parameter] = json!(id);
            }
        }
        event["routeKey"] = json!(route);
        event["requestContext"]["routeKey"] = json!(route);
        event["rawPath"] = json!(path);
        event["rawQueryString"] = json!(query);
        event["requestContext"]["http"]["path"] = json!(path);
        event["requestContext"]["http"]["method"] = json!(method);
        event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = json!("alice");
        event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] =
            json!("wallets:read wallets:write wallets:admin funds:deposit");
        event["headers"]["content-type"] = json!("application/json");
        if method == "PATCH" {
            event["headers"]["if-match"] = json!("*");
        }
        event["headers"]["idempotency-key"] = json!("key");
        event["body"] = json!(body.map(fill));
        event
    }

    /// Under a key of its own, so that asked again it is replayed.
    fn ask(&self, ask: &Ask) -> Value {
        let mut event = self.event(&ask.method, &ask.path, ask.body.as_deref());
        event["headers"]["idempotency-key"] = json!(format!("{} {}", ask.method, ask.path));
        event
    }

    /// What the function that the event's path is for answers, held to what every answer is. `None` if what runs in
    /// front of the functions takes the event for none.
    fn told(&self, event: &Value) -> Result<Option<(u16, Value)>, TestCaseError> {
        let Ok(request) = wallet_lambda::request(&event.to_string()) else { return Ok(None) };
        let response = self.runtime.block_on(self.handled(request));
        let status = response.status();
        let body: Value = serde_json::from_slice(response.body())
            .map_err(|error| TestCaseError::fail(format!("{status}: the body is no JSON: {error}")))?;
        prop_assert!(status != 500, "a fault of ours: {body}");
        if status.is_success() {
            prop_assert!(response.headers()["content-type"] == "application/json", "{body}");
            return Ok(Some((status.as_u16(), body)));
        }
        prop_assert!(response.headers()["content-type"] == "application/problem+json", "{body}");
        let code = body["code"].as_str().and_then(Code::named);
        prop_assert_eq!(code.map(Code::status), Some(status), "{}", body);
        prop_assert!(body["detail"].as_str().is_some_and(|detail| detail.chars().count() <= 400), "{body}");
        Ok(Some((status.as_u16(), body)))
    }

    /// By the function that its path is routed to; by any, if none is.
    async fn handled(&self, request: Request) -> Response<Body> {
        let path: Vec<_> = request.uri().path().split('/').collect();
        let leads_here = |route: &&wallet_stack::template::Route| {
            let routed: Vec<_> = route.path.split('/').collect();
            routed.len() == path.len() && routed.iter().zip(&path).all(|(part, at)| part == at || part.starts_with('{'))
        };
        let function = self.routes.iter().find(leads_here).map_or("wallets", |route| &route.function);
        invoke(function, &self.app, request).await
    }

    /// Fails unless every wallet and transaction of the table adds up.
    fn check(&self) {
        let audit = Audit::new(Ledger::new(self.stack.own_client(), self.stack.table()), 1);
        let report = self.runtime.block_on(audit.table()).expect("the table answers");
        assert!(report.is_clean(), "{:#?}", report.findings);
    }
}

/// Runs the property over as many cases as the environment asks for.
#[track_caller]
fn holds<S>(strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S: Strategy<Value: Debug>,
{
    // Twice the usual cases: they are shared among some thirty requests.
    let usual = ProptestConfig::default();
    let config = ProptestConfig { failure_persistence: None, cases: usual.cases.saturating_mul(2), ..usual };
    if let Err(failure) = TestRunner::new(config).run(strategy, property) {
        panic!("{failure}");
    }
}

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_text(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text with all that texts can have: quotes, controls, marks that turn the writing around, surrogates' neighbours.
fn any_text() -> impl Strategy<Value = String> {
    let odd = [
        "",
        " ",
        "\0",
        "\r\n",
        "\u{202e}",
        "\u{feff}",
        "\u{fffd}",
        "\"",
        "\\",
        "null",
        "../../etc",
        "%00",
        "%2e",
        "💶",
        "ǆ",
        "٣",
    ];
    prop_oneof![
        2 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        3 => any::<String>(),
        1 => prop::collection::vec(any::<char>(), 200..400).prop_map(|chars| chars.into_iter().collect()),
    ]
}
