//! A bucket of S3 that keeps checkpoints: each audit adds one and changes none.
//!
//! It needs three calls of S3 (list one key, get, put), so they are made here, signed by AWS's own signer and sent by the
//! HTTP client that the SDK has already: the SDK's crate for S3 would take longer to compile than all the rest.
//!
//! Never overwrites: S3 itself refuses a key that is there. Retries nothing: the schedule calls again.

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{Method, StatusCode};
use sha2::{Digest as _, Sha256};
use wallet_domain::Timestamp;
use wallet_dynamodb::aws_sdk_dynamodb::config::{Credentials, ProvideCredentials as _, SharedCredentialsProvider};

/// Of one call; a checkpoint is 4.5 KB.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The last millisecond of 13 digits, in 2286.
const LAST_MS: i64 = 9_999_999_999_999;

/// The checkpoints of one table in a bucket.
#[derive(Debug)]
pub struct Bucket {
    /// Up to the slash before a key.
    url: String,
    region: String,
    credentials: SharedCredentialsProvider,
    prefix: String,
}

/// A call to the bucket that failed.
#[derive(Debug, thiserror::Error)]
#[error("the bucket of checkpoints: {0}")]
pub struct BucketError(String);

impl Bucket {
    /// The bucket `name` with region and credentials of the environment; at `endpoint`, where there is one.
    ///
    /// # Errors
    /// [`BucketError`] when the environment has no region or no credentials.
    pub async fn connect(name: &str, endpoint: Option<&str>, table: &str) -> Result<Bucket, BucketError> {
        let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
        let region = config.region().ok_or_else(|| BucketError("the environment names no region".to_owned()))?;
        let credentials = config.credentials_provider();
        let credentials = credentials.ok_or_else(|| BucketError("the environment has no credentials".to_owned()))?;
        Ok(Bucket::new(name, endpoint, region.as_ref(), credentials, table))
    }

    /// The bucket `name` in `region`; at `endpoint`, where there is one.
    #[must_use]
    pub fn new(
        name: &str,
        endpoint: Option<&str>,
        region: &str,
        credentials: SharedCredentialsProvider,
        table: &str,
    ) -> Bucket {
        let url = match endpoint {
            Some(endpoint) => format!("{}/{name}/", endpoint.trim_end_matches('/')),
            None if region.starts_with("cn-") => format!("https://{name}.s3.{region}.amazonaws.com.cn/"),
            None => format!("https://{name}.s3.{region}.amazonaws.com/"),
        };
        Bucket { url, region: region.to_owned(), credentials, prefix: format!("checkpoints/{table}/") }
    }

    /// The newest checkpoint, if there is any.
    ///
    /// # Errors
    /// [`BucketError`] when the bucket cannot be read.
    pub async fn newest(&self, now: Timestamp) -> Result<Option<Vec<u8>>, BucketError> {
        let query = format!("?list-type=2&max-keys=1&prefix={}", self.prefix.replace('/', "%2F"));
        let list = self.call(Method::GET, &query, vec![], now).await?;
        let list = String::from_utf8_lossy(&list).into_owned();
        // Our keys have no letter that XML would write in another way.
        let key = list.split_once("<Key>").and_then(|(_, rest)| rest.split_once("</Key>"));
        match key {
            Some((key, _)) => self.call(Method::GET, key, vec![], now).await.map(Some),
            None => Ok(None),
        }
    }

    /// Adds the checkpoint of `moment`. S3 lists keys in the order of their letters, so the newest has the smallest number.
    ///
    /// # Errors
    /// [`BucketError`] when there is one of that moment already, or the bucket does not take it.
    pub async fn add(&self, moment: Timestamp, checkpoint: String, now: Timestamp) -> Result<(), BucketError> {
        let left = LAST_MS - moment.as_millisecond();
        let day = moment.to_string().split('T').next().unwrap_or_default().to_owned();
        let key = format!("{}{left:013}-{day}.json", self.prefix);
        self.call(Method::PUT, &key, checkpoint.into_bytes(), now).await.map(drop)
    }

    async fn call(&self, method: Method, path: &str, body: Vec<u8>, now: Timestamp) -> Result<Vec<u8>, BucketError> {
        let called = tokio::time::timeout(TIMEOUT, self.sent(method.clone(), path, body, now)).await;
        let answered = called.unwrap_or_else(|_| Err("no answer in time".into()));
        let (status, answer) = answered.map_err(|error| BucketError(format!("{method} {path}: {}", told(&*error))))?;
        if status.is_success() {
            return Ok(answer);
        }
        // An error of S3's is a short document with its code and what it is about.
        let answer = String::from_utf8_lossy(&answer);
        Err(BucketError(format!("{method} {path}: {status} {}", answer.chars().take(500).collect::<String>())))
    }

    async fn sent(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<(StatusCode, Vec<u8>), Box<dyn Error + Send + Sync>> {
        let mut request = http::Request::builder().method(&method).uri(format!("{}{path}", self.url));
        if method == Method::PUT {
            // A bucket that locks what is put into it takes nothing without a checksum.
            let checksum = BASE64_STANDARD.encode(Sha256::digest(&body));
            request = request.header("if-none-match", "*").header("content-type", "application/json");
            request = request.header("x-amz-checksum-sha256", checksum);
        }
        let mut request = request.body(SdkBody::from(body.clone()))?;
        self.sign(&mut request, &body, self.credentials.provide_credentials().await?, now.into())?;
        let connector = default_connector(&HttpConnectorSettings::builder().build(), None);
        let connector = connector.ok_or("there is no HTTP client")?;
        let response = connector.call(request.try_into()?).await?;
        let status = StatusCode::from_u16(response.status().as_u16())?;
        let answer = ByteStream::new(response.into_body()).collect().await?;
        Ok((status, answer.into_bytes().to_vec()))
    }

    fn sign(
        &self,
        request: &mut http::Request<SdkBody>,
        body: &[u8],
        credentials: Credentials,
        time: SystemTime,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut settings = SigningSettings::default();
        // S3 is signed so, unlike all other services.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(time)
            .settings(settings)
            .build()?;
        let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let uri = request.uri().to_string();
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &parameters.into())?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

/// What went wrong, and what caused it.
fn told(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
