//! A queue's event source: batches of messages to a function, as Lambda's poller does it.
//!
//! Several batches are at work at once, as many as the template's event source says and no more. What the function
//! reports as failed stays in the queue and comes back when its visibility time-out is over; the rest is deleted. A function
//! that panics or takes too long has failed the whole batch. Why a message failed is kept with it.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wallet_lambda::{Report, caught};

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
    /// How long a message that failed stays hidden, in place of what is left of the queue's visibility time-out.
    pub(crate) retry_after: Option<Duration>,
    /// While this holds `false`, nothing is delivered.
    pub(crate) delivering: watch::Receiver<bool>,
}

impl<H, F> Poller<H>
where
    H: Fn(SqsEvent) -> F + Send + Sync + 'static,
    F: Future<Output = Report> + Send + 'static,
{
    /// Delivers until `stop` is true; batches that are at work then are finished first.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut delivering, poller) = (self.delivering.clone(), Arc::new(self));
        let mut calls = JoinSet::new();
        loop {
            let has_room = calls.len() < poller.consumer.concurrency;
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(_) = calls.join_next() => continue,
                // The sender is gone only when the stack is.
                _ = delivering.wait_for(|delivering| *delivering), if has_room => {}
            }
            match poller.receive() {
                Ok(messages) if messages.is_empty() => tokio::select! {
                    () = poller.queue.arrival() => {}
                    () = tokio::time::sleep(poller.until_next()) => {}
                    _ = stop.wait_for(|stop| *stop) => break,
                },
                Ok(messages) => drop(calls.spawn(Arc::clone(&poller).deliver(messages))),
                Err(error) => {
                    tracing::error!("the queue failed and is tried again: {error:#}");
                    tokio::time::sleep(FAILURE_PAUSE).await;
                }
            }
        }
        while calls.join_next().await.is_some() {}
    }

    fn receive(&self) -> Result<Vec<SqsMessage>> {
        self.queue.receive(self.consumer.batch_size, clock::now())
    }

    /// Has a batch worked on.
    async fn deliver(self: Arc<Self>, messages: Vec<SqsMessage>) {
        let mut event = SqsEvent::default();
        event.records.clone_from(&messages);
        let call = caught(async { (self.handler)(event).await });
        let settled = match tokio::time::timeout(self.consumer.timeout, call).await {
            Ok(Ok(report)) => self.settle(&messages, &report),
            Ok(Err(panicked)) => self.keep_all(&messages, &panicked),
            Err(_) => self.keep_all(&messages, &format!("took longer than {} s", self.consumer.timeout.as_secs())),
        };
        if let Err(error) = settled {
            tracing::error!("the queue failed, and a batch that was worked on comes back: {error:#}");
        }
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
            } else {
                self.keep(receipt, report.reasons.get(id).map(String::as_str))?;
            }
        }
        Ok(())
    }

    /// The whole batch comes back, for what the function did.
    fn keep_all(&self, messages: &[SqsMessage], what: &str) -> Result<()> {
        let reason = format!("the function `{}` {what}", self.consumer.function);
        tracing::error!("{reason}; its batch comes back");
        for receipt in messages.iter().filter_map(|message| message.receipt_handle.as_deref()) {
            self.keep(receipt, Some(&reason))?;
        }
        Ok(())
    }

    /// The message comes back.
    fn keep(&self, receipt: &str, reason: Option<&str>) -> Result<()> {
        if let Some(reason) = reason {
            self.queue.note_failure(receipt, reason)?;
        }
        if let Some(retry_after) = self.retry_after {
            let visible_at = clock::now().checked_add(SignedDuration::try_from(retry_after)?)?;
            self.queue.change_visibility(receipt, visible_at)?;
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::BoxFuture;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::queue::QueueFile;
    use crate::template::QueueSpec;

    fn spec() -> QueueSpec {
        let visibility_timeout = Duration::from_secs(60);
        QueueSpec { name: "Jobs".to_owned(), visibility_timeout, max_receive_count: 3, of_dead_letters: false }
    }

    fn queue_of(bodies: &[&str]) -> Arc<Queue> {
        let queue = Queue::new(QueueFile::memory().expect("memory is there"), spec());
        for body in bodies {
            queue.send(body, clock::now()).expect("sent");
        }
        Arc::new(queue)
    }

    /// A function that reports as failed what `which` names of each message.
    fn failing(which: fn(&SqsMessage) -> Option<String>) -> impl Fn(SqsEvent) -> BoxFuture<'static, Report> {
        move |event| {
            Box::pin(async move {
                let mut report = Report::default();
                for identifier in event.records.iter().filter_map(which) {
                    report.fail(&identifier, "cannot be done");
                }
                report
            })
        }
    }

    /// Delivers once with a function that answers by message; afterwards `left` messages are in the queue.
    async fn check(bodies: &[&str], answer: fn(&SqsMessage) -> Option<String>, left: u64) -> Arc<Queue> {
        let queue = queue_of(bodies);
        deliver(&queue, failing(answer)).await;
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

    fn poller<H>(queue: &Arc<Queue>, timeout: Duration, handler: H, delivering: watch::Receiver<bool>) -> Poller<H> {
        let consumer = Consumer { function: "jobs".to_owned(), queue: spec(), batch_size: 10, concurrency: 3, timeout };
        Poller { queue: Arc::clone(queue), consumer, handler, retry_after: None, delivering }
    }

    async fn deliver<H, F>(queue: &Arc<Queue>, handler: H)
    where
        H: Fn(SqsEvent) -> F + Send + Sync + 'static,
        F: Future<Output = Report> + Send + 'static,
    {
        let timeout = Duration::from_millis(200);
        let poller = Arc::new(poller(queue, timeout, handler, watch::channel(true).1));
        let messages = poller.receive().expect("received");
        poller.deliver(messages).await;
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

    #[tokio::test]
    async fn as_many_batches_as_allowed_are_at_work_at_once_and_all_are_finished() {
        let bodies: Vec<String> = (0..75).map(|number| number.to_string()).collect();
        let queue = queue_of(&bodies.iter().map(String::as_str).collect::<Vec<_>>());
        let (at_work, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (delivering, delivers) = watch::channel(true);
        let (stop, stopped) = watch::channel(false);
        let handler = {
            let (at_work, gate) = (Arc::clone(&at_work), Arc::clone(&gate));
            move |_| {
                let (at_work, gate) = (Arc::clone(&at_work), Arc::clone(&gate));
                async move {
                    at_work.fetch_add(1, Ordering::Relaxed);
                    gate.acquire().await.expect("open").forget();
                    at_work.fetch_sub(1, Ordering::Relaxed);
                    Report::default()
                }
            }
        };
        let running = tokio::spawn(poller(&queue, Duration::from_secs(60), handler, delivers).run(stopped));
        let at_work_are = async |expected| {
            // What else could run has run.
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            assert_eq!(at_work.load(Ordering::Relaxed), expected);
        };
        at_work_are(3).await;
        gate.add_permits(2);
        at_work_are(3).await;
        assert_eq!(queue.depth().expect("read"), 55, "two batches are done and deleted");
        delivering.send_replace(false);
        gate.add_permits(1);
        at_work_are(2).await;
        stop.send_replace(true);
        at_work_are(2).await;
        assert!(!running.is_finished(), "two batches are at work still");
        gate.add_permits(2);
        running.await.expect("no panic");
        assert_eq!(queue.depth().expect("read"), 25, "nothing was delivered after the stop");
    }

    #[tokio::test]
    async fn what_failed_comes_back_as_soon_as_told_and_not_while_it_is_at_work() {
        let queue = queue_of(&["a"]);
        let fails = failing(|message| message.message_id.clone());
        let retry_after = Some(Duration::ZERO);
        let poller = Poller { retry_after, ..poller(&queue, Duration::from_secs(1), fails, watch::channel(true).1) };
        let poller = Arc::new(poller);
        let messages = poller.receive().expect("received");
        assert!(poller.receive().expect("received").is_empty(), "it is at work");
        Arc::clone(&poller).deliver(messages).await;
        assert_eq!(poller.receive().expect("received").len(), 1);
    }
}
