//! What the functions write to their log, as a deployment would have it.

use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::Value;
use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use wallet_lambda::log_to;

/// The log of this thread while it lives: a test's stack runs on the thread of its test.
pub(crate) struct Log {
    written: Written,
    _guard: DefaultGuard,
}

/// With one subscriber in the process, `tracing` asks the thread that writes a line first whether anybody wants it, and keeps
/// a no of a thread without a log for all threads. With two it asks both.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// `directives` as in `RUST_LOG`.
    pub(crate) fn start(directives: &str) -> Log {
        LazyLock::force(&SECOND);
        let written = Written::default();
        let writer = written.clone();
        let guard = tracing::subscriber::set_default(log_to(move || writer.clone(), directives));
        Log { written, _guard: guard }
    }

    /// What was written since this was asked last.
    pub(crate) fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.written.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8(bytes).expect("the log is text")
    }

    /// The same, line by line.
    pub(crate) fn take_lines(&self) -> Vec<Value> {
        self.take().lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
