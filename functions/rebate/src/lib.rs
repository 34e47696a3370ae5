//! A share comes back: each message names a posted deposit, and its rebate is paid once, however often the message comes.
//!
//! The messages of a batch are worked on one by one, since two for one wallet would only get in each other's way. What one
//! of them does, a panic included, changes nothing for the others. Those that lost their races are tried again after the
//! others, with growing waits in between, for as long as the invocation has time. A batch reports the messages that failed
//! and no others; a recorded refusal is an outcome and no failure.
//!
//! DynamoDB calls: two for a rebate that is paid now, one for a rebate that was paid before, and one more for each lost race.

mod message;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use tokio::time::{Instant, sleep};
use wallet_domain::{Command, Outcome};
use wallet_lambda::{App, Code, Done, Line, Problem, bounded, deadline};

use message::Message;

/// The function's name.
pub const NAME: &str = "rebate";

/// The first wait before the losers of a batch are tried again is at most this, each later one at most twice the one
/// before.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// No wait is longer, so that a loser finds the wallet free within seconds of its being so.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Report {
    /// For the queue: the messages that should come again.
    pub response: SqsBatchResponse,
    /// Why they should, by message id: `<code>: <a sentence>`, as in the log. For operators, never for callers.
    pub reasons: BTreeMap<String, String>,
}

/// Pays the rebates of a batch, until `until` at most, and reports the messages that should come again.
pub async fn handle(app: &App, event: SqsEvent, until: Instant) -> SqsBatchResponse {
    report_until(app, event, until).await.response
}

/// Does what [`report_until`] does, with the time of an event to which Lambda sets no deadline.
pub async fn report(app: &App, event: SqsEvent) -> Report {
    report_until(app, event, deadline(None)).await
}

/// Does what [`handle`] does, and says of each message that should come again why.
pub async fn report_until(app: &App, event: SqsEvent, until: Instant) -> Report {
    let mut report = Report::default();
    let mut waiting: Vec<_> = event.records.into_iter().map(|message| Record::new(app, message, until)).collect();
    for round in 0.. {
        let mut lost = vec![];
        for mut record in waiting {
            match bounded(until, record.pay(app, until)).await {
                Err(problem) if lost_its_races(&problem) => lost.push((record, problem)),
                outcome => record.end(outcome.err(), &mut report),
            }
        }
        let wait = wait(round);
        if lost.is_empty() || Instant::now() + wait >= until {
            lost.into_iter().for_each(|(record, problem)| record.end(Some(problem), &mut report));
            break;
        }
        sleep(wait).await;
        waiting = lost.into_iter().map(|(record, _)| record).collect();
    }
    report
}

/// Whether nothing has moved for no other reason than that others were at work.
fn lost_its_races(problem: &Problem) -> bool {
    matches!(problem.code(), Code::ConcurrencyConflict | Code::LockTimeout | Code::Throttled)
}

/// Half of it is certain, so that no round follows hot on the one before; the other half is chance, so that those who
/// collided once don't again.
fn wait(round: u32) -> Duration {
    let half = FIRST_WAIT.saturating_mul(1 << round.min(16)).min(LONGEST_WAIT) / 2;
    let chance = fastrand::u64(0..=u64::try_from(half.as_millis()).expect("seconds"));
    half + Duration::from_millis(chance)
}

/// A message that is worked on, perhaps more than once.
struct Record {
    /// What it asks for. One that cannot be read is refused for good.
    command: Result<Command, String>,
    line: Line,
    started: Instant,
}

impl Record {
    fn new(app: &App, message: SqsMessage, until: Instant) -> Record {
        let command = command(app, message.body.as_deref().unwrap_or_default());
        let mut line = Line { function: NAME, message_id: message.message_id, ..Line::default() };
        line.usage.until = Some(until);
        Record { command, line, started: Instant::now() }
    }

    async fn pay(&mut self, app: &App, until: Instant) -> Result<(), Problem> {
        let command = self.command.as_ref().map_err(Problem::malformed)?;
        if Instant::now() >= until {
            return Err(Problem::throttled("no time was left for this message"));
        }
        let (line, strategy) = (&mut self.line, app.settings().strategy);
        line.runs(command, strategy);
        let done = app.ledger().execute(command, strategy, &mut line.usage).await?;
        line.replayed = matches!(done, Done::Replayed(_));
        let (Done::Executed(transaction) | Done::Replayed(transaction)) = done;
        if let Outcome::Failed { refusal, .. } = transaction.outcome {
            line.code = Some(Problem::from(&refusal).code().as_str());
        }
        Ok(())
    }

    /// Writes the line of the log and, if a problem kept it from being done, reports the message.
    fn end(mut self, problem: Option<Problem>, report: &mut Report) {
        if let Some(problem) = problem {
            let code = problem.code().as_str();
            let cause = problem.cause().unwrap_or(problem.detail());
            // The queue gives every message an id. An empty one in the response would send the whole batch back.
            let id = self.line.message_id.as_ref().filter(|id| !id.is_empty());
            let lost = if id.is_none() { " Without a message id it will not come again." } else { "" };
            if let Some(id) = id {
                report.response.add_failure(id);
                report.reasons.insert(id.clone(), format!("{code}: {cause}"));
            }
            self.line.code = Some(code);
            self.line.cause = Some(format!("{cause}{lost}"));
        }
        self.line.write(self.started);
    }
}

/// What a message asks for.
fn command(app: &App, body: &str) -> Result<Command, String> {
    let message: Message = body.parse().map_err(|error| format!("The message {error}."))?;
    if message.table != app.ledger().table() {
        return Err(format!("The message is of another table, {}.", message.table));
    }
    Ok(Command::PayRebate(message.rebate))
}
