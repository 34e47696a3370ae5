//! What operators ask of a running `wallet up`: routes outside of the API, each with a token that is made for it here.

use anyhow::{Result, bail, ensure};
use jiff::SignedDuration;
use reqwest::{Client, Method};
use serde_json::Value;
use wallet_stack::{clock, token};

/// Of the token that is made for each request.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(1);

pub(crate) async fn ask(url: &str, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
    ensure!(url.starts_with("http://"), "--url must start with http://, and `{url}` does not");
    let url = url.trim_end_matches('/');
    let token = token::mint("operator", "wallets:admin", TOKEN_LIFE, clock::now())?;
    let client = Client::builder().no_proxy().build()?;
    let request = client.request(method, format!("{url}{path}")).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let response = request.send().await.map_err(|error| {
        if error.is_connect() {
            anyhow::anyhow!("nothing answers at {url}.\nStart `cargo wallet up`, or say with --url where it is ready.")
        } else {
            anyhow::Error::new(error).context(format!("asking {url}"))
        }
    })?;
    let status = response.status();
    let body: Option<Value> = response.json().await.ok();
    match body {
        Some(answer) if status.is_success() => Ok(answer),
        Some(problem) if problem["detail"].is_string() && problem["request_id"].is_string() => {
            bail!("{}", plain(&problem["detail"]))
        }
        _ => bail!(
            "{url} is no local stack: {path} answered {status}.\nSay with --url where `cargo wallet up` is ready."
        ),
    }
}

/// What a message says must not reach a terminal as a command to it.
pub(crate) fn plain(text: &Value) -> String {
    crate::api::plain(text.as_str().unwrap_or_default())
}
