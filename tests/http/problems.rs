//! Every code that callers can meet, provoked through the gateway, and what each problem says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};
use wallet_domain::Timestamp;
use wallet_lambda::Code;
use wallet_stack::Options;

use super::rebate::{dated, rebate_on_a_hundred};
use super::wire::{Weather, Wire};
use super::{Answer, TestApp, across, eur, send};

/// Long after every date on which these tests run, half a minute before its minute ends.
const NOW: &str = "2100-01-01T12:00:30Z";

/// What was provoked: how, and what came back.
#[derive(Default)]
struct Book(Vec<(&'static str, Answer)>);

impl Book {
    fn add(&mut self, how: &'static str, answer: Answer) {
        let code = answer.text("code").to_owned();
        let answer = answer.check_problem(answer_status(&code), &code);
        self.0.push((how, answer));
    }

    fn codes(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(_, answer)| answer.text("code")).collect()
    }

    /// Everything that was said, without what differs from run to run.
    fn text(&self) -> String {
        let said = self.0.iter().map(|(how, answer)| {
            let headers = ["www-authenticate", "retry-after", "idempotent-replayed"]
                .map(|name| answer.header(name).map(|value| format!("{name}: {value}\n")).unwrap_or_default());
            let mut body = answer.body.clone();
            body["request_id"] = json!("[request]");
            let body = serde_json::to_string_pretty(&body).expect("JSON");
            format!("# {how}\n{}\n{}{}\n", answer.status, headers.concat(), redacted(&body))
        });
        said.collect::<Vec<_>>().join("\n")
    }
}

fn answer_status(code: &str) -> u16 {
    let known = Code::named(code);
    known.unwrap_or_else(|| panic!("{code} is in no table")).status().as_u16()
}

/// With ids told apart by order of appearance no longer than their kind.
fn redacted(text: &str) -> String {
    let mut parts = text.split("wal_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| {
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit());
        format!("{told}[wallet]{rest}")
    })
}

#[tokio::test]
async fn every_code_is_met_and_says_what_to_do() {
    let wire = Wire::new();
    let now: Timestamp = NOW.parse().expect("a time");
    let settings = [("MAX_ATTEMPTS", "2"), ("LOCK_WAIT_MS", "20"), ("LEASE_MS", "60000")];
    let env: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let app = TestApp::with(Options {
        env,
        http_client: Some(wire.http_client()),
        adapt: Some(Arc::new(move |ledger| ledger.with_clock(Arc::new(move || now)))),
        ..Options::default()
    })
    .await;
    let mut book = Book::default();
    requests(&app, &mut book).await;
    amounts(&app, &mut book).await;
    wallets(&app, &mut book).await;
    reversals(&app, &mut book).await;
    credits(&app, &mut book).await;
    holds(&app, &mut book).await;
    contention(&app, &wire, &mut book).await;

    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    // Refusals of paying a rebate meet nobody who waits for an answer.
    let mut seen_elsewhere = BTreeSet::from([rebate_below_minimum(&app).await, deposit_reversed().await]);
    seen_elsewhere.extend(beyond_the_month().await);
    // The stack's clock is right, or no other code would be told.
    seen_elsewhere.insert("clock_skew".to_owned());
    // It takes a message that comes weeks late, as in `tests/faults`.
    seen_elsewhere.insert("rebate_too_late".to_owned());
    // It takes a request that waits for a day, as in `tests/ledger/queued.rs`.
    seen_elsewhere.insert("request_expired".to_owned());
    // A hold lives a minute at least: `tests/ledger/holds.rs` has clocks of its own.
    seen_elsewhere.insert("hold_expired".to_owned());
    // No newer version of this code has written here.
    seen_elsewhere.insert("refused".to_owned());
    let met: BTreeSet<_> = book.codes().union(&seen_elsewhere.iter().map(String::as_str).collect()).copied().collect();
    assert_eq!(met, all);
    insta::assert_snapshot!(book.text());
}

