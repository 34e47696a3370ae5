//! The functions' own handlers, by the names of their binaries: the same code that Lambda runs, without its runtime.
//!
//! Each function has its own `App`, and so its own snapshots of wallets, as each has its own process in the cloud.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use aws_lambda_events::event::sqs::SqsEvent;
use futures::future::BoxFuture;
use wallet_dynamodb::Ledger;
use wallet_lambda::{App, Function, Settings};
use wallet_rebate::Report;

use crate::gateway::Handler;
use crate::template::{Consumer, Route};

/// Makes a function's ledger.
pub(crate) type MakeLedger<'a> = &'a dyn Fn() -> Ledger;

/// The handler of a function that reads a queue.
pub(crate) type QueueHandler = Box<dyn Fn(SqsEvent) -> BoxFuture<'static, Report> + Send + Sync>;

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
    let mut add = |(name, served, handler): (&str, &[&str], Handler)| {
        let routed: BTreeSet<String> = routes.iter().filter(|r| r.function == name).map(Route::key).collect();
        let served: BTreeSet<String> = served.iter().map(|route| (*route).to_owned()).collect();
        ensure!(routed == served, "template.yaml routes {routed:?} to `{name}`, which serves {served:?}");
        handlers.insert(name.to_owned(), handler);
        Ok(())
    };
    add(of::<wallet_deposit::Deposit>(ledger, env)?)?;
    add(of::<wallet_withdraw::Withdraw>(ledger, env)?)?;
    add(of::<wallet_transfer::Transfer>(ledger, env)?)?;
    add(of::<wallet_wallets::Wallets>(ledger, env)?)?;
    add(of::<wallet_transactions::Transactions>(ledger, env)?)?;
    add(of::<wallet_reversal::Reversal>(ledger, env)?)?;
    Ok(handlers)
}

/// The handler of the function that reads the queue.
///
/// # Errors
/// When a setting is wrong, or the template names another function.
pub(crate) fn queue(
    ledger: MakeLedger<'_>,
    env: &BTreeMap<String, String>,
    consumer: &Consumer,
) -> Result<QueueHandler> {
    ensure!(
        consumer.function == wallet_rebate::NAME,
        "template.yaml has the queue read by `{}`, not by `{}`",
        consumer.function,
        wallet_rebate::NAME
    );
    let app = app(ledger, env)?;
    Ok(Box::new(move |event| {
        let app = Arc::clone(&app);
        Box::pin(async move { wallet_rebate::report(&app, event).await })
    }))
}

fn of<F: Function>(
    ledger: MakeLedger<'_>,
    env: &BTreeMap<String, String>,
) -> Result<(&'static str, &'static [&'static str], Handler)> {
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
