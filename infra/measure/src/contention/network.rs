//! A simulated network: an HTTP client that wraps the SDK's, with a delay on each call and DynamoDB's own conflicts.
//!
//! The embedded database answers in a millisecond and its transactions never meet. Here every call takes a while, and a
//! transaction counts as in flight for the whole of its call, which is longer than in DynamoDB: figures under this model are
//! simulated, and on the pessimistic side.

use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use wallet_stack::around;
use wallet_stack::in_flight::InFlight;

/// How the simulated network behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Network {
    /// Added to each call.
    pub(crate) delay: Duration,
    /// Whether one of two transactions that meet on an item is cancelled.
    pub(crate) conflicts: bool,
}

impl Network {
    /// A client over this network. All SDK clients that share it share one table's conflicts.
    pub(crate) fn http_client(self) -> SharedHttpClient {
        let in_flight = InFlight::default();
        around(move |request, inner| {
            let (inner, in_flight) = (inner.clone(), in_flight.clone());
            HttpConnectorFuture::new(async move {
                let body = request.body().bytes().filter(|_| self.conflicts);
                let body = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
                let held = in_flight.enter(&body);
                if !self.delay.is_zero() {
                    tokio::time::sleep(self.delay).await;
                }
                match held {
                    Ok(_held) => inner.call(request).await,
                    Err(answer) => {
                        let status = StatusCode::try_from(400).expect("400 is a status");
                        let mut response = HttpResponse::new(status, SdkBody::from(answer.to_string()));
                        response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
                        Ok(response)
                    }
                }
            })
        })
    }
}
