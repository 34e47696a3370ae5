//! The `publish` function in Lambda.

use std::process::ExitCode;

use wallet_messaging::Sender;
use wallet_publish::{Bus, NAME};

fn main() -> ExitCode {
    let bus = Bus::from_vars(|name| std::env::var(name).ok());
    let handle = async |bus: &Bus, sender: &Sender, event: &str| {
        Ok(wallet_publish::report(bus, sender, serde_json::from_str(event)?).await.response)
    };
    wallet_lambda::serve_sender(NAME, bus, Sender::connect, handle)
}
