//! Cuts what it is given into batches, has several under way at once, and says of each message whether it was sent.

use std::sync::Arc;

use futures::StreamExt as _;

use crate::aws::Aws;
use crate::post::{Message, NotSent, Place, Post};

/// What one call takes, of SQS and of EventBridge.
const BATCH: usize = 10;
/// A call takes 1 MiB of SQS's messages, and EventBridge 1 MB of events. A quarter, so that what AWS counts beside the bodies has
/// room. Beyond it a single message is sent by itself, and refused if it is too large even so.
const BATCH_BYTES: usize = 256 * 1024;
/// Calls under way at once: 160 messages, some 10 ms a call.
const AT_ONCE: usize = 16;

/// Sends messages. Cheap to clone.
#[derive(Clone)]
pub struct Sender(Arc<dyn Post>);

impl Sender {
    /// Through SQS and EventBridge, with region, credentials and endpoint from the environment, as any AWS SDK reads them.
    pub async fn connect() -> Sender {
        Sender(Arc::new(Aws::connect().await))
    }

    /// Through `post`.
    #[must_use]
    pub fn by(post: Arc<dyn Post>) -> Sender {
        Sender(post)
    }

    /// Sends all of them, and says of each, in their order, whether it was sent.
    pub async fn send(&self, place: Place<'_>, messages: &[Message]) -> Vec<Result<(), NotSent>> {
        let batches = batches(messages);
        let deliveries: Vec<_> = batches.iter().map(|batch| self.0.deliver(place, batch)).collect();
        let told: Vec<_> = futures::stream::iter(deliveries).buffered(AT_ONCE).collect().await;
        let mut all = Vec::with_capacity(messages.len());
        for (batch, mut told) in batches.into_iter().zip(told) {
            if told.len() != batch.len() {
                told = vec![Err(NotSent("the answer tells of others".to_owned())); batch.len()];
            }
            all.append(&mut told);
        }
        all
    }
}

/// In their order, cut where a call would take no more.
fn batches(messages: &[Message]) -> Vec<&[Message]> {
    let (mut batches, mut rest) = (vec![], messages);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |message: &&Message| {
            bytes += message.body.len();
            bytes <= BATCH_BYTES
        };
        let (batch, others) = rest.split_at(rest.iter().take(BATCH).take_while(fits).count().max(1));
        batches.push(batch);
        rest = others;
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::future::BoxFuture;

    use super::*;

    /// Keeps what it is given, and refuses what says so.
    #[derive(Default)]
    struct Kept(Mutex<Vec<usize>>);

    impl Post for Kept {
        fn deliver<'a>(&'a self, _: Place<'a>, batch: &'a [Message]) -> BoxFuture<'a, Vec<Result<(), NotSent>>> {
            self.0.lock().expect("no panic").push(batch.len());
            let of = |message: &Message| match message.body.as_str() {
                "refused" => Err(NotSent("refused".to_owned())),
                _ => Ok(()),
            };
            let mut told: Vec<_> = batch.iter().map(of).collect();
            if batch.iter().any(|message| message.body == "lost") {
                told.pop();
            }
            Box::pin(async { told })
        }
    }

    /// How many batches of which sizes `bodies` were sent in, and the places of those that were not sent.
    async fn sent(bodies: &[&str]) -> (Vec<usize>, Vec<usize>) {
        let kept = Arc::new(Kept::default());
        let messages: Vec<_> = bodies.iter().map(|body| Message { body: (*body).to_owned(), group: None }).collect();
        let told = Sender::by(Arc::clone(&kept) as Arc<dyn Post>).send(Place::Queue("jobs"), &messages).await;
        assert_eq!(told.len(), bodies.len(), "each is told of");
        let sizes = kept.0.lock().expect("no panic").clone();
        (sizes, told.iter().enumerate().filter(|(_, told)| told.is_err()).map(|(place, _)| place).collect())
    }

    #[tokio::test]
    async fn batches_are_of_ten_and_of_what_a_call_takes() {
        assert_eq!(sent(&[]).await, (vec![], vec![]));
        assert_eq!(sent(&["a"; 23]).await, (vec![10, 10, 3], vec![]));
        let (half, whole) = ("x".repeat(BATCH_BYTES / 2), "x".repeat(BATCH_BYTES + 1));
        assert_eq!(sent(&[&half, &half, &half]).await, (vec![2, 1], vec![]));
        assert_eq!(sent(&["a", &whole, "b"]).await, (vec![1, 1, 1], vec![]));
    }

    #[tokio::test]
    async fn what_was_not_sent_is_told_by_its_place() {
        let mut bodies = ["a"; 25];
        (bodies[3], bodies[24]) = ("refused", "refused");
        assert_eq!(sent(&bodies).await.1, [3, 24]);
        bodies[12] = "lost";
        assert_eq!(sent(&bodies).await.1, [&[3][..], &(10..20).collect::<Vec<_>>(), &[24]].concat());
    }
}
