//! Where the functions' messages go on this machine: the local queues by their logical names, and the local bus.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::future::BoxFuture;
use wallet_messaging::{Message, NotSent, Place, Post};

use crate::bus::Bus;
use crate::clock;
use crate::queue::Queue;

/// The queues and the bus of a stack.
pub(crate) struct LocalPost {
    pub(crate) queues: Vec<Arc<Queue>>,
    pub(crate) bus: Arc<Bus>,
}

impl LocalPost {
    fn take(&self, place: Place<'_>, batch: &[Message]) -> Result<()> {
        match place {
            Place::Queue(name) => {
                let queue = self.queues.iter().find(|queue| queue.name() == name);
                let queue = queue.with_context(|| format!("the local stack has no queue {name}"))?;
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
