//! The log: one canonical JSON line per request or queue record, with ids as fields and units in the names.
//!
//! Never bodies, tokens or idempotency keys. A failure is logged here and nowhere else.

use std::sync::OnceLock;

use tokio::time::Instant;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};
use wallet_domain::{Command, Outcome, Owner, TransactionId, WalletId};
use wallet_dynamodb::{Done, Settled, Strategy, Usage};

use crate::metrics::{self, whole};
use crate::problem::Problem;

/// The version of the function, as Lambda names it; set once at start, unset outside of Lambda.
static VERSION: OnceLock<String> = OnceLock::new();

/// What one request or queue record was, and what became of it.
#[derive(Debug, Default)]
pub struct Line {
    /// The function.
    pub function: &'static str,
    /// The route, as in template.yaml.
    pub route: Option<&'static str>,
    /// The gateway's id of the request.
    pub request_id: Option<String>,
    /// The queue's id of the message; several, separated by spaces, where they asked for the same.
    pub message_id: Option<String>,
    /// How long the message, or the oldest of them, had been in the queue when it was received.
    pub waited_ms: Option<u64>,
    /// The status of the response.
    pub status: Option<u16>,
    /// The code of what kept it from being done.
    pub code: Option<&'static str>,
    /// The cause, which no caller is shown.
    pub cause: Option<String>,
    /// Whether the answer was the first one again.
    pub replayed: bool,
    /// Whether it was only to be decided.
    pub dry_run: bool,
    /// The token's subject.
    pub caller: Option<Owner>,
    /// The wallets concerned.
    pub wallets: Vec<WalletId>,
    /// The transaction concerned.
    pub transaction: Option<TransactionId>,
    /// What a pass over an inbox has done.
    pub settled: Option<Settled>,
    /// The deposit that a rebate is for.
    pub deposit: Option<TransactionId>,
    /// The locking strategy.
    pub strategy: Option<Strategy>,
    /// The calls, tries and waits that it took, and their capacity.
    pub usage: Usage,
}

impl Line {
    /// Notes what `command` concerns.
    pub fn runs(&mut self, command: &Command, strategy: Strategy) {
        self.wallets = command.reads().wallets;
        if self.wallets.is_empty() {
            self.wallets = vec![command.wallet()];
        }
        self.transaction = Some(command.transaction());
        self.deposit = command.parent();
        self.strategy = Some(strategy);
    }

    /// Notes the outcome that is on record.
    pub fn ends(&mut self, done: &Done) {
        self.replayed = matches!(done, Done::Replayed(_));
        let (Done::Executed(transaction) | Done::Replayed(transaction)) = done;
        if self.wallets.is_empty() {
            self.wallets = vec![transaction.wallet];
        }
        if let Outcome::Failed { refusal, .. } = &transaction.outcome {
            self.code = Some(Problem::from(refusal).code().as_str());
        }
    }

    /// Notes what kept it from being done.
    pub fn failed(&mut self, problem: &Problem) {
        self.status = Some(problem.code().status().as_u16());
        self.code = Some(problem.code().as_str());
        self.cause = problem.cause().map(str::to_owned);
        self.replayed = problem.is_replay();
    }

    /// Writes the line and its metrics: at level ERROR for a fault of ours, WARN for other 5xx and for a queue record that failed,
    /// INFO otherwise.
    pub fn write(&self, started: Instant) {
        let text = |id: Option<TransactionId>| id.map(|id| id.to_string());
        let wallets: Vec<_> = self.wallets.iter().map(WalletId::to_string).collect();
        let usage = &self.usage;
        macro_rules! line {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    function = self.function,
                    function_version = VERSION.get().map(String::as_str),
                    route = self.route,
                    request_id = self.request_id.as_deref(),
                    message_id = self.message_id.as_deref(),
                    waited_ms = self.waited_ms,
                    status = self.status,
                    code = self.code,
                    cause = self.cause.as_deref(),
                    replayed = self.replayed,
                    dry_run = self.dry_run,
                    caller = self.caller.as_ref().map(Owner::as_str),
                    wallet_ids = (!wallets.is_empty()).then(|| wallets.join(" ")),
                    transaction_id = text(self.transaction),
                    deposit_id = text(self.deposit),
                    credits_folded = self.settled.map(|settled| settled.folded),
                    credits_left = self.settled.map(|settled| settled.left),
                    oldest_credit_ms = self.settled.map(|settled| settled.oldest_ms),
                    strategy = self.strategy.map(Strategy::as_str),
                    attempts = usage.attempts,
                    conflicts = usage.conflicts,
                    lock_wait_ms = usage.lock_wait_ms,
                    dynamodb_calls = usage.calls,
                    write_units = whole(usage.write_half_units()),
                    read_units = whole(usage.read_half_units()),
                    duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                    "done"
                )
            };
        }
        match (self.code, self.status) {
            (Some("internal"), _) => line!(Level::ERROR),
            (_, Some(500..)) => line!(Level::WARN),
            (Some(_), None) if self.cause.is_some() => line!(Level::WARN),
            _ => line!(Level::INFO),
        }
        metrics::write(self.strategy, usage, self.code);
    }
}

/// Sends log lines to standard output: those that `RUST_LOG` asks for, or without it `info` and above. Canonical lines name
/// the function's version from now on, so that lines of an old and a new version that run side by side can be told apart.
pub(crate) fn start() {
    if let Ok(version) = std::env::var("AWS_LAMBDA_FUNCTION_VERSION") {
        let _ = VERSION.set(version);
    }
    log_to(std::io::stdout, &std::env::var("RUST_LOG").unwrap_or_default()).init();
}

/// Sends to `writer`, as JSON, the log lines that `directives` ask for, written as `RUST_LOG` is.
///
/// Below `info` they open our own modules alone. There the SDK, the runtime and the HTTP client write whole requests and
/// responses, with money and tokens in them.
pub fn log_to<W>(writer: W, directives: &str) -> impl Subscriber + Send + Sync + 'static
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let wanted = EnvFilter::builder().with_default_directive(Level::INFO.into()).parse_lossy(directives);
    let allowed =
        |metadata: &Metadata<'_>| *metadata.level() <= Level::INFO || metadata.target().starts_with("wallet_");
    fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(wanted)
        .with_writer(writer)
        .finish()
        .with(filter_fn(allowed))
}
