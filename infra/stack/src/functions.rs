//! The functions' own handlers, by the names of their binaries: the same code that Lambda runs, without its runtime.
//!
//! Each function has its own `App`, and so its own snapshots of wallets, as each has its own process in the cloud.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use aws_lambda_events::event::sqs::SqsEvent;
use futures::future::BoxFuture;
use lambda_http::{Body, Request, Response};
use serde_json::Value;
use serde_json::value::RawValue;
use wallet_dispatch::Queues;
use wallet_dynamodb::Ledger;
use wallet_lambda::openapi::{Described, Operation};
use wallet_lambda::{App, Function, Report, Routes, Settings, Task, work};
use wallet_messaging::Sender;
use wallet_publish::Bus;
use wallet_rebate::Rebate;
use wallet_requests::Execute;
use wallet_settle::Settle;

use crate::gateway::Handler;
use crate::reader::StreamHandler;
use crate::template::Route;

/// Makes a function's ledger.
pub(crate) type MakeLedger<'a> = &'a dyn Fn() -> Ledger;

/// The handler of a function that reads a queue.
pub(crate) type QueueHandler = Box<dyn Fn(SqsEvent) -> BoxFuture<'static, Report> + Send + Sync>;

/// Calls `$each::<F>` for each function that answers HTTP: the only list of them.
macro_rules! http_functions {
    ($each:ident($($argument:expr),*)) => {
        [
            $each::<wallet_wallets::Wallets>($($argument),*),
            $each::<wallet_deposit::Deposit>($($argument),*),
            $each::<wallet_withdraw::Withdraw>($($argument),*),
            $each::<wallet_transfer::Transfer>($($argument),*),
            $each::<wallet_payout::Payout>($($argument),*),
            $each::<wallet_holds::Holds>($($argument),*),
            $each::<wallet_reversal::Reversal>($($argument),*),
            $each::<wallet_transactions::Transactions>($($argument),*),
        ]
    };
}

/// What the HTTP function of this name answers to `request`, in an `app` of the caller's.
///
/// # Panics
/// When there is no such function.
pub async fn invoke(function: &str, app: &App, request: Request) -> Response<Body> {
    type Answer = for<'a> fn(&'a App, Request) -> BoxFuture<'a, Response<Body>>;
    fn of<F: Function>() -> (&'static str, Answer) {
        (F::NAME, |app, request| Box::pin(wallet_lambda::answer::<F>(app, request)))
    }
    let found = http_functions!(of()).into_iter().find(|(name, _)| *name == function);
    let (_, answer) = found.unwrap_or_else(|| panic!("there is no function {function}"));
    answer(app, request).await
}

/// What each route does, as its function says.
pub(crate) fn described() -> Vec<Operation> {
    fn of<F: Described>() -> Vec<Operation> {
        F::operations()
    }
    http_functions!(of()).into_iter().flatten().collect()
}

/// The handlers of the functions that answer HTTP, by the names of their binaries.
///
/// # Errors
/// When a setting is wrong, or the template routes otherwise than a function says.
pub(crate) fn http(
    ledger: MakeLedger<'_>,
    env: &BTreeMap<String, String>,
    routes: &[Route],
) -> Result<HashMap<String, Handler>> {
    let mut handlers = HashMap::new();
    for served in http_functions!(of(ledger, env)) {
        let (name, served, handler) = served?;
        let routed: BTreeSet<String> = routes.iter().filter(|r| r.function == name).map(Route::key).collect();
        let served: BTreeSet<String> = served.iter().map(|(route, _)| (*route).to_owned()).collect();
        ensure!(routed == served, "template.yaml routes {routed:?} to `{name}`, which serves {served:?}");
        handlers.insert(name.to_owned(), handler);
    }
    Ok(handlers)
}

