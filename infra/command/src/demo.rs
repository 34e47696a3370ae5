//! The demo: two people and a shop whose credits are batched, a deposit and its rebate, a transfer, payments to the shop; all
//! through the gateway, as a caller would.
//!
//! Every request has a fixed idempotency key: on data that has seen the demo before, nothing moves again.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::Bytes;
use axum::http::{Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use wallet_stack::{Caller, clock, token};

/// How long what follows may take until it is here: the rebate, and the settlement of what the shop is paid.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

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
    let own = json!({"currency": "EUR"});
    let alice = Person::new("alice", token::EVERYDAY_SCOPE, &router).open(&own).await?;
    let bob = Person::new("bob", token::EVERYDAY_SCOPE, &router).open(&own).await?;
    // Only an administrator has credits batched.
    let administrator = Person::new("administrator", &token::SCOPES.join(" "), &router);
    let batched = json!({"currency": "EUR", "owner": "shop", "credits": "batched"});
    let to_shop = administrator.open(&batched).await?.wallet;
    let shop = Holder { person: Person::new("shop", token::EVERYDAY_SCOPE, &router), wallet: to_shop };

    let mut story = Story::default();
    if let Err(error) = story.unfold(&alice, &bob, &shop).await {
        story.warnings.push(format!("{error:#}"));
    }
    let summary = story.summary();
    let (alice, bob, shop) = (alice.shown().await?, bob.shown().await?, shop.shown().await?);
    Ok(Demo { alice, bob, shop, summary, warnings: story.warnings })
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
    async fn unfold(&mut self, alice: &Holder, bob: &Holder, shop: &Holder) -> Result<()> {
        let deposit = json!({"amount": "100.00", "currency": "EUR", "reference": "demo: a deposit"});
        let deposits = format!("/v1/wallets/{}/deposits", alice.wallet);
        let deposited = alice.person.post(&deposits, "demo-deposit", &deposit).await;
        let (status, deposit) = deposited.context("the demo's deposit did not go through")?;
        if status == StatusCode::CREATED {
            self.posted.push(format!("{} deposited to alice", text(&deposit["amount"])));
            // With no rule for it, there is none to wait for.
            if deposit.get("rebate").is_some() {
                match alice.person.rebate(&deposit).await {
                    Ok(amount) => self.posted.push(format!("a rebate of {amount} for it")),
                    Err(error) => self.warnings.push(format!("no rebate for the demo's deposit: {error:#}")),
                }
            }
        }

        let sent = alice.send(bob, "25.00", "demo-transfer", "demo: a transfer").await;
        let (status, transfer) = sent.context("the demo's transfer did not go through")?;
        if status == StatusCode::CREATED {
            let fee = match text(&transfer["fee"]) {
                "0.00" => String::new(),
                fee => format!(" for a fee of {fee}"),
            };
            self.posted.push(format!("{} sent to bob{fee}", text(&transfer["amount"])));
        }

        for (payer, amount) in [(alice, "2.00"), (bob, "3.00")] {
            let (name, paid) = (payer.person.name, payer.send(shop, amount, "demo-payment", "demo: a payment").await);
            let (status, _) = paid.with_context(|| format!("the demo's payment of {name} did not go through"))?;
            if status == StatusCode::CREATED {
                self.posted.push(format!("{amount} paid to the shop by {name}"));
            }
        }
        let is_settled = |wallet: &Value| wallet["incoming"]["count"].as_u64().is_none_or(|count| count == 0);
        let settled = shop.person.once(&format!("/v1/wallets/{}", shop.wallet), is_settled).await;
        settled.map(drop).context("what the shop was paid is not settled")
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
struct Person {
    name: &'static str,
    caller: Caller,
}

impl Person {
    fn new(name: &'static str, scope: &str, router: &Router) -> Person {
        let minute = SignedDuration::from_mins(1);
        let token = token::mint(name, scope, minute, clock::now()).expect("a minute from now is within all dates");
        Person { name, caller: Caller::new(router.clone(), token) }
    }

    async fn open(self, wallet: &Value) -> Result<Holder> {
        let opened = self.post("/v1/wallets", "demo-open", wallet).await;
        let (_, opened) = opened.with_context(|| format!("{} could not open a wallet", self.name))?;
        let wallet = opened["id"].as_str().context("a wallet without an id")?.to_owned();
        Ok(Holder { person: self, wallet })
    }

    /// What the rebate of `deposit` came to, once it is on record.
    async fn rebate(&self, deposit: &Value) -> Result<String> {
        let deposited = format!("/v1/transactions/{}", text(&deposit["id"]));
        self.once(&deposited, |deposit| deposit["rebate"]["status"] != "pending").await?;
        let rebate = self.get(&format!("/v1/transactions/{}", text(&deposit["rebate"]["transaction_id"]))).await?;
        if rebate["status"] != "posted" {
            bail!("{}", text(&rebate["reason"]["detail"]));
        }
        Ok(text(&rebate["amount"]).to_owned())
    }

    /// What is at `path` once it is as it is to be, if that is not too long.
    async fn once(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        let looking = async {
            loop {
                let found = self.get(path).await?;
                if is_so(&found) {
                    return Ok(found);
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let patience = tokio::time::timeout(PATIENCE, looking).await;
        patience.map_err(|_| anyhow!("it did not come within {} s", PATIENCE.as_secs()))?
    }

    async fn get(&self, path: &str) -> Result<Value> {
        Ok(read(&format!("GET {path}"), &self.caller.get(path).await?)?.1)
    }

    async fn post(&self, path: &str, idempotency_key: &str, body: &Value) -> Result<(StatusCode, Value)> {
        read(&format!("POST {path}"), &self.caller.post(path, idempotency_key, body).await?)
    }
}

/// Somebody, and his wallet's id.
struct Holder {
    person: Person,
    wallet: String,
}

impl Holder {
    async fn send(&self, to: &Holder, amount: &str, key: &str, reference: &str) -> Result<(StatusCode, Value)> {
        let (source, destination) = (&self.wallet, &to.wallet);
        let transfer = json!({
            "source": source, "destination": destination, "amount": amount, "currency": "EUR", "reference": reference,
        });
        self.person.post("/v1/transfers", key, &transfer).await
    }

    async fn shown(self) -> Result<DemoWallet> {
        let wallet = self.person.get(&format!("/v1/wallets/{}", self.wallet)).await?;
        let text = |name: &str| text(&wallet[name]).to_owned();
        let (balance, currency) = (text("balance"), text("currency"));
        Ok(DemoWallet { owner: self.person.name, id: self.wallet, balance, currency })
    }
}

/// What a request that goes well is answered with; `what` it was.
fn read(what: &str, answer: &Response<Bytes>) -> Result<(StatusCode, Value)> {
    let (status, body) = (answer.status(), serde_json::from_slice(answer.body()));
    if !status.is_success() {
        match body.unwrap_or(Value::Null)["detail"].as_str() {
            Some(detail) => bail!("{detail}"),
            None => bail!("{what} answered {status}"),
        }
    }
    Ok((status, body.with_context(|| format!("{what} answered no JSON"))?))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
