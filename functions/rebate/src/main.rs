//! The `rebate` function in Lambda.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    wallet_lambda::serve_queue(wallet_rebate::NAME, wallet_rebate::handle).await
}
