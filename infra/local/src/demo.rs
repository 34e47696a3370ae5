//! The demo: two wallets, a deposit and its rebate, a transfer; all through the gateway, as a caller would.
//!
//! Every request has a fixed idempotency key: on data that has seen the demo before, nothing moves again.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{clock, token};

/// How long the rebate may take until it is here.
const REBATE_PATIENCE: Duration = Duration::from_secs(5);
const REBATE_POLL: Duration = Duration::from_millis(10);
/// An answer is a few hundred bytes; a page of entries some ten thousand.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;

/// What the demo left behind.
#[derive(Debug, Clone)]
pub struct Demo {
    /// Who sent.
    pub alice: DemoWallet,
    /// Who received.
    pub bob: DemoWallet,
    /// Whether the data had seen the demo before, so that nothing moved this time.
    pub replayed: bool,
}

/// A wallet of the demo.
#[derive(Debug, Clone)]
pub struct DemoWallet {
    /// The owner: the `sub` of the tokens.
    pub owner: &'static str,
    /// The wallet's id.
    pub id: String,
    /// What is in it now, such as `76.00`.
    pub balance: String,
    /// Its currency.
    pub currency: String,
}

/// Seeds the demo.
///
/// # Errors
/// When a request is refused, or the rebate doesn't come in time.
pub async fn seed(router: Router) -> Result<Demo> {
    let alice = Caller::new("alice", &router);
    let bob = Caller::new("bob", &router);
    let to_alice = alice.open().await?;
    let to_bob = bob.open().await?;

    let deposit = json!({"amount": "100.00", "currency": "EUR", "reference": "demo: a deposit"});
    let deposits = format!("/v1/wallets/{to_alice}/deposits");
    let (deposited, _) = alice.post(&deposits, "demo-deposit", deposit).await?;
    let replayed = deposited == StatusCode::OK;
    if !replayed {
        alice.await_rebate(&to_alice).await?;
    }
    let transfer = json!({
        "source": to_alice, "destination": to_bob, "amount": "25.00", "currency": "EUR", "reference": "demo: a transfer",
    });
    alice.post("/v1/transfers", "demo-transfer", transfer).await?;
    Ok(Demo { alice: alice.wallet(to_alice).await?, bob: bob.wallet(to_bob).await?, replayed })
}

/// Somebody with a token.
struct Caller<'a> {
    name: &'static str,
    token: String,
    router: &'a Router,
}

impl Caller<'_> {
    fn new<'a>(name: &'static str, router: &'a Router) -> Caller<'a> {
        let minute = SignedDuration::from_mins(1);
        let token = token::mint(name, token::EVERYDAY_SCOPE, minute, clock::now());
        Caller { name, token: token.expect("a minute from now is within all dates"), router }
    }

    async fn open(&self) -> Result<String> {
        let (_, wallet) = self.post("/v1/wallets", "demo-open", json!({"currency": "EUR"})).await?;
        Ok(wallet["id"].as_str().context("a wallet without an id")?.to_owned())
    }

    async fn wallet(&self, id: String) -> Result<DemoWallet> {
        let (_, wallet) = self.get(&format!("/v1/wallets/{id}")).await?;
        let text = |name: &str| wallet[name].as_str().unwrap_or_default().to_owned();
        Ok(DemoWallet { owner: self.name, id, balance: text("balance"), currency: text("currency") })
    }

    async fn await_rebate(&self, wallet: &str) -> Result<()> {
        let arrives = async {
            loop {
                let (_, statement) = self.get(&format!("/v1/wallets/{wallet}/entries?limit=10")).await?;
                let entries = statement["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
                if entries.iter().any(|entry| entry["type"] == "rebate") {
                    return Ok(());
                }
                tokio::time::sleep(REBATE_POLL).await;
            }
        };
        let patience = tokio::time::timeout(REBATE_PATIENCE, arrives);
        patience.await.with_context(|| format!("no rebate within {} s", REBATE_PATIENCE.as_secs()))?
    }

    async fn get(&self, path: &str) -> Result<(StatusCode, Value)> {
        self.send(Request::get(path), Body::empty()).await
    }

    async fn post(&self, path: &str, idempotency_key: &str, body: Value) -> Result<(StatusCode, Value)> {
        let request =
            Request::post(path).header("idempotency-key", idempotency_key).header("content-type", "application/json");
        self.send(request, Body::from(body.to_string())).await
    }

    async fn send(&self, request: axum::http::request::Builder, body: Body) -> Result<(StatusCode, Value)> {
        let request = request.header("authorization", format!("Bearer {}", self.token)).body(body)?;
        let what = format!("{} {}", request.method(), request.uri());
        let response: Response<Body> = self.router.clone().oneshot(request).await?;
        let status = response.status();
        let answer = to_bytes(response.into_body(), ANSWER_LIMIT_BYTES).await?;
        if !status.is_success() {
            bail!("{what} answered {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok((status, serde_json::from_slice(&answer).with_context(|| format!("{what} answered no JSON"))?))
    }
}
