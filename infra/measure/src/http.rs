//! A caller over HTTP, who repeats a request with its key until it is done, as anybody should.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wallet_stack::Stack;
use wallet_stack::token::EVERYDAY_SCOPE;

use crate::caller::Repeats;

/// Where no answer came, and so no `Retry-After` either.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// How often a request was repeated, by what it was answered before.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Repeated {
    /// 409
    pub(crate) conflicts: u64,
    /// Another status that asks to come again, or none: a connection that broke.
    pub(crate) others: u64,
}

impl Repeated {
    pub(crate) fn all(self) -> u64 {
        self.conflicts + self.others
    }
}

impl Caller {
    pub(crate) fn new(stack: &Stack) -> Result<Caller> {
        let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Caller { http, url: stack.url().to_owned(), token: stack.token("bench", EVERYDAY_SCOPE) })
    }

    /// Opens a wallet in EUR; answers its id.
    pub(crate) async fn open(&self, number: u32) -> Result<String> {
        let opened = self.post("/v1/wallets", &format!("open {number}"), &json!({"currency": "EUR"})).await?;
        Ok(opened.0["id"].as_str().context("an opening is answered with the wallet's id")?.to_owned())
    }

    /// Posts until it is done, with the same key; answers with the body, and how often it had to repeat.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Result<(Value, Repeated)> {
        let (mut repeats, mut repeated) = (Repeats::default(), Repeated::default());
        loop {
            let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
            let mut told = RETRY_AFTER;
            // On a machine that can't keep up connections break: the same key asks again.
            match request.header("idempotency-key", key).json(body).send().await {
                Ok(response) => {
                    let status = response.status();
                    let seconds =
                        response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                    told = seconds.map_or(told, Duration::from_secs);
                    let answer: Value = response.json().await?;
                    if status.is_success() {
                        return Ok((answer, repeated));
                    }
                    ensure!(answer["retryable"] == true, "answered {status}: {answer}");
                    if status.as_u16() == 409 { repeated.conflicts += 1 } else { repeated.others += 1 }
                }
                Err(_) => repeated.others += 1,
            }
            repeats.wait(told).await?;
        }
    }
}
