//! The API from a shell: `wallet open`, `deposit`, `withdraw`, `send`, `show`, `statement` and `watch`, of a stack on this machine
//! or of a deployment. It asks over HTTP as any caller does, and knows nothing of the table.
//!
//! What was answered goes to stdout; a request's key, and what went wrong, to stderr.

mod client;
mod failure;
mod movement;
mod names;
mod open;
mod options;
mod show;
mod shown;
mod watch;
mod words;

use std::process::ExitCode;

use client::{Client, Connection};
use failure::Failure;
use movement::{InOut, Send};
use open::Open;
use show::{Show, Statement};
use shown::Shown;

/// What `--help` says of every command at its end.
const AFTER: &str = "\
Exit codes: 0 done, now or before; 1 failed; 2 wrong arguments; 3 refused; 4 nothing has moved, try again with the same key; \
5 the outcome is not known, ask again with the same key.
Wallets: an id, or a name for the one wallet that its owner has; alice/EUR is hers in euro, where she has several.
A deployment: WALLET_URL and WALLET_TOKEN in the environment, instead of --as. More: docs/command.md";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Open a wallet
    #[command(after_help = AFTER)]
    Open(Open),
    /// Bring money into a wallet
    #[command(after_help = AFTER)]
    Deposit(InOut),
    /// Take money out of a wallet
    #[command(after_help = AFTER)]
    Withdraw(InOut),
    /// Send money to another wallet
    #[command(after_help = AFTER)]
    Send(Send),
    /// Show one's wallets, or a wallet, or a transaction
    #[command(after_help = AFTER)]
    Show(Show),
    /// Print a wallet's statement, newest first
    #[command(after_help = AFTER)]
    Statement(Statement),
    /// Follow all movements that one may see, as they come
    #[command(after_help = AFTER)]
    Watch(watch::Watch),
}

pub(crate) fn run(verb: Verb) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread to run on");
    let json = verb.connection().json;
    match runtime.block_on(answer(verb)) {
        Ok(shown) => {
            shown.print(json);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            failure.print(json);
            failure.code()
        }
    }
}

impl Verb {
    fn connection(&self) -> &Connection {
        match self {
            Verb::Open(Open { connection, .. })
            | Verb::Deposit(InOut { connection, .. })
            | Verb::Withdraw(InOut { connection, .. })
            | Verb::Send(Send { connection, .. })
            | Verb::Show(Show { connection, .. })
            | Verb::Statement(Statement { connection, .. })
            | Verb::Watch(watch::Watch { connection }) => connection,
        }
    }
}

/// Asks, and says what was answered.
async fn answer(verb: Verb) -> Result<Shown, Failure> {
    let client = Client::new(verb.connection())?;
    match verb {
        Verb::Open(open) => open.run(&client).await,
        Verb::Deposit(deposit) => deposit.run(&client, "deposits").await,
        Verb::Withdraw(withdrawal) => withdrawal.run(&client, "withdrawals").await,
        Verb::Send(send) => send.run(&client).await,
        Verb::Show(show) => show.run(&client).await,
        Verb::Statement(statement) => statement.run(&client).await,
        Verb::Watch(watch::Watch { connection }) => {
            watch::follow(&client, |event| watch::print(event, connection.json)).await
        }
    }
}

#[cfg(test)]
mod tests;
