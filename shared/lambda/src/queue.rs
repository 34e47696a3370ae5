//! What the functions that read a queue share: they take a batch of messages, do the tasks, and report the messages that
//! failed.
//!
//! 1. Messages that ask for the same are one task: they are done together or come again together.
//! 2. Tasks that can be done in one transaction are done together first.
//! 3. The other tasks are worked on in turn, since two for one wallet would only get in each other's way. What one task does,
//!    a panic included, changes nothing for the others.
//! 4. Tasks that lost their races are tried again after the others, with growing waits in between, for as long as the
//!    invocation has time.
//! 5. The batch reports the messages that failed and no others; a recorded refusal is an outcome and no failure.

mod message;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::deadline::{bounded, deadline};
use crate::log::Line;
use crate::problem::{Code, Problem};

pub use message::Message;

/// The first wait before the losers of a batch are tried again is at most this, each later one at most twice the one
/// before.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// No wait is longer, so that a loser finds the wallet free within seconds of its being so.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What a message of a function's queue asks for.
pub trait Task: PartialEq + Send + Sync + Sized + 'static {
    /// The name of the function's binary.
    const FUNCTION: &'static str;

    /// What `message` asks for.
    ///
    /// # Errors
    /// What is wrong with it, to be read after "The message"; it is never quoted.
    fn read(message: &Message) -> Result<Self, String>;

    /// Does together those of `tasks` that can be, and says of each whether it is done. Each comes with its line of the log.
    /// Unless a task says otherwise, none is done together.
    fn together(_app: &App, _tasks: &mut [(&Self, &mut Line)]) -> impl Future<Output = Vec<bool>> + Send {
        async { vec![] }
    }

    /// Does the task, and notes in the line of the log what it was and what it took.
    fn run(&self, app: &App, line: &mut Line) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Report {
    /// For the queue: the messages that should come again.
    pub response: SqsBatchResponse,
    /// Why they should, by message id: `<code>: <a sentence>`, as in the log. For operators, never for callers.
    pub reasons: BTreeMap<String, String>,
}

impl Report {
    /// Notes that this message should come again, and why.
    pub fn fail(&mut self, id: &str, reason: &str) {
        self.response.add_failure(id);
        self.reasons.insert(id.to_owned(), reason.to_owned());
    }
}

/// Does what [`work_until`] does, with the time of an event to which Lambda sets no deadline.
pub async fn work<T: Task>(app: &App, event: SqsEvent) -> Report {
    work_until::<T>(app, event, deadline(None)).await
}

/// Works on the tasks of a batch, until `until` at most, and says which messages should come again, and why.
pub async fn work_until<T: Task>(app: &App, event: SqsEvent, until: Instant) -> Report {
    let mut report = Report::default();
    let mut waiting: Vec<Job<T>> = vec![];
    for message in event.records {
        let task = Message::of(&message, app.ledger().table()).and_then(|message| T::read(&message));
        let task = task.map_err(|wrong| format!("The message {wrong}."));
        match waiting.iter_mut().find(|job| task.is_ok() && job.task == task) {
            Some(same) => same.add(app, message),
            None => waiting.push(Job::new(app, task, message, until)),
        }
    }
    let mut waiting = done_together(app, waiting, until, &mut report).await;
    for round in 0.. {
        let mut lost = vec![];
        for mut job in waiting {
            match bounded(until, job.run(app, until)).await {
                Err(problem) if lost_its_races(&problem) => lost.push((job, problem)),
                outcome => job.end(outcome.err(), &mut report),
            }
        }
        let wait = wait(round);
        if lost.is_empty() || Instant::now() + wait >= until {
            lost.into_iter().for_each(|(job, problem)| job.end(Some(problem), &mut report));
            break;
        }
        sleep(wait).await;
        waiting = lost.into_iter().map(|(job, _)| job).collect();
    }
    report
}

/// Does together those of `jobs` that can be, ends them, and returns the others.
async fn done_together<T: Task>(app: &App, mut jobs: Vec<Job<T>>, until: Instant, report: &mut Report) -> Vec<Job<T>> {
    let tasks = jobs.iter_mut().filter_map(|job| Some((job.task.as_ref().ok()?, &mut job.line)));
    let mut tasks: Vec<(&T, &mut Line)> = tasks.collect();
    if tasks.len() < 2 {
        return jobs;
    }
    // After a panic all of them are worked on one by one.
    let done = bounded(until, async { Ok(T::together(app, &mut tasks).await) }).await.unwrap_or_default();
    let mut done = done.into_iter();
    let mut left = vec![];
    for job in jobs {
        match job.task.is_ok() && done.next().unwrap_or(false) {
            true => job.end(None, report),
            false => left.push(job),
        }
    }
    left
}

/// True if the task failed only because other requests won its races, held the lease or used up the throughput, or because no
/// time was left: another try may succeed.
fn lost_its_races(problem: &Problem) -> bool {
    matches!(problem.code(), Code::ConcurrencyConflict | Code::LockTimeout | Code::Throttled)
}

/// Half of the wait is certain, so that no round follows hot on the one before; the other half is chance, so that those who
/// collided once don't again.
fn wait(round: u32) -> Duration {
    let half = FIRST_WAIT.saturating_mul(1 << round.min(16)).min(LONGEST_WAIT) / 2;
    let chance = fastrand::u64(0..=u64::try_from(half.as_millis()).expect("seconds"));
    half + Duration::from_millis(chance)
}

/// A task, perhaps tried more than once, and the messages that ask for it.
struct Job<T> {
    /// What is wrong with the message, if it cannot be read: then it is refused for good.
    task: Result<T, String>,
    /// The queue gives every message an id. An empty one in the response would send the whole batch back.
    ids: Vec<String>,
    line: Line,
    started: Instant,
}

impl<T: Task> Job<T> {
    fn new(app: &App, task: Result<T, String>, message: SqsMessage, until: Instant) -> Job<T> {
        let mut line = Line { function: T::FUNCTION, ..Line::default() };
        line.usage.until = Some(until);
        let mut job = Job { task, ids: vec![], line, started: Instant::now() };
        job.add(app, message);
        job
    }

    fn add(&mut self, app: &App, message: SqsMessage) {
        let sent_at = message.attributes.get("SentTimestamp").and_then(|text| text.parse::<i64>().ok());
        let waited = sent_at.map(|sent_at| u64::try_from(app.ledger().now().as_millisecond() - sent_at).unwrap_or(0));
        self.line.waited_ms = self.line.waited_ms.max(waited);
        self.ids.extend(message.message_id.filter(|id| !id.is_empty()));
    }

    async fn run(&mut self, app: &App, until: Instant) -> Result<(), Problem> {
        let task = self.task.as_ref().map_err(Problem::malformed)?;
        if Instant::now() >= until {
            return Err(Problem::throttled("no time was left for this message"));
        }
        task.run(app, &mut self.line).await
    }

    /// Writes the line of the log and, if a problem kept the task from being done, reports the messages.
    fn end(mut self, problem: Option<Problem>, report: &mut Report) {
        if let Some(problem) = problem {
            let code = problem.code().as_str();
            let cause = problem.cause().unwrap_or(problem.detail());
            let lost = if self.ids.is_empty() { " Without a message id it will not come again." } else { "" };
            for id in &self.ids {
                report.fail(id, &format!("{code}: {cause}"));
            }
            self.line.code = Some(code);
            self.line.cause = Some(format!("{cause}{lost}"));
        }
        self.line.message_id = (!self.ids.is_empty()).then(|| self.ids.join(" "));
        self.line.write(self.started);
    }
}