/// What is wrong with a request as such.
async fn requests(app: &TestApp, book: &mut Book) {
    let wallet = app.open("alice").await;
    let deposits = format!("/v1/wallets/{wallet}/deposits");
    let post = |key: &str| app.request("alice", Method::POST, &deposits).header("idempotency-key", key);

    book.add("no such path", app.get("alice", "/v1/nothing").await);
    book.add("no such method", send(app.request("alice", Method::DELETE, "/v1/wallets")).await);
    book.add("no token", send(app.bare(Method::GET, "/v1/wallets")).await);
    book.add("a damaged token", send(app.bare(Method::GET, "/v1/wallets").bearer_auth("a.b.c")).await);
    let reads = app.stack.token("alice", "wallets:read");
    let body = eur("1");
    let refused = app.bare(Method::POST, &deposits).bearer_auth(reads).header("idempotency-key", "k").json(&body);
    book.add("a token for something else", send(refused).await);
    book.add("no key", send(app.request("alice", Method::POST, &deposits).json(&body)).await);
    book.add("an empty key", send(post("\"\"").json(&body)).await);
    book.add("no media type", send(post("k").body(body.to_string())).await);
    let text = post("k").header("content-type", "text/plain").body(body.to_string());
    book.add("another media type", send(text).await);
    book.add("no JSON", send(post("k").header("content-type", "application/json").body("{")).await);
    book.add("an unknown field", send(post("k").json(&json!({"amuont": "1", "currency": "EUR"}))).await);
    let large = json!({"amount": "1", "currency": "EUR", "reference": "x".repeat(16 * 1024)});
    book.add("a large body", send(post("k").json(&large)).await);
    let long = post("k").header("x-long", "x".repeat(10 * 1024)).json(&body);
    book.add("large headers", send(long).await);
    book.add("an unknown parameter", app.get("alice", &format!("/v1/wallets/{wallet}?x=1")).await);
    book.add("a limit beyond", app.get("alice", "/v1/wallets?limit=101").await);
    book.add("a cursor of no list", app.get("alice", "/v1/wallets?cursor=x").await);
    let frozen = json!({"status": "frozen"});
    book.add("an amendment of no version", send(app.amending("root", &wallet, &frozen)).await);
    let weak = app.amending("root", &wallet, &frozen).header("if-match", "W/\"0\"");
    book.add("a weak tag", send(weak).await);
}

/// What no wallet could do.
async fn amounts(app: &TestApp, book: &mut Book) {
    let wallet = app.open("alice").await;
    let deposits = format!("/v1/wallets/{wallet}/deposits");
    let amounts = [
        ("a number", json!(12.5)),
        ("zero", json!("0.00")),
        ("below zero", json!("-1")),
        ("an exponent", json!("1e3")),
        ("too many decimals", json!("1.005")),
    ];
    for (how, amount) in amounts {
        book.add(how, app.post("alice", &deposits, &json!({"amount": amount, "currency": "EUR"})).await);
    }
    book.add("no currency", app.post("alice", &deposits, &json!({"amount": "1", "currency": "eur"})).await);
    book.add("another currency", app.post("alice", &deposits, &json!({"amount": "1", "currency": "USD"})).await);
    book.add("to itself", app.transfer("alice", &wallet, &wallet, "1").await);
    let twice = vec![json!({"destination": app.open("bob").await, "amount": "1"}); 2];
    let twice = json!({"source": wallet, "currency": "EUR", "payments": twice});
    book.add("one wallet twice", app.post("alice", "/v1/payouts", &twice).await);
    app.post_with("alice", &deposits, "used", &eur("1")).await.check(201);
    book.add("a used key", app.post_with("alice", &deposits, "used", &eur("2")).await);
}

