//! The whole system in one process: database, stream, queues, bus, functions and gateway, started and stopped together.
//!
//! Each stack is its own world: own table, own queues, own ports. A test starts as many as it likes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use aws_lambda_events::event::sqs::SqsEvent;
use aws_sdk_dynamodb::config::SharedHttpClient;
use axum::Router;
use axum::serve::ListenerExt as _;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wallet_dynamodb::Ledger;
use wallet_lambda::Task as _;
use wallet_rebate::Rebate;
use wallet_requests::Execute;
use wallet_settle::Settle;

use crate::admin;
use crate::api;
use crate::caller::Caller;
use crate::database::listen;
use crate::events::{self, Events};
use crate::functions;
use crate::gateway::{self, Gateway, Observer};
use crate::names::TABLE;
use crate::poller::Poller;
use crate::queue::Queue;
use crate::reader::Reader;
use crate::remote::{Lambda, PATIENCE};
use crate::stores::Stores;
use crate::template::Template;
use crate::{clock, token};

/// How long requests and batches at work may take to finish when the stack stops.
const STOP_GRACE: Duration = Duration::from_secs(4);

/// Changes a function's ledger; called once for each function.
pub type AdaptLedger = Arc<dyn Fn(Ledger) -> Ledger + Send + Sync>;

/// Changes a batch on its way from the queue of rebates to its function; called with each.
pub type AdaptBatch = Arc<dyn Fn(SqsEvent) -> SqsEvent + Send + Sync>;

/// Makes what is served beside the API, once all else is there.
pub type Beside = Arc<dyn Fn(Surroundings) -> Router + Send + Sync>;

/// What a stack is, to what is served beside its API.
pub struct Surroundings {
    /// Where the embedded DynamoDB answers: `http://127.0.0.1:<port>`.
    pub dynamodb_url: String,
    /// The table's name.
    pub table: &'static str,
    /// A client of its own.
    pub client: aws_sdk_dynamodb::Client,
    /// The API without its socket, and without [`Options::observer`].
    pub api: Router,
    /// True when the stack stops.
    pub stopped: watch::Receiver<bool>,
}

/// How a stack is to be. The default is in memory, on free ports, with the template's settings.
#[derive(Clone)]
pub struct Options {
    /// The gateway's port on 127.0.0.1; 0 is any free one.
    pub port: u16,
    /// The embedded DynamoDB's port on 127.0.0.1; 0 is any free one.
    pub dynamodb_port: u16,
    /// Where the data lives on; in memory if `None`.
    pub data: Option<PathBuf>,
    /// Environment variables of the functions, in place of the template's.
    pub env: BTreeMap<String, String>,
    /// How long a message that failed stays hidden until it comes again, in place of its queue's own time-out.
    pub visibility_timeout: Option<Duration>,
    /// What the functions' SDK sends its requests with: for tests that let requests fail or replies get lost.
    pub http_client: Option<SharedHttpClient>,
    /// Changes each function's ledger: its clock or its snapshots. Its policy is a matter of `env`.
    pub adapt: Option<AdaptLedger>,
    /// Changes what the `rebate` function is given: for tests in which messages come twice, or out of order.
    pub adapt_batch: Option<AdaptBatch>,
    /// Where the functions run, such as `http://127.0.0.1:9010`; in the stack itself if `None`. What the other options
    /// say about functions is then of no consequence. Those that send run in the stack in any case: the queues are here.
    pub functions: Option<String>,
    /// Whether the queues deliver from the start; see [`Stack::deliver`].
    pub deliver: bool,
    /// Called after each request.
    pub observer: Option<Observer>,
    /// Served beside the API, under the same rule for `Host` and `Origin`.
    pub beside: Option<Beside>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 0,
            dynamodb_port: 0,
            data: None,
            env: BTreeMap::new(),
            visibility_timeout: None,
            http_client: None,
            adapt: None,
            adapt_batch: None,
            functions: None,
            deliver: true,
            observer: None,
            beside: None,
        }
    }
}

