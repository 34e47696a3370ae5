//! A movement of money as it is asked for: under a key that is told before it is sent.

use anstream::eprintln;
use axum::http::Method;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};
use uuid::Uuid;
use wallet_domain::{IdempotencyKey, Reference, WalletId};

use super::client::{Client, Request};
use super::failure::Failure;
use super::shown::Shown;
use super::words::{Amount, Currency, label};

/// What names a request for ever.
#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    /// The key of a request that was sent before, to be told its answer; a new one without it
    #[arg(long, value_name = "KEY", value_parser = key)]
    key: Option<String>,
}

fn key(text: &str) -> Result<String, String> {
    let known = text.parse::<IdempotencyKey>().map(|key| key.as_str().to_owned());
    known.map_err(|error| format!("a key {error}"))
}

impl Key {
    /// Sends `request` under the key, which is told first: who loses the answer can ask again.
    pub(crate) async fn send(self, client: &Client, mut request: Request) -> Result<Value, Failure> {
        let key = self.key.unwrap_or_else(|| Uuid::new_v4().to_string());
        eprintln!("{}", format!("key {key}").dimmed());
        request.headers.push(("idempotency-key", format!("\"{key}\"")));
        client.ask(request, Some(&key)).await
    }
}

/// What goes with a movement.
#[derive(Debug, clap::Args)]
pub(crate) struct Note {
    /// One's own name for it; the statement shows it
    #[arg(long, value_name = "TEXT", value_parser = reference)]
    reference: Option<String>,
    /// A label of one's own, any number of them
    #[arg(long = "label", value_name = "NAME=TEXT", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Of the amount, where the wallet does not tell
    #[arg(long, value_name = "CODE")]
    pub(super) currency: Option<Currency>,
    /// Only if the (source) wallet is at this version
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
    /// How it is isolated from others; as the deployment chooses without it
    #[arg(long, value_parser = ["optimistic", "pessimistic"])]
    strategy: Option<String>,
    #[command(flatten)]
    key: Key,
}

fn reference(text: &str) -> Result<String, String> {
    text.parse::<Reference>().map(|reference| reference.to_string()).map_err(|error| error.to_string())
}

pub(crate) struct Movement {
    pub(crate) path: String,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    /// Source and destination, where both are wallets.
    pub(crate) between: Option<(WalletId, WalletId)>,
    pub(crate) note: Note,
}

impl Movement {
    pub(crate) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let Movement { path, amount, currency, between, note } = self;
        let mut body = json!({"amount": amount.as_str(), "currency": currency.as_str()});
        if let Some((source, destination)) = between {
            body["source"] = source.to_string().into();
            body["destination"] = destination.to_string().into();
        }
        if !note.labels.is_empty() {
            body["metadata"] = Value::Object(note.labels.into_iter().map(|(name, text)| (name, text.into())).collect());
        }
        for (name, value) in [("reference", note.reference), ("locking_strategy", note.strategy)] {
            if let Some(value) = value {
                body[name] = value.into();
            }
        }
        let headers = note.if_version.map(|version| ("if-match", format!("\"{version}\""))).into_iter().collect();
        let request = Request { method: Method::POST, path, body: Some(body), headers };
        Ok(Shown::Transaction(note.key.send(client, request).await?))
    }
}
