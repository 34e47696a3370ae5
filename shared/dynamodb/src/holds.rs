//! Holds in the table: reads of one and of a wallet's list, and the release of those whose time is over.
//!
//! A release is one `TransactWriteItems` of up to 49 holds of one wallet, each on the condition that it is still active, and
//! the wallet at the version that was read. So what a hold keeps back is given back once, whoever releases and however often.
//!
//! A sweep finds overdue holds in an index, which lags the table, and reads each from the table before it is released. Before
//! a refusal for funds a wallet's holds are read from the table, newest first, until they add up to what the wallet holds
//! back; only holds older than the 4,000 newest are looked for in the index.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use tokio::task::JoinSet;
use wallet_domain::{
    Command, Expire, Hold, HoldKey, Money, MoneyError, NoPlan, Plan, Snapshots, Timestamp, Transaction, Unsound,
    Wallet, WalletId, decide,
};

use crate::fault::{Class, Fault};
use crate::item::Item;
use crate::items::{due_of, dues, hold_from_item, hold_key, hold_key_from};
use crate::lease::Holder;
use crate::ledger::Ledger;
use crate::lists::{Page, Place, one_more};
use crate::names::{DUE_AT, HOLD, WALLET, hold_sk, wallet_pk};
use crate::outcome::ExecuteError;
use crate::read::{Read, key};
use crate::transact::Rejected;
use crate::usage::Usage;

/// Holds of one read: 99 keys with their wallet, of the 100 that a `BatchGetItem` takes, and two releases of 49.
const READ_AT_ONCE: usize = 98;
/// Wallets that a sweep works on side by side.
const SIDE_BY_SIDE: usize = 16;
/// Keys of one page of the index: a tenth of what DynamoDB gives.
const KEYS_PER_PAGE: i32 = 1_000;
/// Holds of one page of a wallet's list. At 450 bytes each, as a rule, it costs 57 read units; at 1.5 KB each, the most, it
/// is below the megabyte at which DynamoDB ends a page by itself.
const HOLDS_PER_PAGE: u32 = 500;
/// Pages of a wallet's holds, ended ones among them, that are read before the index is asked for older ones. A wallet moves
/// some tens of times a second, so its 4,000 newest holds go back minutes: the index would have to lag by as much to hide
/// one.
const PAGES: u32 = 8;

/// What a sweep has done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Holds that are released now.
    pub released: u64,
    /// Transactions that did it.
    pub transactions: u64,
    /// Wallets with overdue holds left: lost to others, damaged, or out of time. The next sweep finds them.
    pub left: u64,
    /// For how long the oldest hold that was found has been overdue, in milliseconds.
    pub oldest_ms: u64,
}

/// What `holds` of `wallet` keep back together; all that it holds back, if that cannot be added up.
pub(crate) fn held_by(holds: &[Hold], wallet: &Wallet) -> Money {
    let sum = holds.iter().try_fold(Money::zero(wallet.currency()), |sum, hold| sum.plus(hold.held()?));
    sum.unwrap_or(wallet.held)
}

impl Ledger {
    /// The hold that `made` made, and the wallets that it concerns; `None` if it made none.
    ///
    /// # Errors
    /// [`Fault`] of the database or of the stored items.
    pub async fn hold(
        &self,
        made: &Transaction,
        usage: &mut Usage,
    ) -> Result<Option<(Hold, BTreeMap<WalletId, Wallet>)>, Fault> {
        let Some(hold) = Hold::made_by(made) else { return Ok(None) };
        let wallets = [hold.source].into_iter().chain(hold.destination).map(|id| key(wallet_pk(id), WALLET));
        let keys = [hold_key(&hold.key()).build()].into_iter().chain(wallets).collect();
        let mut snapshots = Read::of(&self.get(keys, usage).await?)?.snapshots;
        Ok(snapshots.holds.remove(&hold.id).map(|hold| (hold, snapshots.wallets)))
    }

    /// A wallet's holds, newest first. Strongly consistent.
    ///
    /// # Errors
    /// As [`Ledger::hold`].
    pub async fn holds(
        &self,
        wallet: WalletId,
        after: Option<Place>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Page<Hold, Place>, Fault> {
        let start = after.map(|place| {
            let id = place.id.parse().ok()?;
            Some(key(wallet_pk(wallet), &hold_sk(&HoldKey { wallet, created_at: place.created_at, id })))
        });
        let query = self
            .client
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :hold)")
            .expression_attribute_values(":pk", AttributeValue::S(wallet_pk(wallet)))
            .expression_attribute_values(":hold", AttributeValue::S(HOLD.to_owned()))
            .scan_index_forward(false)
            .set_exclusive_start_key(start.flatten())
            .consistent_read(true)
            .limit(one_more(limit));
        let holds = self.query(query, usage).await?.items().iter().map(hold_from_item).collect::<Result<_, _>>()?;
        Ok(Page::cut(holds, limit, |hold: &Hold| Place { created_at: hold.created_at, id: hold.id.to_string() }))
    }

