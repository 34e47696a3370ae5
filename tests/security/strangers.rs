//! A stranger's wallet and none at all: the same answer, the same work for it, the same line in the log.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::lines::Log;
use super::routes;
use crate::http::wire::{Carried, Wire};
use crate::http::{TestApp, across, eur, send};

const NO_WALLET: &str = "wal_00000000000000000000000000000000";
const NONE_EITHER: &str = "wal_11111111111111111111111111111111";
const NO_TRANSACTION: &str = "txn_00000000000000000000000000000000";

struct World {
    app: TestApp,
    wire: Wire,
    log: Log,
    /// Of alice, with money in it.
    wallet: String,
    /// A deposit in it.
    deposit: String,
    /// Of eve, with money in it.
    own: String,
}

impl World {
    async fn start() -> World {
        let log = Log::start("info");
        let (app, wire) = TestApp::wired(&[]).await;
        let wallet = app.open("alice").await;
        let metadata = json!({"amount": "100", "currency": "EUR", "metadata": {"m": "x".repeat(500)}});
        let deposit = app.post("alice", &format!("/v1/wallets/{wallet}/deposits"), &metadata).await.check(201);
        let deposit = deposit.text("id").to_owned();
        let own = app.funded("eve", "100").await;
        World { app, wire, log, wallet, deposit, own }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.app.request("eve", Method::GET, path)
    }

    /// The same key each time: nothing of it is ever recorded.
    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.app.posting("eve", path, "eve's key", body)
    }

    fn withdraw(&self, id: &str, body: &Value) -> RequestBuilder {
        self.post(&format!("/v1/wallets/{id}/withdrawals"), body)
    }

    fn transfer(&self, source: &str, amount: &str) -> RequestBuilder {
        self.post("/v1/transfers", &across(source, &self.own, amount))
    }

    fn hold(&self, source: &str, amount: &str) -> RequestBuilder {
        self.post("/v1/holds", &json!({"source": source, "amount": amount, "currency": "EUR"}))
    }

    fn payout(&self, source: &str, payees: &[&str]) -> RequestBuilder {
        let payments: Vec<_> = payees.iter().map(|payee| json!({"destination": payee, "amount": "1"})).collect();
        self.post("/v1/payouts", &json!({"source": source, "currency": "EUR", "payments": payments}))
    }

    /// All that eve could learn from asking, and all that it was to us.
    async fn told(&self, ask: Ask, id: &str) -> Told {
        self.wire.take();
        self.log.take();
        let response = ask(self, id).send().await.expect("the gateway answers");
        let status = response.status().as_u16();
        let differing = ["date", "apigw-requestid"];
        let headers: BTreeSet<String> =
            response.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        let headers = headers.into_iter().filter(|header| !differing.iter().any(|name| header.starts_with(name)));
        let request = response.headers()["apigw-requestid"].to_str().expect("text").to_owned();
        let headers = headers.map(|header| header.replace(id, "[id]")).collect();
        let body = response.text().await.expect("text").replace(id, "[id]").replace(&request, "[request]");
        let lines = self.log.take_lines().into_iter().map(|mut line| {
            for differing in ["timestamp", "duration_ms", "request_id", "wallet_ids"] {
                line.as_object_mut().expect("an object").remove(differing);
            }
            line.to_string().replace(id, "[id]")
        });
        Told { status, headers, body, lines: lines.collect(), work: self.wire.take() }
    }
}

type Ask = fn(&World, &str) -> RequestBuilder;

#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    headers: Vec<String>,
    body: String,
    lines: Vec<String>,
    work: Vec<Carried>,
}

