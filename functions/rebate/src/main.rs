//! The `rebate` function in Lambda.

use std::process::ExitCode;

use wallet_rebate::Rebate;

fn main() -> ExitCode {
    wallet_lambda::serve_queue::<Rebate>()
}
