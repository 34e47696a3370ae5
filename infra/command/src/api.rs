//! The API from a shell: `wallet open`, `deposit`, `withdraw`, `send`, `show`, `statement` and `watch`, of a stack on this machine
//! or of a deployment. It asks over HTTP as any caller does, and knows nothing of the table.
//!
//! What was answered goes to stdout; a request's key, and what went wrong, to stderr.

mod client;
mod failure;
mod movement;
mod names;
mod shown;
mod watch;
mod words;

use std::process::ExitCode;

use axum::http::Method;
use serde_json::{Value, json};

use client::{Client, Connection, Request};
use failure::Failure;
use movement::{Key, Movement, Note};
use names::Place;
use shown::Shown;
use words::{Amount, Currency, label, limit};

/// What `--help` says of every command at its end.
const AFTER: &str = "\
Exit codes: 0 done, now or before; 1 failed; 2 wrong arguments; 3 refused; 4 nothing has moved, try again with the same key; \
5 the outcome is not known, ask again with the same key.
Wallets: an id, or a name for the one wallet that its owner has; alice/EUR is hers in euro, where she has several.
A deployment: WALLET_URL and WALLET_TOKEN in the environment, instead of --as. More: docs/command.md";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Open a wallet
    #[command(after_help = AFTER)]
    Open(Open),
    /// Bring money into a wallet
    #[command(after_help = AFTER)]
    Deposit(InOut),
    /// Take money out of a wallet
    #[command(after_help = AFTER)]
    Withdraw(InOut),
    /// Send money to another wallet
    #[command(after_help = AFTER)]
    Send(Send),
    /// Show one's wallets, or a wallet, or a transaction
    #[command(after_help = AFTER)]
    Show(Show),
    /// Print a wallet's statement, newest first
    #[command(after_help = AFTER)]
    Statement(Statement),
    /// Follow all movements that one may see, as they come
    #[command(after_help = AFTER)]
    Watch(watch::Watch),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// What it holds: an ISO 4217 code such as EUR
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
    /// A label of one's own, any number of them
    #[arg(long = "label", value_name = "NAME=TEXT", value_parser = label)]
    labels: Vec<(String, String)>,
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InOut {
    /// How much, such as 12.50
    amount: Amount,
    /// Which wallet; the caller's own, if he has one
    wallet: Option<Place>,
    #[command(flatten)]
    note: Note,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Send {
    /// How much, such as 12.50
    amount: Amount,
    /// To which wallet
    to: Place,
    /// From which wallet; the caller's own, if he has one
    #[arg(long, value_name = "WALLET")]
    from: Option<Place>,
    #[command(flatten)]
    note: Note,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// A wallet or a transaction; all of one's wallets without it
    what: Option<Place>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Statement {
    /// Which wallet; the caller's own, if he has one
    wallet: Option<Place>,
    /// How many entries at most
    #[arg(long, default_value_t = 20, value_parser = limit, conflicts_with = "all")]
    limit: u64,
    /// Every entry
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) fn run(verb: Verb) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread to run on");
    let json = verb.connection().json;
    match runtime.block_on(answer(verb)) {
        Ok(shown) => {
            shown.print(json);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            failure.print(json);
            failure.code()
        }
    }
}

impl Verb {
    fn connection(&self) -> &Connection {
        match self {
            Verb::Open(Open { connection, .. })
            | Verb::Deposit(InOut { connection, .. })
            | Verb::Withdraw(InOut { connection, .. })
            | Verb::Send(Send { connection, .. })
            | Verb::Show(Show { connection, .. })
            | Verb::Statement(Statement { connection, .. })
            | Verb::Watch(watch::Watch { connection }) => connection,
        }
    }
}

/// Asks, and says what was answered.
async fn answer(verb: Verb) -> Result<Shown, Failure> {
    let client = Client::new(verb.connection())?;
    match verb {
        Verb::Open(open) => open.run(&client).await,
        Verb::Deposit(InOut { amount, wallet, note, .. }) => {
            let (wallet, currency) = client.wallet(wallet.as_ref(), note.currency.as_ref()).await?;
            let path = format!("/v1/wallets/{wallet}/deposits");
            Movement { path, amount, currency, between: None, note }.run(&client).await
        }
        Verb::Withdraw(InOut { amount, wallet, note, .. }) => {
            let (wallet, currency) = client.wallet(wallet.as_ref(), note.currency.as_ref()).await?;
            let path = format!("/v1/wallets/{wallet}/withdrawals");
            Movement { path, amount, currency, between: None, note }.run(&client).await
        }
        Verb::Send(Send { amount, to, from, note, .. }) => {
            let (source, currency) = client.wallet(from.as_ref(), note.currency.as_ref()).await?;
            let (destination, _) = client.wallet(Some(&to), Some(&currency)).await?;
            let between = Some((source, destination));
            Movement { path: "/v1/transfers".to_owned(), amount, currency, between, note }.run(&client).await
        }
        Verb::Show(Show { what, .. }) => match what {
            None => Ok(Shown::Wallets(client.own_wallets().await?)),
            Some(Place::Transaction(id)) => {
                Ok(Shown::Transaction(client.get(&format!("/v1/transactions/{id}")).await?))
            }
            Some(place) => {
                let (id, _) = client.wallet(Some(&place), None).await?;
                Ok(Shown::Wallet(client.get(&format!("/v1/wallets/{id}")).await?))
            }
        },
        Verb::Statement(Statement { wallet, limit, all, .. }) => {
            let (id, _) = client.wallet(wallet.as_ref(), None).await?;
            let most = if all { u64::MAX } else { limit };
            Ok(Shown::Entries(client.list(&format!("/v1/wallets/{id}/entries"), "entries", most).await?))
        }
        Verb::Watch(watch::Watch { connection }) => {
            watch::follow(&client, |event| watch::print(event, connection.json)).await
        }
    }
}

impl Open {
    async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let mut body = json!({"currency": self.currency.as_str()});
        if !self.labels.is_empty() {
            body["metadata"] = Value::Object(self.labels.into_iter().map(|(name, text)| (name, text.into())).collect());
        }
        let ceiling = self.ceiling.map(|amount| amount.as_str().to_owned());
        for (name, value) in [("owner", self.owner), ("floor", self.floor), ("ceiling", ceiling)] {
            if let Some(value) = value {
                body[name] = value.into();
            }
        }
        let request =
            Request { method: Method::POST, path: "/v1/wallets".to_owned(), body: Some(body), headers: vec![] };
        Ok(Shown::Wallet(self.key.send(client, request).await?))
    }
}

#[cfg(test)]
mod tests;
