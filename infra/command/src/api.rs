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
use watch::Watch;
pub(crate) use words::plain;

/// What `--help` says of every command at its end.
const AFTER: &str = "\
Exit codes: 0 done, now or before; 1 failed; 2 wrong arguments; 3 refused; 4 nothing has moved, try again with the same key; \
5 the outcome is not known, ask again with the same key.
Wallets: an id, or a name for the one wallet that its owner has; alice/EUR is hers in euro, where she has several.
A deployment: WALLET_URL and WALLET_TOKEN in the environment, instead of --as. More: docs/command.md";

/// A command, and whom it asks.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Asked<V: clap::Args> {
    #[command(flatten)]
    verb: V,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Open a wallet
    Open(Asked<Open>),
    /// Bring money into a wallet
    Deposit(Asked<InOut>),
    /// Take money out of a wallet
    Withdraw(Asked<InOut>),
    /// Send money to another wallet
    Send(Asked<Send>),
    /// Pay many wallets at once, all or none of them
    Pay(Asked<Pay>),
    /// Keep money of a wallet back for a payee
    Hold(Asked<Hold>),
    /// Take what is held, or a part of it; the payee does
    Capture(Asked<Capture>),
    /// Give up what is held; the payee does
    Void(Asked<Void>),
    /// Undo a transaction, whole
    Reverse(Asked<Reverse>),
    /// Show one's wallets, or a wallet, or a transaction
    Show(Asked<Show>),
    /// Print a wallet's statement, newest first
    Statement(Asked<Statement>),
    /// List a wallet's holds, newest first, or show one
    Holds(Asked<Holds>),
    /// Follow all movements that one may see, as they come
    Watch(Asked<Watch>),
}

pub(crate) async fn run(verb: Verb) -> ExitCode {
    let (json, answer) = answer(verb).await;
    match answer {
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

/// Asks; answers whether JSON is wanted, and what was answered.
async fn answer(verb: Verb) -> (bool, Result<Shown, Failure>) {
    match verb {
        Verb::Open(open) => open.answer(Open::run).await,
        Verb::Deposit(deposit) => deposit.answer(async |deposit, client| deposit.run(client, "deposits").await).await,
        Verb::Withdraw(withdrawal) => {
            withdrawal.answer(async |withdrawal, client| withdrawal.run(client, "withdrawals").await).await
        }
        Verb::Send(send) => send.answer(Send::run).await,
        Verb::Pay(pay) => pay.answer(Pay::run).await,
        Verb::Hold(hold) => hold.answer(Hold::run).await,
        Verb::Capture(capture) => capture.answer(Capture::run).await,
        Verb::Void(void) => void.answer(Void::run).await,
        Verb::Reverse(reverse) => reverse.answer(Reverse::run).await,
        Verb::Show(show) => show.answer(Show::run).await,
        Verb::Statement(statement) => statement.answer(Statement::run).await,
        Verb::Holds(holds) => holds.answer(Holds::run).await,
        Verb::Watch(watch) => {
            let json = watch.connection.json;
            watch.answer(async |_, client| watch::follow(client, |event| watch::print(event, json)).await).await
        }
    }
}

impl<V: clap::Args> Asked<V> {
    async fn answer(
        self,
        run: impl AsyncFnOnce(V, &Client) -> Result<Shown, Failure>,
    ) -> (bool, Result<Shown, Failure>) {
        let Asked { verb, connection } = self;
        let answer = match Client::new(&connection) {
            Ok(client) => run(verb, &client).await,
            Err(failure) => Err(failure),
        };
        (connection.json, answer)
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
