//! Pipes: table stream -> filter -> input template, in process, as EventBridge Pipes does it in the cloud.
//!
//! What comes out goes into the queue ([`Feed`]) or to whoever listens (`events.rs`): both read through the same [`Pipe`].
//! It never reads the table, only its stream.

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

/// How long a reader of the stream sleeps when nobody wakes it: what a write past the gateway (the SDK, a second process) waits.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long the feed waits after a failure before it tries again.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
/// Records of one read, and so of one transaction in the queue.
const READ_LIMIT: usize = 500;

/// A table's stream: what the embedded database knows it by.
#[derive(Debug, Clone)]
pub(crate) struct TableStream {
    pub(crate) arn: String,
    pub(crate) shard_id: String,
}

/// Where in the stream to read from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From<'a> {
    /// The oldest record that is there.
    Oldest,
    /// What is written from now on.
    Now,
    /// What follows this sequence number.
    After(&'a str),
}

/// A position in the stream, between two records.
#[derive(Debug, Clone)]
pub(crate) struct Position(String);

/// What one read of the stream gave.
pub(crate) struct Batch {
    /// How many records were read, whether they passed or not.
    pub(crate) read: usize,
    /// Of the last of them.
    pub(crate) last_sequence_number: Option<String>,
    /// What passed the filter, oldest first.
    pub(crate) passed: Vec<Passed>,
    /// Where the next read goes on.
    pub(crate) next: Position,
}

/// A record that passed.
pub(crate) struct Passed {
    pub(crate) sequence_number: String,
    /// What the input template made of it.
    pub(crate) body: String,
}

/// Reads a table's stream through a filter and an input template. Keeps no position: its readers do.
pub(crate) struct Pipe {
    database: dynoxide::Database,
    stream: TableStream,
    patterns: Vec<Pattern>,
    input: InputTemplate,
}

impl Pipe {
    /// # Errors
    /// When the template's pattern or input template uses what this pipe doesn't know.
    pub(crate) fn new(spec: &PipeSpec, database: dynoxide::Database, stream: TableStream) -> Result<Pipe> {
        let patterns = spec.patterns.iter().map(|pattern| Pattern::parse(pattern)).collect::<Result<_>>()?;
        let input = InputTemplate::parse(&spec.input_template)?;
        Ok(Pipe { database, stream, patterns, input })
    }

    /// # Errors
    /// When the database refuses, as it does for what is no sequence number.
    pub(crate) fn position(&self, from: From<'_>) -> Result<Position> {
        let (kind, sequence_number) = match from {
            From::Oldest => ("TRIM_HORIZON", None),
            From::Now => ("LATEST", None),
            From::After(sequence_number) => ("AFTER_SEQUENCE_NUMBER", Some(sequence_number.to_owned())),
        };
        let iterator = self
            .database
            .get_shard_iterator(GetShardIteratorRequest {
                stream_arn: self.stream.arn.clone(),
                shard_id: self.stream.shard_id.clone(),
                shard_iterator_type: kind.to_owned(),
                sequence_number,
            })
            .map_err(|error| anyhow!("the stream's position: {error}"))?
            .shard_iterator;
        Ok(Position(iterator.context("the stream gave no position")?))
    }

    /// Reads once from `position` on.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn read(&self, position: &Position) -> Result<Batch> {
        let request = GetRecordsRequest { shard_iterator: position.0.clone(), limit: Some(READ_LIMIT) };
        let found = self.database.get_records(request).map_err(|error| anyhow!("the stream's records: {error}"))?;
        let mut passed = Vec::new();
        for record in &found.records {
            let event = self.event(record)?;
            if self.patterns.iter().any(|pattern| pattern.matches(&event)) {
                let sequence_number = record.dynamodb.sequence_number.clone();
                passed.push(Passed { sequence_number, body: self.input.render(&event) });
            }
        }
        Ok(Batch {
            read: found.records.len(),
            last_sequence_number: found.records.last().map(|record| record.dynamodb.sequence_number.clone()),
            passed,
            next: Position(found.next_shard_iterator.context("the stream ended")?),
        })
    }

    /// The record as a pipe sees it: with the ARN of its source.
    fn event(&self, record: &Record) -> Result<Value> {
        let mut event = serde_json::to_value(record).context("a stream record that JSON cannot hold")?;
        event["eventSourceARN"] = self.stream.arn.clone().into();
        Ok(event)
    }
}

/// Carries what comes out of a pipe into a queue.
///
/// Messages and checkpoint go into the queue's file in one transaction: after a crash nothing is missing, and nothing
/// is repeated.
pub(crate) struct Feed {
    pipe: Pipe,
    queue: Arc<Queue>,
    wake: Arc<Notify>,
}

impl Feed {
    pub(crate) fn new(pipe: Pipe, queue: Arc<Queue>) -> Feed {
        Feed { pipe, queue, wake: Arc::new(Notify::new()) }
    }

    /// Notified, the feed looks at once.
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
        let stream = &self.pipe.stream.arn;
        let checkpoint = self.queue.checkpoint(stream)?;
        let position = self.pipe.position(checkpoint.as_deref().map_or(From::Oldest, From::After))?;
        let batch = self.pipe.read(&position)?;
        if let Some(last) = &batch.last_sequence_number {
            let bodies: Vec<String> = batch.passed.into_iter().map(|passed| passed.body).collect();
            self.queue.carry(stream, last, &bodies, clock::now())?;
        }
        Ok(batch.read)
    }
}

#[cfg(test)]
mod tests;
