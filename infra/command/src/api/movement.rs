//! `wallet deposit`, `withdraw` and `send`: one amount, out of one place and into another; `reverse`, which takes one back.

use serde_json::json;
use wallet_domain::TransactionId;

use super::client::Client;
use super::failure::Failure;
use super::names::Place;
use super::options::{Manner, Note, Source, Terms, When};
use super::shown::Shown;
use super::words::Amount;

#[derive(Debug, clap::Args)]
pub(crate) struct InOut {
    /// How much, such as 12.50
    amount: Amount,
    /// Which wallet; the caller's own, if he has one
    wallet: Option<Place>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    when: When,
}

impl InOut {
    /// `what` is `deposits` or `withdrawals`.
    pub(super) async fn run(self, client: &Client, what: &str) -> Result<Shown, Failure> {
        let (wallet, currency) = client.wallet(self.wallet.as_ref(), self.terms.currency).await?;
        let body = json!({"amount": self.amount.as_str(), "currency": currency.code()});
        self.terms.post(client, format!("/v1/wallets/{wallet}/{what}"), body, self.when).await
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Send {
    /// How much, such as 12.50
    amount: Amount,
    /// To which wallet
    to: Place,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    when: When,
}

impl Send {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let (source, currency) = self.source.wallet(client).await?;
        let (destination, _) = client.wallet(Some(&self.to), Some(currency)).await?;
        let body = json!({
            "source": source.to_string(),
            "destination": destination.to_string(),
            "amount": self.amount.as_str(),
            "currency": currency.code(),
        });
        self.source.post(client, "/v1/transfers", body, self.when).await
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Reverse {
    /// Which transaction, by its id (needs wallets:admin)
    transaction: TransactionId,
    /// Even if it takes a wallet below its floor
    #[arg(long)]
    allow_overdraft: bool,
    #[command(flatten)]
    note: Note,
    #[command(flatten)]
    manner: Manner,
}

impl Reverse {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let mut body = json!({"allow_overdraft": self.allow_overdraft});
        self.note.put(&mut body);
        self.manner.post(client, format!("/v1/transactions/{}/reversals", self.transaction), body).await
    }
}
