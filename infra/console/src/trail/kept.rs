//! What is kept of the newest movements, and of what settles batched credits. The oldest is forgotten for the newest.

use std::collections::{HashMap, VecDeque};

use wallet_domain::{Timestamp, TransactionId, WalletId};

use super::fields::Fields;
use super::step::{Kind, Step};

const MOST_MOVEMENTS: usize = 10_000;
const MOST_STEPS: usize = 40;
/// Movements that follow from one: a hold has fifty captures at most.
pub(super) const MOST_RELATED: usize = 64;
const MOST_PASSES: usize = 4_096;

/// All of it.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) movements: HashMap<TransactionId, Movement>,
    /// The oldest first.
    pub(super) order: VecDeque<TransactionId>,
    pub(super) wake_ups: VecDeque<WakeUp>,
    pub(super) passes: VecDeque<Pass>,
}

#[derive(Default)]
pub(super) struct Movement {
    pub(super) steps: Vec<Step>,
    /// The movements that it follows from, or that follow from it.
    pub(super) parent: Option<TransactionId>,
    pub(super) children: Vec<TransactionId>,
    /// Where it waits, or waited, and when it was settled there.
    pub(super) inboxes: Vec<(WalletId, Option<Timestamp>)>,
}

/// A message for the function that settles: sent or received.
pub(super) struct WakeUp {
    pub(super) message: String,
    pub(super) step: Step,
}

/// A pass over a wallet's inbox that settled something.
pub(super) struct Pass {
    pub(super) wallet: WalletId,
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) messages: String,
    pub(super) folded: u64,
    pub(super) step: Step,
}

impl Kept {
    fn movement(&mut self, id: TransactionId) -> &mut Movement {
        if !self.movements.contains_key(&id) {
            if self.order.len() == MOST_MOVEMENTS
                && let Some(oldest) = self.order.pop_front()
            {
                self.movements.remove(&oldest);
            }
            self.order.push_back(id);
        }
        self.movements.entry(id).or_default()
    }

    pub(super) fn push(&mut self, id: TransactionId, step: Step) {
        let steps = &mut self.movement(id).steps;
        if steps.len() < MOST_STEPS {
            steps.push(step);
        }
    }

    pub(super) fn relate(&mut self, parent: TransactionId, child: TransactionId) {
        self.movement(child).parent = Some(parent);
        let children = &mut self.movement(parent).children;
        if !children.contains(&child) && children.len() < MOST_RELATED {
            children.push(child);
        }
    }

    /// A new item of the table.
    pub(super) fn record(&mut self, seen: &Fields, now: Timestamp) {
        let (pk, sk) = (seen.text("pk").unwrap_or_default(), seen.text("sk").unwrap_or_default());
        let created_at: Option<Timestamp> = seen.text("created_at").and_then(|text| text.parse().ok());
        if let Some(id) = pk.strip_prefix("TXN#").filter(|_| sk == "TXN").and_then(|id| id.parse().ok()) {
            let commit = Step::new(Kind::Commit, "table", created_at.unwrap_or(now));
            // A record that could not be sent on comes again.
            if !self.movement(id).steps.contains(&commit) {
                self.push(id, commit);
            }
            if seen.is("handed") {
                self.push(id, Step::new(Kind::Stream, "dispatch", now));
            }
        } else if let (Some(Ok(wallet)), Ok(id)) = (pk.strip_prefix("INBOX#").map(str::parse), sk.parse()) {
            let inboxes = &mut self.movement(id).inboxes;
            if !inboxes.iter().any(|(inbox, _)| *inbox == wallet) && inboxes.len() < MOST_RELATED {
                inboxes.push((wallet, None));
            }
        } else if let (Some(Ok(wallet)), true) =
            (pk.strip_prefix("WALLET#").map(str::parse::<WalletId>), sk.starts_with("ENTRY#"))
        {
            for id in seen.text("rows").unwrap_or_default().split(' ').filter_map(|id| id.parse().ok()) {
                let waits = self.movements.get_mut(&id).into_iter().flat_map(|movement| &mut movement.inboxes);
                let settled = waits.filter(|(inbox, settled)| *inbox == wallet && settled.is_none());
                settled.for_each(|(_, settled)| *settled = created_at);
            }
        }
    }

    pub(super) fn wake_up(&mut self, wake_up: WakeUp) {
        bounded(&mut self.wake_ups, wake_up);
    }

    pub(super) fn pass(&mut self, pass: Pass) {
        bounded(&mut self.passes, pass);
    }
}

fn bounded<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == MOST_PASSES {
        queue.pop_front();
    }
    queue.push_back(item);
}
