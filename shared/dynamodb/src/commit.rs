//! The writes, each one `TransactWriteItems`: a plan, the leases of its wallets, and giving them back.
//!
//! All wallets' leases are taken together or none is, so nobody holds one while waiting for another, and no order of taking
//! can deadlock.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use rust_decimal::Decimal;
use wallet_domain::{
    Guard, HoldChange, LONGEST_WAIT, Outcome, Plan, Posting, Refusal, Timestamp, Transaction, Wallet, WalletId,
};

use crate::expression::Expression;
use crate::item::Item;
use crate::items::{QUEUED, credit_item, entries_item, hold_item, hold_key, mark_item, transaction_item, wallet_item};
use crate::lease::Holder;
use crate::ledger::Ledger;
use crate::names::{
    BALANCE, CAPTURES, CREATED_AT, FINGERPRINT, HELD, LEASE_HOLDER, LEASE_UNTIL, STATUS, VERSION, WALLET, wallet_pk,
};
use crate::read::key;
use crate::transact::{Meaning, Rejected};
use crate::usage::Usage;

impl Ledger {
    /// Writes all of `plan` or nothing. With a `holder`, only while that holds the leases, which the commit gives back, or
    /// keeps.
    pub(crate) async fn commit(
        &self,
        plan: &Plan,
        holder: Option<&Holder>,
        keeps_lease: bool,
        usage: &mut Usage,
    ) -> Result<(), Rejected> {
        self.commit_together(std::slice::from_ref(plan), plan.postings(), holder, keeps_lease, usage).await
    }

    /// The same for several plans. `postings` are theirs joined, one for each wallet.
    pub(crate) async fn commit_together(
        &self,
        plans: &[Plan],
        postings: &[Posting],
        holder: Option<&Holder>,
        keeps_lease: bool,
        usage: &mut Usage,
    ) -> Result<(), Rejected> {
        let mut actions = vec![];
        for plan in plans {
            actions.push((Meaning::Transaction, self.record_of(plan.transaction())));
        }
        for posting in postings {
            let wallet = posting.after.id;
            let write = match &posting.before {
                None => self.put(wallet_item(&posting.after)),
                Some(before) => self.step(posting, before, holder, keeps_lease),
            };
            actions.push((Meaning::Wallet(wallet), write));
            actions.push((Meaning::Entry(wallet), self.put(entries_item(&posting.rows))));
        }
        for plan in plans {
            let credits = plan.credits().iter();
            actions.extend(credits.map(|credit| (Meaning::Entry(credit.wallet), self.put(credit_item(credit)))));
            actions.extend(plan.bars().iter().map(|bar| (Meaning::Bar, self.put(transaction_item(bar)))));
            actions.extend(plan.marks().iter().map(|mark| (Meaning::Mark, self.put(mark_item(mark)))));
            actions.extend(plan.holds().iter().map(|change| (Meaning::Hold, self.change(change))));
        }
        self.transact(actions, usage).await
    }

    /// Takes the leases of `wallets`, at whatever version they are. While they last nobody else moves the wallets: a commit
    /// on an old version costs one more try, which cannot lose to another.
    pub(crate) async fn lease(&self, wallets: &[WalletId], holder: &Holder, usage: &mut Usage) -> Result<(), Rejected> {
        let now = self.now();
        let until = now.as_millisecond() + i64::try_from(self.policy.lease.as_millis()).unwrap_or(i64::MAX / 2);
        let actions = wallets.iter().map(|wallet| {
            let mut change = Expression::default();
            change.set(LEASE_HOLDER, AttributeValue::S(holder.0.clone()));
            change.set(LEASE_UNTIL, AttributeValue::N(until.to_string()));
            change.require_free_or(holder, now);
            (Meaning::Wallet(*wallet), self.update(*wallet, change))
        });
        self.transact(actions.collect(), usage).await
    }

