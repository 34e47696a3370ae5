//! `wallet dlq`: the dead letters of a running `wallet up`, listed with their reasons and driven back.
//!
//! It speaks to the gateway and never opens the data itself, which the running stack has locked.

use anyhow::{Context, Result, bail, ensure};
use jiff::SignedDuration;
use reqwest::{Client, Method};
use serde_json::Value;
use uuid::Uuid;
use wallet_stack::{clock, token};

use crate::console;

/// Of the token that is made for each request.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where `up` says that it is ready
    #[arg(long, global = true, default_value = "http://127.0.0.1:9000")]
    url: String,
    /// Whose: rebate, settle, publish, or dispatch, which has the records of the stream that it could not read
    #[arg(long, global = true, default_value = "rebate")]
    queue: String,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the messages that could not be worked on, each with why it failed last
    List,
    /// Put dead letters back into the queue, as if they had never been received
    ///
    /// Mend the cause first. A rebate is paid once, and a credit settled once, however often a message comes. A record of the
    /// stream is read once more.
    Redrive(Which),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The one with this id, as `list` shows it
    #[arg(long, value_name = "ID")]
    message_id: Option<Uuid>,
    /// All of them
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no thread to run on")?;
    console::line(&runtime.block_on(answer(arguments))?);
    Ok(())
}

async fn answer(Arguments { url, queue, action }: &Arguments) -> Result<String> {
    let letters = format!("/_local/queues/{queue}/dead-letters");
    match action {
        Action::List => Ok(show(&ask(url, Method::GET, &letters).await?)),
        Action::Redrive(which) => {
            let path = match which.message_id {
                Some(id) => format!("{letters}/{id}/redrive"),
                None => format!("{letters}/redrive"),
            };
            let answer = ask(url, Method::POST, &path).await?;
            Ok(match answer["redriven"].as_u64() {
                Some(0) => "no dead letters".to_owned(),
                Some(1) => "1 dead letter driven back".to_owned(),
                many => format!("{} dead letters driven back", many.unwrap_or_default()),
            })
        }
    }
}

async fn ask(url: &str, method: Method, path: &str) -> Result<Value> {
    ensure!(url.starts_with("http://"), "--url must start with http://, and `{url}` does not");
    let url = url.trim_end_matches('/');
    let token = token::mint("operator", "wallets:admin", TOKEN_LIFE, clock::now())?;
    let client = Client::builder().no_proxy().build()?;
    let request = client.request(method, format!("{url}{path}")).bearer_auth(token);
    let response = request.send().await.map_err(|error| {
        if error.is_connect() {
            anyhow::anyhow!("nothing answers at {url}.\nStart `cargo wallet up`, or say with --url where it is ready.")
        } else {
            anyhow::Error::new(error).context(format!("asking {url}"))
        }
    })?;
    let status = response.status();
    let body: Option<Value> = response.json().await.ok();
    match body {
        Some(answer) if status.is_success() => Ok(answer),
        Some(problem) if problem["detail"].is_string() && problem["request_id"].is_string() => {
            bail!("{}", plain(&problem["detail"]))
        }
        _ => bail!(
            "{url} is no local stack: {path} answered {status}.\nSay with --url where `cargo wallet up` is ready."
        ),
    }
}

fn show(answer: &Value) -> String {
    let letters = answer["dead_letters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let count = match letters.len() {
        0 => "no dead letters".to_owned(),
        1 => "1 dead letter".to_owned(),
        many => format!("{many} dead letters, oldest first"),
    };
    let waiting = match answer["waiting"].as_u64() {
        Some(1) => "1 message waits or is tried again".to_owned(),
        many => format!("{} messages wait or are tried again", many.unwrap_or_default()),
    };
    let mut text = format!("{count}; {waiting}");
    for letter in letters {
        let reason =
            if letter["reason"].is_null() { "no reason is known".to_owned() } else { plain(&letter["reason"]) };
        text += &format!(
            "\n\n{}  sent {}, received {} times\n  {reason}\n  {}",
            plain(&letter["message_id"]),
            plain(&letter["sent_at"]),
            letter["receive_count"],
            plain(&letter["body"])
        );
    }
    text
}

/// What a message says must not reach a terminal as a command to it.
fn plain(text: &Value) -> String {
    let text = text.as_str().unwrap_or_default();
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests;
