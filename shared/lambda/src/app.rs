//! What a function is built of: the ledger and the settings, made once and lent to every request.

use wallet_domain::{Command, Wallet};
use wallet_dynamodb::{Ledger, Strategy};

use crate::call::Call;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::settings::{Settings, SettingsError};

/// The ledger and the settings.
#[derive(Clone)]
pub struct App {
    ledger: Ledger,
    settings: Settings,
}

impl App {
    /// Over a ledger that is there already. The settings' policy is applied to it.
    #[must_use]
    pub fn new(ledger: Ledger, settings: Settings) -> App {
        App { ledger: ledger.with_policy(settings.policy), settings }
    }

    /// From the environment, as Lambda gives it.
    ///
    /// # Errors
    /// [`SettingsError`] naming the variable that is wrong.
    pub async fn from_env() -> Result<App, SettingsError> {
        Ok(App::connect(Settings::from_env()?).await)
    }

    /// With a client of the database as the SDK makes it from the environment.
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

    /// Runs a command to its end and answers with what came of it. `strategy` is what the request asks for.
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
