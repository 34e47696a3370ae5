//! The `requests` function in Lambda.

use std::process::ExitCode;

use wallet_requests::Execute;

fn main() -> ExitCode {
    wallet_lambda::serve_queue::<Execute>()
}