    /// Gives leases back without a movement. If that fails, they expire.
    pub(crate) async fn release(&self, wallets: &[WalletId], holder: &Holder, usage: &mut Usage) {
        let now = self.now();
        let actions = wallets.iter().map(|wallet| {
            let mut change = Expression::default();
            change.release();
            change.require_lease(Some(holder), now);
            (Meaning::Wallet(*wallet), self.update(*wallet, change))
        });
        if self.transact(actions.collect(), usage).await.is_err() {
            tracing::debug!("a lease was not given back; it expires by itself");
        }
    }

    /// A put of an item that must not exist yet.
    pub(crate) fn put(&self, item: Item) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
    }

    /// The put of a request's record, on the condition that there is none yet, or that the same request is queued there: then
    /// the record takes its place. Once that has waited for [`LONGEST_WAIT`], only the record that ends it as expired may.
    fn record_of(&self, transaction: &Transaction) -> TransactWriteItem {
        let ends_it = matches!(transaction.outcome, Outcome::Failed { refusal: Refusal::RequestExpired { .. }, .. });
        let begin = Timestamp::UNIX_EPOCH;
        let since = if ends_it { begin } else { self.now().checked_sub(LONGEST_WAIT).unwrap_or(begin) };
        let same_waits = "#status = :queued AND #fingerprint = :fingerprint AND #created_at > :since";
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(transaction_item(transaction)))
            .condition_expression(format!("attribute_not_exists(PK) OR ({same_waits})"))
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#created_at", CREATED_AT)
            .expression_attribute_values(":since", AttributeValue::S(format!("{since:.3}")))
            .expression_attribute_names("#fingerprint", FINGERPRINT)
            .expression_attribute_values(":queued", AttributeValue::S(QUEUED.to_owned()))
            .expression_attribute_values(
                ":fingerprint",
                AttributeValue::B(Blob::new(*transaction.fingerprint.as_bytes())),
            )
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
    }

    /// The update of a wallet from `before` to what the posting leaves: attributes that differ are set or removed, and the
    /// balance moves by arithmetic. It gives the lease back, or `keeps_lease`.
    pub(crate) fn step(
        &self,
        posting: &Posting,
        before: &Wallet,
        holder: Option<&Holder>,
        keeps_lease: bool,
    ) -> TransactWriteItem {
        let (mut old, mut new) = (wallet_item(before), wallet_item(&posting.after));
        old.remove(BALANCE);
        new.remove(BALANCE);
        let mut change = Expression::from(&old, new);
        let moved: Decimal = posting.rows.iter().map(|row| row.amount.decimal()).sum();
        if !moved.is_zero() {
            change.add(BALANCE, AttributeValue::N(moved.to_string()));
        }
        change.require(VERSION, "=", AttributeValue::N(before.version.to_string()));
        match posting.guard {
            Guard::None => {}
            Guard::AtLeast(lowest) => {
                change.require(BALANCE, ">=", AttributeValue::N(lowest.to_string()));
                match before.held.is_zero() {
                    true => change.require_absent(HELD),
                    false => change.require(HELD, "=", AttributeValue::N(before.held.to_string())),
                }
            }
            Guard::AtMost(highest) => change.require(BALANCE, "<=", AttributeValue::N(highest.to_string())),
        }
        change.require_lease(holder, self.now());
        if !keeps_lease {
            change.release();
        }
        self.update(before.id, change)
    }

    /// The write of a hold's change, if its status and captures are still what was read: only an active one changes, and each
    /// capture counts.
    fn change(&self, change: &HoldChange) -> TransactWriteItem {
        let Some(before) = &change.before else { return self.put(hold_item(&change.after)) };
        let mut update = Expression::from(&hold_item(before), hold_item(&change.after));
        update.require(STATUS, "=", AttributeValue::S(before.status.as_str().to_owned()));
        update.require(CAPTURES, "=", AttributeValue::N(before.captures.to_string()));
        self.update_at(hold_key(&before.key()).build(), update)
    }

    /// The update of a wallet's item.
    fn update(&self, wallet: WalletId, change: Expression) -> TransactWriteItem {
        self.update_at(key(wallet_pk(wallet), WALLET), change)
    }

    fn update_at(&self, key: Item, change: Expression) -> TransactWriteItem {
        let (update, condition) = change.texts();
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().update(update.build().expect("table, key and expression are set")).build()
    }
}
