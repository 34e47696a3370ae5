//! Faults: what is neither the caller's doing nor a lost race. Their texts are for the log, never for callers.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId as _;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// A fault of the database, the network, or of stored data.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    message: String,
    class: Class,
}

/// What a failed call says about whether it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It did not, and trying later may help.
    Throttled,
    /// It may have.
    Unknown,
    /// It did not, and trying again will not help.
    Final,
}

impl Fault {
    /// Whether it passes by itself: trying later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.class != Class::Final
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// Stored data that this code cannot have written.
    pub(crate) fn damaged(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), class: Class::Final }
    }

    /// The time was over before an answer came.
    pub(crate) fn late(operation: &str, class: Class) -> Fault {
        Fault { message: format!("{operation}: the time was over before DynamoDB answered"), class }
    }

    pub(crate) fn throttled(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), class: Class::Throttled }
    }

    pub(crate) fn from_sdk<E>(operation: &str, error: SdkError<E, HttpResponse>) -> Fault
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let class = classify(&error);
        Fault { message: format!("{operation}: {}", told(&error)), class }
    }
}

/// What went wrong, and never the response itself: it may hold wallets.
fn told<E: Error + ProvideErrorMetadata + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    let request = error.request_id().unwrap_or("without an id");
    if let SdkError::ServiceError(service) = error {
        let (code, message) = (error.code().unwrap_or("no code"), error.message().unwrap_or("no message"));
        return format!("{code} ({}): {message}; request {request}", service.raw().status().as_u16());
    }
    let causes = std::iter::successors(Some(error as &dyn Error), |&cause| cause.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    format!("{}; request {request}", causes.join(": "))
}

fn classify<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Class {
    match error {
        SdkError::ConstructionFailure(_) => Class::Final,
        SdkError::ServiceError(service) => match service.err().code() {
            Some("ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded") => {
                Class::Throttled
            }
            // A read in a transaction, cancelled for anything but another transaction in flight.
            Some("TransactionCanceledException") => Class::Throttled,
            Some("TransactionInProgressException") => Class::Unknown,
            _ if service.raw().status().is_server_error() => Class::Unknown,
            _ => Class::Final,
        },
        // Sent, or perhaps sent, and no readable answer came back.
        _ => Class::Unknown,
    }
}
