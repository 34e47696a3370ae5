//! The inbox of a wallet whose credits are batched: credits that wait, and folds that settle many of them at once.
//!
//! A credit is posted when it is put into the inbox: nothing but a reversal takes it back, and the wallet itself is not
//! asked. A fold makes each credit a row of the statement and takes it out of the inbox, all in one transaction, so that a
//! credit is in exactly one of the two.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::clock::Moment;
use crate::credit::Credit;
use crate::entry::{self, Entry};
use crate::hash::GENESIS;
use crate::money::Money;
use crate::plan::{Guard, Posting};
use crate::wallet::Wallet;

/// The most credits of one fold: DynamoDB takes 100 actions, and the wallet and its entries are two of them.
pub const MAX_FOLD: usize = 98;

/// What waits in an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming {
    /// What it comes to, as far as the wallet can hold it; the largest value at most.
    pub amount: Money,
    /// The wallet's balance once that is settled. From far below zero it rises by more than the largest value, at which
    /// `amount` stops.
    pub settled: Money,
    /// All items, those that cannot be read or held among them.
    pub count: usize,
}

impl Incoming {
    /// An empty inbox.
    #[must_use]
    pub fn none(wallet: &Wallet) -> Incoming {
        Incoming { amount: Money::zero(wallet.currency()), settled: wallet.balance, count: 0 }
    }

    /// What `credits` bring to `wallet`.
    #[must_use]
    pub fn of(wallet: &Wallet, credits: &[Credit]) -> Incoming {
        let settled = held(wallet, credits).last().map_or(wallet.balance, |(_, balance)| balance);
        let amount = settled.minus(wallet.balance).unwrap_or_else(|_| Money::largest(wallet.currency()));
        Incoming { amount, settled, count: credits.len() }
    }
}

impl Credit {
    /// Those of `credits` that `wallet` can hold, in the order in which they are settled.
    #[must_use]
    pub fn held_by(wallet: &Wallet, credits: &[Credit]) -> Vec<Credit> {
        held(wallet, credits).map(|(credit, _)| credit.clone()).collect()
    }
}

/// Credits on their way from a wallet's inbox to its statement: one version and one row for each, whatever the wallet's
/// status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    posting: Posting,
}

impl Fold {
    /// The first [`MAX_FOLD`] of `credits` that `wallet` can hold, the oldest first; `None` if there is none.
    ///
    /// What would pass the largest value stays in the inbox, and so does what is of another wallet or currency.
    #[must_use]
    pub fn of(wallet: &Wallet, credits: &[Credit], now: Timestamp) -> Option<Fold> {
        let moment = Moment::of(now, [wallet.updated_at]);
        let mut after = Wallet { updated_at: moment.recorded, ..wallet.clone() };
        let (state, mut rows, mut total) = (after.state(), vec![], Money::zero(wallet.currency()));
        for (credit, balance) in held(wallet, credits).take(MAX_FOLD) {
            // From far below zero to far above it is more than the table adds in one step.
            let Ok(sum) = total.plus(credit.amount) else { break };
            total = sum;
            after.balance = balance;
            after.version = after.version.saturating_add(1);
            let row = Entry {
                wallet: wallet.id,
                version: after.version,
                transaction: credit.transaction,
                kind: credit.kind,
                amount: credit.amount,
                balance_after: after.balance,
                held_after: after.held,
                counterparty: Some(credit.counterparty),
                reference: credit.reference.clone(),
                changes: BTreeMap::new(),
                caller: credit.caller.clone(),
                created_at: moment.recorded,
                seal: credit.seal,
                state,
                previous: after.head,
                format: entry::FORMAT,
                hash: GENESIS,
            }
            .hashed();
            after.head = row.hash;
            rows.push(row);
        }
        let highest = Money::largest(wallet.currency()).minus(total).ok()?;
        let posting = Posting { before: Some(wallet.clone()), after, rows, guard: Guard::AtMost(highest) };
        (!posting.rows.is_empty()).then_some(Fold { posting })
    }

    /// Whether the wallet can hold some of `credits` now that did not fit into this step.
    #[must_use]
    pub fn leaves(&self, credits: &[Credit]) -> bool {
        let Posting { after, rows, .. } = &self.posting;
        let left = credits.iter().filter(|credit| rows.iter().all(|row| row.transaction != credit.transaction));
        held(after, &left.cloned().collect::<Vec<_>>()).next().is_some()
    }

    /// The wallet's step; its rows name the transactions whose credits leave the inbox.
    #[must_use]
    pub fn posting(&self) -> &Posting {
        &self.posting
    }
}

/// The credits that `wallet` can hold, in the order in which they are settled, and its balance after each.
fn held<'a>(wallet: &Wallet, credits: &'a [Credit]) -> impl Iterator<Item = (&'a Credit, Money)> + use<'a> {
    let mut credits: Vec<_> = credits.iter().filter(|credit| credit.wallet == wallet.id).collect();
    credits.sort_unstable_by_key(|credit| (credit.created_at, credit.transaction));
    let mut balance = wallet.balance;
    credits.into_iter().filter_map(move |credit| {
        balance = balance.plus(credit.amount).ok()?;
        Some((credit, balance))
    })
}
