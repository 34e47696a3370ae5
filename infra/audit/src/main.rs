//! The `audit` function in Lambda.

use std::process::ExitCode;

use wallet_audit::function::{Auditor, NAME, handle};

// More threads than one: segments are worked on side by side.
#[tokio::main]
async fn main() -> ExitCode {
    wallet_lambda::serve_schedule(NAME, |app| Auditor::new(app, |name| std::env::var(name).ok()), handle).await
}
