//! Writes requests of one wallet, which a queue delivered together, in one transaction instead of one each.
//!
//! Some requests are left out, and whoever asked executes each of them by itself afterwards: those that are refused, those
//! that lost their race every time, and those that a commit of unknown outcome leaves open. Each record is put on the
//! condition that there is none, and each wallet must be at the version that was read: so no request moves money twice,
//! whether it arrives first together with others or by itself.

use std::collections::{BTreeMap, BTreeSet};

use wallet_domain::{Command, Terms, Together, TransactionId, WalletId, replay};

use crate::item::Item;
use crate::items::{Record, record_from_item};
use crate::lease::Holder;
use crate::ledger::Ledger;
use crate::names::{TXN, transaction_pk};
use crate::outcome::Done;
use crate::policy::Strategy;
use crate::read::{MOST_READ, Read, key, places};
use crate::transact::Rejected;
use crate::usage::Usage;

/// Tries before the requests are left to be executed one by one: each lost try is billed whole.
const TRIES: u32 = 3;

/// Requests that have an outcome, by their ids.
type Outcomes = BTreeMap<TransactionId, Done>;

impl Ledger {
    /// Reads the queued requests under `ids`, and executes those of the same wallet together. Returns the outcomes that are
    /// known then. The other requests wait on.
    pub async fn resume_together(
        &self,
        ids: &[TransactionId],
        terms: &Terms,
        strategy: Strategy,
        usage: &mut Usage,
    ) -> Outcomes {
        let (mut outcomes, mut waiting) = (Outcomes::new(), BTreeMap::<WalletId, Vec<Command>>::new());
        let keys = ids.iter().take(MOST_READ).map(|id| key(transaction_pk(*id), TXN)).collect();
        for item in self.get(keys, usage).await.unwrap_or_default() {
            match record_from_item(&item) {
                Ok(Record::Transaction(transaction)) => {
                    outcomes.insert(transaction.id, Done::Replayed(*transaction));
                }
                Ok(Record::Queued(queued)) => {
                    let waits = queued.strategy.unwrap_or(strategy) == Strategy::Optimistic;
                    let command = Command::of(&queued.request, terms).filter(|_| waits);
                    waiting.entry(queued.request.wallet).or_default().extend(command);
                }
                // One that cannot be read is left out: whoever executes it by itself gets the error.
                Err(_) => {}
            }
        }
        for commands in waiting.values() {
            outcomes.extend(self.execute_together(commands, usage).await);
        }
        outcomes
    }

    /// Executes together those of `commands` that can be, and returns the outcomes that are known then. With fewer than two
    /// commands it does nothing, as nothing would be gained.
    pub async fn execute_together(&self, commands: &[Command], usage: &mut Usage) -> Outcomes {
        let mut keys = BTreeSet::new();
        let fits = |command: &&Command| {
            let all: BTreeSet<_> = keys.iter().cloned().chain(places(command)).collect();
            let fits = all.len() <= MOST_READ;
            if fits {
                keys = all;
            }
            fits
        };
        let commands: Vec<&Command> = commands.iter().filter(fits).collect();
        for round in 0..TRIES {
            if commands.len() < 2 || usage.is_out_of_time() {
                break;
            }
            if round > 0 {
                usage.sleep(self.policy.delay(round)).await;
            }
            usage.attempts += 1;
            let keys = keys.iter().map(|(pk, sk)| key(pk.clone(), sk)).collect();
            match self.tried_together(&commands, keys, usage).await {
                Some(outcomes) => return outcomes,
                None => usage.conflicts += 1,
            }
        }
        Outcomes::new()
    }

    /// One try: read, decide, commit. `None` if it lost its race.
    async fn tried_together(&self, commands: &[&Command], keys: Vec<Item>, usage: &mut Usage) -> Option<Outcomes> {
        let mut outcomes = Outcomes::new();
        let Ok(Read { mut snapshots, leases, queued, .. }) =
            self.get(keys, usage).await.and_then(|items| Read::of(&items))
        else {
            return Some(outcomes);
        };
        let nobody = Holder::new();
        let is_free = |wallet: &WalletId| {
            !leases.iter().any(|(leased, lease)| leased == wallet && lease.bars(&nobody, self.now()))
        };
        let mut open = vec![];
        for command in commands {
            let id = command.transaction();
            let mut its = queued.iter().filter(|queued| queued.request.id == id);
            match snapshots.transactions.remove(&id) {
                Some(existing) if replay(command, &existing).is_ok() => {
                    outcomes.insert(id, Done::Replayed(existing));
                }
                None if its.all(|queued| {
                    queued.request.fingerprint == command.fingerprint() && !queued.request.has_expired(self.now())
                }) && command.reads().wallets.iter().all(is_free) =>
                {
                    open.push(*command);
                }
                _ => {}
            }
        }
        let together = Together::of(snapshots, open, self.now()).ok().filter(|together| together.plans().len() > 1);
        let Some(together) = together.filter(|_| self.clock_is_right().is_ok()) else { return Some(outcomes) };
        let (plans, postings) = (together.plans(), together.postings());
        match self.commit_together(plans, postings, None, false, usage).await {
            Ok(()) => {
                postings.iter().for_each(|posting| self.cache.keep(&posting.after));
                let done = plans.iter().map(|plan| plan.transaction().clone());
                outcomes.extend(done.map(|transaction| (transaction.id, Done::Executed(transaction))));
            }
            Err(Rejected::Moved(_) | Rejected::Conflict) => return None,
            Err(rejected) => {
                if let Rejected::Failed(fault) = rejected {
                    tracing::warn!(cause = %fault, "requests that were to be written together are executed one by one");
                }
                self.cache.forget(&postings.iter().map(|posting| posting.after.id).collect::<Vec<_>>());
            }
        }
        Some(outcomes)
    }
}
