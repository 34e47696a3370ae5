//! The pipe: table stream -> filter -> input template -> queue, in process, as EventBridge Pipes does it in the cloud.
//!
//! Messages and checkpoint go into the queue's file in one transaction: after a crash nothing is missing, and nothing
//! is repeated. It never reads the table, only its stream.

mod input;
mod pattern;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use serde_json::Value;
use tokio::sync::Notify;

use crate::clock;
use crate::queue::Queue;
use crate::template::PipeSpec;
use input::InputTemplate;
use pattern::Pattern;

/// How long the pipe sleeps when nobody wakes it: what a write past the gateway (the SDK, a second process) waits.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long it waits after a failure before it tries again.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
/// Records of one read, and so of one transaction in the queue.
const READ_LIMIT: usize = 500;

/// A table's stream: what the embedded database knows it by.
#[derive(Debug, Clone)]
pub(crate) struct TableStream {
    pub(crate) arn: String,
    pub(crate) shard_id: String,
}

/// Carries a table's stream into a queue.
pub(crate) struct Pipe {
    database: dynoxide::Database,
    stream: TableStream,
    patterns: Vec<Pattern>,
    input: InputTemplate,
    queue: Arc<Queue>,
    wake: Arc<Notify>,
}

impl Pipe {
    /// # Errors
    /// When the template's pattern or input template uses what this pipe doesn't know.
    pub(crate) fn new(
        spec: &PipeSpec,
        database: dynoxide::Database,
        stream: TableStream,
        queue: Arc<Queue>,
    ) -> Result<Pipe> {
        let patterns = spec.patterns.iter().map(|pattern| Pattern::parse(pattern)).collect::<Result<_>>()?;
        let input = InputTemplate::parse(&spec.input_template)?;
        Ok(Pipe { database, stream, patterns, input, queue, wake: Arc::new(Notify::new()) })
    }

    /// Notified, the pipe looks at once.
    pub(crate) fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Carries records for ever; stop it by dropping the future, which is safe between any two of its steps.
    pub(crate) async fn run(self) {
        loop {
            let pause = match self.carry() {
                Ok(READ_LIMIT) => continue,
                Ok(_) => POLL_INTERVAL,
                Err(error) => {
                    tracing::error!("the pipe failed and tries again: {error:#}");
                    FAILURE_PAUSE
                }
            };
            let _ = tokio::time::timeout(pause, self.wake.notified()).await;
        }
    }

    /// Carries one read's worth; answers how many records it read.
    fn carry(&self) -> Result<usize> {
        let checkpoint = self.queue.checkpoint(&self.stream.arn)?;
        let records = self.read_after(checkpoint)?;
        let Some(last) = records.last() else { return Ok(0) };
        let last = last.dynamodb.sequence_number.clone();
        let mut bodies = Vec::new();
        for record in &records {
            let event = self.event(record)?;
            if self.patterns.iter().any(|pattern| pattern.matches(&event)) {
                bodies.push(self.input.render(&event));
            }
        }
        self.queue.carry(&self.stream.arn, &last, &bodies, clock::now())?;
        Ok(records.len())
    }

    fn read_after(&self, checkpoint: Option<String>) -> Result<Vec<Record>> {
        let kind = if checkpoint.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
        let iterator = self
            .database
            .get_shard_iterator(GetShardIteratorRequest {
                stream_arn: self.stream.arn.clone(),
                shard_id: self.stream.shard_id.clone(),
                shard_iterator_type: kind.to_owned(),
                sequence_number: checkpoint,
            })
            .map_err(|error| anyhow!("the stream's position: {error}"))?
            .shard_iterator
            .context("the stream gave no position")?;
        let request = GetRecordsRequest { shard_iterator: iterator, limit: Some(READ_LIMIT) };
        Ok(self.database.get_records(request).map_err(|error| anyhow!("the stream's records: {error}"))?.records)
    }

    /// The record as a pipe sees it: with the ARN of its source.
    fn event(&self, record: &Record) -> Result<Value> {
        let mut event = serde_json::to_value(record).context("a stream record that JSON cannot hold")?;
        event["eventSourceARN"] = self.stream.arn.clone().into();
        Ok(event)
    }
}

#[cfg(test)]
mod tests;
