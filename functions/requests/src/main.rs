//! The `requests` function in Lambda.

use std::process::ExitCode;

use wallet_requests::Execute;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    wallet_lambda::serve_queue::<Execute>().await
}
