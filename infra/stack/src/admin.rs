//! What operators ask of the local stack, outside of the contract: to list its queues and dead letters, to drive these back,
//! and to send messages again.
//!
//! | request | answers |
//! |---|---|
//! | `GET /_local/queues` | `{"queues": [{"queue": "rebate", "waiting": n, "oldest_ms": n or null, "dead_letters": n}, ..]}` |
//! | `GET /_local/queues/{queue}/dead-letters` | `{"dead_letters": [..], "waiting": n}`, oldest first |
//! | `POST /_local/queues/{queue}/dead-letters/redrive` | `{"redriven": n}`: all of them |
//! | `POST /_local/queues/{queue}/dead-letters/{message_id}/redrive` | `{"redriven": 1}`, or 404 |
//! | `POST /_local/queues/{queue}/messages` with `{"messages": [{"body": "..", "group": {"id": "..", "deduplication": ".."} or null}]}`, ten at most | `{"sent": n}`: all of them, or none |
//!
//! A queue is named by the function that reads it. In the cloud operators ask SQS itself. Each request needs a token with
//! `wallets:admin`, so that no web page can make it in passing. Nothing here looks into a message.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use wallet_lambda::{Code, Problem, scope};
use wallet_messaging::{Group, Message};

use crate::clock;
use crate::gateway::{authorize, refusal};
use crate::queue::{DeadLetter, Queue};

/// As many messages as a call of SQS takes.
const BATCH: usize = 10;

/// By the names of the functions that read them.
type Queues = Arc<BTreeMap<String, Arc<Queue>>>;

pub(crate) fn router(queues: BTreeMap<String, Arc<Queue>>) -> Router {
    Router::new()
        .route("/_local/queues", get(all))
        .route("/_local/queues/{queue}/dead-letters", get(list))
        .route("/_local/queues/{queue}/dead-letters/redrive", post(redrive_all))
        .route("/_local/queues/{queue}/dead-letters/{message_id}/redrive", post(redrive_one))
        .route("/_local/queues/{queue}/messages", post(send))
        .with_state(Arc::new(queues))
}

async fn all(State(queues): State<Queues>, parts: Parts) -> Response {
    answer(&parts, || {
        let now = clock::now();
        let states = queues.iter().map(|(name, queue)| {
            let state = queue.state()?;
            let age = |sent: Timestamp| now.as_millisecond().saturating_sub(sent.as_millisecond()).max(0);
            Ok(json!({
                "queue": name,
                "waiting": state.waiting,
                "oldest_ms": state.oldest.map(age),
                "dead_letters": state.dead_letters,
            }))
        });
        Ok(json!({"queues": states.collect::<Result<Vec<_>>>()?}))
    })
}

async fn list(State(queues): State<Queues>, Path(name): Path<String>, parts: Parts) -> Response {
    of_queue(&parts, &queues, &name, |queue| {
        let letters: Vec<Value> = queue.dead_letters()?.iter().map(letter).collect();
        Ok(json!({"dead_letters": letters, "waiting": queue.depth()?}))
    })
}

async fn redrive_all(State(queues): State<Queues>, Path(name): Path<String>, parts: Parts) -> Response {
    of_queue(&parts, &queues, &name, |queue| Ok(json!({"redriven": queue.redrive(None, clock::now())?})))
}

async fn redrive_one(
    State(queues): State<Queues>,
    Path((name, message_id)): Path<(String, String)>,
    parts: Parts,
) -> Response {
    of_queue(&parts, &queues, &name, |queue| match queue.redrive(Some(&message_id), clock::now())? {
        0 => Err(not_found(format!("There is no dead letter with the message id {message_id}."))),
        redriven => Ok(json!({"redriven": redriven})),
    })
}

async fn send(State(queues): State<Queues>, Path(name): Path<String>, parts: Parts, body: Bytes) -> Response {
    of_queue(&parts, &queues, &name, |queue| {
        let messages = messages(&body).ok_or_else(|| {
            let detail =
                format!("Write {{\"messages\": [{{\"body\": \"..\", \"group\": null}}]}}, {BATCH} of them at most.");
            Failure::Refused(Problem::new(Code::MalformedRequest, detail))
        })?;
        queue.send_all(&messages, clock::now())?;
        Ok(json!({"sent": messages.len()}))
    })
}

fn messages(body: &[u8]) -> Option<Vec<Message>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let group = |value: &Value| Some(Group { id: text(&value["id"])?, deduplication: text(&value["deduplication"])? });
    let message = |message: &Value| {
        let group = if message["group"].is_null() { None } else { Some(group(&message["group"])?) };
        Some(Message { body: text(&message["body"])?, group })
    };
    body["messages"].as_array().filter(|messages| messages.len() <= BATCH)?.iter().map(message).collect()
}

fn not_found(detail: String) -> Failure {
    Failure::Refused(Problem::new(Code::RouteNotFound, detail))
}

/// What `work` answers on the queue of this name, if the caller may ask for it.
fn of_queue(
    parts: &Parts,
    queues: &Queues,
    name: &str,
    work: impl FnOnce(&Queue) -> Result<Value, Failure>,
) -> Response {
    let queue = || {
        let names: Vec<_> = queues.keys().map(String::as_str).collect();
        let unknown = || not_found(format!("There is no queue {name}; there are {}.", names.join(", ")));
        queues.get(name).ok_or_else(unknown)
    };
    answer(parts, || work(queue()?))
}

/// Why an operator is not answered.
pub enum Failure {
    /// The operator is told why.
    Refused(Problem),
    /// The log is told why.
    Fault(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Fault(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure::Refused(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Failure::Refused(problem) => refusal(&problem),
            Failure::Fault(error) => {
                tracing::error!("what an operator asked for failed: {error:#}");
                refusal(&Problem::internal(format!("{error:#}")))
            }
        }
    }
}

/// Answers a request that has a token with `wallets:admin` with what `work` comes to, as JSON; others, that such a token is
/// needed.
pub fn answer(parts: &Parts, work: impl FnOnce() -> Result<Value, Failure>) -> Response {
    let answer = authorize(parts, scope::WALLETS_ADMIN).map_err(Failure::Refused).and_then(|_| work());
    answer.map_or_else(Failure::into_response, |body| {
        ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    })
}

fn letter(letter: &DeadLetter) -> Value {
    json!({
        "message_id": letter.message_id,
        "sent_at": letter.sent_at.to_string(),
        "receive_count": letter.receive_count,
        "reason": letter.reason,
        "body": letter.body,
    })
}

#[cfg(test)]
mod tests;
