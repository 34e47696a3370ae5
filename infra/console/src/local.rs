//! What the page asks of the local stack alone, under `/_local`. A deployment has none of it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::request::Parts;
use axum::routing::{get, post};
use serde_json::json;
use tokio::sync::Semaphore;
use wallet_dynamodb::Ledger;
use wallet_lambda::{Code, Problem};
use wallet_stack::{Surroundings, answer};

use crate::audit::Audits;
use crate::contention::Contention;
use crate::prices::PRICES;
use crate::trail::Trail;

pub(crate) fn router(surroundings: Surroundings, trail: Arc<Trail>) -> Router {
    let Surroundings { dynamodb_url, table, client, api, stopped } = surroundings;
    let audits = Audits { ledger: Ledger::new(client, table), stopped: stopped.clone() };
    let turn = Arc::new(Semaphore::new(1));
    let contention = Contention { api, trail: Arc::clone(&trail), stopped, turn };
    let here = async move |parts: Parts| {
        answer(&parts, || Ok(json!({"dynamodb_url": dynamodb_url, "table": table, "prices": PRICES.to_json()})))
    };
    let movement = async move |Path(id): Path<String>, parts: Parts| {
        answer(&parts, || {
            let seen = id.parse().ok().and_then(|id| trail.of(id));
            let unseen = "Nothing was seen of that movement since the stack was started.";
            Ok(seen.ok_or_else(|| Problem::new(Code::TransactionNotFound, unseen))?)
        })
    };
    Router::new()
        .route("/_local", get(here))
        .route("/_local/movements/{transaction_id}", get(movement))
        .route("/_local/audit", post(async move |parts: Parts| audits.answer(parts).await))
        .route("/_local/contention", post(async move |request: Request| contention.answer(request).await))
}

#[cfg(test)]
mod tests;
