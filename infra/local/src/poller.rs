//! The queue's event source: batches of messages to a function, as Lambda's poller does it.
//!
//! What the function reports as failed stays in the queue and comes back when its visibility time-out is over; the rest
//! is deleted. A function that panics or takes too long has failed the whole batch.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use tokio::sync::watch;

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
    F: Future<Output = SqsBatchResponse> + Send + 'static,
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
            Ok(Ok(response)) => self.delete_worked_off(&messages, &response)?,
            Ok(Err(panic)) => tracing::error!("{} panicked: {panic}; its batch comes back", self.consumer.function),
            Err(_) => {
                call.abort();
                let seconds = self.consumer.timeout.as_secs();
                tracing::error!("{} took longer than {seconds} s; its batch comes back", self.consumer.function);
            }
        }
        Ok(messages.len())
    }

    fn delete_worked_off(&self, messages: &[SqsMessage], response: &SqsBatchResponse) -> Result<()> {
        let failed: HashSet<&str> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        let known: HashSet<&str> = messages.iter().filter_map(|message| message.message_id.as_deref()).collect();
        if !failed.is_subset(&known) {
            // Lambda takes an empty or unknown identifier as a failure of the whole batch.
            tracing::error!("{} reported a message that it wasn't given; its batch comes back", self.consumer.function);
            return Ok(());
        }
        for message in messages {
            let (Some(id), Some(receipt)) = (&message.message_id, &message.receipt_handle) else { continue };
            if !failed.contains(id.as_str()) {
                self.queue.delete(receipt)?;
            }
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
    use aws_lambda_events::event::sqs::BatchItemFailure;

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
    async fn check(bodies: &[&str], answer: fn(&SqsMessage) -> Option<String>, left: u64) {
        let queue = queue_of(bodies);
        let handler = move |event: SqsEvent| async move {
            let mut response = SqsBatchResponse::default();
            for identifier in event.records.iter().filter_map(answer) {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = identifier;
                response.batch_item_failures.push(failure);
            }
            response
        };
        deliver(&queue, handler).await;
        assert_eq!(queue.depth().expect("read"), left);
    }

    async fn deliver<H, F>(queue: &Arc<Queue>, handler: H)
    where
        H: Fn(SqsEvent) -> F,
        F: Future<Output = SqsBatchResponse> + Send + 'static,
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
        check(&["a", "b", "c"], fails_b, 1).await;
        check(&["a", "b"], |_| None, 0).await;
    }

    #[tokio::test]
    async fn an_empty_or_unknown_identifier_fails_the_batch() {
        check(&["a", "b"], |_| Some(String::new()), 2).await;
        check(&["a", "b"], |_| Some("another".to_owned()), 2).await;
    }

    #[tokio::test]
    async fn a_panic_and_a_time_out_fail_the_batch() {
        check(&["a", "b"], |_| panic!("on purpose"), 2).await;
        let queue = queue_of(&["a"]);
        deliver(&queue, |_| std::future::pending()).await;
        assert_eq!(queue.depth().expect("read"), 1);
    }
}
