//! The gateway: HTTP in, real API Gateway events to the functions' own handlers, HTTP out.
//!
//! Routes are the template's; a request without a good token is refused as the cloud's authorizer does. It decides
//! nothing else: scopes, bodies and money are the functions' business.

mod event;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;
use wallet_lambda::{Code, Problem, problem_response};

use crate::template::Route;
use crate::{clock, token};
use event::Arrival;

/// API Gateway's own bound on a request's body; the functions have a tighter one.
const BODY_LIMIT_BYTES: usize = 10 * 1024 * 1024;
/// API Gateway's own bound on the request line and the headers' values together.
const HEAD_LIMIT_BYTES: usize = 10_240;
/// Echoes the event's `requestId`, as API Gateway does.
const REQUEST_ID_HEADER: &str = "apigw-requestid";
/// Functions that answer at once; further requests wait for their turn. The embedded database works on one call at a time, so
/// that the more requests there are half done, the longer is the time from a request's read to its commit, in which another
/// may win the race: with 128 at once 4.3 % were answered 409. Lambda has no such line, and refuses what is beyond its concurrency.
const AT_ONCE: usize = 16;

/// What a function answers.
pub(crate) type FunctionResponse = lambda_http::Response<lambda_http::Body>;

/// A function's handler, from event, as JSON, to response.
pub(crate) type Handler = Arc<dyn Fn(String) -> BoxFuture<'static, Result<FunctionResponse>> + Send + Sync>;

/// Why a function could not be asked. The caller is told, since he can mend it.
#[derive(Debug)]
pub(crate) struct NotAsked(pub(crate) String);

impl fmt::Display for NotAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a request was and how it was answered, for whoever watches.
#[derive(Debug, Clone)]
pub struct Served {
    /// `POST`.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Of the answer.
    pub status: StatusCode,
    /// From the first byte of the head to the whole answer.
    pub took: Duration,
}

/// Called after each request.
pub type Observer = Arc<dyn Fn(&Served) + Send + Sync>;

/// What the gateway is made of.
pub(crate) struct Gateway {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// By name of the function's binary.
    pub(crate) handlers: HashMap<String, Handler>,
    /// Notified after each request: the table may have changed.
    pub(crate) after: Arc<Notify>,
    pub(crate) observer: Option<Observer>,
}

/// The router of all routes.
///
/// # Errors
/// When a route names a function that there is no handler for, or a method that there isn't.
pub(crate) fn router(gateway: Gateway, routes: &[Route]) -> Result<Router> {
    let (gateway, turns) = (Arc::new(gateway), Arc::new(Semaphore::new(AT_ONCE)));
    let mut router = Router::new();
    for route in routes {
        let handler = gateway.handlers.get(&route.function);
        let handler = Arc::clone(handler.with_context(|| {
            format!("template.yaml routes `{}` to `{}`, which the local stack lacks", route.key(), route.function)
        })?);
        let method = Method::from_bytes(route.method.as_bytes()).ok().and_then(|m| MethodFilter::try_from(m).ok());
        let method = method.with_context(|| format!("template.yaml routes `{}`: no such method", route.key()))?;
        let (gateway, turns) = (Arc::clone(&gateway), Arc::clone(&turns));
        let endpoint = Arc::new(Endpoint { gateway, turns, route: route.clone(), handler });
        router = router.route(
            &route.path,
            on(method, move |parameters: Result<RawPathParams, _>, request: Request| async move {
                endpoint.serve(parameters.ok(), request).await
            }),
        );
    }
    let fallback = move |request: Request| {
        let gateway = Arc::clone(&gateway);
        async move {
            let watch = Watch::start(&request);
            let (parts, _) = request.into_parts();
            let problem = match bounded(&parts) {
                Ok(()) => Problem::route_not_found(parts.method.as_str(), parts.uri.path()),
                Err(problem) => problem,
            };
            let response = problem_response(&problem, &watch.request_id);
            watch.finish(&gateway, response)
        }
    };
    Ok(router.fallback(fallback.clone()).method_not_allowed_fallback(fallback))
}

/// A route and who answers it.
struct Endpoint {
    gateway: Arc<Gateway>,
    turns: Arc<Semaphore>,
    route: Route,
    handler: Handler,
}

impl Endpoint {
    async fn serve(&self, parameters: Option<RawPathParams>, request: Request) -> Response {
        let watch = Watch::start(&request);
        let response = match self.answer(&watch.request_id, parameters, request).await {
            Ok(response) => response,
            Err(problem) => problem_response(&problem, &watch.request_id),
        };
        watch.finish(&self.gateway, response)
    }

