//! Many payers pay one wallet at once: `POST /_local/contention`, told as it goes, and checked at its end.
//!
//! All of it goes through the stack's own gateway, as a caller's requests do: fresh wallets of the owner `contention`, and transfers
//! of 0.01 that are repeated with their keys for as long as they are asked to come again. A wallet of their own pays the payers,
//! so that no rebate gets in their way. One run at a time; hanging up ends it, and what has moved until then has moved.

mod run;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use tokio::sync::{Semaphore, watch};
use wallet_lambda::{Code, Problem, scope};
use wallet_stack::{authorize, refusal};

use crate::progress;
use crate::trail::Trail;
use run::{Asked, Run};

/// As large as any of the API's.
const BODY_LIMIT_BYTES: usize = 16 * 1024;
/// Each payer is a task and a wallet; a row of the statement and a record for each movement are some 2 KB.
const MOST_PAYERS: u32 = 256;
const MOST_MOVEMENTS: u32 = 5_000;

/// What a run needs.
#[derive(Clone)]
pub(crate) struct Contention {
    pub(crate) api: Router,
    pub(crate) trail: Arc<Trail>,
    pub(crate) stopped: watch::Receiver<bool>,
    /// Of one run.
    pub(crate) turn: Arc<Semaphore>,
}

impl Contention {
    /// Runs for an administrator.
    pub(crate) async fn answer(self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let authorized = authorize(&parts, scope::WALLETS_ADMIN);
        let asked = match authorized {
            Ok(_) => read(body).await,
            Err(problem) => Err(problem),
        };
        match asked.and_then(|asked| self.start(asked)) {
            Ok(response) => response,
            Err(problem) => refusal(&problem),
        }
    }

    fn start(self, asked: Asked) -> Result<Response, Problem> {
        let beside = "Another run is under way. One goes at a time.";
        let turn = self.turn.try_acquire_owned().map_err(|_| Problem::new(Code::ConcurrencyConflict, beside))?;
        let run = Arc::new(Run::new(self.api, self.trail, asked));
        let far = Arc::clone(&run);
        Ok(progress::told(self.stopped, move || far.progress(), async move {
            let _turn = turn;
            run.go().await.map(|done| ("done", done)).map_err(|error| {
                // What a request was refused with is what the page should show: it is on this machine, and an administrator's.
                Problem::new(Code::Internal, format!("The run broke off: {error:#}"))
            })
        }))
    }
}

async fn read(body: Body) -> Result<Asked, Problem> {
    let bytes = to_bytes(body, BODY_LIMIT_BYTES).await;
    let bytes =
        bytes.map_err(|_| Problem::new(Code::BodyTooLarge, "The body is larger than 16 KiB, or ended early."))?;
    let asked: Asked = serde_json::from_slice(&bytes).map_err(|error| {
        let example = r#"{"payers": 16, "movements": 200, "strategy": "optimistic"}"#;
        Problem::malformed(format!("The body cannot be read: {error}. Write it as {example}."))
    })?;
    for (name, value, most) in [("payers", asked.payers, MOST_PAYERS), ("movements", asked.movements, MOST_MOVEMENTS)] {
        if !(1..=most).contains(&value) {
            return Err(Problem::malformed(format!("`{name}` is a whole number from 1 to {most}.")));
        }
    }
    Ok(asked)
}

#[cfg(test)]
mod tests;
