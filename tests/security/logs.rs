//! What the functions write to their log about real requests: who, what and how it ended, and nothing of what was sent.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use wallet_lambda::work;
use wallet_rebate::Rebate;

use super::lines::Log;
use crate::faults::function;
use crate::followers::batch;
use crate::http::wire::{Weather, Wire};
use crate::http::{TestApp, across, send};

/// What a canonical line may hold; docs/security.md has the same list.
const FIELDS: [&str; 25] = [
    "timestamp",
    "level",
    "message",
    "function",
    "function_version",
    "route",
    "request_id",
    "message_id",
    "status",
    "code",
    "cause",
    "dry_run",
    "replayed",
    "caller",
    "wallet_ids",
    "transaction_id",
    "deposit_id",
    "strategy",
    "attempts",
    "conflicts",
    "lock_wait_ms",
    "dynamodb_calls",
    "write_units",
    "read_units",
    "duration_ms",
];

/// Planted in requests: amounts, texts and a key that occur nowhere else.
const AMOUNT: &str = "7351.46";
const KEY: &str = "planted-key";
const REFERENCE: &str = "planted-reference";
const LABEL: &str = "planted-label";
const FIELD: &str = "planted-field";

fn body() -> Value {
    json!({"amount": AMOUNT, "currency": "EUR", "reference": REFERENCE, "metadata": {LABEL: "planted-value"}})
}

struct World {
    app: TestApp,
    wire: Wire,
    log: Log,
    /// What was answered.
    answers: Vec<Value>,
}

impl World {
    /// Logging as much as a deployment can be told to.
    async fn start() -> World {
        let log = Log::start("trace");
        let (app, wire) = TestApp::wired(&[]).await;
        World { app, wire, log, answers: vec![] }
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.app.posting("alice", path, &format!("{KEY}-{}", self.app.key()), body)
    }

    async fn ask(&mut self, request: RequestBuilder, status: u16) -> Value {
        let answer = send(request).await.check(status);
        self.answers.push(answer.body.clone());
        answer.body
    }

    /// Good requests on every kind of route.
    async fn good(&mut self) -> (String, String) {
        let open = json!({"currency": "EUR", "ceiling": "7351460", "metadata": {LABEL: "planted-value"}});
        let wallet = self.ask(self.post("/v1/wallets", &open), 201).await["id"].as_str().expect("an id").to_owned();
        let other = self.ask(self.post("/v1/wallets", &open), 201).await["id"].as_str().expect("an id").to_owned();
        let deposits = format!("/v1/wallets/{wallet}/deposits");
        for _ in 0..2 {
            self.ask(self.post(&deposits, &body()), 201).await;
        }
        let mut transfer = across(&wallet, &other, AMOUNT);
        (transfer["reference"], transfer["metadata"]) = (json!(REFERENCE), json!({LABEL: "planted-value"}));
        self.ask(self.post("/v1/transfers", &transfer), 201).await;
        let replay = self.app.posting("alice", &deposits, KEY, &body());
        let deposit = self.ask(replay.try_clone().expect("in memory"), 201).await;
        self.ask(replay, 200).await;
        self.ask(self.post(&format!("/v1/wallets/{wallet}/withdrawals"), &body()), 201).await;
        let id = deposit["id"].as_str().expect("an id").to_owned();
        for path in
            [format!("/v1/wallets/{wallet}"), "/v1/wallets?limit=1".to_owned(), format!("/v1/transactions/{id}")]
        {
            self.ask(self.app.request("alice", Method::GET, &path), 200).await;
        }
        let entries = format!("/v1/wallets/{wallet}/entries?limit=1");
        let page = self.ask(self.app.request("alice", Method::GET, &entries), 200).await;
        let next = format!("{entries}&cursor={}", page["next_cursor"].as_str().expect("more"));
        self.ask(self.app.request("alice", Method::GET, &next), 200).await;
        let reversals = format!("/v1/transactions/{id}/reversals");
        let reason = json!({"reference": REFERENCE, "metadata": {LABEL: "planted-value"}, "allow_overdraft": true});
        self.ask(self.app.posting("root", &reversals, &format!("{KEY}-root"), &reason), 201).await;
        (wallet, deposits)
    }

