//! What `cargo lambda` is given: the routes of `watch` in Cargo.toml, and the events of `invoke` in tests/events/.
//!
//! The events are captured: calls over HTTP to the local gateway, whose functions run behind Lambda's Invoke API, as
//! `cargo lambda watch` has them. `UPDATE_EXPECT=1` writes them anew. Ids come from callers and keys, so they hold in
//! any table, that of the demo included; played in the order of [`calls`], each is answered as noted there.

mod lambda;

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::MetadataCommand;
use expect_test::expect_file;
use reqwest::Method;
use serde_json::{Value, json};
use wallet_domain::{TransactionId, WalletId};
use wallet_stack::template::Template;
use wallet_stack::{Options, Stack, clock};

use crate::http::{TestApp, send, until};
use lambda::Lambda;

/// A call and what comes of it.
struct Call {
    /// The name of the event's file.
    event: &'static str,
    caller: &'static str,
    method: Method,
    path: String,
    header: Option<(&'static str, &'static str)>,
    body: Option<Value>,
    status: u16,
}

/// The event that no caller but the queue makes; after the deposit that it is about.
const REBATE: &str = "rebate";

fn wallet(owner: &str) -> String {
    WalletId::opened_by(&owner.parse().expect("an owner"), &"demo-open".parse().expect("a key")).to_string()
}

fn transaction(key: &str) -> String {
    TransactionId::requested_by(&"alice".parse().expect("an owner"), &key.parse().expect("a key")).to_string()
}

/// One for each route, and some more: the demo's own calls, then others on the same wallets.
fn calls() -> Vec<Call> {
    let (alice, bob) = (wallet("alice"), wallet("bob"));
    let (deposit, transfer) = (transaction("demo-deposit"), transaction("demo-transfer"));
    let eur = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let call =
        |event, caller, method, path, header, body, status| Call { event, caller, method, path, header, body, status };
    let post = |event, caller, path: String, key, body, status| {
        call(event, caller, Method::POST, path, Some(("idempotency-key", key)), Some(body), status)
    };
    let get = |event, path| call(event, "alice", Method::GET, path, None, None, 200);
    let terms = json!({"limits": {"max_movement": "50.00"}});
    let deposited = json!({"amount": "100.00", "currency": "EUR", "reference": "demo: a deposit"});
    let transferred = json!({
        "source": alice, "destination": bob, "amount": "25.00", "currency": "EUR", "reference": "demo: a transfer",
    });
    let paid = json!({
        "source": alice, "currency": "EUR", "reference": "demo: a payout",
        "payments": [{"destination": bob, "amount": "5.00", "reference": "demo: a payment"}],
    });
    let held = json!({"source": alice, "destination": bob, "amount": "5.00", "currency": "EUR"});
    let hold = format!("/v1/holds/{}", transaction("event-hold"));
    let (own, withdrawals) = (format!("/v1/wallets/{bob}"), format!("/v1/wallets/{alice}/withdrawals"));
    vec![
        post("wallets-open", "alice", "/v1/wallets".to_owned(), "demo-open", json!({"currency": "EUR"}), 201),
        post("wallets-open-bob", "bob", "/v1/wallets".to_owned(), "demo-open", json!({"currency": "EUR"}), 201),
        post("deposit", "alice", format!("/v1/wallets/{alice}/deposits"), "demo-deposit", deposited, 201),
        post("transfer", "alice", "/v1/transfers".to_owned(), "demo-transfer", transferred, 201),
        post("payout", "alice", "/v1/payouts".to_owned(), "event-payout", paid, 201),
        post("withdraw", "alice", withdrawals.clone(), "event-withdraw", eur("10.00"), 201),
        post("withdraw-refused", "alice", withdrawals, "event-too-much", eur("1000.00"), 422),
        get("wallets-list", "/v1/wallets?limit=10".to_owned()),
        get("wallets-get", format!("/v1/wallets/{alice}")),
        get("transactions-entries", format!("/v1/wallets/{alice}/entries?limit=10")),
        get("transactions-attempts", format!("/v1/wallets/{alice}/attempts")),
        get("transactions-get", format!("/v1/transactions/{deposit}")),
        get("transactions-referred", "/v1/transactions?reference=demo%3A%20a%20deposit".to_owned()),
        post(
            "reversal",
            "root",
            format!("/v1/transactions/{transfer}/reversals"),
            "event-reversal",
            json!({"reference": "sent by mistake"}),
            201,
        ),
        // Opened, credited by transfer and payout, debited by the reversal.
        call("wallets-amend", "root", Method::PATCH, own, Some(("if-match", "\"3\"")), Some(terms), 200),
        post("holds-authorise", "alice", "/v1/holds".to_owned(), "event-hold", held, 201),
        get("holds-get", hold.clone()),
        get("holds-list", format!("/v1/wallets/{alice}/holds")),
        post(
            "holds-capture",
            "bob",
            format!("{hold}/captures"),
            "event-capture",
            json!({"amount": "2.00", "final": false}),
            201,
        ),
        post("holds-void", "bob", format!("{hold}/void"), "event-void", json!({}), 201),
    ]
}

