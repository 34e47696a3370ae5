//! Where the functions' messages go on this machine: the local queues by their logical names, and the local bus.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use futures::future::BoxFuture;
use wallet_messaging::{Message, NotSent, Place, Post};

use crate::bus::Bus;
use crate::clock;
use crate::queue::Queue;

/// The queues and the bus of a stack.
pub(crate) struct LocalPost {
    /// By logical name, which stands for its URL.
    pub(crate) queues: BTreeMap<String, Arc<Queue>>,
    pub(crate) bus: Arc<Bus>,
}

impl LocalPost {
    fn take(&self, place: Place<'_>, batch: &[Message]) -> Result<()> {
        match place {
            Place::Queue(name) => {
                let queue = self.queues.get(name).ok_or_else(|| anyhow!("the local stack has no queue {name}"))?;
                queue.send_all(batch, clock::now())
            }
            Place::Bus(_) => self.bus.put(batch),
        }
    }
}

impl Post for LocalPost {
    fn deliver<'a>(&'a self, place: Place<'a>, batch: &'a [Message]) -> BoxFuture<'a, Vec<Result<(), NotSent>>> {
        let told = self.take(place, batch).map_err(|error| NotSent(format!("{error:#}")));
        Box::pin(async move { vec![told; batch.len()] })
    }
}
