//! The console: one page on this machine that shows the ledger, over the same API as any caller's, and what the page asks of the
//! local stack alone.
//!
//! Neither the page nor what is served beside it holds a token: whoever opens it brings one in the fragment of its address, which no
//! browser sends.
//!
//! | request | answers |
//! |---|---|
//! | `GET /_local` | `{"dynamodb_url": "..", "table": "..", "prices": {..}}` |
//!
//! The stack's own `/_local/queues` is beside it. Each asks for a token with `wallets:admin`.

mod local;
mod page;
mod prices;

use axum::Router;
use wallet_stack::Surroundings;

/// The page, and what it asks of the stack that these are the surroundings of.
pub fn router(surroundings: Surroundings) -> Router {
    page::router().merge(local::router(surroundings))
}
