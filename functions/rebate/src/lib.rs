//! A share comes back: each message names a posted deposit, and its rebate is paid once, however often the message comes.
//!
//! A message is `{"table": "<name>", "deposit_id": "txn_..", "wallet_id": "wal_..", "rule_id": ".."}`; an older one has the
//! ARN of the table's stream as `source` in place of `table`. DynamoDB calls: two for a rebate that is paid now, and for all
//! of one wallet that a batch pays together; one for a rebate that was paid before; one more for each lost race.

use std::collections::BTreeMap;

use wallet_domain::{Command, PayRebate};
use wallet_lambda::{App, Line, Message, Problem, Strategy, Task};

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

    async fn together(app: &App, tasks: &mut [(&Rebate, &mut Line)]) -> Vec<bool> {
        let mut wallets = BTreeMap::<_, Vec<_>>::new();
        for (place, (task, _)) in tasks.iter().enumerate() {
            wallets.entry(task.0.wallet).or_default().push(place);
        }
        let (mut done, strategy) = (vec![false; tasks.len()], app.settings().strategy);
        for places in wallets.into_values().filter(|_| strategy == Strategy::Optimistic) {
            let commands: Vec<_> = places.iter().map(|place| Command::PayRebate(tasks[*place].0.0.clone())).collect();
            let usage = &mut tasks[places[0]].1.usage;
            let outcomes = app.ledger().execute_together(&commands, usage).await;
            for (place, command) in places.into_iter().zip(&commands) {
                let line = &mut tasks[place].1;
                line.runs(command, strategy);
                if let Some(outcome) = outcomes.get(&command.transaction()) {
                    line.ends(outcome);
                    done[place] = true;
                }
            }
        }
        done
    }

    async fn run(&self, app: &App, line: &mut Line) -> Result<(), Problem> {
        let (command, strategy) = (Command::PayRebate(self.0.clone()), app.settings().strategy);
        line.runs(&command, strategy);
        let done = app.ledger().execute(&command, strategy, &mut line.usage).await?;
        line.ends(&done);
        Ok(())
    }
}
