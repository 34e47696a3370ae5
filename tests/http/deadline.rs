//! What a function answers that Lambda is about to end, in paused time.

use std::time::{Duration, SystemTime};

use lambda_http::{Context, RequestExt as _};
use serde_json::{Value, json};
use tokio::time::Instant;
use wallet_dynamodb::Ledger;
use wallet_lambda::{App, Call, Function, Problem, Reply, Routes, answer};

use crate::faults::{World, event, function, runtime};

/// Hangs where no bound of the ledger ends it.
struct Stuck;

impl Function for Stuck {
    const NAME: &'static str = "stuck";
    const ROUTES: Routes = &[("POST /v1/stuck", &[])];

    async fn handle(_: &App, call: &mut Call) -> Result<Reply, Problem> {
        assert!(call.usage().until.is_some(), "the ledger is told when to end");
        std::future::pending().await
    }
}

async fn answered(ledger: Ledger, deadline: Option<Duration>) -> (u16, Value, Duration) {
    let app = function(ledger, &[]);
    let mut context = Context::default();
    if let Some(left) = deadline {
        #[expect(clippy::disallowed_methods, reason = "as Lambda does")]
        let end = SystemTime::now() + left;
        let since = end.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        context.deadline = since.as_millis().try_into().expect("milliseconds fit");
    }
    let request = event("POST /v1/stuck", &[], "alice", "key", "", &json!({})).with_lambda_context(context);
    let started = Instant::now();
    let response = answer::<Stuck>(&app, request).await;
    let body = serde_json::from_slice(response.body()).expect("JSON");
    (response.status().as_u16(), body, started.elapsed())
}

#[test]
fn who_hangs_is_answered_for_before_lambda_ends_the_function() {
    runtime().block_on(async {
        let world = World::new();
        for (deadline, earliest, latest) in [(Some(10), 9, 10), (Some(3), 2, 3), (None, 29, 31)] {
            let (status, body, took) = answered(world.plain(), deadline.map(Duration::from_secs)).await;
            assert_eq!((status, &body["code"], &body["retryable"]), (500, &json!("internal"), &json!(true)));
            let bounds = Duration::from_secs(earliest)..Duration::from_secs(latest);
            assert!(bounds.contains(&took), "{deadline:?}: {took:?}");
        }
    });
}
