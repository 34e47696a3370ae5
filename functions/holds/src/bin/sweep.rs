//! The `sweep` function in Lambda.

use std::process::ExitCode;

use wallet_holds::sweep::{NAME, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    wallet_lambda::serve_schedule(NAME, Ok, handle).await
}