/// A running system. Dropped, it stops at once; [`Stack::stop`] lets it finish what it is doing.
pub struct Stack {
    url: String,
    router: Router,
    stores: Stores,
    client: aws_sdk_dynamodb::Client,
    delivering: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts everything; when this returns, the gateway serves.
    ///
    /// # Errors
    /// When a port is taken, the data cannot be used, a setting is wrong or the template asks for something that the
    /// local stack lacks. The message says what to do.
    pub async fn start(options: Options) -> Result<Stack> {
        let mut template = Template::embedded()?;
        let elsewhere = options.functions.as_deref().map(Lambda::at).transpose()?;
        let listener = listen(options.port).await?;
        let address = listener.local_addr()?;
        // Answers are small and awaited: they go out at once.
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });

        let data = options.data.as_deref();
        let stores = Stores::start(&template, data, options.dynamodb_port).await?;
        let Stores { database, file, queues, bus } = &stores;
        let client = database.client(options.http_client);

        let mut env = template.environment;
        env.extend(options.env);
        env.insert("TABLE_NAME".to_owned(), TABLE.to_owned());
        let ledger = || {
            let ledger = Ledger::new(client.clone(), TABLE);
            if let Some(adapt) = &options.adapt { adapt(ledger) } else { ledger }
        };
        let sender = stores.sender();
        let handler = functions::stream(&env, &sender, &template.reader.function)?;
        let reader =
            Reader::new(database.inner.clone(), database.stream.clone(), template.reader, handler, Arc::clone(file))?;
        let (stop, stopped) = watch::channel(false);
        let handlers = match &elsewhere {
            None => functions::http(&ledger, &env, &template.routes)?,
            Some(lambda) => {
                template.routes.iter_mut().for_each(|route| route.timeout = PATIENCE);
                lambda.http(&template.routes)
            }
        };
        // What the stack itself asks functions wakes nobody and is shown to nobody.
        let unobserved = Gateway { address, handlers: handlers.clone(), after: Arc::default(), observer: None };
        let events = Events {
            bus: Arc::clone(bus),
            functions: gateway::router(unobserved, &template.routes)?,
            stopped: stopped.clone(),
        };
        let beside = options.beside.map(|beside| {
            let quiet = Gateway { address, handlers: handlers.clone(), after: reader.waker(), observer: None };
            Ok::<_, anyhow::Error>(beside(Surroundings {
                dynamodb_url: database.url.clone(),
                table: TABLE,
                client: database.client(None),
                api: gateway::router(quiet, &template.routes)?,
                stopped: stopped.clone(),
            }))
        });
        let gateway = Gateway { address, handlers, after: reader.waker(), observer: options.observer };
        let router = gateway::router(gateway, &template.routes)?
            .merge(events::router(events))
            .merge(admin::router(queues.clone()))
            .merge(api::router())
            .merge(beside.transpose()?.unwrap_or_default());
        let (delivering, delivers) = watch::channel(options.deliver);
        let (_, always) = watch::channel(true);
        let mut tasks = JoinSet::new();
        for mut consumer in template.consumers {
            let name = consumer.function.as_str();
            let (queue, retry_after) = (Arc::clone(&queues[name]), options.visibility_timeout);
            let writes = [Rebate::FUNCTION, Settle::FUNCTION, Execute::FUNCTION].contains(&name);
            let handler = match &elsewhere {
                Some(lambda) if writes => {
                    let handler = lambda.queue(name);
                    consumer.timeout = PATIENCE;
                    handler
                }
                _ => functions::queue(&ledger, &env, &sender, name)?,
            };
            let adapt = options.adapt_batch.clone().filter(|_| consumer.function == Rebate::FUNCTION);
            let handler = move |event| handler(if let Some(adapt) = &adapt { adapt(event) } else { event });
            // Functions that write nothing are delivered to in any case.
            let delivering = if writes { delivers.clone() } else { always.clone() };
            tasks.spawn(Poller { queue, consumer, handler, retry_after, delivering }.run(stopped.clone()));
        }

        let server =
            axum::serve(listener, api::of_loopback(router.clone())).with_graceful_shutdown(is_true(stopped.clone()));
        tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!("the gateway failed: {error}");
            }
        });
        tasks.spawn(async move {
            tokio::select! {
                () = reader.run() => {}
                () = is_true(stopped) => {}
            }
        });
        Ok(Stack { url: format!("http://{address}"), router, stores, client, delivering, stop, tasks })
    }

    /// Where the gateway answers: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the embedded DynamoDB answers: `http://127.0.0.1:<port>`.
    pub fn dynamodb_url(&self) -> &str {
        self.stores.dynamodb_url()
    }

    /// The table's name.
    pub fn table(&self) -> &'static str {
        TABLE
    }

    /// The client that the functions use.
    pub fn client(&self) -> &aws_sdk_dynamodb::Client {
        &self.client
    }

    /// A new client, without what the functions' client was given.
    pub fn own_client(&self) -> aws_sdk_dynamodb::Client {
        self.stores.database.client(None)
    }

    /// The queue that the function of this name reads. That of `dispatch` is its own dead letters.
    ///
    /// # Panics
    /// When no function of this name reads a queue.
    pub fn queue(&self, function: &str) -> &Queue {
        &self.stores.queues[function]
    }

    /// The gateway without its socket.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Whether the queues deliver to the functions that write. Held back, their messages wait.
    pub fn deliver(&self, deliver: bool) {
        self.delivering.send_replace(deliver);
    }

    /// Who asks the gateway without its socket, with a token that is good for an hour.
    pub fn caller(&self, sub: &str, scope: &str) -> Caller {
        Caller::new(self.router(), self.token(sub, scope))
    }

    /// A token that this stack accepts, good for an hour.
    pub fn token(&self, sub: &str, scope: &str) -> String {
        let hour = SignedDuration::from_hours(1);
        token::mint(sub, scope, hour, clock::now()).expect("an hour from now is within all dates")
    }

    /// Takes no more requests, lets those at work finish, and stops; bounded to a few seconds.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let finish = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_GRACE, finish).await.is_err() {
            tracing::warn!("stopped with requests still at work");
        }
        self.tasks.shutdown().await;
        let _ = tokio::time::timeout(STOP_GRACE, self.stores.stop()).await;
    }
}

async fn is_true(mut signal: watch::Receiver<bool>) {
    let _ = signal.wait_for(|signal| *signal).await;
}

#[cfg(test)]
mod tests;