    /// What cannot be read, and what is not allowed.
    async fn refused(&mut self, wallet: &str, deposits: &str) {
        let withdrawals = format!("/v1/wallets/{wallet}/withdrawals");
        let mut large = body();
        large["amount"] = json!(format!("9{AMOUNT}"));
        self.ask(self.post(&withdrawals, &large), 422).await;
        self.ask(self.app.posting("alice", deposits, KEY, &large), 422).await;
        let mut odd = body();
        odd[FIELD] = json!(1);
        self.ask(self.post(deposits, &odd), 400).await;
        let broken = self.post(deposits, &json!({})).body(format!("{{\"{FIELD}\": {AMOUNT}"));
        self.ask(broken, 400).await;
        let number: Value =
            serde_json::from_str(&format!("{{\"amount\": {AMOUNT}, \"currency\": \"EUR\"}}")).expect("JSON");
        self.ask(self.post(deposits, &number), 422).await;
        self.ask(self.app.posting("alice", deposits, &format!("{KEY}\"quote"), &body()), 400).await;
        let text = self.post(deposits, &json!({})).header("content-type", FIELD);
        self.ask(text.body(REFERENCE), 415).await;
        let cursor = format!("/v1/wallets/{wallet}/entries?cursor={FIELD}");
        self.ask(self.app.request("alice", Method::GET, &cursor), 400).await;
        let parameter = format!("/v1/wallets/{wallet}?{FIELD}={REFERENCE}");
        self.ask(self.app.request("alice", Method::GET, &parameter), 400).await;
        self.ask(self.app.request("alice", Method::GET, &format!("/v1/wallets/{FIELD}")), 404).await;
        self.ask(self.app.bare(Method::GET, "/v1/wallets").bearer_auth(FIELD), 401).await;
        let reads = self.app.stack.token("alice", "wallets:read");
        self.ask(self.app.bare(Method::POST, deposits).bearer_auth(reads).json(&body()), 403).await;
    }

    /// What fails beneath.
    async fn failing(&mut self, wallet: &str, deposits: &str) {
        for (weather, status) in [
            (Weather::Invalid, 500),
            (Weather::Conflict, 409),
            (Weather::Throttled, 503),
            (Weather::AnswersLost, 503),
            (Weather::Fair, 201),
        ] {
            self.wire.set(weather);
            self.ask(self.post(deposits, &body()), status).await;
        }
        self.wire.set(Weather::Garbled);
        for path in [format!("/v1/wallets/{wallet}"), format!("/v1/wallets/{wallet}/entries")] {
            self.ask(self.app.request("alice", Method::GET, &path), 500).await;
        }
        self.wire.set(Weather::Fair);
    }
}

#[tokio::test]
async fn no_line_holds_what_was_sent_and_no_answer_why_it_failed() {
    let mut world = World::start().await;
    let token = world.app.stack.token("alice", "wallets:read");
    let (wallet, deposits) = world.good().await;
    world.refused(&wallet, &deposits).await;
    world.failing(&wallet, &deposits).await;
    let text = world.log.take();
    for planted in
        ["planted", "735146", AMOUNT, "7,351", "Bearer", "authorization", token.split('.').next().expect("a head")]
    {
        let line = text.lines().find(|line| line.to_lowercase().contains(&planted.to_lowercase()));
        assert_eq!(line, None, "{planted} was logged");
    }

    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let done: Vec<_> = lines.iter().filter(|line| line["message"] == "done").collect();
    let known = BTreeSet::from(FIELDS);
    for line in &done {
        let names = line.as_object().expect("an object").keys().map(String::as_str);
        assert_eq!(names.filter(|name| !known.contains(name)).collect::<Vec<_>>(), Vec::<&str>::new(), "{line}");
    }
    // The gateway answers the token that is none by itself.
    assert_eq!(done.len(), world.answers.len() - 1, "one line per request that reached a function");
    let causes: Vec<&str> = done.iter().filter_map(|line| line["cause"].as_str()).collect();
    assert!(causes.iter().any(|cause| cause.contains("secret cause")), "a cause is logged: {causes:?}");
    for answer in &world.answers {
        for inside in ["secret cause", "DynamoDB", "TransactWrite", "BatchGet", "aws", "panicked", ".rs"] {
            assert!(!answer.to_string().contains(inside), "{inside} was shown: {answer}");
        }
    }
}

#[tokio::test]
async fn what_the_log_is_searched_for_would_be_found() {
    let log = Log::start("info");
    tracing::info!(reference = REFERENCE, "as if somebody logged it");
    tracing::debug!("below what was asked for");
    assert!(log.take().contains(REFERENCE));
    let log = Log::start("trace");
    tracing::trace!(target: "wallet_lambda::log", "ours");
    tracing::debug!(target: "aws_smithy_runtime", "theirs");
    tracing::info!(target: "aws_smithy_runtime", "theirs, at info");
    let messages: Vec<_> = log.take_lines().iter().map(|line| line["message"].clone()).collect();
    assert_eq!(messages, ["ours", "theirs, at info"]);
}

#[test]
fn a_line_is_found_though_a_thread_without_a_log_wrote_it_first() {
    let log = Log::start("info");
    let write = || tracing::info!("written twice");
    std::thread::spawn(write).join().expect("it writes nothing");
    write();
    assert_eq!(log.take_lines().len(), 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_not_quoted() {
    let log = Log::start("trace");
    let app = TestApp::start().await;
    let bodies = [json!(REFERENCE), json!({"source": FIELD, "deposit_id": FIELD}), json!({FIELD: AMOUNT})];
    let bodies = bodies.map(|body| body.to_string());
    let messages = ["message-0", "message-1", "message-2"].into_iter().zip(bodies.iter().map(String::as_str));
    let report = work::<Rebate>(&function(app.ledger(), &[]), batch(messages)).await;
    assert_eq!(report.response.batch_item_failures.len(), bodies.len());
    let text = format!("{}{:?}", log.take(), report.reasons);
    assert!(text.contains("message-2") && !text.contains("planted") && !text.contains(AMOUNT), "{text}");
}
