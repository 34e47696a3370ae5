//! What the tests of the commands share: lines as they are typed, and what comes of them.

use clap::Parser as _;
use serde_json::Value;
use wallet_stack::{Options, Stack};

use super::*;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

/// What comes of a line such as `send 5 bob --as alice`.
pub(crate) async fn run(url: &str, line: &str) -> Result<Shown, Failure> {
    let words = ["wallet"].into_iter().chain(line.split(' ')).chain(["--url", url]);
    answer(Line::try_parse_from(words).map_err(|error| Failure::Unclear(error.to_string()))?.verb).await.1
}

/// What comes of an `open` or a `reverse` whose caller has another token than an everyday one.
pub(crate) async fn run_by(client: &Client, line: &str) -> Result<Shown, Failure> {
    match Line::try_parse_from(["wallet"].into_iter().chain(line.split(' '))).expect("a line").verb {
        Verb::Open(Asked { verb, .. }) => verb.run(client).await,
        Verb::Reverse(Asked { verb, .. }) => verb.run(client).await,
        other => panic!("another verb: {other:?}"),
    }
}

/// The JSON of a line that goes well.
pub(crate) async fn done(url: &str, line: &str) -> Value {
    json_of(run(url, line).await)
}

#[track_caller]
pub(crate) fn json_of(shown: Result<Shown, Failure>) -> Value {
    serde_json::from_str(&shown.expect("done").json()).expect("JSON")
}

/// A line does not go well, with this exit code, and this is told of it.
pub(crate) async fn refused(url: &str, line: &str, number: u8, told: &str) {
    check(line, run(url, line).await, number, told);
}

#[track_caller]
pub(crate) fn check(line: &str, failure: Result<Shown, Failure>, number: u8, told: &str) {
    let Err(failure) = failure else { panic!("`{line}` was done") };
    assert_eq!(failure.number(), number, "`{line}`: {failure}");
    assert!(failure.to_string().contains(told), "`{line}`: {failure}");
}

/// A stack whose queues wait, with a wallet in EUR of each of `owners`.
pub(crate) async fn started(owners: &[&str]) -> Stack {
    let stack = Stack::start(Options { deliver: false, ..Options::default() }).await.expect("started");
    for owner in owners {
        done(stack.url(), &format!("open EUR --as {owner}")).await;
    }
    stack
}
