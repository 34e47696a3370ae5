//! The ledger and the settings of a function, made once at start and lent to every request.

use wallet_domain::{Command, Wallet};
use wallet_dynamodb::{Ledger, Strategy};

use crate::call::Call;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::settings::Settings;

/// What all requests of a function share.
#[derive(Clone)]
pub struct App {
    ledger: Ledger,
    settings: Settings,
}

impl App {
    /// With `ledger`, under the settings' policy.
    #[must_use]
    pub fn new(ledger: Ledger, settings: Settings) -> App {
        App { ledger: ledger.with_policy(settings.policy), settings }
    }

    /// With a client of the database that the SDK makes from the environment.
    pub(crate) async fn connect(settings: Settings) -> App {
        App::new(Ledger::connect(&settings.table).await, settings)
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Runs a command to its end and answers with what came of it. `strategy` is the one that the request asks for; without
    /// one it is the deployment's.
    ///
    /// # Errors
    /// The refusal, recorded or not, or why there is no outcome.
    pub async fn execute(
        &self,
        call: &mut Call,
        command: &Command,
        strategy: Option<Strategy>,
    ) -> Result<Reply, Problem> {
        let strategy = strategy.unwrap_or(self.settings.strategy);
        call.line.runs(command, strategy);
        let done = self.ledger.execute(command, strategy, call.usage()).await?;
        Reply::done(&done, &call.reader())
    }

    /// The wallet in the path, if the caller may see it.
    ///
    /// # Errors
    /// `wallet_not_found` for a missing wallet and for a stranger's.
    pub async fn wallet(&self, call: &mut Call) -> Result<Wallet, Problem> {
        let id = call.wallet_id()?;
        let wallet = self.ledger.wallet(id, call.usage()).await?;
        wallet.filter(|wallet| call.caller().owns(wallet)).ok_or_else(|| Problem::wallet_not_found(&id.to_string()))
    }
}
