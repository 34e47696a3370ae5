//! The table's stream as an event source: batches of records to a function, as Lambda's event source mapping does it.
//!
//! The checkpoint moves once the function has answered, up to the first record that it could not send on: a crash in between
//! gives records twice, and loses none. Never reads the table, only its stream.

mod pattern;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Notify;
use wallet_lambda::caught;

use crate::queue::QueueFile;
use crate::steps;
use crate::template::StreamReader;
use pattern::Pattern;

/// How long the reader sleeps when nobody wakes it, and so how long a write past the gateway (the SDK, a second process)
/// waits.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long the reader waits after a failure before it tries again.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// A table's stream: what the embedded database knows it by.
#[derive(Debug, Clone)]
pub(crate) struct TableStream {
    pub(crate) arn: String,
    pub(crate) shard_id: String,
}

/// The handler of the function that reads the stream: from event, as JSON, to its answer.
pub(crate) type StreamHandler = Box<dyn Fn(String) -> BoxFuture<'static, Result<Value>> + Send + Sync>;

/// Reads a table's stream for a function.
pub(crate) struct Reader {
    database: dynoxide::Database,
    stream: TableStream,
    source: StreamReader,
    patterns: Vec<Pattern>,
    handler: StreamHandler,
    file: Arc<QueueFile>,
    wake: Arc<Notify>,
}

impl Reader {
    /// # Errors
    /// When the template's filter uses what this reader doesn't know.
    pub(crate) fn new(
        database: dynoxide::Database,
        stream: TableStream,
        source: StreamReader,
        handler: StreamHandler,
        file: Arc<QueueFile>,
    ) -> Result<Reader> {
        let patterns = source.patterns.iter().map(|pattern| Pattern::parse(pattern)).collect::<Result<_>>()?;
        Ok(Reader { database, stream, source, patterns, handler, file, wake: Arc::new(Notify::new()) })
    }

    /// Notify it, and the reader looks at once.
    pub(crate) fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Reads for ever; stop it by dropping the future, which is safe between any two of its steps.
    pub(crate) async fn run(self) {
        loop {
            let pause = match self.step().await {
                Ok(true) => continue,
                Ok(false) => POLL_INTERVAL,
                Err(error) => {
                    tracing::error!(
                        "`{}` failed on the table's stream and is tried again: {error:#}",
                        self.source.function
                    );
                    FAILURE_PAUSE
                }
            };
            let _ = tokio::time::timeout(pause, self.wake.notified()).await;
        }
    }

    /// Has one batch sent on; whether there may be more.
    async fn step(&self) -> Result<bool> {
        let records = self.read()?;
        let Some(last) = records.last() else { return Ok(false) };
        let passed = records.iter().map(|record| self.event(record)).collect::<Result<Vec<_>>>()?;
        let is_handed = |event: &Value| {
            let handed = self.patterns.iter().any(|pattern| pattern.matches(event));
            steps::record(event, handed);
            handed
        };
        let passed: Vec<_> = passed.into_iter().filter(is_handed).collect();
        let failed = if passed.is_empty() { None } else { self.call(passed).await? };
        let numbers = records.iter().map(|record| &record.dynamodb.sequence_number);
        let sent = match &failed {
            None => Some(&last.dynamodb.sequence_number),
            Some(failed) => numbers.take_while(|number| *number != failed).last(),
        };
        if let Some(sent) = sent {
            self.file.move_checkpoint(&self.stream.arn, sent)?;
        }
        let Some(failed) = failed else { return Ok(records.len() == self.source.batch_size) };
        ensure!(
            records.iter().any(|record| record.dynamodb.sequence_number == failed),
            "it answers a record it wasn't given"
        );
        Err(anyhow!("the record {failed} could not be sent on"))
    }

    /// Up to a batch of records after the checkpoint.
    fn read(&self) -> Result<Vec<Record>> {
        let checkpoint = self.file.checkpoint(&self.stream.arn)?;
        let kind = if checkpoint.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
        let request = GetShardIteratorRequest {
            stream_arn: self.stream.arn.clone(),
            shard_id: self.stream.shard_id.clone(),
            shard_iterator_type: kind.to_owned(),
            sequence_number: checkpoint,
        };
        let iterator =
            self.database.get_shard_iterator(request).map_err(|error| anyhow!("the stream's position: {error}"))?;
        let shard_iterator = iterator.shard_iterator.context("the stream gave no position")?;
        let request = GetRecordsRequest { shard_iterator, limit: Some(self.source.batch_size) };
        Ok(self.database.get_records(request).map_err(|error| anyhow!("the stream's records: {error}"))?.records)
    }

    /// The sequence number from which on the function wants the records again, if any.
    async fn call(&self, records: Vec<Value>) -> Result<Option<String>> {
        let event = json!({"Records": records}).to_string();
        let call = tokio::time::timeout(self.source.timeout, caught((self.handler)(event)));
        let answer = call.await.context("it took too long")?.map_err(|panicked| anyhow!("{panicked}"))??;
        let failures = answer["batchItemFailures"].as_array().context("the answer is no batch response")?;
        let numbers = failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap_or_default().to_owned());
        // As numbers: of two, the shorter is the lower.
        Ok(numbers.min_by_key(|number| (number.len(), number.clone())))
    }

    /// The record as a function gets it: with the ARN of its source.
    fn event(&self, record: &Record) -> Result<Value> {
        let mut event = serde_json::to_value(record).context("a stream record that JSON cannot hold")?;
        event["eventSourceARN"] = self.stream.arn.clone().into();
        Ok(event)
    }
}

#[cfg(test)]
mod tests;