#[test]
fn watch_routes_as_the_template_does() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo metadata runs");
    let router = metadata.workspace_metadata["lambda"]["watch"]["router"].as_object().expect("a router").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let watched: BTreeSet<_> = router
        .iter()
        .flat_map(|(path, targets)| targets.as_array().expect("a list of methods").iter().map(move |to| (path, to)))
        .map(|(path, target)| (text(&target["method"]), path.clone(), text(&target["function"])))
        .collect();
    let routes = Template::embedded().expect("a template").routes;
    let deployed = routes.into_iter().map(|route| (route.method, route.path, route.function)).collect();
    assert_eq!(watched, deployed);
    // `cargo run --bin` finds them among the default members alone.
    for (_, _, function) in &watched {
        let name = format!("wallet-{function}");
        assert!(metadata.workspace_default_packages().iter().any(|package| package.name == name), "{name}");
    }
}

#[tokio::test]
async fn events_are_what_the_gateway_and_the_queue_hand_to_functions() {
    let lambda = Lambda::start().await;
    let functions = Some(lambda.url.clone());
    let app = TestApp::with(Options { functions, deliver: false, ..Options::default() }).await;
    lambda.uses(&app.stack);
    for call in calls() {
        let mut request = app.request(call.caller, call.method, &call.path);
        if let Some((name, value)) = call.header {
            request = request.header(name, value);
        }
        let request = if let Some(body) = &call.body { request.json(body) } else { request };
        send(request).await.check(call.status);
        check(call.event, &settled_request(lambda.last()));
        if call.event == "deposit" {
            until(|| app.stack.queue("rebate").depth().expect("read") == 1).await;
            app.stack.queue("rebate").send("a message that cannot be read", clock::now()).expect("sent");
            app.stack.deliver(true);
            app.transaction("alice", &rebate_of(&lambda)).await;
            app.stack.deliver(false);
            check(REBATE, &settled_batch(lambda.last_of("rebate")));
        }
    }
    // The queue keeps what the function reported, and nothing else.
    assert_eq!(app.stack.queue("rebate").depth().expect("read"), 1);
    app.stack.stop().await;
}

