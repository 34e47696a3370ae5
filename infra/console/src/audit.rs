//! The audit at a button: `POST /_local/audit` goes through the whole table, and tells how far it is and what it found, as
//! `cargo wallet audit --json` does. It reads only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;
use tokio::sync::watch;
use wallet_audit::Audit;
use wallet_dynamodb::Ledger;
use wallet_lambda::{Problem, scope};
use wallet_stack::{authorize, refusal};

use crate::progress;

/// As many as the command's.
const SEGMENTS: u32 = 4;

/// What an audit needs.
#[derive(Clone)]
pub(crate) struct Audits {
    pub(crate) ledger: Ledger,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Audits {
    /// Audits for an administrator.
    pub(crate) async fn answer(self, parts: Parts) -> Response {
        if let Err(problem) = authorize(&parts, scope::WALLETS_ADMIN) {
            return refusal(&problem);
        }
        let read = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&read);
        let audit = Audit::new(self.ledger, SEGMENTS).with_progress(Arc::new(move |items| {
            counted.fetch_add(u64::try_from(items).unwrap_or(0), Ordering::Relaxed);
        }));
        let of = audit.items().await;
        let far = move || {
            let read = read.load(Ordering::Relaxed);
            // Items that have come since the table counted.
            json!({"read": read, "of": of.map(|of| of.max(read))})
        };
        progress::told(self.stopped, far, async move {
            let report = audit.table().await.map_err(|fault| {
                tracing::error!("the audit failed: {fault}");
                Problem::internal(fault.to_string())
            })?;
            Ok(("report", report.to_json()))
        })
    }
}
