//! What was accepted is executed: each message names a queued request, and its outcome is on record then, once.
//!
//! A message is `{"table": "<name>", "transaction_id": "txn_.."}`. One that comes twice, or late, finds the outcome and is done.
//! A request that lost its races, or met a limit of this minute, waits on: its message comes again. One that has waited for a
//! day ends as failed. Calls: one to read it, and those of the movement.

use wallet_domain::{Outcome, TransactionId};
use wallet_lambda::{App, Done, Line, Message, Problem, Task};

/// The execution of one request.
#[derive(Debug, PartialEq)]
pub struct Execute(TransactionId);

impl Task for Execute {
    const FUNCTION: &'static str = "requests";

    fn read(message: &Message) -> Result<Execute, String> {
        message.field("transaction_id").map(Execute)
    }

    async fn run(&self, app: &App, line: &mut Line) -> Result<(), Problem> {
        line.transaction = Some(self.0);
        let done = app.resume(self.0, &mut line.usage).await?.ok_or_else(Problem::transaction_not_found)?;
        line.replayed = matches!(done, Done::Replayed(_));
        let (Done::Executed(transaction) | Done::Replayed(transaction)) = done;
        line.wallets = vec![transaction.wallet];
        if let Outcome::Failed { refusal, .. } = transaction.outcome {
            line.code = Some(Problem::from(&refusal).code().as_str());
        }
        Ok(())
    }
}
