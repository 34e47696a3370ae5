//! The queue's event source: batches of messages to a function, as Lambda's poller does it.
//!
//! What the function reports as failed stays in the queue and comes back when its visibility time-out is over; the rest
//! is deleted. A function that panics or takes too long has failed the whole batch. Why a message failed is kept with it.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use tokio::sync::watch;
use wallet_rebate::Report;

use crate::clock;
use crate::queue::Queue;
use crate::template::Consumer;

/// How long the poller waits after a failure of the queue itself before it tries again.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
/// The longest sleep between two looks at the queue, should a wake-up be missed.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// Reads a queue for a function.
pub(crate) struct Poller<H> {
    pub(crate) queue: Arc<Queue>,
    pub(crate) consumer: Consumer,
    pub(crate) handler: H,
    /// While this holds `false`, nothing is delivered.
    pub(crate) delivering: watch::Receiver<bool>,
}

impl<H, F> Poller<H>
where
    H: Fn(SqsEvent) -> F,
    F: Future<Output = Report> + Send + 'static,
{
    /// Delivers until `stop` is true; a batch that is at work then is finished first.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                // The sender is gone only when the stack is.
                _ = self.delivering.wait_for(|delivering| *delivering) => {}
            }
            match self.deliver().await {
                Ok(0) => tokio::select! {
                    () = self.queue.arrival() => {}
                    () = tokio::time::sleep(self.until_next()) => {}
                    _ = stop.wait_for(|stop| *stop) => return,
                },
                Ok(_) => {}
                Err(error) => {
                    tracing::error!("the queue failed and is tried again: {error:#}");
                    tokio::time::sleep(FAILURE_PAUSE).await;
                }
            }
        }
    }

    /// Receives one batch and has it worked on; answers how many messages it had.
    pub(crate) async fn deliver(&self) -> Result<usize> {
        let messages = self.queue.receive(self.consumer.batch_size, clock::now())?;
        if messages.is_empty() {
            return Ok(0);
        }
        let mut event = SqsEvent::default();
        event.records.clone_from(&messages);
        // A task of its own, so that a panic ends there.
        let mut call = tokio::spawn((self.handler)(event));
        match tokio::time::timeout(self.consumer.timeout, &mut call).await {
            Ok(Ok(report)) => self.settle(&messages, &report)?,
            Ok(Err(panic)) => self.keep_all(&messages, &format!("panicked: {panic}"))?,
            Err(_) => {
                call.abort();
                self.keep_all(&messages, &format!("took longer than {} s", self.consumer.timeout.as_secs()))?;
            }
        }
        Ok(messages.len())
    }

    /// Deletes what was worked off, and notes with the rest why it was not.
    fn settle(&self, messages: &[SqsMessage], report: &Report) -> Result<()> {
        let failures = &report.response.batch_item_failures;
        let failed: HashSet<&str> = failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        let known: HashSet<&str> = messages.iter().filter_map(|message| message.message_id.as_deref()).collect();
        if !failed.is_subset(&known) {
            // Lambda takes an empty or unknown identifier as a failure of the whole batch.
            return self.keep_all(messages, "reported a message that it wasn't given");
        }
        for message in messages {
            let (Some(id), Some(receipt)) = (&message.message_id, &message.receipt_handle) else { continue };
            if !failed.contains(id.as_str()) {
                self.queue.delete(receipt)?;
            } else if let Some(reason) = report.reasons.get(id) {
                self.queue.note_failure(receipt, reason)?;
            }
        }
        Ok(())
    }

    /// The whole batch comes back, for what the function did.
    fn keep_all(&self, messages: &[SqsMessage], what: &str) -> Result<()> {
        let reason = format!("the function `{}` {what}", self.consumer.function);
        tracing::error!("{reason}; its batch comes back");
        for receipt in messages.iter().filter_map(|message| message.receipt_handle.as_deref()) {
            self.queue.note_failure(receipt, &reason)?;
        }
        Ok(())
    }

    fn until_next(&self) -> Duration {
        let next = self.queue.next_visible_at().ok().flatten();
        let wait = next.map_or(LONGEST_SLEEP, |at| clock::now().duration_until(at).try_into().unwrap_or_default());
        wait.min(LONGEST_SLEEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::QueueSpec;
    use jiff::SignedDuration;

    fn queue_of(bodies: &[&str]) -> Arc<Queue> {
        let visibility_timeout = Duration::from_secs(60);
        let spec = QueueSpec { name: "Jobs".to_owned(), visibility_timeout, max_receive_count: 3 };
        let queue = Queue::memory(spec).expect("memory is there");
        for body in bodies {
            queue.send(body, clock::now()).expect("sent");
        }
        Arc::new(queue)
    }

    /// Delivers once with a function that answers by message; afterwards `left` messages are in the queue.
    async fn check(bodies: &[&str], answer: fn(&SqsMessage) -> Option<String>, left: u64) -> Arc<Queue> {
        let queue = queue_of(bodies);
        let handler = move |event: SqsEvent| async move {
            let mut report = Report::default();
            for identifier in event.records.iter().filter_map(answer) {
                report.response.add_failure(&identifier);
                report.reasons.insert(identifier, "cannot be done".to_owned());
            }
            report
        };
        deliver(&queue, handler).await;
        assert_eq!(queue.depth().expect("read"), left);
        queue
    }

    /// The reasons of all that is left, once it has been received too often.
    fn reasons(queue: &Queue) -> Vec<String> {
        for hours in 1..=4 {
            let later = clock::now().checked_add(SignedDuration::from_hours(hours)).expect("hours from now");
            queue.receive(10, later).expect("received");
        }
        queue.dead_letters().expect("read").into_iter().filter_map(|letter| letter.reason).collect()
    }

    async fn deliver<H, F>(queue: &Arc<Queue>, handler: H)
    where
        H: Fn(SqsEvent) -> F,
        F: Future<Output = Report> + Send + 'static,
    {
        let timeout = Duration::from_millis(200);
        let consumer = Consumer { function: "jobs".to_owned(), batch_size: 10, timeout };
        let poller = Poller { queue: Arc::clone(queue), consumer, handler, delivering: watch::channel(true).1 };
        poller.deliver().await.expect("delivered");
    }

    #[tokio::test]
    async fn only_failed_messages_stay() {
        let fails_b =
            |message: &SqsMessage| message.body.as_deref().filter(|b| *b == "b").and(message.message_id.clone());
        let queue = check(&["a", "b", "c"], fails_b, 1).await;
        assert_eq!(reasons(&queue), ["cannot be done"]);
        check(&["a", "b"], |_| None, 0).await;
    }

    #[tokio::test]
    async fn an_empty_or_unknown_identifier_fails_the_batch() {
        check(&["a", "b"], |_| Some(String::new()), 2).await;
        let queue = check(&["a", "b"], |_| Some("another".to_owned()), 2).await;
        assert_eq!(reasons(&queue), ["the function `jobs` reported a message that it wasn't given"; 2]);
    }

    #[tokio::test]
    async fn a_panic_and_a_time_out_fail_the_batch() {
        let queue = check(&["a", "b"], |_| panic!("on purpose"), 2).await;
        assert!(reasons(&queue).iter().all(|reason| reason.starts_with("the function `jobs` panicked: ")));
        let queue = queue_of(&["a"]);
        deliver(&queue, |_| std::future::pending()).await;
        assert_eq!(queue.depth().expect("read"), 1);
        assert_eq!(reasons(&queue), ["the function `jobs` took longer than 0 s"]);
    }
}
