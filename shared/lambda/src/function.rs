//! What a function is made of, and the one way that every event takes through it.
//!
//! request -> claims -> route -> [`Function::handle`] -> response, and one line in the log.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use aws_lambda_events::event::sqs::SqsEvent;
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Shared};
use lambda_http::http::Response;
use lambda_http::request::RequestContext;
use lambda_http::{Adapter, Body, Request, RequestExt as _, Service as _, service_fn};
use lambda_runtime::{Error, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::app::App;
use crate::call::Call;
use crate::claims::Claims;
use crate::deadline::{bounded, deadline};
use crate::log::{self, Line};
use crate::metrics;
use crate::problem::{Problem, problem_response};
use crate::queue::{self, Task};
use crate::reply::Reply;
use crate::request;
use crate::route::{Route, Routes};
use crate::settings::Settings;

/// A Lambda function behind the gateway.
pub trait Function: Send + Sync + 'static {
    /// The name of its binary, which the log shows.
    const NAME: &'static str;
    /// The routes that it answers.
    const ROUTES: Routes;

    /// Answers a request for one of [`Function::ROUTES`].
    fn handle(app: &App, call: &mut Call) -> impl Future<Output = Result<Reply, Problem>> + Send;
}

/// Answers one request, and writes its line in the log.
pub async fn answer<F: Function>(app: &App, request: Request) -> Response<Body> {
    let started = Instant::now();
    let request_id = request_id(&request);
    let until = deadline(request.lambda_context_ref());
    let mut line = Line { function: F::NAME, request_id: Some(request_id.clone()), ..Line::default() };
    line.usage.until = Some(until);
    let outcome = match read::<F>(app, request, &mut line) {
        Ok(mut call) => {
            let outcome = bounded(until, F::handle(app, &mut call)).await;
            let reads_less = call.caller().admin && !call.reader().admin;
            let outcome = if reads_less { outcome.map_err(Problem::without_figures) } else { outcome };
            line = call.line;
            outcome
        }
        Err(problem) => Err(problem),
    };
    match &outcome {
        Ok(reply) => (line.status, line.replayed) = (Some(reply.status().as_u16()), reply.is_replay()),
        Err(problem) => line.failed(problem),
    }
    line.write(started);
    outcome.map_or_else(|problem| problem_response(&problem, &request_id), Reply::into_response)
}

/// Claims come before the route: what reaches a function past the gateway, as it can under `cargo lambda watch`, has
/// neither, and is told that a token is needed.
fn read<F: Function>(app: &App, request: Request, line: &mut Line) -> Result<Call, Problem> {
    let route = Route::of(F::ROUTES, &request);
    line.route = route.as_ref().map(|route| route.key);
    let claims = Claims::of(&request, &app.settings().scope_prefix)?;
    line.caller = Some(claims.caller.subject.clone());
    let route = route.ok_or_else(|| Problem::route_not_found(request.method().as_str(), request.raw_http_path()))?;
    Call::read(request, claims, route, line)
}

fn request_id(request: &Request) -> String {
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    gateway.or_else(|| request.lambda_context_ref().map(|context| context.request_id.clone())).unwrap_or_default()
}

/// Runs `F` in Lambda until Lambda ends it. Without a good environment it says what is wrong and doesn't start.
pub fn serve<F: Function>() -> ExitCode {
    alone(F::NAME, async {
        let app = &start(F::NAME)?;
        let handler = service_fn(async |request| {
            let app = app.clone().await;
            Ok::<_, Infallible>(answer::<F>(&app, request).await)
        });
        let mut adapter = Adapter::from(handler);
        let service = |event: LambdaEvent<Box<RawValue>>| {
            let LambdaEvent { payload, context, .. } = event;
            let called = request::read(payload.get()).map(|request| adapter.call(LambdaEvent::new(request, context)));
            async { Ok::<_, Error>(called?.await?) }
        };
        lambda_runtime::run(service_fn(service)).await
    })
}

/// Runs in Lambda the function that works on the messages of a queue.
pub fn serve_queue<T: Task>() -> ExitCode {
    alone(T::FUNCTION, async {
        let app = &start(T::FUNCTION)?;
        // In a box: layers of the runtime around layers of the SDK are too deep for the compiler in one piece.
        let service = async |event: LambdaEvent<SqsEvent>| {
            let (app, until) = (app.clone().await, deadline(Some(&event.context)));
            Ok::<_, Infallible>(Box::pin(queue::work_until::<T>(&app, event.payload, until)).await.response)
        };
        lambda_runtime::run(service_fn(service)).await
    })
}

/// Runs in Lambda the function `name`, which sends messages and knows no ledger. `settings` are its own; `connect` makes,
/// once, what it sends with. `handle` is given both and an event as it came; its error fails the invocation.
pub fn serve_sender<S, C: Send + Sync + 'static, R: Serialize>(
    name: &'static str,
    settings: Result<S, String>,
    connect: impl AsyncFnOnce() -> C + Send + 'static,
    handle: impl AsyncFn(&S, &C, &str) -> Result<R, Error>,
) -> ExitCode {
    alone(name, async {
        let settings = &settings?;
        in_lambda()?;
        metrics::start(name, Settings::metrics_namespace_from_env()?.as_deref())?;
        let (connected, handle) = (&connecting(connect)?, &handle);
        let service = async |event: LambdaEvent<Box<RawValue>>| {
            let connected = connected.clone().await;
            Box::pin(handle(settings, &connected, event.payload.get())).await
        };
        lambda_runtime::run(service_fn(service)).await
    })
}

