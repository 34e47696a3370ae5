//! The whole system over HTTP: gateway, events, the functions' handlers, the SDK, and the embedded DynamoDB.
//!
//! Each test has a stack of its own, in memory, on free ports. Nothing here reaches past HTTP, except to inject faults and
//! queue messages.

mod attempts;
mod batched;
mod concurrency;
mod deadline;
mod deposit;
mod dry_run;
mod events;
mod holds;
mod idempotency;
mod if_match;
mod past;
mod payout;
mod problems;
mod queued;
mod rebate;
mod references;
mod restart;
mod reversal;
mod transactions;
mod transfer;
mod wallets;
pub(crate) mod wire;
mod withdraw;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use wallet_dynamodb::Ledger;
use wallet_stack::token::EVERYDAY_SCOPE;
use wallet_stack::{Options, Stack};

use wire::Wire;

/// How long anything may take that comes by itself. Far more than it ever does.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running system and a client of it.
pub(crate) struct TestApp {
    pub(crate) stack: Stack,
    client: reqwest::Client,
    keys: AtomicU64,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl TestApp {
    /// In memory, with the template's settings. Rebates wait, so that versions are what the test made them.
    pub(crate) async fn start() -> TestApp {
        TestApp::with(Options { deliver: false, ..Options::default() }).await
    }

    /// As [`TestApp::start`], with a wallet of alice's.
    pub(crate) async fn with_one(balance: &str) -> (TestApp, String) {
        let app = TestApp::start().await;
        let wallet = if balance == "0" { app.open("alice").await } else { app.funded("alice", balance).await };
        (app, wallet)
    }

    /// As [`TestApp::start`], with a wallet of alice's and an empty one of bob's.
    pub(crate) async fn with_two(balance: &str) -> (TestApp, String, String) {
        let (app, alice) = TestApp::with_one(balance).await;
        let bob = app.open("bob").await;
        (app, alice, bob)
    }

    /// As [`TestApp::start`], with these variables set, over a wire that can be watched and disturbed.
    pub(crate) async fn wired(variables: &[(&str, &str)]) -> (TestApp, Wire) {
        let (wire, set) = (Wire::new(), |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned()));
        let (env, http_client) = (variables.iter().map(set).collect(), Some(wire.http_client()));
        (TestApp::with(Options { env, http_client, deliver: false, ..Options::default() }).await, wire)
    }

    pub(crate) async fn with(options: Options) -> TestApp {
        let stack = Stack::start(options).await.expect("a stack starts");
        TestApp { stack, client: reqwest::Client::new(), keys: AtomicU64::new(0) }
    }

