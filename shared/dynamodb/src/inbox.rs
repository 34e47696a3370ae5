//! The inboxes of wallets whose credits are batched: reads of what waits there, and folds, which settle it.
//!
//! A fold is one `TransactWriteItems`. It raises the wallet by one version for each credit, puts their rows as one item, and
//! deletes the credits from the inbox, each on the condition that it is still there. So a credit is settled once, whoever
//! folds and however often. Only folds delete items, here or anywhere.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use wallet_domain::{Credit, Fold, Incoming, MAX_FOLD, Timestamp, Transaction, TransactionId, Wallet, WalletId};

use crate::fault::{Class, Fault};
use crate::items::{credit_from_item, credit_key, credit_place, entries_item};
use crate::lease::Holder;
use crate::ledger::Ledger;
use crate::names::{SK, TXN, WALLET, inbox_pk, transaction_pk, wallet_pk};
use crate::outcome::ExecuteError;
use crate::read::{MOST_READ, Read, key};
use crate::transact::{Meaning, Rejected};
use crate::usage::Usage;

/// The most credits that an answer counts; where more wait, it says so.
const COUNTED: usize = 1_000;
/// How often an answer reads an inbox at most, where each time a fold comes in between.
const LOOKS: u32 = 5;

/// What a pass over an inbox has done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Credits that are rows of the statement now.
    pub folded: u64,
    /// Items that stay: they cannot be read, or the wallet cannot hold them.
    pub left: u64,
    /// Milliseconds since the oldest of the folded credits was posted.
    pub oldest_ms: u64,
}

impl Settled {
    /// Counts `fold`, which has settled some of `credits`.
    fn add(&mut self, fold: &Fold, credits: &[Credit], now: Timestamp) {
        let rows = &fold.posting().rows;
        let folded = credits.iter().filter(|credit| rows.iter().any(|row| row.transaction == credit.transaction));
        let age =
            folded.map(|credit| credit.created_at).min().map_or(0, |oldest| now.duration_since(oldest).as_millis());
        self.oldest_ms = self.oldest_ms.max(u64::try_from(age).unwrap_or(0));
        self.folded += u64::try_from(rows.len()).unwrap_or(u64::MAX);
    }
}

/// Part of an inbox, in the order of its keys.
pub(crate) struct Waiting {
    pub(crate) credits: Vec<Credit>,
    /// Items that cannot be read.
    pub(crate) unreadable: usize,
    /// Where to go on; `None` at the end.
    pub(crate) next: Option<String>,
}

impl Waiting {
    /// What these items bring to `wallet`.
    pub(crate) fn incoming(&self, wallet: &Wallet) -> Incoming {
        let incoming = Incoming::of(wallet, &self.credits);
        Incoming { count: incoming.count + self.unreadable, ..incoming }
    }
}

