//! The ledger and the settings of a function, made once at start and lent to every request.

use std::collections::BTreeMap;
use std::sync::Arc;

use wallet_domain::{Command, Request, Terms, TransactionId, Wallet};
use wallet_dynamodb::{Accepted, Done, ExecuteError, Ledger, Strategy, Usage};

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

    /// Runs a command to its end and answers with what came of it; in a dry run, with what would come of it. `asked` is the
    /// strategy that the request asks for; without one it is the deployment's. A caller who prefers not to wait is told that
    /// the request waits, if it can.
    ///
    /// # Errors
    /// The refusal, recorded or not, or why there is no outcome.
    pub async fn execute(&self, call: &mut Call, command: &Command, asked: Option<Strategy>) -> Result<Reply, Problem> {
        let strategy = asked.unwrap_or(self.settings.strategy);
        call.line.runs(command, strategy);
        if call.line.dry_run {
            let named = call.has_key();
            if !named {
                call.line.transaction = None;
            }
            let decided = self.ledger.dry_run(command, call.usage()).await?;
            return Reply::dry_run(&decided, named, &call.reader());
        }
        if call.prefers_async() {
            let request = command.request(self.ledger.now()).map_err(|refusal| Problem::from(&refusal))?;
            if let Some(request) = request {
                return self.accept(call, &request, asked).await;
            }
        }
        let done = self.ledger.execute(command, strategy, call.usage()).await?;
        Reply::done(&done, &call.reader())
    }

    /// Queues `request`, or ends it here if it is queued already and has waited too long.
    async fn accept(&self, call: &mut Call, request: &Request, asked: Option<Strategy>) -> Result<Reply, Problem> {
        match self.ledger.accept(request, asked, call.usage()).await? {
            Accepted::Done(done) => Reply::done(&done, &call.reader()),
            Accepted::Waits { queued, .. } if queued.request.has_expired(self.ledger.now()) => {
                match self.resume(queued.request.id, call.usage()).await? {
                    Some(done) => Reply::done(&done, &call.reader()),
                    None => Ok(Reply::queued(&queued.request, true)),
                }
            }
            Accepted::Waits { queued, before } => Ok(Reply::queued(&queued.request, before)),
        }
    }

    /// Executes the request under `id`, if it waits still, on the terms of the deployment.
    ///
    /// # Errors
    /// Why there is no outcome.
    pub async fn resume(&self, id: TransactionId, usage: &mut Usage) -> Result<Option<Done>, ExecuteError> {
        self.ledger.resume(id, &self.terms(), self.settings.strategy, usage).await
    }

    /// Executes together those of the requests under `ids` that wait for the same wallet, as far as that can be done. Returns
    /// the outcomes that are known then.
    pub async fn resume_together(&self, ids: &[TransactionId], usage: &mut Usage) -> BTreeMap<TransactionId, Done> {
        self.ledger.resume_together(ids, &self.terms(), self.settings.strategy, usage).await
    }

    fn terms(&self) -> Terms {
        let Settings { rebate_rules, transfer_fee, .. } = &self.settings;
        Terms { rules: Arc::clone(rebate_rules), fee: transfer_fee.clone() }
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
