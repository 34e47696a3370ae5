//! `wallet console`: the console's page on loopback for an API that is elsewhere, with what asks that API beside it.
//!
//! The browser asks this machine alone; `/v1` goes on to the API as it came, with the caller's own token, and nothing else does.
//! Neither tokens nor requests are kept or logged here. Nothing is tried twice.

use std::process::ExitCode;
use std::sync::Arc;

use anstream::eprintln;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::response::Response;
use axum::routing::any;
use owo_colors::OwoColorize as _;
use wallet_lambda::{Code, Problem};
use wallet_stack::{api, listen, refusal};

use super::client::{causes, connector, is_local};
use super::failure::Failure;
use crate::console;
use crate::signals::stopped;

/// Four times what the API takes: it says what is wrong with a larger one.
const BODY_LIMIT_BYTES: usize = 64 * 1024;
/// What of a request goes on. Not its `Origin`, `Cookie` or `Referer`: those are about this machine.
const ASKED: [HeaderName; 7] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("prefer"),
];
/// What of an answer comes back. No cookie of elsewhere is set for this machine.
const ANSWERED: [HeaderName; 9] = [
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("apigw-requestid"),
    HeaderName::from_static("idempotent-replayed"),
    HeaderName::from_static("preference-applied"),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the API answers
    #[arg(long, value_name = "URL", env = "WALLET_URL", default_value = "http://127.0.0.1:9000")]
    url: String,
    /// The page's port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 9001)]
    port: u16,
}

pub(crate) async fn run(arguments: &Arguments) -> ExitCode {
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(false);
            failure.code()
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), Failure> {
    let failed = |error: anyhow::Error| Failure::Failed(format!("{error:#}"));
    let router = router(&arguments.url)?;
    let stopped = stopped().map_err(failed)?;
    let listener = listen(arguments.port).await.map_err(failed)?;
    let address = listener.local_addr().map_err(|error| failed(error.into()))?;
    eprintln!("{}", format!("the console of {}: it asks for a token; Ctrl-C stops it", arguments.url).dimmed());
    console::line(&format!("console http://{address}/console"));
    tokio::select! {
        ended = axum::serve(listener, router) => ended.map_err(|error| failed(error.into())),
        () = stopped => Ok(()),
    }
}

/// The page, and the way to the API at `url`, for this machine alone.
fn router(url: &str) -> Result<Router, Failure> {
    is_local(url)?;
    let there = Arc::new(There { url: url.trim_end_matches('/').to_owned(), connector: connector() });
    let none =
        async |request: Request| refusal(&Problem::route_not_found(request.method().as_str(), request.uri().path()));
    let router = Router::new().route("/v1/{*rest}", any(pass_on)).with_state(there);
    Ok(api::of_loopback(router.merge(wallet_console::page()).fallback(none)))
}

/// The API.
struct There {
    url: String,
    connector: SharedHttpConnector,
}

async fn pass_on(State(there): State<Arc<There>>, request: Request) -> Response {
    match there.ask(request).await {
        Ok(response) => response,
        Err(problem) => refusal(&problem),
    }
}

impl There {
    async fn ask(&self, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_LIMIT_BYTES).await;
        let body = body.map_err(|_| Problem::new(Code::BodyTooLarge, "The body is too large, or ended early."))?;
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let uri: Uri = format!("{}{target}", self.url).parse().map_err(|_| Problem::malformed("No such address."))?;
        let mut sent = axum::http::Request::new(SdkBody::from(body.to_vec()));
        (*sent.method_mut(), *sent.uri_mut()) = (parts.method, uri);
        copy(&parts.headers, &ASKED, sent.headers_mut());
        let unreadable = "A header cannot be sent on: its value is no text.";
        let sent = sent.try_into().map_err(|_| Problem::malformed(unreadable))?;
        let answer = self.connector.call(sent).await.map_err(|error| {
            let why = causes(&error);
            let detail = format!(
                "{} does not answer: {why}. Asking again with the same Idempotency-Key tells what has come of it.",
                self.url
            );
            Problem::new(Code::OutcomeUnknown, detail)
        })?;
        let answer = answer.try_into_http1x().map_err(|error| {
            Problem::new(Code::OutcomeUnknown, format!("The answer of {} cannot be read: {error}.", self.url))
        })?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        copy(answer.headers(), &ANSWERED, response.headers_mut());
        *response.body_mut() = Body::new(answer.into_body());
        Ok(response)
    }
}

fn copy(from: &HeaderMap, names: &[HeaderName], to: &mut HeaderMap) {
    for name in names {
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
