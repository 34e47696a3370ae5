//! `wallet show` and `statement`: what is there, and what has been.

use super::client::{Client, Connection};
use super::failure::Failure;
use super::names::Place;
use super::shown::{ENTRIES, Shown, WALLETS};
use super::words::limit;

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// A wallet or a transaction; all of one's wallets without it
    what: Option<Place>,
    #[command(flatten)]
    pub(super) connection: Connection,
}

impl Show {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let path = match self.what {
            None => return Ok(Shown::Many(&WALLETS, client.own_wallets().await?)),
            Some(Place::Transaction(id)) => format!("/v1/transactions/{id}"),
            Some(place) => format!("/v1/wallets/{}", client.wallet(Some(&place), None).await?.0),
        };
        Ok(Shown::One(client.get(&path).await?))
    }
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
    #[command(flatten)]
    pub(super) connection: Connection,
}

impl Statement {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let (id, _) = client.wallet(self.wallet.as_ref(), None).await?;
        let path = format!("/v1/wallets/{id}/entries");
        Ok(Shown::Many(&ENTRIES, client.list(&path, &ENTRIES, self.much.most()).await?))
    }
}
