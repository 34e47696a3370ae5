//! A function that answers HTTP requests: what makes one, and the one path that every request takes through it.
//!
//! request -> route -> claims -> [`Function::handle`] -> response, and one line in the log.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Instant;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::FutureExt as _;
use lambda_http::http::Response;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, service_fn};
use lambda_runtime::{Error, LambdaEvent};

use crate::app::App;
use crate::call::Call;
use crate::log::{self, Line};
use crate::problem::{Problem, problem_response};
use crate::reply::Reply;
use crate::route::Route;
use crate::settings::Settings;

/// A Lambda function behind the gateway.
pub trait Function: Send + Sync + 'static {
    /// The binary's name, and in the log.
    const NAME: &'static str;
    /// Its routes, as in template.yaml: `POST /v1/wallets/{wallet_id}/deposits`.
    const ROUTES: &'static [&'static str];
    /// Those of [`Function::ROUTES`] that answer page by page, with `limit` and `cursor`.
    const LISTS: &'static [&'static str] = &[];

    /// Answers a request for one of [`Function::ROUTES`].
    fn handle(app: &App, call: &mut Call) -> impl Future<Output = Result<Reply, Problem>> + Send;
}

/// Answers one request, and writes its line in the log.
pub async fn answer<F: Function>(app: &App, request: Request) -> Response<Body> {
    let started = Instant::now();
    let request_id = request_id(&request);
    let mut line = Line { function: F::NAME, request_id: Some(request_id.clone()), ..Line::default() };
    let outcome = match read::<F>(request, &mut line) {
        Ok(mut call) => {
            let outcome = caught(F::handle(app, &mut call)).await.unwrap_or_else(|panic| Err(Problem::internal(panic)));
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

fn read<F: Function>(request: Request, line: &mut Line) -> Result<Call, Problem> {
    let (method, path) = (request.method().as_str(), request.raw_http_path());
    let route = Route::find(F::ROUTES, method, path).ok_or_else(|| Problem::route_not_found(method, path))?;
    line.route = Some(route.key);
    Call::read(request, route, F::LISTS, line)
}

fn request_id(request: &Request) -> String {
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    gateway.or_else(|| request.lambda_context_ref().map(|context| context.request_id.clone())).unwrap_or_default()
}

/// Runs `work`; a panic in it becomes an error that says so, and harms nothing else.
///
/// # Errors
/// The panic's message.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let message = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    };
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| format!("panicked: {}", message(panic)))
}

/// Runs `F` in Lambda until Lambda ends it. Without a good environment it says what is wrong and doesn't start.
pub async fn serve<F: Function>() -> ExitCode {
    log::start();
    let started = async {
        let app = &start().await?;
        let service = service_fn(async |request| Ok::<_, Infallible>(answer::<F>(app, request).await));
        lambda_http::run(service).await
    };
    ended(F::NAME, started.await)
}

/// Runs the function `name` in Lambda, which works on batches of queue messages.
pub async fn serve_queue(name: &str, handle: impl AsyncFn(&App, SqsEvent) -> SqsBatchResponse) -> ExitCode {
    log::start();
    let started = async {
        let app = &start().await?;
        let handle = &handle;
        // In a box: layers of the runtime around layers of the SDK are too deep for the compiler in one piece.
        let service =
            async |event: LambdaEvent<SqsEvent>| Ok::<_, Infallible>(Box::pin(handle(app, event.payload)).await);
        lambda_runtime::run(service_fn(service)).await
    };
    ended(name, started.await)
}

async fn start() -> Result<App, Error> {
    let settings = Settings::from_env()?;
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err("AWS_LAMBDA_RUNTIME_API is not set: Lambda or `cargo lambda watch` starts this program; \
                    `cargo wallet up` runs the whole system on this machine"
            .into());
    }
    Ok(App::connect(settings).await)
}

fn ended(name: &str, end: Result<(), Error>) -> ExitCode {
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name} cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}
