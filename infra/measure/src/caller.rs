//! How the measurements' callers repeat a request that they are told to repeat, with its key, until it is done.

use std::time::Duration;

use anyhow::{Result, ensure};

/// A request that had to be repeated so often has met a defect, not contention.
const MAX_REPEATS: u64 = 1000;

/// How often one request had to be repeated.
#[derive(Debug, Default)]
pub(crate) struct Repeats(u64);

impl Repeats {
    pub(crate) fn count(&self) -> u64 {
        self.0
    }

    /// Waits about as long as the caller was told, not all callers until the same moment.
    ///
    /// # Errors
    /// When the request was repeated too often.
    pub(crate) async fn wait(&mut self, told: Duration) -> Result<()> {
        ensure!(self.0 < MAX_REPEATS, "not done after {MAX_REPEATS} repeats");
        self.0 += 1;
        tokio::time::sleep(told.mul_f64(0.5 + fastrand::f64())).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_waits_about_as_long_as_told_and_gives_up_in_the_end() {
        let (mut repeats, start, hour) = (Repeats::default(), Instant::now(), Duration::from_secs(3600));
        repeats.wait(hour).await.expect("the first");
        assert!(start.elapsed() >= hour / 2 && start.elapsed() <= hour * 3 / 2, "{:?}", start.elapsed());
        for _ in 1..MAX_REPEATS {
            repeats.wait(hour).await.expect("not too often");
        }
        repeats.wait(hour).await.expect_err("given up");
        assert_eq!(repeats.count(), MAX_REPEATS);
    }
}