/// The handler of a function that reads a queue, by the name of its binary.
///
/// # Errors
/// When a setting is wrong, or no function of this name reads a queue.
pub(crate) fn queue(
    ledger: MakeLedger<'_>,
    env: &BTreeMap<String, String>,
    sender: &Sender,
    function: &str,
) -> Result<QueueHandler> {
    match function {
        Rebate::FUNCTION => task::<Rebate>(ledger, env),
        Settle::FUNCTION => task::<Settle>(ledger, env),
        Execute::FUNCTION => task::<Execute>(ledger, env),
        wallet_publish::NAME => {
            let bus = Bus::from_vars(|name| env.get(name).cloned()).map_err(|wrong| anyhow!(wrong))?;
            let with = Arc::new((bus, sender.clone()));
            Ok(Box::new(move |event| {
                let with = Arc::clone(&with);
                Box::pin(async move { wallet_publish::report(&with.0, &with.1, event).await })
            }))
        }
        wallet_dispatch::NAME => {
            let dispatch = Arc::new(Dispatch::new(env, sender)?);
            Ok(Box::new(move |event| Box::pin(Arc::clone(&dispatch).again(event))))
        }
        other => bail!("template.yaml has a queue read by `{other}`, which reads none"),
    }
}

/// The handler of the function that reads the table's stream.
///
/// # Errors
/// When a setting is wrong, or the template names another function.
pub(crate) fn stream(env: &BTreeMap<String, String>, sender: &Sender, function: &str) -> Result<StreamHandler> {
    ensure!(function == wallet_dispatch::NAME, "template.yaml has the stream read by `{function}`");
    let dispatch = Arc::new(Dispatch::new(env, sender)?);
    Ok(Box::new(move |event| Box::pin(Arc::clone(&dispatch).handle(event))))
}

/// The `dispatch` function.
struct Dispatch {
    queues: Queues,
    sender: Sender,
}

impl Dispatch {
    fn new(env: &BTreeMap<String, String>, sender: &Sender) -> Result<Dispatch> {
        let queues = Queues::from_vars(|name| env.get(name).cloned()).map_err(|wrong| anyhow!(wrong))?;
        Ok(Dispatch { queues, sender: sender.clone() })
    }

    async fn handle(self: Arc<Self>, event: String) -> Result<Value> {
        wallet_dispatch::handle(&self.queues, &self.sender, &event).await.map_err(|error| anyhow!(error))
    }

    /// Records that were driven back, each by itself, as an operator invokes the function with them.
    async fn again(self: Arc<Self>, event: SqsEvent) -> Report {
        let mut report = Report::default();
        for message in event.records {
            let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
            let sent = match serde_json::from_str::<&RawValue>(&body) {
                Ok(record) => Arc::clone(&self).handle(format!(r#"{{"Records": [{record}]}}"#)).await,
                Err(_) => Err(anyhow!("it is no JSON")),
            };
            match sent {
                Ok(answer) if answer["batchItemFailures"] == serde_json::json!([]) => {}
                Ok(_) => report.fail(&id, "it could not be sent on"),
                Err(error) => report.fail(&id, &format!("{error:#}")),
            }
        }
        report
    }
}

fn task<T: Task>(ledger: MakeLedger<'_>, env: &BTreeMap<String, String>) -> Result<QueueHandler> {
    let app = app(ledger, env)?;
    Ok(Box::new(move |event| {
        let app = Arc::clone(&app);
        Box::pin(async move { work::<T>(&app, event).await })
    }))
}

fn of<F: Function>(ledger: MakeLedger<'_>, env: &BTreeMap<String, String>) -> Result<(&'static str, Routes, Handler)> {
    let app = app(ledger, env)?;
    let handler: Handler = Arc::new(move |event| {
        let app = Arc::clone(&app);
        Box::pin(async move {
            let request = wallet_lambda::request(&event).context("the event cannot be read")?;
            Ok(wallet_lambda::answer::<F>(&app, request).await)
        })
    });
    Ok((F::NAME, F::ROUTES, handler))
}

fn app(ledger: MakeLedger<'_>, env: &BTreeMap<String, String>) -> Result<Arc<App>> {
    let settings = Settings::from_vars(|name| env.get(name).cloned()).context("the functions' settings")?;
    Ok(Arc::new(App::new(ledger(), settings)))
}
