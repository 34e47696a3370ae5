//! The way into the queues of a running `wallet up`: by its gateway.

use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use wallet_messaging::{Message, NotSent, Place, Post};

use crate::local::ask;

pub(super) struct Local {
    /// Where it is ready.
    pub(super) url: String,
}

impl Local {
    async fn put(&self, queue: &str, batch: &[Message]) -> Result<(), NotSent> {
        let group = |message: &Message| {
            message.group.as_ref().map(|group| json!({"id": group.id, "deduplication": group.deduplication}))
        };
        let messages: Vec<_> =
            batch.iter().map(|message| json!({"body": message.body, "group": group(message)})).collect();
        let body: Value = json!({"messages": messages});
        let told = ask(&self.url, Method::POST, &format!("/_local/queues/{queue}/messages"), Some(&body)).await;
        told.map(|_| ()).map_err(|error| NotSent(format!("{error:#}")))
    }
}

impl Post for Local {
    fn deliver<'a>(&'a self, place: Place<'a>, batch: &'a [Message]) -> BoxFuture<'a, Vec<Result<(), NotSent>>> {
        Box::pin(async move {
            let told = match place {
                Place::Queue(name) => self.put(name, batch).await,
                Place::Bus(_) => Err(NotSent("nothing of the bus is sent again".to_owned())),
            };
            vec![told; batch.len()]
        })
    }
}
