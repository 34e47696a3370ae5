//! One read for many commands: a batch of messages shares it, and each message then needs its commit alone.
//!
//! The items are kept as they came and are understood when their command's turn comes, so that one that cannot be read
//! harms no other command.
//!
//! Round trips: one `BatchGetItem` for each hundred items.

use std::collections::{BTreeSet, HashMap};

use wallet_domain::{Command, Snapshots, Transaction};

use crate::fault::Fault;
use crate::items::{Fields, Item, transaction_item};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::names::{PK, SK, TXN, transaction_pk};
use crate::read::{key, places, understood};
use crate::scan::KEYS_PER_CALL;
use crate::usage::Usage;

/// What was read for many commands at once. A place that was looked at and is empty is in it too.
#[derive(Debug, Default)]
pub struct Preloaded(HashMap<(String, String), Option<Item>>);

impl Ledger {
    /// Reads, strongly consistently, everything that `commands` have to be decided on. What cannot be read now is left
    /// out, and [`Ledger::execute_preloaded`] reads it when its turn comes.
    pub async fn preload<'a>(&self, commands: impl IntoIterator<Item = &'a Command>, usage: &mut Usage) -> Preloaded {
        let places: BTreeSet<_> = commands.into_iter().flat_map(places).collect();
        let places: Vec<_> = places.into_iter().collect();
        let mut preloaded = Preloaded::default();
        for places in places.chunks(KEYS_PER_CALL) {
            let keys = places.iter().map(|(pk, sk)| key(pk.clone(), sk)).collect();
            match self.get(keys, usage).await {
                Ok(items) => preloaded.keep(places, items),
                Err(fault) => {
                    tracing::warn!(cause = %fault, "a shared read failed; each of its commands reads by itself")
                }
            }
        }
        preloaded
    }
}

impl Preloaded {
    /// Adds what is on record for ever.
    pub(crate) fn record(&mut self, transaction: &Transaction) {
        self.0.insert((transaction_pk(transaction.id), TXN.to_owned()), Some(transaction_item(transaction)));
    }

    fn keep(&mut self, places: &[(String, &'static str)], items: Vec<Item>) {
        self.0.extend(places.iter().map(|(pk, sk)| ((pk.clone(), (*sk).to_owned()), None)));
        for item in items {
            if let (Ok(pk), Ok(sk)) = (Fields(&item).text(PK), Fields(&item).text(SK)) {
                self.0.insert((pk.to_owned(), sk.to_owned()), Some(item));
            }
        }
    }

    /// What `command` has to be decided on and the leases on its wallets, if all of it was looked at.
    pub(crate) fn of(&self, command: &Command) -> Result<Option<(Snapshots, Vec<Lease>)>, Fault> {
        let place = |(pk, sk): (String, &str)| self.0.get(&(pk, sk.to_owned()));
        let Some(items) = places(command).into_iter().map(place).collect::<Option<Vec<_>>>() else { return Ok(None) };
        understood(command, items.into_iter().flatten()).map(Some)
    }
}
