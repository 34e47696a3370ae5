//! The folder of the hot wallet, beside the callers: what `functions/settle` does with its queue, which is first in first out
//! by wallet, so that one folder works on a wallet at a time.
//!
//! It is woken after each credit, and however many wake it while it works, it makes one more pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use wallet_domain::WalletId;
use wallet_dynamodb::{ExecuteError, Ledger, Usage};

/// How often the folder's losses may end a pass before the bench calls it a defect.
const MOST_GIVEN_BACK: u32 = 1_000;

/// A folder at work.
pub(super) struct Folder {
    wake: Arc<Notify>,
    last: Arc<AtomicBool>,
    work: JoinHandle<Result<Usage>>,
}

impl Folder {
    pub(super) fn start(ledger: Ledger, wallet: WalletId) -> Folder {
        let (wake, last) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let work = tokio::spawn(fold(ledger, wallet, Arc::clone(&wake), Arc::clone(&last)));
        Folder { wake, last, work }
    }

    /// What wakes the folder, as a credit's message does.
    pub(super) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Lets it settle what waits still, and ends it.
    pub(super) async fn finish(self) -> Result<Usage> {
        self.last.store(true, Ordering::Release);
        self.wake.notify_one();
        self.work.await?
    }
}

async fn fold(ledger: Ledger, wallet: WalletId, wake: Arc<Notify>, last: Arc<AtomicBool>) -> Result<Usage> {
    let (mut usage, mut given_back) = (Usage::default(), 0);
    loop {
        wake.notified().await;
        let last = last.load(Ordering::Acquire);
        match ledger.settle(wallet, &mut usage).await {
            Ok(_) if last => return Ok(usage),
            Ok(_) => {}
            // As a message that was given back, which comes again.
            Err(ExecuteError::Conflict { .. } | ExecuteError::Throttled { .. }) if given_back < MOST_GIVEN_BACK => {
                given_back += 1;
                wake.notify_one();
            }
            Err(error) => return Err(error.into()),
        }
    }
}
