//! The demo: two people and a shop whose credits are batched, a deposit and its rebate, a transfer, payments to the shop; all
//! through the gateway, as a caller would.
//!
//! Every request has a fixed idempotency key: on data that has seen the demo before, nothing moves again.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wallet_stack::{clock, token};

/// How long what follows may take until it is here: the rebate, and the settlement of what the shop is paid.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);
/// An answer is a few hundred bytes; a page of entries some ten thousand.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;

/// What the demo left behind.
#[derive(Debug, Clone)]
pub(crate) struct Demo {
    /// Who sent.
    pub(crate) alice: DemoWallet,
    /// Who received.
    pub(crate) bob: DemoWallet,
    /// Whom both paid.
    pub(crate) shop: DemoWallet,
    /// What was posted this time, in a line.
    pub(crate) summary: String,
    /// What did not happen and why, a line each; empty if all went well.
    pub(crate) warnings: Vec<String>,
}

/// A wallet of the demo.
#[derive(Debug, Clone)]
pub(crate) struct DemoWallet {
    /// The owner: the `sub` of the tokens.
    pub(crate) owner: &'static str,
    /// The wallet's id.
    pub(crate) id: String,
    /// What is in it now, such as `76.00`.
    pub(crate) balance: String,
    /// Its currency.
    pub(crate) currency: String,
}

/// Seeds the demo. A movement that is refused is a warning, and ends it: the wallets are there all the same.
///
/// # Errors
/// When a wallet cannot be opened or shown.
pub(crate) async fn seed(router: Router) -> Result<Demo> {
    let alice = Caller::new("alice", token::EVERYDAY_SCOPE, &router);
    let bob = Caller::new("bob", token::EVERYDAY_SCOPE, &router);
    let shop = Caller::new("shop", token::EVERYDAY_SCOPE, &router);
    // Only an administrator has credits batched.
    let administrator = Caller::new("administrator", &token::SCOPES.join(" "), &router);
    let own = json!({"currency": "EUR"});
    let wallets = Wallets {
        alice: alice.open(&own).await?,
        bob: bob.open(&own).await?,
        shop: administrator.open(&json!({"currency": "EUR", "owner": "shop", "credits": "batched"})).await?,
    };

    let mut story = Story::default();
    if let Err(error) = story.unfold(&alice, &bob, &shop, &wallets).await {
        story.warnings.push(format!("{error:#}"));
    }
    let summary = story.summary();
    let Wallets { alice: to_alice, bob: to_bob, shop: to_shop } = wallets;
    let (alice, bob, shop) = (alice.wallet(to_alice).await?, bob.wallet(to_bob).await?, shop.wallet(to_shop).await?);
    Ok(Demo { alice, bob, shop, summary, warnings: story.warnings })
}

/// The wallets' ids.
struct Wallets {
    alice: String,
    bob: String,
    shop: String,
}

/// What happened so far.
#[derive(Default)]
struct Story {
    /// What was posted, as `25.00 sent to bob`.
    posted: Vec<String>,
    warnings: Vec<String>,
}

impl Story {
    /// Moves the money, up to the first movement that is refused.
    async fn unfold(
        &mut self,
        alice: &Caller<'_>,
        bob: &Caller<'_>,
        shop: &Caller<'_>,
        wallets: &Wallets,
    ) -> Result<()> {
        let Wallets { alice: to_alice, bob: to_bob, shop: to_shop } = wallets;
        let deposit = json!({"amount": "100.00", "currency": "EUR", "reference": "demo: a deposit"});
        let deposits = format!("/v1/wallets/{to_alice}/deposits");
        let deposited = alice.post(&deposits, "demo-deposit", deposit).await;
        let (status, deposit) = deposited.context("the demo's deposit did not go through")?;
        if status == StatusCode::CREATED {
            self.posted.push(format!("{} deposited to alice", text(&deposit["amount"])));
            // With no rule for it, there is none to wait for.
            if deposit.get("rebate").is_some() {
                match alice.rebate(&deposit).await {
                    Ok(amount) => self.posted.push(format!("a rebate of {amount} for it")),
                    Err(error) => self.warnings.push(format!("no rebate for the demo's deposit: {error:#}")),
                }
            }
        }

        let transfer = json!({
            "source": to_alice, "destination": to_bob, "amount": "25.00", "currency": "EUR",
            "reference": "demo: a transfer",
        });
        let sent = alice.post("/v1/transfers", "demo-transfer", transfer).await;
        let (status, transfer) = sent.context("the demo's transfer did not go through")?;
        if status == StatusCode::CREATED {
            let fee = match text(&transfer["fee"]) {
                "0.00" => String::new(),
                fee => format!(" for a fee of {fee}"),
            };
            self.posted.push(format!("{} sent to bob{fee}", text(&transfer["amount"])));
        }

        for (payer, from, amount) in [(alice, to_alice, "2.00"), (bob, to_bob, "3.00")] {
            let payment = json!({
                "source": from, "destination": to_shop, "amount": amount, "currency": "EUR", "reference": "demo: a payment",
            });
            let paid = payer.post("/v1/transfers", "demo-payment", payment).await;
            let (status, _) =
                paid.with_context(|| format!("the demo's payment of {} did not go through", payer.name))?;
            if status == StatusCode::CREATED {
                self.posted.push(format!("{amount} paid to the shop by {}", payer.name));
            }
        }
        shop.settled(to_shop).await.context("what the shop was paid is not settled")
    }

