//! The console: one page on this machine that shows the ledger, over the same API as any caller's, and what the page asks of the
//! local stack alone.
//!
//! Neither the page nor what is served beside it holds a token: whoever opens it brings one in the fragment of its address, which no
//! browser sends.
//!
//! | request | answers |
//! |---|---|
//! | `GET /_local` | `{"dynamodb_url": "..", "table": "..", "prices": {..}}` |
//! | `GET /_local/movements/{transaction_id}` | what happened to one movement, step by step, and what it costs |
//! | `POST /_local/audit` | server-sent events: `progress`, and `report` or `problem` |
//! | `POST /_local/contention` | server-sent events: `progress`, and `done` or `problem` |
//!
//! The stack's own `/_local/queues` is beside it. Each asks for a token with `wallets:admin`.

mod audit;
mod contention;
mod local;
mod page;
mod prices;
mod progress;
#[cfg(test)]
mod testing;
mod trail;

use std::sync::Arc;

use axum::Router;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;
use wallet_stack::Surroundings;

use trail::Trail;

/// The page by itself: for an API that is elsewhere.
pub fn page() -> Router {
    page::router()
}

/// A console, and what it has seen of the stack's movements.
#[derive(Clone)]
pub struct Console(Arc<Trail>);

impl Console {
    /// One that has seen nothing.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is made once, on purpose")]
    pub fn new() -> Console {
        Console(Trail::new())
    }

    /// What shows it the movements: to be put beside the log, which it doesn't change.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        self.0.layer()
    }

    /// The page, and what it asks of the stack that these are the surroundings of.
    pub fn router(&self, surroundings: Surroundings) -> Router {
        page::router().merge(local::router(surroundings, Arc::clone(&self.0)))
    }
}
