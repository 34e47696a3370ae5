//! The SDK's own HTTP client with a function around each of its calls, which may look at it, delay it or answer in its place.

use std::fmt;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// A client that hands each request to `around`, together with what sends it over HTTP.
pub fn around<F>(around: F) -> SharedHttpClient
where
    F: Fn(HttpRequest, &SharedHttpConnector) -> HttpConnectorFuture + Clone + Send + Sync + 'static,
{
    let base = aws_smithy_http_client::Builder::new().build_http();
    http_client_fn(move |settings, components| {
        let inner = base.http_connector(settings, components);
        SharedHttpConnector::new(Around { inner, around: around.clone() })
    })
}

struct Around<F> {
    inner: SharedHttpConnector,
    around: F,
}

impl<F> fmt::Debug for Around<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Around")
    }
}

impl<F> HttpConnector for Around<F>
where
    F: Fn(HttpRequest, &SharedHttpConnector) -> HttpConnectorFuture + Send + Sync,
{
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        (self.around)(request, &self.inner)
    }
}