    /// Releases the holds of all wallets whose time is over. What fails, and what there is no time for, is left for the next
    /// sweep.
    ///
    /// # Errors
    /// [`ExecuteError::ClockSkew`] when the clock is too far from the table's to go by; [`ExecuteError::Fault`] and
    /// [`ExecuteError::Throttled`] when the index cannot be read.
    pub async fn sweep(&self, usage: &mut Usage) -> Result<Swept, ExecuteError> {
        let mut swept = Swept::default();
        for share in dues() {
            let (mut from, mut wallets) = (None, BTreeMap::<WalletId, Vec<HoldKey>>::new());
            loop {
                let now = self.now();
                let page = match self.ended(share.clone(), now, None, from, usage).await {
                    Err(_) if usage.is_out_of_time() && swept.released > 0 => return Ok(swept),
                    page => page?,
                };
                self.clock_is_right()?;
                for (key, expires_at) in page.items {
                    let age = now.duration_since(expires_at).as_millis();
                    swept.oldest_ms = swept.oldest_ms.max(u64::try_from(age).unwrap_or(0));
                    wallets.entry(key.wallet).or_default().push(key);
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
            self.release_all(wallets, &mut swept, usage).await;
        }
        Ok(swept)
    }

    /// Releases `holds` wallet by wallet, some wallets side by side.
    async fn release_all(&self, holds: BTreeMap<WalletId, Vec<HoldKey>>, swept: &mut Swept, usage: &mut Usage) {
        let (mut working, mut waiting) = (JoinSet::new(), holds.into_iter());
        loop {
            while working.len() < SIDE_BY_SIDE
                && let Some((wallet, keys)) = waiting.next()
            {
                let (ledger, until) = (self.clone(), usage.until);
                working.spawn(async move {
                    let mut usage = Usage::within(until);
                    let done = ledger.release_of(wallet, keys, &mut usage).await;
                    (wallet, done, usage)
                });
            }
            let Some(done) = working.join_next().await else { return };
            let Ok((wallet, (released, transactions, failed), used)) = done else {
                swept.left += 1;
                continue;
            };
            swept.released += released;
            swept.transactions += transactions;
            usage.add(&used);
            if let Some(error) = failed {
                swept.left += 1;
                tracing::warn!(%wallet, cause = %error, "expired holds of a wallet are left to the next sweep");
            }
        }
    }

    /// Releases what is overdue of `keys`, all of one wallet. Returns how many holds, in how many transactions, and the error
    /// that ended it early, if any.
    async fn release_of(
        &self,
        wallet: WalletId,
        keys: Vec<HoldKey>,
        usage: &mut Usage,
    ) -> (u64, u64, Option<ExecuteError>) {
        let (mut released, mut transactions, mut losses) = (0, 0, 0);
        for keys in keys.chunks(READ_AT_ONCE) {
            loop {
                let lost = match self.release_some(wallet, keys, usage).await {
                    Ok(None) => break,
                    Ok(Some(plan)) => {
                        released += u64::try_from(plan.holds().len()).unwrap_or(0);
                        transactions += 1;
                        losses = 0;
                        continue;
                    }
                    Err(Rejected::Failed(fault)) if fault.class() == Class::Final => {
                        return (released, transactions, Some(fault.into()));
                    }
                    // After a release of unknown outcome, the next read shows whether it was made.
                    Err(Rejected::Failed(fault)) => Some(fault.into()),
                    Err(_) => {
                        usage.conflicts += 1;
                        None
                    }
                };
                losses += 1;
                if losses >= self.policy.max_attempts || usage.is_out_of_time() {
                    let error = lost.unwrap_or(ExecuteError::Conflict { retry_after_seconds: 1 });
                    return (released, transactions, Some(error));
                }
                usage.sleep(self.policy.delay(losses - 1)).await;
            }
        }
        (released, transactions, None)
    }

    /// One release of what is overdue of `keys` by now; `None` where nothing is.
    async fn release_some(
        &self,
        wallet: WalletId,
        keys: &[HoldKey],
        usage: &mut Usage,
    ) -> Result<Option<Plan>, Rejected> {
        let places = keys.iter().map(|key| hold_key(key).build()).chain([key(wallet_pk(wallet), WALLET)]);
        let items = self.get(places.collect(), usage).await.map_err(Rejected::Failed)?;
        let Snapshots { wallets, holds, .. } = Read::of(&items).map_err(Rejected::Failed)?.snapshots;
        let Some(wallet) = wallets.get(&wallet) else { return Ok(None) };
        usage.attempts += 1;
        self.release_overdue(wallet, &holds.into_values().collect::<Vec<_>>(), None, usage).await
    }

    /// Releases what is overdue of `holds`, up to 49 of them; `None` if none is. With a `holder`, only while that holds the
    /// wallet's lease, which it keeps.
    pub(crate) async fn release_overdue(
        &self,
        wallet: &Wallet,
        holds: &[Hold],
        holder: Option<&Holder>,
        usage: &mut Usage,
    ) -> Result<Option<Plan>, Rejected> {
        let Some(plan) = self.expiry(wallet, holds)? else { return Ok(None) };
        self.commit(&plan, holder, true, usage).await?;
        Ok(Some(plan))
    }

    /// The release of what is overdue of `holds`; `None` where nothing is.
    pub(crate) fn expiry(&self, wallet: &Wallet, holds: &[Hold]) -> Result<Option<Plan>, Rejected> {
        let keys = holds.iter().map(Hold::key).collect();
        let snapshots = Snapshots {
            wallets: [(wallet.id, wallet.clone())].into(),
            holds: holds.iter().map(|hold| (hold.id, hold.clone())).collect(),
            ..Snapshots::default()
        };
        let expire = Command::Expire(Expire { wallet: wallet.id, version: wallet.version, holds: keys });
        match decide(&snapshots, &expire, self.now()) {
            Ok(plan) => Ok(Some(plan)),
            Err(NoPlan::Refused(_)) => Ok(None),
            // Holds and wallet were read at different moments, and another has changed them in between.
            Err(NoPlan::Unsound(Unsound::Held(_))) => Err(Rejected::Conflict),
            Err(fault) => Err(Rejected::Failed(Fault::damaged(fault.to_string()))),
        }
    }

    /// The overdue holds of `wallet`, newest first, and then those that only the index has. `None` if the holds that were
    /// read do not add up to what the wallet holds back: others have changed it. While it stays at its version none of them
    /// changes.
    pub(crate) async fn overdue(&self, wallet: &Wallet, usage: &mut Usage) -> Result<Option<Vec<Hold>>, Fault> {
        let unsound = |error: MoneyError| Fault::damaged(format!("{}: its holds: {error}", wallet.id));
        let (now, mut from, mut unseen, mut overdue) = (self.now(), None, wallet.held, vec![]);
        for _ in 0..PAGES {
            let page = self.holds(wallet.id, from, HOLDS_PER_PAGE, usage).await?;
            for hold in page.items {
                unseen = hold.held().and_then(|held| unseen.minus(held)).map_err(unsound)?;
                overdue.extend(hold.is_overdue(now).then_some(hold));
            }
            from = page.next;
            if unseen.is_zero() || from.is_none() {
                return Ok(unseen.is_zero().then_some(overdue));
            }
        }
        let (mut keys, mut at) = (vec![], None);
        loop {
            let page = self.ended(due_of(wallet.id), now, Some(wallet.id), at, usage).await?;
            keys.extend(page.items.into_iter().map(|(key, _)| key));
            at = page.next;
            if at.is_none() {
                break;
            }
        }
        let seen: BTreeSet<_> = overdue.iter().map(Hold::key).collect();
        keys.retain(|key| !seen.contains(key));
        for keys in keys.chunks(READ_AT_ONCE) {
            for item in self.get(keys.iter().map(|key| hold_key(key).build()).collect(), usage).await? {
                overdue.push(hold_from_item(&item)?);
            }
        }
        overdue.retain(|hold| hold.is_overdue(now));
        Ok(Some(overdue))
    }

    /// One page of a share of the index: holds that expire at `now` or before, only those of `wallet` if one is named.
    async fn ended(
        &self,
        share: String,
        now: Timestamp,
        wallet: Option<WalletId>,
        from: Option<Item>,
        usage: &mut Usage,
    ) -> Result<Page<(HoldKey, Timestamp), Item>, Fault> {
        let page = self.due(share, now, wallet, from, KEYS_PER_PAGE, usage).await?;
        let mut items = vec![];
        for item in &page.items {
            let expires_at = item.get(DUE_AT).and_then(|value| value.as_s().ok()?.parse().ok());
            match hold_key_from(item) {
                Ok(key) => items.push((key, expires_at.unwrap_or(now))),
                Err(fault) => tracing::error!(cause = %fault, "an expired hold that cannot be read stays as it is"),
            }
        }
        Ok(Page { items, next: page.next })
    }
}