    /// The ledger past the functions.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.stack.own_client(), self.stack.table())
    }

    /// A key that no request of this app has had.
    pub(crate) fn key(&self) -> String {
        format!("key {}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// A request of `caller`: `root` is an admin, everybody else has what a wallet's owner needs.
    pub(crate) fn request(&self, caller: &str, method: Method, path: &str) -> RequestBuilder {
        let scope =
            if caller == "root" { format!("{EVERYDAY_SCOPE} wallets:admin") } else { EVERYDAY_SCOPE.to_owned() };
        self.bare(method, path).bearer_auth(self.stack.token(caller, &scope))
    }

    /// A request without a token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.stack.url()))
    }

    pub(crate) fn posting(&self, caller: &str, path: &str, key: &str, body: &Value) -> RequestBuilder {
        self.request(caller, Method::POST, path).header("idempotency-key", key).json(body)
    }

    pub(crate) async fn post(&self, caller: &str, path: &str, body: &Value) -> Answer {
        self.post_with(caller, path, &self.key(), body).await
    }

    pub(crate) async fn post_with(&self, caller: &str, path: &str, key: &str, body: &Value) -> Answer {
        send(self.posting(caller, path, key, body)).await
    }

    pub(crate) async fn get(&self, caller: &str, path: &str) -> Answer {
        send(self.request(caller, Method::GET, path)).await
    }

    /// A request to amend the wallet that names no version of it yet.
    pub(crate) fn amending(&self, caller: &str, wallet: &str, change: &Value) -> RequestBuilder {
        self.request(caller, Method::PATCH, &format!("/v1/wallets/{wallet}")).json(change)
    }

    /// Amends the wallet at the version that it is at.
    pub(crate) async fn amend(&self, wallet: &str, change: &Value) -> Answer {
        let shown = self.get("root", &format!("/v1/wallets/{wallet}")).await;
        let version = shown.header("etag").expect("a version");
        send(self.amending("root", wallet, change).header("if-match", version)).await
    }

    /// Opens a wallet in EUR; answers its id.
    pub(crate) async fn open(&self, owner: &str) -> String {
        self.open_as(owner, &json!({"currency": "EUR"})).await
    }

    pub(crate) async fn open_as(&self, owner: &str, body: &Value) -> String {
        self.post(owner, "/v1/wallets", body).await.check(201).text("id").to_owned()
    }

    /// Opens a wallet in EUR with `balance` in it.
    pub(crate) async fn funded(&self, owner: &str, balance: &str) -> String {
        let wallet = self.open(owner).await;
        self.deposit(owner, &wallet, balance).await.check(201);
        wallet
    }

    pub(crate) async fn deposit(&self, caller: &str, wallet: &str, amount: &str) -> Answer {
        self.post(caller, &format!("/v1/wallets/{wallet}/deposits"), &eur(amount)).await
    }

    pub(crate) async fn withdraw(&self, caller: &str, wallet: &str, amount: &str) -> Answer {
        self.post(caller, &format!("/v1/wallets/{wallet}/withdrawals"), &eur(amount)).await
    }

    pub(crate) async fn transfer(&self, caller: &str, source: &str, destination: &str, amount: &str) -> Answer {
        self.post(caller, "/v1/transfers", &across(source, destination, amount)).await
    }

    pub(crate) async fn reverse(&self, transaction: &str, body: &Value) -> Answer {
        self.post("root", &format!("/v1/transactions/{transaction}/reversals"), body).await
    }

    /// The wallet as an admin sees it.
    pub(crate) async fn wallet(&self, wallet: &str) -> Value {
        self.get("root", &format!("/v1/wallets/{wallet}")).await.check(200).body
    }

    pub(crate) async fn balance(&self, wallet: &str) -> String {
        self.wallet(wallet).await["balance"].as_str().expect("a text").to_owned()
    }

    /// The whole list at `path`, page by page of `limit`, with every page but the last full.
    pub(crate) async fn pages(&self, caller: &str, path: &str, limit: usize) -> Vec<Value> {
        let (list, joint) = path.split_once('?').map_or((path, '?'), |(list, _)| (list, '&'));
        let name = list.rsplit('/').next().expect("a path has parts");
        let (mut items, mut cursor) = (vec![], String::new());
        loop {
            let page = self.get(caller, &format!("{path}{joint}limit={limit}{cursor}")).await.check(200).body;
            let found = page[name].as_array().expect("a list");
            items.extend(found.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => {
                    assert_eq!(found.len(), limit, "only the last page may be short");
                    cursor = format!("&cursor={next}");
                }
                None => return items,
            }
        }
    }

    /// A wallet's entries, newest first, over pages of `limit`.
    pub(crate) async fn entries(&self, wallet: &str, limit: usize) -> Vec<Value> {
        self.pages("root", &format!("/v1/wallets/{wallet}/entries"), limit).await
    }

    /// The refused attempts on a wallet that `caller` is shown, newest first.
    pub(crate) async fn attempts(&self, caller: &str, wallet: &str) -> Vec<Value> {
        self.pages(caller, &format!("/v1/wallets/{wallet}/attempts"), 100).await
    }

    /// Waits for the transaction to be there.
    pub(crate) async fn transaction(&self, caller: &str, id: &str) -> Value {
        let path = format!("/v1/transactions/{id}");
        let found = async || {
            let answer = self.get(caller, &path).await;
            assert!([200, 404].contains(&answer.status), "{}", answer.body);
            (answer.status == 200).then_some(answer.body)
        };
        eventually(found).await
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("printable"))
    }

    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {}", self.body))
    }

    /// Where the rebate of this deposit will be.
    pub(crate) fn rebate(&self) -> &str {
        self.body["rebate"]["transaction_id"].as_str().expect("a deposit says where its rebate will be")
    }

    /// The body without what only this one answer has.
    pub(crate) fn said(&self) -> Value {
        let mut body = self.body.clone();
        body.as_object_mut().expect("an object").remove("request_id");
        body
    }

    /// Fails unless the status is `status`.
    #[track_caller]
    pub(crate) fn check(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Fails unless this is the problem `code`.
    #[track_caller]
    pub(crate) fn check_problem(self, status: u16, code: &str) -> Answer {
        let answer = self.check(status);
        assert_eq!(answer.body["code"], code, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("apigw-requestid"), answer.body["request_id"].as_str());
        answer
    }

    pub(crate) fn is_replay(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("the gateway answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.json().await.expect("every answer is JSON");
    Answer { status, headers, body }
}

/// Sends all at once.
pub(crate) async fn send_all(requests: impl IntoIterator<Item = RequestBuilder>) -> Vec<Answer> {
    join_all(requests.into_iter().map(send)).await
}

/// Waits until `done`.
pub(crate) async fn until(mut done: impl FnMut() -> bool) {
    eventually(async || done().then_some(())).await;
}

/// Asks until there is something.
pub(crate) async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            match ask().await {
                Some(it) => return it,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes in time")
}

pub(crate) fn eur(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

pub(crate) fn across(source: &str, destination: &str, amount: &str) -> Value {
    json!({"source": source, "destination": destination, "amount": amount, "currency": "EUR"})
}

/// A field of each of these, all texts.
pub(crate) fn texts<'a>(rows: &'a [Value], field: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {row}"))).collect()
}

/// `"-12.50"` as -1250: the tests' own arithmetic, apart from the domain's.
pub(crate) fn minor(amount: &Value) -> i64 {
    let text = amount.as_str().expect("amounts are texts");
    let (_, decimals) = text.split_once('.').expect("amounts have the currency's full scale");
    assert_eq!(decimals.len(), 2, "{text}");
    text.replace('.', "").parse().expect("digits")
}

/// Fails unless the entries, newest first, are one gapless chain that adds up to the wallet.
#[track_caller]
pub(crate) fn check_statement(wallet: &Value, entries: &[Value]) {
    assert_eq!(entries.len() as u64, wallet["version"].as_u64().expect("a version") + 1, "one entry per version");
    let (mut balance, mut previous) = (0, "0".repeat(64));
    for (version, entry) in entries.iter().rev().enumerate() {
        assert_eq!(entry["version"], version);
        assert_eq!(entry["previous_hash"], previous, "at version {version}");
        balance += minor(&entry["amount"]);
        assert_eq!(minor(&entry["balance_after"]), balance, "at version {version}");
        previous = entry["hash"].as_str().expect("a hash").to_owned();
    }
    assert_eq!(balance, minor(&wallet["balance"]));
}
