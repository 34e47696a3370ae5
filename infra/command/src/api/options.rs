//! The options that requests have in common, and how they are sent: under a key that is told before.

use anstream::eprintln;
use owo_colors::OwoColorize as _;
use serde_json::Value;
use uuid::Uuid;
use wallet_domain::{Currency, IdempotencyKey, Reference, WalletId};

use super::client::{Client, Request};
use super::failure::Failure;
use super::names::Place;
use super::shown::Shown;
use super::words::{currency, label, plain};

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

fn named(key: &str) -> (&'static str, String) {
    ("idempotency-key", format!("\"{key}\""))
}

impl Key {
    /// Sends `request` under the key, which is told first: who loses the answer can ask again.
    pub(crate) async fn send(self, client: &Client, mut request: Request) -> Result<Value, Failure> {
        let key = self.key.unwrap_or_else(|| Uuid::new_v4().to_string());
        eprintln!("{}", format!("key {key}").dimmed());
        request.headers.push(named(&key));
        let answer = client.ask(request, Some(&key)).await?;
        if answer["status"] == "queued" {
            let id = plain(answer["id"].as_str().unwrap_or_default());
            eprintln!("{}", format!("it waits to be executed; `wallet show {id}` tells what has come of it").dimmed());
        }
        Ok(answer)
    }

    /// What would become of `request` now; of the one that was sent under the key, if one is given, what became of it.
    async fn ask_before(self, client: &Client, mut request: Request) -> Result<Value, Failure> {
        eprintln!("{}", "a dry run: this would come of it now, and nothing is written".dimmed());
        request.path += "?dry_run=true";
        request.headers.extend(self.key.as_deref().map(named));
        client.ask(request, None).await
    }
}

/// Labels of one's own.
#[derive(Debug, clap::Args)]
pub(crate) struct Labels {
    /// A label of one's own, any number of them
    #[arg(long = "label", value_name = "NAME=TEXT", value_parser = label)]
    labels: Vec<(String, String)>,
}

impl Labels {
    pub(crate) fn put(self, body: &mut Value) {
        if !self.labels.is_empty() {
            body["metadata"] = Value::Object(self.labels.into_iter().map(|(name, text)| (name, text.into())).collect());
        }
    }
}

/// What is written down with a movement.
#[derive(Debug, clap::Args)]
pub(crate) struct Note {
    /// One's own name for it; the statement shows it
    #[arg(long, value_name = "TEXT", value_parser = reference)]
    reference: Option<String>,
    #[command(flatten)]
    labels: Labels,
}

pub(crate) fn reference(text: &str) -> Result<String, String> {
    text.parse::<Reference>().map(|reference| reference.to_string()).map_err(|error| error.to_string())
}

impl Note {
    pub(crate) fn put(self, body: &mut Value) {
        put(body, [("reference", self.reference)]);
        self.labels.put(body);
    }
}

/// Those of `fields` that say something.
pub(crate) fn put<const N: usize>(body: &mut Value, fields: [(&str, Option<String>); N]) {
    for (name, value) in fields {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
}

/// How a movement is carried out.
#[derive(Debug, clap::Args)]
pub(crate) struct Manner {
    /// How it is isolated from others; as the deployment chooses without it
    #[arg(long, value_parser = ["optimistic", "pessimistic"])]
    strategy: Option<String>,
    /// Only ask what would be posted now, or why not; nothing is written
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: Key,
}

impl Manner {
    pub(crate) async fn post(self, client: &Client, path: String, body: Value) -> Result<Shown, Failure> {
        self.send(client, Request::post(path, body)).await
    }

    async fn send(self, client: &Client, mut request: Request) -> Result<Shown, Failure> {
        if let Some(body) = &mut request.body {
            put(body, [("locking_strategy", self.strategy)]);
        }
        let Manner { dry_run, key, .. } = self;
        let answer = if dry_run { key.ask_before(client, request).await } else { key.send(client, request).await };
        Ok(Shown::One(answer?))
    }
}

/// How money is moved out of a wallet, or into one.
#[derive(Debug, clap::Args)]
pub(crate) struct Terms {
    #[command(flatten)]
    note: Note,
    /// Of the amount, where the wallet does not tell
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub(super) currency: Option<Currency>,
    /// Only if the (source) wallet is at this version
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
    #[command(flatten)]
    manner: Manner,
}

impl Terms {
    pub(crate) async fn post(
        self,
        client: &Client,
        path: String,
        mut body: Value,
        when: When,
    ) -> Result<Shown, Failure> {
        self.note.put(&mut body);
        let mut request = Request::post(path, body);
        request.headers.extend(self.if_version.map(|version| ("if-match", format!("\"{version}\""))));
        request.headers.extend(when.queued.then(|| ("prefer", "respond-async".to_owned())));
        self.manner.send(client, request).await
    }
}

/// How money leaves a wallet, and which.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// From which wallet; the caller's own, if he has one
    #[arg(long, value_name = "WALLET")]
    from: Option<Place>,
    #[command(flatten)]
    terms: Terms,
}

impl Source {
    /// The wallet, and the currency that its money is in.
    pub(crate) async fn wallet(&self, client: &Client) -> Result<(WalletId, Currency), Failure> {
        client.wallet(self.from.as_ref(), self.terms.currency).await
    }

    pub(crate) async fn post(self, client: &Client, path: &str, body: Value, when: When) -> Result<Shown, Failure> {
        self.terms.post(client, path.to_owned(), body, when).await
    }
}

/// When a movement is carried out: before it is answered, unless its caller would rather not wait.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct When {
    /// Be answered before it is executed; `show` of its id tells later what has come of it
    #[arg(long, conflicts_with_all = ["dry_run", "if_version"])]
    queued: bool,
}