/// How eve asks about a wallet, by route. All but deposits: whoever may bring money in anywhere learns where there is a
/// wallet, as a payer does of a destination.
const WALLETS: [(&str, Ask); 26] = [
    ("GET /v1/wallets/{wallet_id}", |world, id| world.get(&format!("/v1/wallets/{id}"))),
    ("GET /v1/wallets/{wallet_id}", |world, id| world.get(&format!("/v1/wallets/{id}?at=2020-01-01T00:00:00Z"))),
    ("GET /v1/wallets/{wallet_id}", |world, id| world.get(&format!("/v1/wallets/{id}?at=2126-01-01T00:00:00Z"))),
    ("GET /v1/wallets/{wallet_id}/entries", |world, id| world.get(&format!("/v1/wallets/{id}/entries"))),
    ("GET /v1/wallets/{wallet_id}/entries", |world, id| world.get(&format!("/v1/wallets/{id}/entries?limit=1"))),
    ("GET /v1/wallets/{wallet_id}/entries", |world, id| world.get(&format!("/v1/wallets/{id}/entries?cursor=AAAA"))),
    ("GET /v1/wallets/{wallet_id}/attempts", |world, id| world.get(&format!("/v1/wallets/{id}/attempts"))),
    ("POST /v1/wallets/{wallet_id}/withdrawals", |world, id| world.withdraw(id, &eur("1"))),
    ("POST /v1/wallets/{wallet_id}/withdrawals", |world, id| world.withdraw(id, &eur("1000"))),
    ("POST /v1/wallets/{wallet_id}/withdrawals", |world, id| {
        world.withdraw(id, &json!({"amount": "1", "currency": "JPY", "locking_strategy": "pessimistic"}))
    }),
    ("POST /v1/wallets/{wallet_id}/withdrawals", |world, id| world.withdraw(id, &eur("1")).header("if-match", "\"1\"")),
    ("POST /v1/transfers", |world, id| world.transfer(id, "1")),
    ("POST /v1/transfers", |world, id| world.transfer(id, "1").header("if-match", "\"7\"")),
    ("POST /v1/transfers", |world, id| world.post("/v1/transfers", &across(id, NONE_EITHER, "1"))),
    ("POST /v1/transfers", |world, id| world.post("/v1/transfers", &across(id, id, "1"))),
    ("POST /v1/wallets/{wallet_id}/withdrawals", |world, id| {
        world.post(&format!("/v1/wallets/{id}/withdrawals?dry_run=true"), &eur("1"))
    }),
    ("POST /v1/transfers", |world, id| {
        world.post("/v1/transfers?dry_run=true", &across(id, &world.own, "1")).header("if-match", "\"7\"")
    }),
    ("POST /v1/transfers", |world, id| world.post("/v1/transfers?dry_run=true", &across(id, NONE_EITHER, "1"))),
    ("POST /v1/payouts", |world, id| world.payout(id, &[&world.own])),
    ("POST /v1/payouts", |world, id| world.payout(id, &[&world.own]).header("if-match", "\"7\"")),
    ("POST /v1/payouts", |world, id| world.payout(id, &[NONE_EITHER, &world.own])),
    ("POST /v1/payouts", |world, id| world.payout(id, &[&world.own, id])),
    ("POST /v1/holds", |world, id| world.hold(id, "1")),
    ("POST /v1/holds", |world, id| world.hold(id, "1000")),
    ("GET /v1/wallets/{wallet_id}/holds", |world, id| world.get(&format!("/v1/wallets/{id}/holds"))),
    ("PATCH /v1/wallets/{wallet_id}", |world, id| {
        world.app.amending("eve", id, &json!({"status": "frozen"})).header("if-match", "\"1\"")
    }),
];

const TRANSACTIONS: [(&str, Ask); 3] = [
    ("GET /v1/transactions/{transaction_id}", |world, id| world.get(&format!("/v1/transactions/{id}"))),
    ("POST /v1/transactions/{transaction_id}/reversals", |world, id| {
        world.post(&format!("/v1/transactions/{id}/reversals"), &json!({}))
    }),
    ("POST /v1/transactions/{transaction_id}/reversals", |world, id| {
        world.post(&format!("/v1/transactions/{id}/reversals?dry_run=true"), &json!({}))
    }),
];

/// How eve asks about a hold. Its id is a hash that she would have to be told: whether it is known shows in the work, since whose
/// the payee's wallet is has to be read.
const HOLDS: [(&str, Ask); 5] = [
    ("GET /v1/holds/{hold_id}", |world, id| world.get(&format!("/v1/holds/{id}"))),
    ("POST /v1/holds/{hold_id}/captures", |world, id| world.post(&format!("/v1/holds/{id}/captures"), &json!({}))),
    ("POST /v1/holds/{hold_id}/captures", |world, id| {
        world.post(&format!("/v1/holds/{id}/captures"), &json!({"amount": "1000", "final": false}))
    }),
    // Not of the currency's scale, which is the hold's.
    ("POST /v1/holds/{hold_id}/captures", |world, id| {
        world.post(&format!("/v1/holds/{id}/captures"), &json!({"amount": "0.001"}))
    }),
    ("POST /v1/holds/{hold_id}/void", |world, id| world.post(&format!("/v1/holds/{id}/void"), &json!({}))),
];

#[tokio::test]
async fn a_stranger_tells_no_wallet_and_no_transaction_from_none() {
    let world = World::start().await;
    // Cold, and then with alice's wallet among what each function wrote last.
    for warm in [false, true] {
        if warm {
            world.app.withdraw("alice", &world.wallet, "1").await.check(201);
            world.app.transfer("alice", &world.wallet, &world.own, "1").await.check(201);
            world.app.transfer("eve", &world.own, &world.wallet, "1").await.check(201);
        }
        let wallets = WALLETS.map(|(route, ask)| (route, ask, &world.wallet, NO_WALLET));
        let transactions = TRANSACTIONS.map(|(route, ask)| (route, ask, &world.deposit, NO_TRANSACTION));
        for (route, ask, hers, nobodys) in wallets.into_iter().chain(transactions) {
            let (strange, none) = (world.told(ask, hers).await, world.told(ask, nobodys).await);
            assert_eq!(strange, none, "{route}");
            assert!(strange.status >= 400 && strange.lines.len() == 1, "{route}: {strange:?}");
        }
    }
    let statement = world.app.entries(&world.wallet, 100).await;
    assert_eq!(statement.len(), 5, "eve has moved nothing of alice's: {statement:?}");
    assert_eq!(world.app.attempts("alice", &world.wallet).await, Vec::<Value>::new(), "and left nothing on record");
}

