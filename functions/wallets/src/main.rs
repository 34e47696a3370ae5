//! The `wallets` function in Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    wallet_lambda::serve::<wallet_wallets::Wallets>()
}
