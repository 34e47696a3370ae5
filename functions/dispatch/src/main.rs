//! The `dispatch` function in Lambda.

use std::process::ExitCode;

use wallet_dispatch::{NAME, Queues, handle};
use wallet_messaging::Sender;

fn main() -> ExitCode {
    let queues = Queues::from_vars(|name| std::env::var(name).ok());
    wallet_lambda::serve_sender(NAME, queues, Sender::connect, handle)
}