/// Runs in Lambda the function `name`, which a schedule calls. `make` makes, once, what `handle` works with; an error of
/// `handle` fails the invocation.
pub async fn serve_schedule<S>(
    name: &'static str,
    make: impl FnOnce(App) -> Result<S, Error>,
    handle: impl AsyncFn(&S, LambdaEvent<Value>) -> Result<Value, Error>,
) -> ExitCode {
    running(name, async {
        let made = &make(App::clone(&*start(name)?.await))?;
        let handle = &handle;
        let service = async |event: LambdaEvent<Value>| Box::pin(handle(made, event)).await;
        lambda_runtime::run(service_fn(service)).await
    })
    .await
}

/// What a function works with, once the thread that makes it is done.
type Connecting<C> = Shared<BoxFuture<'static, Arc<C>>>;

fn start(function: &'static str) -> Result<Connecting<App>, Error> {
    let settings = Settings::from_env()?;
    in_lambda()?;
    metrics::start(function, settings.metrics_namespace.as_deref())?;
    connecting(async move || App::connect(settings).await)
}

fn in_lambda() -> Result<(), Error> {
    match std::env::var_os("AWS_LAMBDA_RUNTIME_API") {
        Some(_) => Ok(()),
        None => Err("AWS_LAMBDA_RUNTIME_API is not set: Lambda or `cargo lambda watch` starts this program; \
                     `cargo wallet up` runs the whole system on this machine"
            .into()),
    }
}

/// Connects on a thread of its own. The SDK's configuration and the certificates that the system trusts take longer than all
/// the rest of a start; they are read while the function asks for its first event, which waits for them if it must.
fn connecting<C: Send + Sync + 'static>(
    connect: impl AsyncFnOnce() -> C + Send + 'static,
) -> Result<Connecting<C>, Error> {
    let (sender, connected) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("connect".to_owned()).spawn(move || {
        // Nobody waits any more when the function is ending.
        let _ = sender.send(Arc::new(runtime.block_on(connect())));
    })?;
    Ok(connected.map(|connected| connected.expect("the thread ends connected")).boxed().shared())
}

/// Runs a function on one thread, which is all that it needs: it works on one event at a time.
fn alone(name: &str, run: impl Future<Output = Result<(), Error>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a thread's own runtime can be made").block_on(running(name, run))
}

async fn running(name: &str, run: impl Future<Output = Result<(), Error>>) -> ExitCode {
    log::start();
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name} cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wallet_dynamodb::Ledger;
    use wallet_dynamodb::aws_sdk_dynamodb::{Client, Config, config::BehaviorVersion};

    use super::*;
    use crate::call::PAGING;
    use crate::event::{self, Event};

    /// Answers with what it was asked, or panics.
    struct Echo;

    impl Function for Echo {
        const NAME: &'static str = "echo";
        const ROUTES: Routes = &[("GET /v1/echo", PAGING), ("POST /v1/echo", &[]), ("GET /v1/panic", &[])];

        async fn handle(_: &App, call: &mut Call) -> Result<Reply, Problem> {
            match call.route() {
                "GET /v1/panic" => panic!("on purpose"),
                "POST /v1/echo" => Ok(Reply::ok(&call.json::<Value>()?)),
                _ => Ok(Reply::ok(&call.caller().subject.as_str())),
            }
        }
    }

    async fn sent(event: Event) -> (u16, Value) {
        let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
        let settings = Settings::from_vars(|name| (name == "TABLE_NAME").then(|| "wallets".to_owned()));
        let app = App::new(Ledger::new(Client::from_conf(config), "wallets"), settings.expect("good settings"));
        let response = answer::<Echo>(&app, event.request()).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).expect("JSON"))
    }

    #[track_caller]
    fn check((status, body): (u16, Value), expected: u16, code: &str) {
        assert_eq!((status, &body["code"], &body["request_id"]), (expected, &json!(code), &json!("ZfQ1jhYJliAEPxA=")));
    }

    #[tokio::test]
    async fn a_request_goes_through_claims_route_and_handler() {
        assert_eq!(sent(event::get("/v1/echo?limit=5")).await, (200, json!("alice")));
        assert_eq!(sent(event::post("/v1/echo", &json!({"a": 1}))).await, (200, json!({"a": 1})));
    }

    #[tokio::test]
    async fn what_stops_a_request_is_a_problem() {
        check(sent(event::get("/v1/elsewhere")).await, 404, "route_not_found");
        let nobody = event::get("/v1/echo").with("/requestContext/authorizer", json!(null));
        check(sent(nobody).await, 401, "unauthenticated");
        check(sent(event::get("/v1/echo?x=1")).await, 400, "malformed_request");
        check(sent(event::post("/v1/echo?limit=1", &json!({}))).await, 400, "malformed_request");
        check(sent(event::post("/v1/echo", &json!({"a": "x".repeat(16 * 1024)}))).await, 413, "body_too_large");
        let text = event::post("/v1/echo", &json!({})).header("content-type", "text/plain");
        check(sent(text).await, 415, "unsupported_media_type");
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_of_ours_and_says_nothing() {
        let (status, body) = sent(event::get("/v1/panic")).await;
        assert!(!body.to_string().contains("purpose"), "{body}");
        check((status, body), 500, "internal");
    }

    #[tokio::test]
    async fn a_body_in_base64_is_read_as_what_it_holds() {
        let event = event::post("/v1/echo", &json!({})).with("/body", json!("eyJhIjoxfQ=="));
        assert_eq!(sent(event.with("/isBase64Encoded", json!(true))).await, (200, json!({"a": 1})));
    }
}
