//! The one place of the local stack that asks what time it is.

use jiff::Timestamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the edge: from here on time is an argument")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
