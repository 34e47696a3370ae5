//! A share comes back: each message names a posted deposit, and its rebate is paid once, however often the message comes.
//!
//! A message is `{"table": "<name>", "deposit_id": "txn_..", "wallet_id": "wal_..", "rule_id": ".."}`; one of before has the ARN of
//! the table's stream as `source` in place of `table`. DynamoDB calls: two for a rebate that is paid now, one for a rebate that was paid before, and one more for
//! each lost race.

use wallet_domain::{Command, Outcome, PayRebate};
use wallet_lambda::{App, Done, Line, Message, Problem, Task};

/// The payment of one rebate.
#[derive(Debug, PartialEq)]
pub struct Rebate(PayRebate);

impl Task for Rebate {
    const FUNCTION: &'static str = "rebate";

    fn read(message: &Message) -> Result<Rebate, String> {
        Ok(Rebate(PayRebate {
            deposit: message.field("deposit_id")?,
            wallet: message.field("wallet_id")?,
            rule: message.field("rule_id")?,
        }))
    }

    async fn run(&self, app: &App, line: &mut Line) -> Result<(), Problem> {
        let (command, strategy) = (Command::PayRebate(self.0.clone()), app.settings().strategy);
        line.runs(&command, strategy);
        let done = app.ledger().execute(&command, strategy, &mut line.usage).await?;
        line.replayed = matches!(done, Done::Replayed(_));
        let (Done::Executed(transaction) | Done::Replayed(transaction)) = done;
        if let Outcome::Failed { refusal, .. } = transaction.outcome {
            line.code = Some(Problem::from(&refusal).code().as_str());
        }
        Ok(())
    }
}
