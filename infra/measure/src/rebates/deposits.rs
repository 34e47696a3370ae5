//! The bench's caller: opens wallets and pays into them over HTTP, as anybody would.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::Instant;
use wallet_stack::Stack;
use wallet_stack::token::EVERYDAY_SCOPE;

use crate::caller::Repeats;

/// What the functions' `Retry-After` says.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// A deposit that was answered.
pub(super) struct Deposited {
    pub(super) id: String,
    /// Where its rebate will be.
    pub(super) rebate: String,
    pub(super) cents: u64,
    pub(super) sent: Instant,
    pub(super) answered: Instant,
    pub(super) repeated: u64,
}

impl Client {
    pub(super) fn new(stack: &Stack) -> Result<Client> {
        let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Client { http, url: stack.url().to_owned(), token: stack.token("bench", EVERYDAY_SCOPE) })
    }

    /// Opens a wallet in EUR; answers its id.
    pub(super) async fn open(&self, number: u32) -> Result<String> {
        let opened = self.post("/v1/wallets", &format!("open {number}"), &json!({"currency": "EUR"})).await?;
        Ok(opened.0["id"].as_str().context("an opening is answered with the wallet's id")?.to_owned())
    }

    pub(super) async fn deposit(&self, number: u64, wallet: &str, cents: u64) -> Result<Deposited> {
        let body = json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "EUR"});
        let sent = Instant::now();
        let path = format!("/v1/wallets/{wallet}/deposits");
        let (answer, repeated) = self.post(&path, &format!("deposit {number}"), &body).await?;
        let answered = Instant::now();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let rebate = text(&answer["rebate"]["transaction_id"]);
        let (id, rebate) = text(&answer["id"]).zip(rebate).context("a deposit says where its rebate will be")?;
        Ok(Deposited { id, rebate, cents, sent, answered, repeated })
    }

    /// Posts until it is done, with the same key; answers with the body, and how often it had to repeat.
    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<(Value, u64)> {
        let mut repeats = Repeats::default();
        loop {
            let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
            // On a machine that can't keep up connections break: the same key asks again.
            if let Ok(response) = request.header("idempotency-key", key).json(body).send().await {
                let (status, answer): (_, Value) = (response.status(), response.json().await?);
                if status.is_success() {
                    return Ok((answer, repeats.count()));
                }
                ensure!(answer["retryable"] == true, "answered {status}: {answer}");
            }
            repeats.wait(RETRY_AFTER).await?;
        }
    }
}
