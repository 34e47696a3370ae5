//! Who asks whom: the API's address, the token, and one request after the other. Nothing is tried twice.
//!
//! HTTP is the SDK's own client, which speaks TLS; no other of this workspace does.

use std::time::Duration;

use anstream::eprintln;
use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use axum::http::uri::Uri;
use axum::http::{self, Method};
use jiff::SignedDuration;
use owo_colors::OwoColorize as _;
use serde_json::Value;
use wallet_domain::Owner;
use wallet_stack::api::is_loopback;
use wallet_stack::{clock, token};

use super::failure::Failure;
use super::shown::List;

/// API Gateway answers within 30 s, or says that it can't.
const PATIENCE: Duration = Duration::from_secs(35);
/// Of the tokens that are made here: `watch` may run for a day.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// As many as a page has at most.
const PAGE: u64 = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// Who asks, of a stack on this machine, which accepts a token that is made for him here
    #[arg(long = "as", value_name = "NAME", env = "WALLET_AS")]
    caller: Option<Owner>,
    /// Where the API answers
    #[arg(long, value_name = "URL", env = "WALLET_URL", default_value = "http://127.0.0.1:9000")]
    url: String,
    /// Print the API's own JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// One request of one caller.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Request {
        Request { method: Method::GET, path: path.to_owned(), body: None, headers: vec![] }
    }

    pub(crate) fn post(path: String, body: Value) -> Request {
        Request { method: Method::POST, path, body: Some(body), headers: vec![] }
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    url: String,
    /// Whether tokens that are made here are accepted there.
    local: bool,
    /// Who asks, where that is known.
    pub(super) caller: Option<Owner>,
    token: String,
    connector: SharedHttpConnector,
}

/// An answer of any kind.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) body: SdkBody,
}

impl Client {
    pub(crate) fn new(Connection { caller, url, .. }: &Connection) -> Result<Client, Failure> {
        Client::with(caller.clone(), url, std::env::var("WALLET_TOKEN").ok().filter(|token| !token.is_empty()))
    }

    pub(super) fn with(caller: Option<Owner>, url: &str, given: Option<String>) -> Result<Client, Failure> {
        let unclear = |why: &str| unclear(why, url);
        let local = is_local(url)?;
        let token = match (&caller, given) {
            (Some(caller), _) if local => mint(caller)?,
            (Some(_), _) => {
                return Err(unclear("--as makes a token for this machine alone; a deployment wants a WALLET_TOKEN"));
            }
            (None, Some(token)) => token,
            (None, None) if local => {
                return Err(Failure::Unclear("say who asks: --as alice, or a token in WALLET_TOKEN".to_owned()));
            }
            (None, None) => return Err(unclear("a deployment wants a token in WALLET_TOKEN")),
        };
        let connector = connector();
        Ok(Client { url: url.trim_end_matches('/').to_owned(), local, caller, token, connector })
    }

    /// The same on behalf of `owner`, where tokens can be made.
    pub(super) fn on_behalf(&self, owner: &Owner) -> Result<Option<Client>, Failure> {
        if !self.local {
            return Ok(None);
        }
        Ok(Some(Client { caller: Some(owner.clone()), token: mint(owner)?, ..self.clone() }))
    }