    fn replayed(&self) -> bool {
        self.posted.is_empty() && self.warnings.is_empty()
    }

    fn summary(&self) -> String {
        match self.posted.join(", ") {
            _ if self.replayed() => "seeded before; nothing moved again".to_owned(),
            posted if posted.is_empty() => "nothing moved".to_owned(),
            posted => format!("seeded: {posted}"),
        }
    }
}

/// Somebody with a token.
struct Caller<'a> {
    name: &'static str,
    token: String,
    router: &'a Router,
}

impl Caller<'_> {
    fn new<'a>(name: &'static str, scope: &str, router: &'a Router) -> Caller<'a> {
        let minute = SignedDuration::from_mins(1);
        let token = token::mint(name, scope, minute, clock::now());
        Caller { name, token: token.expect("a minute from now is within all dates"), router }
    }

    async fn open(&self, wallet: &Value) -> Result<String> {
        let opened = self.post("/v1/wallets", "demo-open", wallet.clone()).await;
        let (_, wallet) = opened.with_context(|| format!("{} could not open a wallet", self.name))?;
        Ok(wallet["id"].as_str().context("a wallet without an id")?.to_owned())
    }

    async fn wallet(&self, id: String) -> Result<DemoWallet> {
        let (_, wallet) = self.get(&format!("/v1/wallets/{id}")).await?;
        let text = |name: &str| text(&wallet[name]).to_owned();
        Ok(DemoWallet { owner: self.name, id, balance: text("balance"), currency: text("currency") })
    }

    /// Waits until nothing waits in the wallet's inbox.
    async fn settled(&self, wallet: &str) -> Result<()> {
        let path = format!("/v1/wallets/{wallet}");
        let settled = async {
            while self.get(&path).await?.1["incoming"]["count"].as_u64().is_some_and(|count| count > 0) {
                tokio::time::sleep(POLL).await;
            }
            anyhow::Ok(())
        };
        in_time(settled).await?
    }

    /// What the rebate of `deposit` came to, once it is on record.
    async fn rebate(&self, deposit: &Value) -> Result<String> {
        let deposited = format!("/v1/transactions/{}", text(&deposit["id"]));
        let decided = async {
            while self.get(&deposited).await?.1["rebate"]["status"] == "pending" {
                tokio::time::sleep(POLL).await;
            }
            anyhow::Ok(())
        };
        in_time(decided).await??;
        let (_, rebate) = self.get(&format!("/v1/transactions/{}", text(&deposit["rebate"]["transaction_id"]))).await?;
        if rebate["status"] != "posted" {
            bail!("{}", text(&rebate["reason"]["detail"]));
        }
        Ok(text(&rebate["amount"]).to_owned())
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
            let problem: Value = serde_json::from_slice(&answer).unwrap_or_default();
            match problem["detail"].as_str() {
                Some(detail) => bail!("{detail}"),
                None => bail!("{what} answered {status}"),
            }
        }
        Ok((status, serde_json::from_slice(&answer).with_context(|| format!("{what} answered no JSON"))?))
    }
}

/// What `work` comes to, if that is not too long.
async fn in_time<T>(work: impl Future<Output = T>) -> Result<T> {
    let patience = tokio::time::timeout(PATIENCE, work).await;
    patience.map_err(|_| anyhow!("it did not come within {} s", PATIENCE.as_secs()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
