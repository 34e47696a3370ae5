//! What the page asks of the local stack alone, under `/_local`. A deployment has none of it.

use axum::Router;
use axum::http::request::Parts;
use axum::routing::get;
use serde_json::json;
use wallet_stack::{Surroundings, answer};

use crate::prices::PRICES;

pub(crate) fn router(surroundings: Surroundings) -> Router {
    let Surroundings { dynamodb_url, table, .. } = surroundings;
    let here = async move |parts: Parts| {
        answer(&parts, || Ok(json!({"dynamodb_url": dynamodb_url, "table": table, "prices": PRICES.to_json()})))
    };
    Router::new().route("/_local", get(here))
}
