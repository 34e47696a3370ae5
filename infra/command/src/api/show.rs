//! `wallet show`, `statement` and `holds`: what is there, and what has been.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wallet_domain::Timestamp;

use super::client::Client;
use super::failure::Failure;
use super::names::Place;
use super::options::reference;
use super::shown::{ENTRIES, HOLDS, Shown, TRANSACTIONS, WALLETS};
use super::words::limit;

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// A wallet or a transaction; all of one's wallets without it
    what: Option<Place>,
    /// The wallet as it was at a time such as 2026-11-21T09:00:00Z
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,
    /// The transactions that one made under this reference
    #[arg(long, value_name = "TEXT", value_parser = reference, conflicts_with_all = ["what", "as_of"])]
    reference: Option<String>,
}

impl Show {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let path = match (self.what, self.as_of) {
            (None, None) => return listed(client, self.reference).await,
            (Some(Place::Transaction(id)), None) => format!("/v1/transactions/{id}"),
            (place, as_of) => {
                let (id, _) = client.wallet(place.as_ref(), None).await?;
                let at = as_of.map(|time| format!("?at={time}")).unwrap_or_default();
                format!("/v1/wallets/{id}{at}")
            }
        };
        Ok(Shown::One(client.get(&path).await?))
    }
}

async fn listed(client: &Client, reference: Option<String>) -> Result<Shown, Failure> {
    let Some(reference) = reference else {
        return Ok(Shown::Many(&WALLETS, client.own_wallets().await?));
    };
    let path = format!("/v1/transactions?reference={}", utf8_percent_encode(&reference, NON_ALPHANUMERIC));
    Ok(Shown::Many(&TRANSACTIONS, client.list(&path, &TRANSACTIONS, u64::MAX).await?))
}

/// How much of a list.
#[derive(Debug, clap::Args)]
struct Much {
    /// How many at most
    #[arg(long, default_value_t = 20, value_parser = limit, conflicts_with = "all")]
    limit: u64,
    /// All of them
    #[arg(long)]
    all: bool,
}

impl Much {
    fn most(&self) -> u64 {
        if self.all { u64::MAX } else { self.limit }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Statement {
    /// Which wallet; the caller's own, if he has one
    wallet: Option<Place>,
    #[command(flatten)]
    much: Much,
}

impl Statement {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let (id, _) = client.wallet(self.wallet.as_ref(), None).await?;
        let path = format!("/v1/wallets/{id}/entries");
        Ok(Shown::Many(&ENTRIES, client.list(&path, &ENTRIES, self.much.most()).await?))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Holds {
    /// Of which wallet, or which hold, by its id; the caller's own wallet, if he has one
    what: Option<Place>,
    #[command(flatten)]
    much: Much,
}

impl Holds {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        if let Some(Place::Transaction(hold)) = self.what {
            return Ok(Shown::One(client.get(&format!("/v1/holds/{hold}")).await?));
        }
        let (id, _) = client.wallet(self.what.as_ref(), None).await?;
        let path = format!("/v1/wallets/{id}/holds");
        Ok(Shown::Many(&HOLDS, client.list(&path, &HOLDS, self.much.most()).await?))
    }
}
