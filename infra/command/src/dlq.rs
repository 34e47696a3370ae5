//! `wallet dlq`: the dead letters of a running `wallet up`, listed with their reasons and driven back.
//!
//! It speaks to the gateway and never opens the data itself, which the running stack has locked.

use anyhow::Result;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::console;
use crate::local::{ask, plain};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where `up` says that it is ready
    #[arg(long, global = true, default_value = "http://127.0.0.1:9000")]
    url: String,
    /// Whose: rebate, settle, requests, publish, or dispatch, which has the records of the stream that it could not read
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

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    console::line(&answer(arguments).await?);
    Ok(())
}

async fn answer(Arguments { url, queue, action }: &Arguments) -> Result<String> {
    let letters = format!("/_local/queues/{queue}/dead-letters");
    match action {
        Action::List => Ok(show(&ask(url, Method::GET, &letters, None).await?)),
        Action::Redrive(which) => {
            let path = match which.message_id {
                Some(id) => format!("{letters}/{id}/redrive"),
                None => format!("{letters}/redrive"),
            };
            let answer = ask(url, Method::POST, &path, None).await?;
            Ok(match answer["redriven"].as_u64() {
                Some(0) => "no dead letters".to_owned(),
                Some(1) => "1 dead letter driven back".to_owned(),
                many => format!("{} dead letters driven back", many.unwrap_or_default()),
            })
        }
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

#[cfg(test)]
mod tests;
