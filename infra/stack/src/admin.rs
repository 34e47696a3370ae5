//! What operators ask of the local stack, outside of the contract: dead letters, listed and driven back.
//!
//! | request | answers |
//! |---|---|
//! | `GET /_local/dead-letters` | `{"dead_letters": [..], "waiting": n}`, oldest first |
//! | `POST /_local/dead-letters/redrive` | `{"redriven": n}`: all of them |
//! | `POST /_local/dead-letters/{message_id}/redrive` | `{"redriven": 1}`, or 404 |
//!
//! In the cloud this is the queue's own business. Each asks for a token with `wallets:admin`, so that no web page can do
//! it in passing. It never looks into a message.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use wallet_lambda::{Code, Problem, scope};

use crate::clock;
use crate::gateway::{authorize, refusal};
use crate::queue::{DeadLetter, Queue};

pub(crate) fn router(queue: Arc<Queue>) -> Router {
    Router::new()
        .route("/_local/dead-letters", get(list))
        .route("/_local/dead-letters/redrive", post(redrive_all))
        .route("/_local/dead-letters/{message_id}/redrive", post(redrive_one))
        .with_state(queue)
}

async fn list(State(queue): State<Arc<Queue>>, parts: Parts) -> Response {
    answer(&parts, || {
        let letters: Vec<Value> = queue.dead_letters()?.iter().map(letter).collect();
        Ok(json!({"dead_letters": letters, "waiting": queue.depth()?}))
    })
}

async fn redrive_all(State(queue): State<Arc<Queue>>, parts: Parts) -> Response {
    answer(&parts, || Ok(json!({"redriven": queue.redrive(None, clock::now())?})))
}

async fn redrive_one(State(queue): State<Arc<Queue>>, Path(message_id): Path<String>, parts: Parts) -> Response {
    answer(&parts, || match queue.redrive(Some(&message_id), clock::now())? {
        0 => Err(Failure::Refused(Problem::new(
            Code::RouteNotFound,
            format!("There is no dead letter with the message id {message_id}."),
        ))),
        redriven => Ok(json!({"redriven": redriven})),
    })
}

enum Failure {
    Refused(Problem),
    Fault(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Fault(error)
    }
}

/// What `work` answers, if the caller may ask for it.
fn answer(parts: &Parts, work: impl FnOnce() -> Result<Value, Failure>) -> Response {
    let answer = authorize(parts, scope::WALLETS_ADMIN).map_err(Failure::Refused).and_then(|_| work());
    match answer {
        Ok(body) => {
            let mut response = Response::new(Body::from(body.to_string()));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(Failure::Refused(problem)) => refusal(&problem),
        Err(Failure::Fault(error)) => {
            tracing::error!("the queue failed: {error:#}");
            refusal(&Problem::internal(format!("{error:#}")))
        }
    }
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
