//! `wallet open`.

use serde_json::json;
use wallet_domain::Currency;

use super::client::{Client, Request};
use super::failure::Failure;
use super::options::{Key, Labels, put};
use super::shown::Shown;
use super::words::{Amount, currency};

#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// What it holds: an ISO 4217 code such as EUR
    #[arg(value_parser = currency)]
    currency: Currency,
    /// Whose it is, if not one's own (needs wallets:admin)
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// The balance never goes below, zero or less (needs wallets:admin)
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    floor: Option<String>,
    /// The balance never goes above
    #[arg(long, value_name = "AMOUNT")]
    ceiling: Option<Amount>,
    /// Whether what comes in is booked at once, or waits to be booked many at a time (needs wallets:admin)
    #[arg(long, value_parser = ["immediate", "batched"])]
    credits: Option<String>,
    #[command(flatten)]
    labels: Labels,
    #[command(flatten)]
    key: Key,
}

impl Open {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let mut body = json!({"currency": self.currency.code()});
        let ceiling = self.ceiling.map(|ceiling| ceiling.as_str().to_owned());
        let fields = [("owner", self.owner), ("floor", self.floor), ("ceiling", ceiling), ("credits", self.credits)];
        put(&mut body, fields);
        self.labels.put(&mut body);
        Ok(Shown::One(self.key.send(client, Request::post("/v1/wallets".to_owned(), body)).await?))
    }
}