/// What a wallet's state refuses.
async fn wallets(app: &TestApp, book: &mut Book) {
    let wallet = app.funded("alice", "10").await;
    let bob = app.open_as("bob", &json!({"currency": "EUR", "ceiling": "5"})).await;
    book.add("a stranger's wallet", app.get("eve", &format!("/v1/wallets/{wallet}")).await);
    book.add("a stranger's transaction", app.get("eve", "/v1/transactions/txn_00000000000000000000000000000000").await);
    let pinned = app.posting("alice", &format!("/v1/wallets/{wallet}/withdrawals"), "pinned", &eur("1"));
    book.add("another version", send(pinned.header("if-match", "\"0\"")).await);
    book.add("above the ceiling", app.deposit("bob", &bob, "5.01").await);
    book.add("above a stranger's ceiling", app.transfer("alice", &wallet, &bob, "5.01").await);

    let limited =
        json!({"currency": "EUR", "owner": "alice", "limits": {"max_movement": "9", "transfers_per_minute": 1}});
    let limited = app.open_as("root", &limited).await;
    book.add("above a limit", app.deposit("alice", &limited, "9.01").await);
    app.deposit("alice", &limited, "9").await.check(201);
    app.transfer("alice", &limited, &bob, "1").await.check(201);
    book.add("too many transfers", app.transfer("alice", &limited, &bob, "1").await);

    let scoped = app.post("alice", "/v1/wallets", &json!({"currency": "EUR", "owner": "bob"})).await;
    book.add("another's wallet opened", scoped);
    let empty = app.open("alice").await;
    let withdrawals = format!("/v1/wallets/{empty}/withdrawals");
    book.add("too little", app.post_with("alice", &withdrawals, "poor", &eur("1")).await);
    book.add("too little, again", app.post_with("alice", &withdrawals, "poor", &eur("1")).await);
    app.deposit("alice", &empty, "1").await.check(201);
    book.add("closing a wallet with money", app.amend(&empty, &json!({"status": "closed"})).await);
    app.amend(&empty, &json!({"status": "frozen"})).await.check(200);
    book.add("frozen", app.withdraw("alice", &empty, "1").await);
    let closed = app.open("alice").await;
    app.amend(&closed, &json!({"status": "closed"})).await.check(200);
    book.add("closed", app.deposit("alice", &closed, "1").await);
}

/// What passes by itself, and what is our fault.
async fn contention(app: &TestApp, wire: &Wire, book: &mut Book) {
    let (wallet, bob) = (app.funded("alice", "100").await, app.open("bob").await);
    let body = across(&wallet, &bob, "1");
    let balance = app.balance(&wallet).await;
    let weathers = [
        ("others in flight", Weather::Conflict),
        ("the database is busy", Weather::Throttled),
        ("a fault of ours", Weather::Invalid),
    ];
    for (how, weather) in weathers {
        wire.set(weather);
        let key = app.key();
        let answer = app.post_with("alice", "/v1/transfers", &key, &body).await;
        assert!(!answer.body.to_string().contains("secret"), "a cause is never shown");
        book.add(how, answer);
        wire.set(Weather::Fair);
        assert_eq!(app.balance(&wallet).await, balance, "nothing has moved");
        assert!(app.post_with("alice", "/v1/transfers", &key, &body).await.status == 201, "the key is free");
        app.transfer("bob", &bob, &wallet, "1").await.check(201);
    }

    wire.set(Weather::AnswersLost);
    book.add("answers are lost", app.post_with("alice", "/v1/transfers", "lost", &body).await);
    wire.set(Weather::Fair);
    let outcome = app.post_with("alice", "/v1/transfers", "lost", &body).await.check(200);
    assert!(outcome.is_replay(), "it had moved, and the same key tells");

    hold(app, &wallet).await;
    let mut patient = body.clone();
    patient["locking_strategy"] = json!("pessimistic");
    book.add("others hold the wallet", app.post("alice", "/v1/transfers", &patient).await);
    book.add("others hold the wallet, optimistic", app.post("alice", "/v1/transfers", &body).await);
}

