//! Executes what was accepted: each message names a queued request, whose one outcome is on record then.
//!
//! A message is `{"table": "<name>", "transaction_id": "txn_.."}`. One that comes twice, or late, finds the outcome and is done.
//! A request that lost its races, or met a limit of this minute, waits on: its message comes again. One that has waited for a
//! day ends as failed. Those of a batch that wait for the same wallet are executed in one transaction, where they can be.
//!
//! Calls: one to read all of a batch; two for all requests of one wallet that are executed together; for each other request
//! one to read it again, and those of the movement.

use wallet_domain::TransactionId;
use wallet_lambda::{App, Line, Message, Problem, Task};

/// The execution of one request.
#[derive(Debug, PartialEq)]
pub struct Execute(TransactionId);

impl Task for Execute {
    const FUNCTION: &'static str = "requests";

    fn read(message: &Message) -> Result<Execute, String> {
        message.field("transaction_id").map(Execute)
    }

    async fn together(app: &App, tasks: &mut [(&Execute, &mut Line)]) -> Vec<bool> {
        let ids: Vec<_> = tasks.iter().map(|(task, _)| task.0).collect();
        let (_, first) = &mut tasks[0];
        let outcomes = app.resume_together(&ids, &mut first.usage).await;
        let note = |(task, line): &mut (&Execute, &mut Line)| {
            line.transaction = Some(task.0);
            outcomes.get(&task.0).inspect(|done| line.ends(done)).is_some()
        };
        tasks.iter_mut().map(note).collect()
    }

    async fn run(&self, app: &App, line: &mut Line) -> Result<(), Problem> {
        line.transaction = Some(self.0);
        let done = app.resume(self.0, &mut line.usage).await?.ok_or_else(Problem::transaction_not_found)?;
        line.ends(&done);
        Ok(())
    }
}
