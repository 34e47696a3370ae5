//! The API from a shell: `wallet open`, `deposit`, `send`, `pay`, `hold`, `show` and the others, of a stack on this machine or of a
//! deployment. It asks over HTTP as any caller does, and knows nothing of the table.
//!
//! What was answered goes to stdout; a request's key, and what went wrong, to stderr.

mod client;
mod failure;
mod hold;
mod movement;
mod names;
mod open;
mod options;
pub(crate) mod page;
mod pay;
mod show;
mod shown;
mod watch;
mod words;

use std::process::ExitCode;

use client::{Client, Connection};
use failure::Failure;
use hold::{Capture, Hold, Void};
use movement::{InOut, Reverse, Send};
use open::Open;
use pay::Pay;
use show::{Holds, Show, Statement};
use shown::Shown;
pub(crate) use words::plain;

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
    /// Pay many wallets at once, all or none of them
    #[command(after_help = AFTER)]
    Pay(Pay),
    /// Keep money of a wallet back for a payee
    #[command(after_help = AFTER)]
    Hold(Hold),
    /// Take what is held, or a part of it; the payee does
    #[command(after_help = AFTER)]
    Capture(Capture),
    /// Give up what is held; the payee does
    #[command(after_help = AFTER)]
    Void(Void),
    /// Undo a transaction, whole
    #[command(after_help = AFTER)]
    Reverse(Reverse),
    /// Show one's wallets, or a wallet, or a transaction
    #[command(after_help = AFTER)]
    Show(Show),
    /// Print a wallet's statement, newest first
    #[command(after_help = AFTER)]
    Statement(Statement),
    /// List a wallet's holds, newest first, or show one
    #[command(after_help = AFTER)]
    Holds(Holds),
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
            | Verb::Pay(Pay { connection, .. })
            | Verb::Hold(Hold { connection, .. })
            | Verb::Capture(Capture { connection, .. })
            | Verb::Void(Void { connection, .. })
            | Verb::Reverse(Reverse { connection, .. })
            | Verb::Show(Show { connection, .. })
            | Verb::Statement(Statement { connection, .. })
            | Verb::Holds(Holds { connection, .. })
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
        Verb::Pay(pay) => pay.run(&client).await,
        Verb::Hold(hold) => hold.run(&client).await,
        Verb::Capture(capture) => capture.run(&client).await,
        Verb::Void(void) => void.run(&client).await,
        Verb::Reverse(reverse) => reverse.run(&client).await,
        Verb::Show(show) => show.run(&client).await,
        Verb::Statement(statement) => statement.run(&client).await,
        Verb::Holds(holds) => holds.run(&client).await,
        Verb::Watch(watch::Watch { connection }) => {
            watch::follow(&client, |event| watch::print(event, connection.json)).await
        }
    }
}

#[cfg(test)]
mod tests;
