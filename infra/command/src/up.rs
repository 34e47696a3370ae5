//! `wallet up`: starts the stack, seeds the demo, says where everything is, and stops on SIGINT and SIGTERM.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use jiff::SignedDuration;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};
use wallet_console::Console;
use wallet_stack::template::Template;
use wallet_stack::{Observer, Options, Stack, Stores, steps};

use crate::signals::stopped;
use crate::{console, demo};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The gateway's port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// The embedded DynamoDB's port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    dynamodb_port: u16,
    /// Keep the data in this file across restarts (made if absent); in memory without it
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Start empty, without the demo
    #[arg(long)]
    no_seed: bool,
    /// How long a message that failed waits until it is tried again, such as 2s; as in the cloud without it
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    visibility_timeout: Option<Duration>,
    /// Only the embedded DynamoDB with its table, for functions that run elsewhere
    #[arg(long, conflicts_with_all = ["port", "no_seed", "visibility_timeout"])]
    dynamodb_only: bool,
    /// Functions that run elsewhere in place of the stack's own, such as http://127.0.0.1:9010 of cargo lambda watch;
    /// without the demo
    #[arg(long, value_name = "URL", conflicts_with = "dynamodb_only")]
    functions: Option<String>,
    /// Write the functions' logs to stderr, as JSON; RUST_LOG chooses what
    #[arg(long)]
    logs: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let seen = Console::new();
    log(arguments.logs, &seen);
    let mut stopped = pin!(stopped()?);
    tokio::select! {
        // Dropped half way, a start leaves nothing behind that the next one doesn't find in order.
        () = &mut stopped => Ok(()),
        outcome = up(arguments, seen) => {
            let stop = outcome?;
            stopped.await;
            stop.await;
            Ok(())
        }
    }
}

/// Stops what `up` has started.
type Stop = Pin<Box<dyn Future<Output = ()>>>;

async fn up(arguments: &Arguments, seen: Console) -> Result<Stop> {
    if arguments.dynamodb_only {
        return database_only(arguments).await;
    }
    // What the shell sets goes before the template, as it would in the cloud.
    let env =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let show_requests = !arguments.logs && std::io::stderr().is_terminal();
    // The demo's own requests would only be in the way.
    let greeted = Arc::new(AtomicBool::new(false));
    let observer: Observer = Arc::new({
        let greeted = Arc::clone(&greeted);
        move |served| {
            if greeted.load(Ordering::Relaxed) {
                console::show_request(served);
            }
        }
    });
    let stack = Stack::start(Options {
        port: arguments.port,
        dynamodb_port: arguments.dynamodb_port,
        data: arguments.data.clone(),
        env: env.collect(),
        visibility_timeout: arguments.visibility_timeout,
        functions: arguments.functions.clone(),
        observer: show_requests.then_some(observer),
        beside: Some(Arc::new(move |surroundings| seen.router(surroundings))),
        ..Options::default()
    })
    .await?;

    console::greet(arguments.data.as_deref());
    let demo = if arguments.no_seed || arguments.functions.is_some() {
        None
    } else {
        let seeded = demo::seed(stack.router()).await;
        seeded.inspect_err(|error| console::warn(&format!("the demo could not be seeded: {error:#}"))).ok()
    };
    if let Some(demo) = &demo {
        console::show_demo(demo);
    }
    console::show_curl(stack.url(), demo.as_ref());
    if arguments.functions.is_some() {
        console::show_environment(stack.dynamodb_url(), &Template::embedded()?.environment);
    }
    console::line(&format!("dynamodb {}", stack.dynamodb_url()));
    console::line(&format!("ready {}", stack.url()));
    console::show_console(stack.url(), demo.as_ref());
    greeted.store(true, Ordering::Relaxed);
    Ok(Box::pin(stack.stop()))
}

async fn database_only(arguments: &Arguments) -> Result<Stop> {
    let data = arguments.data.as_deref();
    let template = Template::embedded()?;
    let stores = Stores::start(&template, data, arguments.dynamodb_port).await?;
    console::greet(data);
    console::show_environment(stores.dynamodb_url(), &template.environment);
    console::line(&format!("dynamodb {}", stores.dynamodb_url()));
    Ok(Box::pin(stores.stop()))
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "write it as 500ms, 2s or 3m".to_owned())
}

/// Faults always; everything that a function logs on demand. What the console sees is none of the log's business.
fn log(wanted: bool, seen: &Console) {
    let filter = match std::env::var("RUST_LOG") {
        Ok(filter) if !filter.is_empty() => EnvFilter::new(filter),
        _ if wanted => EnvFilter::new("info,dynoxide=off"),
        _ => EnvFilter::new("error,dynoxide=off"),
    };
    let filter = filter.add_directive(format!("{}=off", steps::TARGET).parse().expect("a directive"));
    let log = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry().with(log.with_filter(filter)).with(seen.layer()).init();
}