/// As if another request had taken the wallet's lease and died.
async fn hold(app: &TestApp, wallet: &str) {
    let until = NOW.parse::<Timestamp>().expect("a time").as_millisecond() + 60_000;
    let update = app.stack.own_client().update_item().table_name(app.stack.table());
    update
        .key("PK", AttributeValue::S(format!("WALLET#{wallet}")))
        .key("SK", AttributeValue::S("WALLET".to_owned()))
        .update_expression("SET lease_holder = :holder, lease_until = :until")
        .expression_attribute_values(":holder", AttributeValue::S("lease_of_another".to_owned()))
        .expression_attribute_values(":until", AttributeValue::N(until.to_string()))
        .send()
        .await
        .expect("the lease is taken");
}

/// What is not there to be captured.
async fn holds(app: &TestApp, book: &mut Book) {
    let (alice, bob) = (app.funded("alice", "10").await, app.open("bob").await);
    let path = format!("/v1/holds/{}", app.hold(&alice, &bob, "5").await.text("id"));
    let captures = format!("{path}/captures");
    book.add("a stranger's hold", app.get("eve", &path).await);
    book.add("more than remains", app.post("bob", &captures, &json!({"amount": "5.01"})).await);
    app.post("bob", &captures, &json!({})).await.check(201);
    book.add("captured before", app.post("bob", &captures, &json!({})).await);
}

/// What cannot be undone.
async fn reversals(app: &TestApp, book: &mut Book) {
    let wallet = app.open("alice").await;
    let deposit = app.deposit("alice", &wallet, "0.50").await.check(201);
    let reversal = app.reverse(deposit.text("id"), &json!({})).await.check(201);
    book.add("reversed before", app.reverse(deposit.text("id"), &json!({})).await);
    book.add("the reversal of a reversal", app.reverse(reversal.text("id"), &json!({})).await);
}

/// What has to wait while credits do.
async fn credits(app: &TestApp, book: &mut Book) {
    let wallet = app.open("alice").await;
    app.amend(&wallet, &json!({"credits": "batched"})).await.check(200);
    book.add("a ceiling over batched credits", app.amend(&wallet, &json!({"ceiling": "5"})).await);
    book.add("closing while credits may come", app.amend(&wallet, &json!({"status": "closed"})).await);
}

async fn deposit_reversed() -> String {
    // Without deliveries the reversal always comes first.
    let (app, wallet) = TestApp::with_one("0").await;
    let deposit = app.deposit("alice", &wallet, "100").await.check(201);
    app.reverse(deposit.text("id"), &json!({})).await.check(201);
    let shown = app.get("root", &format!("/v1/transactions/{}", deposit.rebate())).await.check(200);
    shown.body["reason"]["code"].as_str().expect("a code").to_owned()
}

/// A rebate beyond its month's cap, and one of a month that is no longer counted.
async fn beyond_the_month() -> Vec<String> {
    let rules = json!([{"id": "standard", "basis_points": 100, "monthly_cap": {"EUR": "1.00"}}]);
    let (app, at) = dated(&rules).await;
    let wallet = app.open("alice").await;
    let mut told = vec![];
    for time in ["2100-04-01T00:00:00Z", "2100-04-30T00:00:00Z"] {
        at(time);
        told.push(rebate_on_a_hundred(&app, &wallet).await.1);
    }
    told.split_off(1)
}

async fn rebate_below_minimum(app: &TestApp) -> String {
    let wallet = app.open("alice").await;
    let deposit = app.deposit("alice", &wallet, "0.50").await.check(201);
    let code: &Value = &app.transaction("alice", deposit.rebate()).await["reason"]["code"];
    code.as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn an_answer_lost_on_the_way_back_is_read_again_and_given() {
    let (app, wire) = TestApp::wired(&[]).await;
    let wallet = app.open("alice").await;
    wire.set(Weather::CommitsLost);
    app.deposit("alice", &wallet, "5").await.check(201);
    wire.set(Weather::Fair);
    assert_eq!(app.balance(&wallet).await, "5.00");
}
