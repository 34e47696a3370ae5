//! The `rebate` function in Lambda.

use std::process::ExitCode;

use wallet_rebate::Rebate;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    wallet_lambda::serve_queue::<Rebate>().await
}
