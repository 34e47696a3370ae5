//! What waits becomes a wallet's balance: each message names a wallet, and one pass over its inbox follows.
//!
//! A message is `{"table": "<name>", "wallet_id": "wal_.."}`. It carries nothing else, since the pass takes what it finds: a
//! message that comes twice, or late, finds nothing and is done. The queue's group is the wallet, so one function at a time
//! settles it. A wallet with nothing in its inbox, an immediate or an unknown one among them, costs one read.

use wallet_domain::WalletId;
use wallet_lambda::{App, Line, Message, Metric, Problem, Task, Unit, emit};

/// One pass over a wallet's inbox.
#[derive(Debug, PartialEq)]
pub struct Settle(WalletId);

impl Task for Settle {
    const FUNCTION: &'static str = "settle";

    fn read(message: &Message) -> Result<Settle, String> {
        message.field("wallet_id").map(Settle)
    }

    async fn run(&self, app: &App, line: &mut Line) -> Result<(), Problem> {
        line.wallets = vec![self.0];
        let settled = app.ledger().settle(self.0, &mut line.usage).await?;
        line.settled = Some(settled);
        emit(&[
            Metric { name: "CreditsFolded", unit: Unit::Count, value: settled.folded },
            Metric { name: "CreditsLeft", unit: Unit::Count, value: settled.left },
            Metric { name: "OldestCredit", unit: Unit::Milliseconds, value: settled.oldest_ms },
        ]);
        Ok(())
    }
}
