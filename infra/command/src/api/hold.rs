//! `wallet hold`, `capture` and `void`: money that is kept back for a payee, and what becomes of it.

use jiff::SignedDuration;
use serde_json::json;
use wallet_domain::TransactionId;

use super::client::Client;
use super::failure::Failure;
use super::names::Place;
use super::options::{Manner, Source, When, put};
use super::shown::Shown;
use super::words::Amount;

#[derive(Debug, clap::Args)]
pub(crate) struct Hold {
    /// How much, such as 12.50
    amount: Amount,
    /// For which wallet; without it what is captured leaves as a withdrawal does
    to: Option<Place>,
    /// How long it can be captured: 90s, 30m, 12h; a week without it
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    expires_in: Option<i64>,
    #[command(flatten)]
    source: Source,
}

/// The API holds them to its bounds.
fn seconds(text: &str) -> Result<i64, String> {
    let known = text.parse::<SignedDuration>().ok().filter(|time| time.subsec_nanos() == 0 && time.is_positive());
    known.map(|time| time.as_secs()).ok_or_else(|| "write it as 90s, 30m or 12h".to_owned())
}

impl Hold {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let (source, currency) = self.source.wallet(client).await?;
        let mut body =
            json!({"source": source.to_string(), "amount": self.amount.as_str(), "currency": currency.code()});
        if let Some(to) = &self.to {
            body["destination"] = client.wallet(Some(to), Some(currency)).await?.0.to_string().into();
        }
        if let Some(seconds) = self.expires_in {
            body["expires_in"] = seconds.into();
        }
        self.source.post(client, "/v1/holds", body, When::default()).await
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Capture {
    /// Which hold, by its id
    hold: TransactionId,
    /// How much of it; all that remains without it
    amount: Option<Amount>,
    /// Keep the rest held, for a later capture; it is released without this
    #[arg(long, requires = "amount")]
    keep_rest: bool,
    #[command(flatten)]
    manner: Manner,
}

impl Capture {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let mut body = json!({"final": !self.keep_rest});
        put(&mut body, [("amount", self.amount.map(|amount| amount.as_str().to_owned()))]);
        self.manner.post(client, format!("/v1/holds/{}/captures", self.hold), body).await
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Void {
    /// Which hold, by its id
    hold: TransactionId,
    #[command(flatten)]
    manner: Manner,
}

impl Void {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        self.manner.post(client, format!("/v1/holds/{}/void", self.hold), json!({})).await
    }
}

#[cfg(test)]
mod tests;