#[tokio::test]
async fn a_stranger_is_answered_as_if_there_were_no_hold() {
    let world = World::start().await;
    let held = json!({"source": world.wallet, "amount": "5", "currency": "EUR"});
    let hold = world.app.post("alice", "/v1/holds", &held).await.check(201).text("id").to_owned();
    for (route, ask) in HOLDS {
        let (strange, none) = (world.told(ask, &hold).await, world.told(ask, NO_TRANSACTION).await);
        assert_eq!((strange.status, strange.headers, strange.body), (404, none.headers, none.body), "{route}");
    }
    let hold = world.app.get("alice", &format!("/v1/holds/{hold}")).await.check(200).body;
    assert_eq!((&hold["status"], &hold["remaining"]), (&json!("active"), &json!("5.00")));
}

#[test]
fn every_route_that_takes_an_id_is_tried() {
    let tried: BTreeSet<String> =
        WALLETS.iter().chain(&TRANSACTIONS).chain(&HOLDS).map(|(route, _)| (*route).to_owned()).collect();
    let without =
        ["GET /v1/wallets", "POST /v1/wallets", "POST /v1/wallets/{wallet_id}/deposits", "GET /v1/transactions"];
    let without = without.map(str::to_owned);
    let all: BTreeSet<String> = routes().iter().map(super::Route::key).collect();
    assert_eq!(all.difference(&BTreeSet::from(without)).cloned().collect::<BTreeSet<_>>(), tried);
}

#[tokio::test]
async fn the_comparison_would_see_a_difference() {
    let world = World::start().await;
    let ask: Ask = |world, id| world.get(&format!("/v1/wallets/{id}"));
    let (own, none) = (world.told(ask, &world.own).await, world.told(ask, NO_WALLET).await);
    assert_ne!((own.status, &own.body, &own.lines), (none.status, &none.body, &none.lines));
    assert_eq!(own.work, none.work, "one read, at the same price");
    assert_eq!(own.work.len(), 1);
    let list: Ask = |world, id| world.get(&format!("/v1/wallets/{id}/entries"));
    assert_ne!(world.told(list, &world.own).await.work, none.work);
}

/// Nothing in an answer that only the owner of `wallet` may know.
#[track_caller]
fn check_silent(body: &Value, wallet: &str) {
    assert_eq!((&body["available"], &body["reason"]["available"]), (&Value::Null, &Value::Null), "{body}");
    for leg in body["legs"].as_array().into_iter().flatten().filter(|leg| leg["wallet_id"] == wallet) {
        let names: Vec<_> = leg.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, ["amount", "wallet_id"], "{body}");
    }
}

#[tokio::test]
async fn a_payer_learns_that_a_wallet_is_there_and_no_figure_of_it() {
    let world = World::start().await;
    let app = &world.app;
    let limits = json!({"currency": "EUR", "owner": "bob", "ceiling": "50", "limits": {"max_movement": "40"}});
    let bob = app.open_as("root", &limits).await;
    let deposits = format!("/v1/wallets/{bob}/deposits");
    for amount in ["7", "41", "39"] {
        let paid =
            [app.transfer("eve", &world.own, &bob, amount).await, app.post("eve", &deposits, &eur(amount)).await];
        for answer in paid {
            assert_eq!(answer.status, if amount == "7" { 201 } else { 422 }, "{}", answer.body);
            check_silent(&answer.body, &bob);
        }
    }
    for attempt in app.attempts("eve", &world.own).await {
        check_silent(&attempt, &bob);
    }
    app.transfer("eve", &world.own, NO_WALLET, "1").await.check_problem(404, "wallet_not_found");
}

#[tokio::test]
async fn a_stranger_who_deposits_cannot_probe_the_version() {
    let world = World::start().await;
    let (app, deposits) = (&world.app, format!("/v1/wallets/{}/deposits", world.wallet));
    for version in 0..4 {
        for body in [eur("1"), json!({"amount": "1", "currency": "USD"})] {
            let pinned = app.posting("eve", &deposits, &app.key(), &body).header("if-match", format!("\"{version}\""));
            send(pinned).await.check_problem(412, "version_mismatch");
        }
    }
    let pinned = app.posting("alice", &deposits, &app.key(), &eur("1")).header("if-match", "\"1\"");
    send(pinned).await.check(201);
    assert_eq!(app.balance(&world.wallet).await, "101.00");
}
