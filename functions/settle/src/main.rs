//! The `settle` function in Lambda.

use std::process::ExitCode;

use wallet_settle::Settle;

fn main() -> ExitCode {
    wallet_lambda::serve_queue::<Settle>()
}