    async fn answer(
        &self,
        request_id: &str,
        parameters: Option<RawPathParams>,
        request: Request,
    ) -> Result<FunctionResponse, Problem> {
        let (parts, body) = request.into_parts();
        bounded(&parts)?;
        let not_found = || Problem::route_not_found(parts.method.as_str(), parts.uri.path());
        // A route of GET answers HEAD in axum, and doesn't in API Gateway.
        if parts.method.as_str() != self.route.method {
            return Err(not_found());
        }
        let parameters = parameters.ok_or_else(not_found)?;
        let path_parameters: BTreeMap<String, String> =
            parameters.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let now = clock::now();
        let claims = authenticate(&parts, now)?;
        let body = to_bytes(body, BODY_LIMIT_BYTES)
            .await
            .map_err(|_| Problem::new(Code::BodyTooLarge, "The body is larger than 10 MiB, or ended early."))?;
        let arrival = Arrival {
            route: &self.route,
            parts: &parts,
            path_parameters,
            body: &body,
            claims,
            request_id,
            gateway: self.gateway.address,
            at: now,
        };
        self.call(arrival.event().to_string()).await
    }

    /// Has the function answer the event, in a task of its own: it ends as a Lambda call does, whether the caller still
    /// waits or not, and a panic ends there.
    async fn call(&self, event: String) -> Result<FunctionResponse, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let answer = (self.handler)(event);
        let call = tokio::spawn(async move {
            let answer = answer.await;
            drop(turn);
            answer
        });
        let (problem, cause) = match tokio::time::timeout(self.route.timeout, call).await {
            Ok(Ok(Ok(response))) => return Ok(response),
            Ok(Ok(Err(error))) => {
                let problem = match error.downcast_ref::<NotAsked>() {
                    Some(why) => Problem::new(Code::OutcomeUnknown, why.to_string()),
                    None => Problem::internal(""),
                };
                (problem, format!("{error:#}"))
            }
            Ok(Err(panic)) => (Problem::internal(""), panic.to_string()),
            Err(_) => {
                let detail = "The answer takes too long. Ask again with the same Idempotency-Key to learn the outcome.";
                let cause = format!("no answer within {} s", self.route.timeout.as_secs());
                (Problem::new(Code::OutcomeUnknown, detail), cause)
            }
        };
        tracing::error!(function = self.route.function, cause, "a function failed");
        Err(problem)
    }
}

/// Refuses a request line and headers that are too large for API Gateway. Nothing else of them is looked at.
fn bounded(parts: &Parts) -> Result<(), Problem> {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + "  HTTP/1.1".len();
    let bytes = parts.headers.values().fold(line, |bytes, value| bytes + value.len());
    if bytes <= HEAD_LIMIT_BYTES { Ok(()) } else { Err(Problem::headers_too_large(HEAD_LIMIT_BYTES)) }
}

/// The claims of the request's token.
///
/// # Errors
/// When there is none, or none that is good.
pub(crate) fn authenticate(parts: &Parts, now: Timestamp) -> Result<HashMap<String, String>, Problem> {
    token::check(bearer(parts)?, now).map_err(|complaint| Problem::unauthenticated(complaint, Some("invalid_token")))
}

/// The claims of the request's token, if it has `scope`: for what the local stack answers without a function.
///
/// # Errors
/// When there is no good token, or it lacks the scope.
pub fn authorize(parts: &Parts, scope: &str) -> Result<HashMap<String, String>, Problem> {
    let claims = authenticate(parts, clock::now())?;
    if token::has_scope(&claims, scope) { Ok(claims) } else { Err(Problem::missing_scope(scope)) }
}

/// The answer that tells `problem`, of a request that no function was asked about.
pub fn refusal(problem: &Problem) -> Response {
    into_axum(problem_response(problem, &Uuid::new_v4().to_string()))
}

/// The token of the one `Authorization: Bearer` header (RFC 6750).
fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let mut headers = parts.headers.get_all(header::AUTHORIZATION).iter();
    let only = if let (Some(only), None) = (headers.next(), headers.next()) { only.to_str().ok() } else { None };
    match only.and_then(|text| text.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => Ok(token.trim()),
        _ => Err(Problem::unauthenticated("The request needs one header `Authorization: Bearer <token>`.", None)),
    }
}

fn into_axum(response: FunctionResponse) -> Response {
    response.map(|body| match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    })
}

/// A request's id, and the time since it came.
struct Watch {
    request_id: String,
    started: Instant,
    method: Method,
    uri: Uri,
}

impl Watch {
    fn start(request: &Request) -> Watch {
        Watch {
            request_id: Uuid::new_v4().to_string(),
            started: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
        }
    }

    fn finish(self, gateway: &Gateway, response: FunctionResponse) -> Response {
        let mut response = into_axum(response);
        gateway.after.notify_one();
        let id = HeaderValue::from_str(&self.request_id).expect("a UUID is a header value");
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
        if let Some(observer) = &gateway.observer {
            let (status, took) = (response.status(), self.started.elapsed());
            observer(&Served { method: self.method, uri: self.uri, status, took });
        }
        response
    }
}

#[cfg(test)]
mod tests;
