//! The signals that stop a service.

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

/// Listens from now on; waits for SIGINT or SIGTERM.
pub(crate) fn stopped() -> Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("no signals can be listened to");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