#[tokio::test]
async fn each_event_is_answered_by_its_function() {
    let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("a stack starts");
    let lambda = Lambda::start().await;
    lambda.uses(&stack);
    let mut routes = BTreeSet::new();
    for call in calls() {
        let event = stored(call.event);
        let key = event["routeKey"].as_str().expect("a route").to_owned();
        let function = call.event.split('-').next().expect("a name has a first word");
        let answer = lambda.invoke(function, &event.to_string()).await;
        assert_eq!(answer["statusCode"], call.status, "{}: {answer}", call.event);
        routes.insert((key, function.to_owned()));
        if call.event == "deposit" {
            let batch = stored(REBATE);
            let unreadable = &batch["Records"][1]["messageId"];
            let answer = lambda.invoke("rebate", &batch.to_string()).await;
            assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": unreadable}]}));
        }
    }
    let template = Template::embedded().expect("a template");
    assert!(template.consumers.iter().any(|consumer| consumer.function == "rebate"));
    let deployed = template.routes.iter().map(|route| (route.key(), route.function.clone())).collect();
    assert_eq!(routes, deployed, "each route has an event");

    // 100.00 deposited, 1.00 of rebate, 25.00 sent and taken back, 5.00 paid out, 10.00 withdrawn, 2.00 of a hold captured.
    let answer = lambda.invoke("wallets", &stored("wallets-get").to_string()).await;
    let wallet: Value = serde_json::from_str(answer["body"].as_str().expect("a text")).expect("JSON");
    assert_eq!((&wallet["balance"], &wallet["version"]), (&json!("84.00"), &json!(9)));
    stack.stop().await;
}

fn file(event: &str) -> String {
    format!("events/{event}.json")
}

fn stored(event: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file(event));
    serde_json::from_str(&std::fs::read_to_string(path).expect("UTF-8")).expect("JSON")
}

#[track_caller]
fn check(event: &str, captured: &Value) {
    expect_file![file(event)].assert_eq(&format!("{captured:#}\n"));
}

/// The request as it would be at every capture: time, ids, port and token are always the same.
fn settled_request(mut event: Value) -> Value {
    let set = |value: &mut Value, pointer: &str, to: Value| {
        *value.pointer_mut(pointer).expect("the event has it") = to;
    };
    set(&mut event, "/headers/authorization", json!("Bearer e30.e30.e30"));
    set(&mut event, "/headers/host", json!("127.0.0.1:9000"));
    set(&mut event, "/headers/x-forwarded-port", json!("9000"));
    set(&mut event, "/requestContext/domainName", json!("127.0.0.1:9000"));
    set(&mut event, "/requestContext/requestId", json!("5f0c9d3e-8a51-4c6b-9e5e-3d1f7a2b4c60"));
    set(&mut event, "/requestContext/time", json!("21/Nov/2026:03:07:00 +0000"));
    set(&mut event, "/requestContext/timeEpoch", json!(1_795_230_420_123_i64));
    let claims = "/requestContext/authorizer/jwt/claims";
    for (claim, at) in [("exp", "1795234020"), ("iat", "1795230420"), ("nbf", "1795230420")] {
        set(&mut event, &format!("{claims}/{claim}"), json!(at));
    }
    event
}

/// The batch as it would be at every capture.
fn settled_batch(mut event: Value) -> Value {
    let records = event["Records"].as_array_mut().expect("records");
    assert_eq!(records.len(), 2, "one that can be read, and one that cannot");
    for (number, record) in records.iter_mut().enumerate() {
        record["messageId"] = json!(format!("00000000-0000-4000-8000-00000000000{number}"));
        record["receiptHandle"] = json!(format!("receipt-{number}"));
        let attributes = record["attributes"].as_object_mut().expect("attributes");
        for (name, at) in attributes.iter_mut().filter(|(name, _)| name.ends_with("Timestamp")) {
            *at = json!("1795230420123");
            assert!(["SentTimestamp", "ApproximateFirstReceiveTimestamp"].contains(&name.as_str()));
        }
    }
    event
}

/// Where the rebate of the deposit will be that was answered last.
fn rebate_of(lambda: &Lambda) -> String {
    let event = lambda.last_of("deposit");
    assert!(event["rawPath"].as_str().is_some_and(|path| path.ends_with("/deposits")));
    let deposit = transaction("demo-deposit").parse().expect("an id");
    TransactionId::rebate_of(deposit, &"standard".parse().expect("a rule")).to_string()
}