    /// What is answered to a request, good or bad. `key` names it, if it may change anything.
    pub(crate) async fn send(&self, request: Request, key: Option<&str>) -> Result<Answer, Failure> {
        let Request { method, path, body, headers } = request;
        let mut sent = http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        sent = sent.header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            sent = sent.header(name, value);
        }
        if body.is_some() {
            sent = sent.header("content-type", "application/json");
        }
        let body = body.map_or_else(SdkBody::empty, |body| SdkBody::from(body.to_string()));
        let sent = sent.body(body).map_err(|error| Failure::Unclear(format!("a header cannot be sent: {error}")))?;
        let sent = sent.try_into().map_err(|error| Failure::Failed(format!("the request cannot be sent: {error}")))?;
        let response = self.connector.call(sent).await.map_err(|error| {
            // Only the name of its error tells that no connection was made, and so nothing sent.
            let unsent = error.is_io() && format!("{error:?}").contains("ConnectError");
            match unsent {
                true if self.local => Failure::Failed(format!(
                    "nothing answers at {}. Start `cargo wallet up`, or say with --url where it is ready.",
                    self.url
                )),
                true => Failure::Failed(format!("{} does not answer: {}", self.url, causes(&error))),
                false => lost(format!("{} does not answer: {}", self.url, causes(&error)), key),
            }
        })?;
        let replayed = response.headers().get("idempotent-replayed").is_some();
        Ok(Answer { status: response.status().as_u16(), replayed, body: response.into_body() })
    }

    /// What is answered to a request that goes well.
    pub(crate) async fn ask(&self, request: Request, key: Option<&str>) -> Result<Value, Failure> {
        let answer = self.send(request, key).await?;
        let (status, replayed) = (answer.status, answer.replayed);
        let bytes = ByteStream::new(answer.body).collect().await;
        let bytes =
            bytes.map_err(|error| lost(format!("the answer of {} broke off: {}", self.url, causes(&error)), key))?;
        let body: Value = serde_json::from_slice(&bytes.into_bytes()).unwrap_or_default();
        if replayed {
            eprintln!("{}", "this was answered before, and nothing has moved now".dimmed());
        }
        match (200..300).contains(&status) {
            true if body.is_object() => Ok(body),
            false if body["code"].is_string() && body["detail"].is_string() => Err(Failure::Problem(Box::new(body))),
            _ if status >= 500 => Err(lost(format!("{} answered {status} and no more", self.url), key)),
            _ => Err(Failure::Failed(format!("{} is not this API: it answered {status}", self.url))),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Request::get(path), None).await
    }

    /// The items of `list`, `most` of them at most, page after page.
    pub(crate) async fn list(&self, path: &str, list: &List, most: u64) -> Result<Vec<Value>, Failure> {
        let mut items = vec![];
        let mut cursor = String::new();
        loop {
            let limit = PAGE.min(most - items.len() as u64);
            let join = if path.contains('?') { '&' } else { '?' };
            let mut page = self.get(&format!("{path}{join}limit={limit}{cursor}")).await?;
            items.extend(page[list.name].as_array_mut().map(std::mem::take).unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) if (items.len() as u64) < most => cursor = format!("&cursor={next}"),
                _ => return Ok(items),
            }
        }
    }
}

/// Whether the API answers on this machine.
///
/// # Errors
/// When `url` is no address of an API, or a token would go there in the clear.
pub(super) fn is_local(url: &str) -> Result<bool, Failure> {
    let wrong = || unclear("an address is written as https://wallets.example.com", url);
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let local = is_loopback(uri.host().unwrap_or_default());
    match uri.scheme_str() {
        Some("https") => Ok(local),
        Some("http") if local => Ok(local),
        Some("http") => Err(unclear("a token goes over https alone, but to this machine", url)),
        _ => Err(wrong()),
    }
}

fn unclear(why: &str, url: &str) -> Failure {
    Failure::Unclear(format!("{why}, and WALLET_URL or --url is `{url}`"))
}

/// What sends requests, over TLS where the address says so.
pub(super) fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(Duration::from_secs(5)).read_timeout(PATIENCE);
    default_connector(&settings.build(), None).expect("this workspace builds it with TLS")
}

fn mint(owner: &Owner) -> Result<String, Failure> {
    let token = token::mint(owner.as_str(), token::EVERYDAY_SCOPE, TOKEN_LIFE, clock::now());
    token.map_err(|error| Failure::Failed(format!("no token: {error:#}")))
}

/// What becomes of a request under `key` without an answer is not known; without a key nothing can have become of it.
fn lost(why: String, key: Option<&str>) -> Failure {
    match key {
        Some(key) => Failure::Lost { why, key: key.to_owned() },
        None => Failure::Failed(why),
    }
}

pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
