//! The embedded DynamoDB: the table of the template with its stream, in memory or in a file, served on loopback.
//!
//! It speaks the real wire protocol, and the functions reach it through the real SDK. Never linked into a function.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents, SharedHttpClient,
};
use aws_sdk_dynamodb::error::BoxError;
use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::names::{REGION, TABLE};
use crate::reader::TableStream;

/// The stream's reader and every write look for the highest sequence number, and the embedded database has no index
/// for it: without this one each write reads the whole stream.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS wallet_stream_by_sequence
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// A parallel scan reads in this order: without an index each page sorts the whole table. Made in files only, where tables
/// grow: what lies in memory is small, and its writes are measured.
const SCAN_INDEX: &str = "CREATE INDEX IF NOT EXISTS wallet_table_by_hash ON \"wallet-ledger\" (hash_prefix, pk, sk)";

/// An embedded DynamoDB that serves its table.
pub(crate) struct Database {
    pub(crate) inner: dynoxide::Database,
    pub(crate) stream: TableStream,
    /// Where it answers: `http://127.0.0.1:<port>`.
    pub(crate) url: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), String>>,
}

impl Database {
    /// Opens the file, which is known to be ours, or memory, makes the table if it is absent, and serves it on
    /// `127.0.0.1:port`; 0 is any free port.
    ///
    /// # Errors
    /// When the file cannot be used, its table is another than `table` says, or the port is taken.
    pub(crate) async fn start(file: Option<&Path>, table: &Value, port: u16) -> Result<Database> {
        let inner = open(file)?;
        let stream = ensure_table(&inner, table).with_context(|| match file {
            Some(path) => format!("the table in {}", path.display()),
            None => "the table in memory".to_owned(),
        })?;
        if let Some(path) = file {
            let what = || format!("the embedded database at {}", path.display());
            let connection = rusqlite::Connection::open(path).with_context(what)?;
            connection.execute_batch(SCAN_INDEX).with_context(what)?;
        }
        let listener = listen(port).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, inner.clone(), async {
            let _ = stopped.await;
        }));
        Ok(Database { inner, stream, url, stop, server })
    }

    /// A client of it, over `http` if given.
    pub(crate) fn client(&self, http: Option<SharedHttpClient>) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(Credentials::new("local", "local", None, None, "wallet-stack"))
            .timeout_config(wallet_dynamodb::timeouts())
            .endpoint_url(&self.url)
            .interceptor(WithoutToken);
        config.set_http_client(http);
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// Takes no more connections and returns when those at work are done.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.server.await;
    }
}

/// Takes the request token out of transactions, which the ledger sends once each.
///
/// With each transaction that brings a token the embedded database goes through all tokens of the last ten minutes: the more
/// it has done, the slower it is.
#[derive(Debug)]
struct WithoutToken;

impl Intercept for WithoutToken {
    fn name(&self) -> &'static str {
        "WithoutToken"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        if request.headers().get("x-amz-target").is_some_and(|target| target.ends_with(".TransactWriteItems")) {
            let body = request.body().bytes().ok_or("the SDK's bodies are in memory")?;
            let mut members: BTreeMap<&str, &RawValue> = serde_json::from_slice(body)?;
            members.remove("ClientRequestToken");
            let body = serde_json::to_vec(&members)?;
            request.headers_mut().insert("content-length", body.len().to_string());
            *request.body_mut() = body.into();
        }
        Ok(())
    }
}

/// Listens on loopback only; port 0 is any free one.
///
/// # Errors
/// When the port is taken or not allowed: the message says which.
pub async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow!("port {port} on 127.0.0.1 is in use by another program.\nStop it, or choose another port; 0 picks a free one.")
        }
        _ => anyhow!("port {port} on 127.0.0.1 cannot be opened: {error}.\nChoose another port; 0 picks a free one."),
    })
}

fn open(file: Option<&Path>) -> Result<dynoxide::Database> {
    let name = match file {
        Some(path) => {
            let text = path.to_str().with_context(|| format!("{} is no valid UTF-8", path.display()))?;
            text.to_owned()
        }
        // Memory with a name: a second connection can reach it for the index.
        None => format!("file:wallet-{}?mode=memory&cache=shared", Uuid::new_v4()),
    };
    let what = || format!("the embedded database at {name}");
    let inner = dynoxide::Database::new(&name).map_err(|error| anyhow!("{error}")).with_context(what)?;
    let connection = rusqlite::Connection::open(&name).with_context(what)?;
    connection.execute_batch(STREAM_INDEX).with_context(what)?;
    Ok(inner)
}

fn ensure_table(database: &dynoxide::Database, definition: &Value) -> Result<TableStream> {
    let describe = || database.describe_table(DescribeTableRequest { table_name: TABLE.to_owned() });
    let described = match describe() {
        Ok(found) => found,
        Err(dynoxide::DynoxideError::ResourceNotFoundException(_)) => {
            let mut definition = definition.clone();
            definition["TableName"] = TABLE.into();
            let request: CreateTableRequest = serde_json::from_value(definition).context("the template's table")?;
            database.create_table(request).map_err(|error| anyhow!("the template's table: {error}"))?;
            describe().map_err(|error| anyhow!("{error}"))?
        }
        Err(error) => return Err(anyhow!("{error}")),
    };
    let description = serde_json::to_value(described)?;
    let found = &description["Table"];
    ensure!(
        shape(found) == shape(definition),
        "it has other keys or indexes than the template.\nIt is of another version: choose another --data path."
    );
    let arn = found["LatestStreamArn"].as_str().context("the table has no stream")?.to_owned();
    let request = DescribeStreamRequest { stream_arn: arn.clone(), ..Default::default() };
    let stream = database.describe_stream(request).map_err(|error| anyhow!("the table's stream: {error}"))?;
    let shard = stream.stream_description.shards.into_iter().next().context("the table's stream has no shard")?;
    Ok(TableStream { arn, shard_id: shard.shard_id })
}

/// What two definitions of one table must share: its keys, and each index with its keys.
fn shape(table: &Value) -> Vec<String> {
    let mut shape = vec![table["KeySchema"].to_string()];
    for index in table["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
        shape.push(format!("{} {}", index["IndexName"], index["KeySchema"]));
    }
    shape.sort();
    shape
}

#[cfg(test)]
mod tests;