impl Ledger {
    /// `wallet`, or a newer version of it that was seen; what waits in its inbox, of 1,000 credits at most; and whether the
    /// two are exact. They are if one `TransactGetItems` saw the wallet at its version and all credits of the inbox, which
    /// are 99 at most: then each credit that was posted before is in exactly one of balance and inbox. With more credits, and
    /// where folds follow one another too closely, it is what was seen, and is not called exact.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn incoming(&self, wallet: &Wallet, usage: &mut Usage) -> Result<(Wallet, Incoming, bool), Fault> {
        let (mut wallet, mut round) = (wallet.clone(), 0);
        loop {
            let waiting = self.waiting(wallet.id, COUNTED, usage).await?;
            let credits = waiting.credits.iter().map(|credit| credit_key(credit.wallet, credit.transaction).build());
            let keys: Vec<_> = [key(wallet_pk(wallet.id), WALLET)].into_iter().chain(credits).collect();
            let is_readable = waiting.next.is_none() && keys.len() <= MOST_READ;
            let items = if is_readable { self.get_at_once(keys, usage).await? } else { None };
            let now = items.map(|items| Read::of(&items)).transpose()?;
            let are_there = now.as_ref().is_some_and(|now| now.waiting.len() == waiting.credits.len());
            let newer = now.and_then(|mut now| now.snapshots.wallets.remove(&wallet.id));
            let is_exact = are_there && newer.as_ref().is_some_and(|newer| newer.version == wallet.version);
            round += 1;
            if is_exact || !is_readable || round == LOOKS {
                let incoming = waiting.incoming(&wallet);
                return Ok((wallet, incoming, is_exact));
            }
            match newer {
                Some(newer) => wallet = newer,
                None => usage.sleep(self.policy.delay(round)).await,
            }
        }
    }

    /// The wallets whose credits of `transaction` wait still. One `TransactGetItems` reads the transaction and those credits,
    /// so that a credit which its commit is about to put is not taken for settled.
    ///
    /// # Errors
    /// [`Fault`] of the database, or when other transactions were in flight on the credits all the time.
    pub async fn unsettled(&self, transaction: &Transaction, usage: &mut Usage) -> Result<Vec<WalletId>, Fault> {
        let credited: Vec<_> = transaction.credited().collect();
        if credited.is_empty() {
            return Ok(vec![]);
        }
        let keys = credited.iter().map(|wallet| credit_key(*wallet, transaction.id).build());
        let keys: Vec<_> = [key(transaction_pk(transaction.id), TXN)].into_iter().chain(keys).collect();
        for round in 0..self.policy.max_attempts {
            if round > 0 {
                usage.sleep(self.policy.delay(round)).await;
            }
            if let Some(items) = self.get_at_once(keys.clone(), usage).await? {
                // One that cannot be read waits as well.
                return Ok(items.iter().filter_map(credit_place).map(|(wallet, _)| wallet).collect());
            }
        }
        Err(Fault::throttled("TransactGetItems: transactions were in flight all the time"))
    }

    /// Settles what waits for `wallet`, in one pass over its inbox from the first key to the last: all credits that were
    /// posted before the pass began.
    ///
    /// # Errors
    /// [`ExecuteError::Conflict`] when every try was lost to others on the wallet, or the time was over;
    /// [`ExecuteError::ClockSkew`], [`ExecuteError::Throttled`] and [`ExecuteError::Fault`] as for commands. What was folded
    /// until then is settled.
    pub async fn settle(&self, wallet: WalletId, usage: &mut Usage) -> Result<Settled, ExecuteError> {
        let (mut settled, mut from, mut losses) = (Settled::default(), None, 0);
        // The page at `from` and the wallet, as the round before has left them.
        let (mut ahead, mut known) = (None, None);
        loop {
            let (page, before) = match (ahead.take(), known.take()) {
                (Some(page), Some(wallet)) => (page, Some(wallet)),
                _ => self.page_and_wallet(wallet, from.clone(), usage).await?,
            };
            let mut left = page.credits.len();
            // Without a wallet, the credits are left; the audit names them.
            if let Some(before) = before.filter(|_| left > 0) {
                self.clock_is_right()?;
                usage.attempts += 1;
                // The next page is read while this one is settled: a full inbox costs one round trip for each fold.
                let mut beside = usage.beside();
                let (folded, next) = tokio::join!(self.fold(&before, &page.credits, None, usage), async {
                    self.page(wallet, Some(page.next.clone()?), MAX_FOLD, &mut beside).await.ok()
                });
                usage.add(&beside);
                match folded {
                    Ok(Some(fold)) => {
                        settled.add(&fold, &page.credits, self.now());
                        known = Some(fold.posting().after.clone());
                        losses = 0;
                        left -= fold.posting().rows.len();
                        // Credits that did not fit into this fold may fit into the next.
                        if fold.leaves(&page.credits) {
                            continue;
                        }
                    }
                    Ok(None) => known = Some(before),
                    Err(rejected) => {
                        let busy = match rejected {
                            Rejected::Failed(fault) if fault.class() == Class::Final => return Err(fault.into()),
                            // After a fold of unknown outcome, the same page read again shows whether it was made.
                            Rejected::Failed(fault) => Some(fault),
                            _ => {
                                usage.conflicts += 1;
                                None
                            }
                        };
                        losses += 1;
                        if losses >= self.policy.max_attempts || usage.is_out_of_time() {
                            return Err(
                                busy.map_or(ExecuteError::Conflict { retry_after_seconds: 1 }, ExecuteError::from)
                            );
                        }
                        usage.sleep(self.policy.delay(losses - 1)).await;
                        continue;
                    }
                }
                ahead = next;
            }
            settled.left += u64::try_from(left + page.unreadable).unwrap_or(u64::MAX);
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(settled),
            }
        }
    }

    /// A page of an inbox and its wallet, read side by side: if one changes between the reads, the fold's conditions fail.
    async fn page_and_wallet(
        &self,
        wallet: WalletId,
        from: Option<String>,
        usage: &mut Usage,
    ) -> Result<(Waiting, Option<Wallet>), Fault> {
        let mut beside = usage.beside();
        let (page, wallet) = tokio::join!(self.page(wallet, from, MAX_FOLD, usage), self.wallet(wallet, &mut beside));
        usage.add(&beside);
        Ok((page?, wallet?))
    }

    /// Settles the first 98 of `credits` that `wallet` can hold; `None` if it can hold none. With a `holder`, only while that
    /// holds the wallet's lease, which it keeps.
    pub(crate) async fn fold(
        &self,
        wallet: &Wallet,
        credits: &[Credit],
        holder: Option<&Holder>,
        usage: &mut Usage,
    ) -> Result<Option<Fold>, Rejected> {
        let Some(fold) = Fold::of(wallet, credits, self.now()) else { return Ok(None) };
        let posting = fold.posting();
        let mut actions = vec![
            (Meaning::Wallet(wallet.id), self.step(posting, wallet, holder, true)),
            (Meaning::Entry(wallet.id), self.put(entries_item(&posting.rows))),
        ];
        actions.extend(posting.rows.iter().map(|row| (Meaning::Settled, self.settled(wallet.id, row.transaction))));
        self.transact(actions, usage).await?;
        Ok(Some(fold))
    }

    /// What waits for a wallet: `limit` items or more, or all.
    pub(crate) async fn waiting(&self, wallet: WalletId, limit: usize, usage: &mut Usage) -> Result<Waiting, Fault> {
        let mut waiting = self.page(wallet, None, limit, usage).await?;
        while waiting.credits.len() + waiting.unreadable < limit
            && let Some(from) = waiting.next.take()
        {
            let page = self.page(wallet, Some(from), limit, usage).await?;
            waiting.credits.extend(page.credits);
            waiting.unreadable += page.unreadable;
            waiting.next = page.next;
        }
        Ok(waiting)
    }

    /// One `Query` of an inbox, strongly consistent, but not of one moment: it may see half of a fold.
    pub(crate) async fn page(
        &self,
        wallet: WalletId,
        from: Option<String>,
        limit: usize,
        usage: &mut Usage,
    ) -> Result<Waiting, Fault> {
        let start = from.map(|sk| key(inbox_pk(wallet), &sk));
        let query = self
            .client
            .query()
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(inbox_pk(wallet)))
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let output = self.query(query, usage).await?;
        let mut waiting = Waiting { credits: vec![], unreadable: 0, next: None };
        for item in output.items() {
            match credit_from_item(item) {
                Ok(credit) => waiting.credits.push(credit),
                Err(fault) => {
                    tracing::error!(%wallet, cause = %fault, "a credit that cannot be read stays in the inbox");
                    waiting.unreadable += 1;
                }
            }
        }
        let last = output.last_evaluated_key.and_then(|mut key| key.remove(SK));
        waiting.next = last.and_then(|sk| sk.as_s().ok().cloned());
        Ok(waiting)
    }

    /// Takes a credit out of the inbox, if it is still there.
    fn settled(&self, wallet: WalletId, transaction: TransactionId) -> TransactWriteItem {
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(credit_key(wallet, transaction).build()))
            .condition_expression("attribute_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None);
        TransactWriteItem::builder().delete(delete.build().expect("table and key are set")).build()
    }
}
