//! Functions that run elsewhere, asked through Lambda's own Invoke API, which `cargo lambda watch` serves too.
//!
//! They get the same events as the stack's own handlers, and answer as they do in Lambda. Nothing here looks into an
//! event. The API: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::future::BoxFuture;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use wallet_lambda::Report;

use crate::functions::QueueHandler;
use crate::gateway::{FunctionResponse, Handler, NotAsked};
use crate::template::Route;

/// How long a function may take: `cargo lambda watch` compiles it at its first call, and after each change.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// With it Lambda marks an answer that is the function's failure.
const FUNCTION_ERROR: &str = "x-amz-function-error";

/// Where functions are invoked.
#[derive(Clone)]
pub(crate) struct Lambda {
    client: Client,
    url: Arc<str>,
}

impl Lambda {
    /// At `url`, such as `http://127.0.0.1:9010`.
    ///
    /// # Errors
    /// When it is no such URL.
    pub(crate) fn at(url: &str) -> Result<Lambda> {
        ensure!(
            url.starts_with("http://") && reqwest::Url::parse(url).is_ok(),
            "`{url}` is no place to invoke functions at; write it as http://127.0.0.1:9010"
        );
        let client = Client::builder().no_proxy().build().context("no HTTP client")?;
        Ok(Lambda { client, url: url.trim_end_matches('/').into() })
    }

    /// The handlers of all functions that are routed to.
    pub(crate) fn http(&self, routes: &[Route]) -> HashMap<String, Handler> {
        let handler = |function: &str| -> Handler {
            let (lambda, function) = (self.clone(), Arc::<str>::from(function));
            Arc::new(move |event| {
                let (lambda, function) = (lambda.clone(), Arc::clone(&function));
                Box::pin(async move { response(&lambda.invoke(&function, event).await?) })
            })
        };
        routes.iter().map(|route| (route.function.clone(), handler(&route.function))).collect()
    }

    /// The handler of a function that reads a queue. A batch that it couldn't be given has failed as a whole.
    pub(crate) fn queue(&self, function: &str) -> QueueHandler {
        let (lambda, function) = (self.clone(), Arc::<str>::from(function));
        Box::new(move |event| -> BoxFuture<'static, Report> {
            let (lambda, function) = (lambda.clone(), Arc::clone(&function));
            Box::pin(async move {
                let reported = lambda.batch(&function, &event).await;
                reported.unwrap_or_else(|error| all_failed(&event, &format!("{error:#}")))
            })
        })
    }

    async fn batch(&self, function: &str, event: &SqsEvent) -> Result<Report> {
        let answer = self.invoke(function, serde_json::to_string(event)?).await?;
        let response: SqsBatchResponse = serde_json::from_str(&answer).context("the answer is no batch response")?;
        let ids = response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone());
        let reasons = ids.map(|id| (id, format!("the log of `{function}` says why"))).collect();
        Ok(Report { response, reasons })
    }

    /// What the function answers to the event.
    async fn invoke(&self, function: &str, event: String) -> Result<String> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(event);
        let response = request.send().await.with_context(|| {
            let url = &self.url;
            NotAsked(format!("`{function}` cannot be invoked at {url}; is `cargo lambda watch` running there?"))
        })?;
        let failed = !response.status().is_success() || response.headers().contains_key(FUNCTION_ERROR);
        let answer = response.text().await.with_context(|| format!("`{function}` broke off its answer"))?;
        if failed {
            bail!("`{function}` failed: {answer}");
        }
        Ok(answer)
    }
}

fn response(answer: &str) -> Result<FunctionResponse> {
    let answer: ApiGatewayV2httpResponse = serde_json::from_str(answer).context("the answer is no HTTP response")?;
    let mut response = lambda_http::Response::new(answer.body.unwrap_or_default());
    *response.status_mut() = u16::try_from(answer.status_code)?.try_into()?;
    *response.headers_mut() = answer.headers;
    Ok(response)
}

fn all_failed(event: &SqsEvent, reason: &str) -> Report {
    let mut report = Report::default();
    for id in event.records.iter().filter_map(|message| message.message_id.as_deref()) {
        report.fail(id, reason);
    }
    report
}
