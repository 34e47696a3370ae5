//! The `settle` function in Lambda.

use std::process::ExitCode;

use wallet_settle::Settle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    wallet_lambda::serve_queue::<Settle>().await
}
