//! The `wallet` command: `up` runs the whole system on this machine, `token` makes a token for it, `dlq` looks after its
//! dead letters; `audit` checks a table, `resend` sends again what is overdue, and `export` writes a table out; `contention` and `rebates` measure; `open`, `send`, `show` and
//! others call the API.
//!
//! Exit codes: 0 done or stopped by a signal, 1 failed (the reason is on stderr), 2 wrong arguments. For
//! `audit`: 0 everything adds up, 1 something doesn't, 2 it could not run. What calls the API has more (`api/failure.rs`).

mod api;
mod audit;
mod console;
mod demo;
mod dlq;
mod export;
mod local;
mod resend;
mod signals;
mod target;
#[cfg(test)]
mod testing;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use jiff::SignedDuration;
use owo_colors::OwoColorize as _;
use wallet_domain::Owner;
use wallet_measure::{audit_speed, cold_start, contention, rebates};
use wallet_stack::{clock, token};

/// Wallets as Lambda functions, the whole system on this machine.
#[derive(Debug, Parser)]
#[command(name = "wallet", bin_name = "cargo wallet", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything: embedded DynamoDB, queue, functions and gateway
    ///
    /// Prints `dynamodb http://127.0.0.1:<port>` and, once it serves, `ready http://127.0.0.1:<port>`, each on a line
    /// of its own. Listens on loopback only. Ctrl-C stops it.
    Up(up::Arguments),
    /// Measure both locking strategies side by side, at several levels of contention
    ///
    /// Every caller is a function instance of its own. Afterwards it checks the whole table: conservation, entries,
    /// hash chains. Fails if anything is off.
    Contention(contention::Arguments),
    /// Measure how long after a deposit's answer its rebate is committed, at a steady rate of deposits
    ///
    /// Through the whole local stack: gateway, stream, dispatch, queue, function. Afterwards it checks the whole table: one
    /// rebate for each deposit, to the cent. Fails if anything there is off. Whether the goal for the time is met is
    /// reported and does not count: it depends on the machine.
    Rebates(rebates::Arguments),
    /// Build the functions as they are deployed, and measure how large they are and how fast they start
    ///
    /// Beside a bare function on the same runtime, in turns, under a runtime API on loopback. Fails if one is over 8 MB or
    /// starts in more than one and a half times the bare function's time. The first build takes some minutes.
    ColdStart(cold_start::Arguments),
    /// Print a token that `up` accepts, and nothing else
    ///
    /// Signed with a key that everybody knows: for development only.
    Token(TokenArguments),
    /// Recompute every wallet and transaction of a table, and say what doesn't add up
    ///
    /// Reads only. Exits with 0 if everything adds up, 1 if something doesn't, 2 if it could not run.
    Audit(audit::Arguments),
    /// Send again what the audit names as overdue: rebates, credits to be settled, queued requests
    ///
    /// From the table, into the queues of `up` or of a deployment. Twice is harmless. Writes nothing to the table.
    Resend(resend::Arguments),
    /// Measure the audit: entries per second and peak memory, on tables of several sizes
    ///
    /// Fills each table by itself, serves it by one process and audits it by another.
    AuditSpeed(audit_speed::Arguments),
    /// Write the statement of a wallet, or all of a table, as CSV or as a journal for hledger
    ///
    /// Reads only, and writes to standard output as it reads: a table of any size.
    Export(export::Arguments),
    #[command(flatten)]
    Api(api::Verb),
    /// Serve the console's page on this machine for a deployed API
    ///
    /// A page on loopback, which asks for a token, keeps it in the browser's tab alone and sends it to the API through this
    /// command. `up` has a console of its own, which shows more. Ctrl-C stops it.
    Console(api::page::Arguments),
    /// Print what makes a shell complete this command, such as `source <(wallet completions bash)`
    Completions {
        /// Of which shell
        shell: clap_complete::Shell,
    },
    /// Print the description of the API, an OpenAPI 3.1 document
    Openapi,
    /// List the dead letters of a running `up`, and drive them back
    Dlq(dlq::Arguments),
}

#[derive(Debug, clap::Args)]
struct TokenArguments {
    /// Who calls: the owner of the wallets that the caller opens
    #[arg(long)]
    sub: Owner,
    /// What the caller may do, separated by spaces: wallets:read wallets:write funds:deposit wallets:admin
    #[arg(long, default_value = token::EVERYDAY_SCOPE, value_parser = parse_scope)]
    scope: String,
    /// How long the token lives: 90s, 30m, 12h, 1h 30m
    #[arg(long, default_value = "12h", value_parser = token::parse_life)]
    ttl: SignedDuration,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Up(arguments) => wait(up::run(&arguments)),
        Command::Contention(arguments) => contention::run(&arguments),
        Command::Rebates(arguments) => rebates::run(&arguments),
        Command::ColdStart(arguments) => cold_start::run(&arguments),
        Command::Token(arguments) => print_token(&arguments),
        Command::Audit(arguments) => return wait(audit::run(&arguments)),
        Command::Resend(arguments) => wait(resend::run(&arguments)),
        Command::AuditSpeed(arguments) => audit_speed::run(&arguments),
        Command::Export(arguments) => wait(export::run(&arguments)),
        Command::Api(verb) => return wait(api::run(verb)),
        Command::Console(arguments) => return wait(api::page::run(&arguments)),
        Command::Completions { shell } => {
            let mut completions = vec![];
            clap_complete::generate(shell, &mut Arguments::command().bin_name("wallet"), "wallet", &mut completions);
            console::line(&String::from_utf8_lossy(&completions));
            Ok(())
        }
        Command::Openapi => {
            console::line(wallet_stack::api::text().trim_end());
            Ok(())
        }
        Command::Dlq(arguments) => wait(dlq::run(&arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{} {error:#}", "error:".red().bold());
            ExitCode::FAILURE
        }
    }
}

/// What `work` comes to.
fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("threads to run on").block_on(work)
}

fn print_token(arguments: &TokenArguments) -> anyhow::Result<()> {
    let token = token::mint(arguments.sub.as_str(), &arguments.scope, arguments.ttl, clock::now())?;
    console::line(&token);
    Ok(())
}

/// The scopes, if there are such: a typo would otherwise show as a refusal much later.
fn parse_scope(text: &str) -> Result<String, String> {
    for scope in text.split_whitespace() {
        if !token::SCOPES.contains(&scope) {
            return Err(format!("there is no scope `{scope}`; there are {}", token::SCOPES.join(", ")));
        }
    }
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
