//! Deposits by a caller over HTTP, as anybody would make them.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http::Caller;

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

impl Caller {
    pub(super) async fn deposit(&self, number: u64, wallet: &str, cents: u64) -> Result<Deposited> {
        let body = json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "EUR"});
        let sent = Instant::now();
        let path = format!("/v1/wallets/{wallet}/deposits");
        let (answer, repeated) = self.post(&path, &format!("deposit {number}"), &body).await?;
        let repeated = repeated.all();
        let answered = Instant::now();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let rebate = text(&answer["rebate"]["transaction_id"]);
        let (id, rebate) = text(&answer["id"]).zip(rebate).context("a deposit says where its rebate will be")?;
        Ok(Deposited { id, rebate, cents, sent, answered, repeated })
    }
}
