//! The way to AWS: `SendMessageBatch` and `PutEvents`. Each answers message by message; a call that failed sent nothing, or says
//! nothing of what it sent.

use std::error::Error;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::future::BoxFuture;

use crate::post::{EVENT_SOURCE, EVENT_TYPE, Message, NotSent, Place, Post};

/// One try of a call; both services answer within tens of milliseconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// All the SDK's tries of a call: well below the functions' own time-out.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Aws {
    queues: aws_sdk_sqs::Client,
    events: aws_sdk_eventbridge::Client,
}

impl Aws {
    pub(crate) async fn connect() -> Aws {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(CALL_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await;
        Aws { queues: aws_sdk_sqs::Client::new(&config), events: aws_sdk_eventbridge::Client::new(&config) }
    }

    async fn enqueue(&self, url: &str, batch: &[Message]) -> Result<Vec<Result<(), NotSent>>, NotSent> {
        let entries = batch.iter().enumerate().map(|(place, message)| {
            let (group, deduplication) =
                message.group.as_ref().map(|group| (group.id.clone(), group.deduplication.clone())).unzip();
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(&message.body)
                .set_message_group_id(group)
                .set_message_deduplication_id(deduplication)
                .build()
                .map_err(failed)
        });
        let entries = entries.collect::<Result<_, _>>()?;
        let sent = self.queues.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
        Ok(enqueued(&sent.map_err(failed)?, batch.len()))
    }

    async fn publish(&self, bus: &str, batch: &[Message]) -> Result<Vec<Result<(), NotSent>>, NotSent> {
        let entries = batch.iter().map(|message| {
            let entry = PutEventsRequestEntry::builder().event_bus_name(bus).source(EVENT_SOURCE);
            entry.detail_type(EVENT_TYPE).detail(&message.body).build()
        });
        let put = self.events.put_events().set_entries(Some(entries.collect())).send().await;
        Ok(published(&put.map_err(failed)?))
    }
}

impl Post for Aws {
    fn deliver<'a>(&'a self, place: Place<'a>, batch: &'a [Message]) -> BoxFuture<'a, Vec<Result<(), NotSent>>> {
        Box::pin(async move {
            let told = match place {
                Place::Queue(url) => self.enqueue(url, batch).await,
                Place::Bus(name) => self.publish(name, batch).await,
            };
            told.unwrap_or_else(|error| vec![Err(error); batch.len()])
        })
    }
}

/// Why a whole call failed: the error and its causes.
fn failed(error: impl Error + 'static) -> NotSent {
    let causes = std::iter::successors(Some(&error as &dyn Error), |&cause| cause.source());
    NotSent(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// What the answer says of `count` messages, by their ids. One that it does not mention counts as not sent.
fn enqueued(output: &SendMessageBatchOutput, count: usize) -> Vec<Result<(), NotSent>> {
    let mut told = vec![Err(NotSent("the answer does not tell of it".to_owned())); count];
    let mut tell = |id: &str, result| {
        if let Some(place) = id.parse::<usize>().ok().and_then(|place| told.get_mut(place)) {
            *place = result;
        }
    };
    for sent in output.successful() {
        tell(sent.id(), Ok(()));
    }
    for failed in output.failed() {
        tell(failed.id(), Err(NotSent(format!("{}: {}", failed.code(), failed.message().unwrap_or("no message")))));
    }
    told
}

/// What the answer says of the events, in their order.
fn published(output: &PutEventsOutput) -> Vec<Result<(), NotSent>> {
    let told = output.entries().iter().map(|entry| match entry.error_code() {
        Some(code) => Err(NotSent(format!("{code}: {}", entry.error_message().unwrap_or("no message")))),
        None => Ok(()),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_eventbridge::types::PutEventsResultEntry;
    use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchResultEntry};

    use super::*;

    #[test]
    fn a_queue_s_answer_is_read_by_id() {
        let sent =
            |id: &str| SendMessageBatchResultEntry::builder().id(id).message_id("m").md5_of_message_body("d").build();
        let failed = BatchResultErrorEntry::builder().id("0").code("InternalError").sender_fault(false).build();
        let output = SendMessageBatchOutput::builder()
            .successful(sent("2").expect("whole"))
            .successful(sent("9").expect("whole"))
            .failed(failed.expect("whole"))
            .build()
            .expect("whole");
        let told = enqueued(&output, 3);
        assert_eq!(told[0], Err(NotSent("InternalError: no message".to_owned())));
        assert!(told[1].is_err(), "passed over");
        assert_eq!(told[2], Ok(()));
    }

    #[test]
    fn a_bus_s_answer_is_read_by_place() {
        let put = PutEventsResultEntry::builder().event_id("e").build();
        let failed = PutEventsResultEntry::builder().error_code("ThrottlingException").error_message("slow").build();
        let told = published(&PutEventsOutput::builder().entries(put).entries(failed).build());
        assert_eq!(told, [Ok(()), Err(NotSent("ThrottlingException: slow".to_owned()))]);
    }
}
