//! The `holds` function in Lambda.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    wallet_lambda::serve::<wallet_holds::Holds>().await
}
