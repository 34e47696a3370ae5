//! A share comes back: each message names a posted deposit, and its rebate is paid once, however often the message comes.
//!
//! What all messages of a batch need is read at once; then they are worked on one by one, since two for one wallet would
//! only get in each other's way. What one of them does, a panic included, changes nothing for the others. A batch reports
//! the messages that failed and no others; a recorded refusal is an outcome and no failure.
//!
//! DynamoDB calls: one for the batch, and one for each rebate that is paid now. One that was paid before needs no more.

mod message;

use std::collections::BTreeMap;
use std::time::Instant;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use wallet_domain::{Command, Outcome};
use wallet_lambda::{App, Done, Line, Problem, caught};

use message::Message;

/// The function's name.
pub const NAME: &str = "rebate";

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Report {
    /// For the queue: the messages that should come again.
    pub response: SqsBatchResponse,
    /// Why they should, by message id: `<code>: <a sentence>`, as in the log. For operators, never for callers.
    pub reasons: BTreeMap<String, String>,
}

/// Pays the rebates of a batch and reports the messages that should come again.
pub async fn handle(app: &App, event: SqsEvent) -> SqsBatchResponse {
    report(app, event).await.response
}

/// Does what [`handle`] does, and says of each message that should come again why.
pub async fn report(app: &App, event: SqsEvent) -> Report {
    let mut report = Report::default();
    let commands: Vec<_> = event.records.iter().map(|record| command(app, record)).collect();
    for (record, command) in event.records.into_iter().zip(commands) {
        let line = Line { function: NAME, message_id: record.message_id.clone(), ..Line::default() };
        let done = work_on(app, &record, command, line).await;
        if let (Err(NotDone { reason }), Some(id)) = (done, message_id(&record)) {
            report.response.add_failure(id);
            report.reasons.insert(id.to_owned(), reason);
        }
    }
    report
}

/// The id by which a message is sent back. The queue gives one to every message; an empty one in the response would send
/// the whole batch back.
fn message_id(record: &SqsMessage) -> Option<&str> {
    record.message_id.as_deref().filter(|id| !id.is_empty())
}

/// The message should come again. Why is in the log too.
struct NotDone {
    reason: String,
}

/// What a message asks for.
fn command(app: &App, record: &SqsMessage) -> Result<Command, Problem> {
    let body = record.body.as_deref().unwrap_or_default();
    let message: Message = body.parse().map_err(|error| Problem::malformed(format!("The message {error}.")))?;
    if message.table != app.ledger().table() {
        return Err(Problem::malformed(format!("The message is of another table, {}.", message.table)));
    }
    Ok(Command::PayRebate(message.rebate))
}

async fn work_on(
    app: &App,
    record: &SqsMessage,
    command: Result<Command, Problem>,
    mut line: Line,
) -> Result<(), NotDone> {
    let started = Instant::now();
    let paid = async { pay(app, &command?, &mut line).await };
    let outcome = caught(paid).await.unwrap_or_else(|panic| Err(Problem::internal(panic)));
    let done = outcome.map_err(|problem| {
        let code = problem.code().as_str();
        let cause = problem.cause().unwrap_or(problem.detail());
        let lost = if message_id(record).is_none() { " Without a message id it will not come again." } else { "" };
        line.code = Some(code);
        line.cause = Some(format!("{cause}{lost}"));
        NotDone { reason: format!("{code}: {cause}") }
    });
    line.write(started);
    done
}

async fn pay(app: &App, command: &Command, line: &mut Line) -> Result<(), Problem> {
    let strategy = app.settings().strategy;
    line.runs(command, strategy);
    let done = app.ledger().execute(command, strategy, &mut line.usage).await?;
    line.replayed = matches!(done, Done::Replayed(_));
    let (Done::Executed(transaction) | Done::Replayed(transaction)) = done;
    if let Outcome::Failed { refusal, .. } = transaction.outcome {
        line.code = Some(Problem::from(&refusal).code().as_str());
    }
    Ok(())
}
