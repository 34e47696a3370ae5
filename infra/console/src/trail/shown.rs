//! A movement as it is shown: its steps and those of what followed from it, in the order in which they happened.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use wallet_domain::{Timestamp, TransactionId, WalletId};

use super::kept::{Kept, MOST_RELATED, Movement, Pass};
use super::step::{Kind, Step, before, number};
use crate::prices::PRICES;

/// A step, whose it is, whether it follows from the movement that was asked for, and among how many its units are shared.
struct Seen {
    step: Step,
    of: TransactionId,
    follows: bool,
    parts: u64,
}

/// What was seen of `id`, if anything.
pub(super) fn shown(kept: &Kept, id: TransactionId) -> Option<Value> {
    let asked = kept.movements.get(&id)?;
    let (mut seen, mut followers, mut waiting) = (vec![], BTreeSet::new(), vec![(id, asked)]);
    while let Some((of, movement)) = waiting.pop() {
        let follows = of != id;
        seen.extend(movement.steps.iter().map(|step| Seen { step: step.clone(), of, follows, parts: 1 }));
        seen.extend(settlements(kept, of, movement));
        for child in &movement.children {
            if *child != id && followers.len() < MOST_RELATED && followers.insert(*child) {
                waiting.extend(kept.movements.get(child).map(|movement| (*child, movement)));
            }
        }
    }
    seen.sort_by_key(|seen| (seen.step.at, seen.follows, seen.step.kind));
    let (mut write, mut read) = (Decimal::ZERO, Decimal::ZERO);
    for seen in &seen {
        let (wrote, has_read) = seen.step.share(seen.parts);
        (write, read) = (write + wrote, read + has_read);
    }
    let related = asked.parent.into_iter().chain(followers).map(|id| id.to_string());
    Some(json!({
        "transaction_id": id.to_string(),
        "steps": seen.iter().map(|seen| seen.step.to_json(seen.parts, seen.of)).collect::<Vec<_>>(),
        "write_units": number(write),
        "read_units": number(read),
        "dollars": PRICES.dollars(write, read).to_string(),
        "related": related.collect::<Vec<_>>(),
    }))
}

/// How the credits of a movement were settled.
fn settlements(kept: &Kept, of: TransactionId, movement: &Movement) -> Vec<Seen> {
    let mut seen = vec![];
    for (wallet, settled) in &movement.inboxes {
        let Some(settled) = *settled else { continue };
        let mut add = |step: Step, parts| seen.push(Seen { step, of, follows: true, parts });
        add(Step::new(Kind::Commit, "table", settled), 1);
        // A debit that was short of that money settles it too, within its own request.
        let Some(pass) = kept.passes.iter().find(|pass| folded(pass, *wallet, settled)) else { continue };
        add(pass.step.clone(), pass.folded);
        // One pass may be woken by many messages: its own is the first that was sent once it was committed.
        let committed = movement.steps.iter().find(|step| step.kind == Kind::Commit).map(|step| step.at);
        let woke = |message: &str| pass.messages.split(' ').any(|id| id == message);
        let woken = || kept.wake_ups.iter().filter(|wake_up| woke(&wake_up.message));
        let sent = || woken().filter(|wake_up| wake_up.step.kind == Kind::Sent);
        let own = sent().find(|wake_up| Some(wake_up.step.at) >= committed).or_else(|| sent().next_back());
        if let Some(own) = own {
            woken().filter(|wake_up| wake_up.message == own.message).for_each(|wake_up| add(wake_up.step.clone(), 1));
        }
    }
    seen
}

/// Whether `pass` was at work on the wallet at that millisecond.
fn folded(pass: &Pass, wallet: WalletId, at: Timestamp) -> bool {
    pass.wallet == wallet && pass.began <= at && at <= before(pass.ended, 0)
}
