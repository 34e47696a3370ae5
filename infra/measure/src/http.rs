//! A caller of the API, who repeats a request with its key until it is done, as anybody should. He calls over HTTP, or a
//! stack's gateway without its socket.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use wallet_stack::Stack;
use wallet_stack::token::EVERYDAY_SCOPE;

use crate::caller::Repeats;

/// How long to wait if no answer came, and so no `Retry-After` either.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Somebody with a token.
#[derive(Clone)]
pub struct Caller(Way);

#[derive(Clone)]
enum Way {
    Http { client: reqwest::Client, url: String, token: String },
    Gateway(wallet_stack::Caller),
}

/// How often a request was repeated, by what it was answered before.
#[derive(Debug, Default, Clone, Copy)]
pub struct Repeated {
    /// 409
    pub conflicts: u64,
    /// Another status that asks to come again, or none: a connection that broke.
    pub others: u64,
}

impl Repeated {
    /// All repeats, however the request was answered before.
    #[must_use]
    pub fn all(self) -> u64 {
        self.conflicts + self.others
    }
}

/// Status, how long to wait before asking again, and body.
type Answer = (u16, Option<Duration>, Value);

impl Caller {
    pub(crate) fn new(stack: &Stack) -> Result<Caller> {
        let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        let (url, token) = (stack.url().to_owned(), stack.token("bench", EVERYDAY_SCOPE));
        Ok(Caller(Way::Http { client, url, token }))
    }

    /// Asks the gateway without its socket.
    #[must_use]
    pub fn of_gateway(gateway: Router, token: String) -> Caller {
        Caller(Way::Gateway(wallet_stack::Caller::new(gateway, token)))
    }

    /// Opens a wallet in EUR; answers its id.
    pub(crate) async fn open(&self, number: u32) -> Result<String> {
        let opened = self.post("/v1/wallets", &format!("open {number}"), &json!({"currency": "EUR"})).await?;
        Ok(opened.0["id"].as_str().context("an opening is answered with the wallet's id")?.to_owned())
    }

    /// The body of a GET.
    ///
    /// # Errors
    /// When the status is not 200.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let (status, _, answer) = self.ask(path, None).await?;
        ensure!(status == 200, "answered {status}: {answer}");
        Ok(answer)
    }

    /// Posts until it is done, with the same key; answers with the body, and how often it had to repeat.
    ///
    /// # Errors
    /// When it is refused, or repeated too often.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<(Value, Repeated)> {
        let (mut repeats, mut repeated) = (Repeats::default(), Repeated::default());
        loop {
            let mut told = RETRY_AFTER;
            // On a machine that can't keep up connections break: the same key asks again.
            match self.ask(path, Some((key, body))).await {
                Ok((200..300, _, answer)) => return Ok((answer, repeated)),
                Ok((status, wait, answer)) => {
                    ensure!(answer["retryable"] == true, "answered {status}: {answer}");
                    told = wait.unwrap_or(told);
                    if status == 409 { repeated.conflicts += 1 } else { repeated.others += 1 }
                }
                Err(_) => repeated.others += 1,
            }
            repeats.wait(told).await?;
        }
    }

    /// Asks once.
    async fn ask(&self, path: &str, posted: Option<(&str, &Value)>) -> Result<Answer> {
        match &self.0 {
            Way::Http { client, url, token } => {
                let url = format!("{url}{path}");
                let request = match posted {
                    Some((key, body)) => client.post(url).header("idempotency-key", key).json(body),
                    None => client.get(url),
                };
                let response = request.bearer_auth(token).send().await?;
                let (status, wait) = (response.status().as_u16(), retry_after(response.headers()));
                Ok((status, wait, response.json().await?))
            }
            Way::Gateway(caller) => {
                let answer = match posted {
                    Some((key, body)) => caller.post(path, key, body).await?,
                    None => caller.get(path).await?,
                };
                let wait = retry_after(answer.headers());
                Ok((answer.status().as_u16(), wait, serde_json::from_slice(answer.body())?))
            }
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get("retry-after")?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
