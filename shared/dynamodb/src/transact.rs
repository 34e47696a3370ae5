//! One `TransactWriteItems`: each action says what its failed condition means, and the reasons of a cancellation are read by
//! position, never by text.
//!
//! A reason says something of its own item and of no other, and a conflict says nothing at all.

use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, ReturnConsumedCapacity, TransactWriteItem};
use wallet_domain::{Hold, Mark, Transaction, Wallet, WalletId};

use crate::fault::{Class, Fault};
use crate::items::{
    Record, hold_from_item, lease_of, mark_from_item, record_from_item, transaction_from_item, wallet_from_item,
};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::usage::Usage;

/// Why a transaction was not written, or is not known to be.
pub(crate) enum Rejected {
    /// The record of the request exists already, or a queued request is there that this write may not replace.
    Exists(Box<Record>),
    /// Items are not as they were read; here are those that a failed condition has returned.
    Moved(Moved),
    /// Another transaction was in flight on one of the items.
    Conflict,
    /// Another fold has settled one of the credits.
    Settled,
    /// The wallet's next entry exists, or the credit for it, and no condition on the wallet itself or on the record failed.
    Entry(WalletId),
    /// The call failed. Its class says whether the transaction may have been written.
    Failed(Fault),
}

/// Items as failed conditions returned them. Each was so at some moment of the try.
#[derive(Default)]
pub(crate) struct Moved {
    pub(crate) wallets: Vec<Found>,
    /// Transactions that were to be barred, and exist.
    pub(crate) transactions: Vec<Transaction>,
    /// What was to happen once, and has happened.
    pub(crate) marks: Vec<Mark>,
    /// Holds that are not as they were read.
    pub(crate) holds: Vec<Hold>,
}

impl Moved {
    fn is_empty(&self) -> bool {
        self.wallets.is_empty() && self.transactions.is_empty() && self.marks.is_empty() && self.holds.is_empty()
    }
}

/// A wallet as a failed condition returned it.
pub(crate) struct Found {
    pub(crate) wallet: Wallet,
    /// Who held it, and until when.
    pub(crate) lease: Option<Lease>,
}

/// What a failed condition on an action means.
pub(crate) enum Meaning {
    /// The record of the request exists.
    Transaction,
    /// The wallet is not as it was read, or another holds its lease.
    Wallet(WalletId),
    /// A transaction that was to be barred exists.
    Bar,
    /// What was to happen once has happened.
    Mark,
    /// The wallet's next entry exists, or the credit for it.
    Entry(WalletId),
    /// A credit is in the inbox no more.
    Settled,
    /// A hold is not as it was read.
    Hold,
}

impl Ledger {
    /// One `TransactWriteItems`, sent once.
    ///
    /// The SDK must not repeat it: a first try that timed out may still take effect when the second is throttled or
    /// cancelled, and the second's answer alone would say that nothing was done.
    pub(crate) async fn transact(
        &self,
        actions: Vec<(Meaning, TransactWriteItem)>,
        usage: &mut Usage,
    ) -> Result<(), Rejected> {
        let (meanings, actions): (Vec<_>, Vec<_>) = actions.into_iter().unzip();
        if usage.is_out_of_time() {
            return Err(Rejected::Failed(Fault::late("TransactWriteItems", Class::Throttled)));
        }
        usage.calls += 1;
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send();
        // A call that was cut off may have been carried out.
        let late = || Rejected::Failed(Fault::late("TransactWriteItems", Class::Unknown));
        match usage.in_time(sent).await.ok_or_else(late)? {
            Ok(output) => {
                usage.wrote(output.consumed_capacity());
                Ok(())
            }
            Err(SdkError::ServiceError(service)) if service.err().is_transaction_canceled_exception() => {
                let TransactWriteItemsError::TransactionCanceledException(canceled) = service.into_err() else {
                    unreachable!("the guard has looked")
                };
                Err(rejection(&meanings, canceled.cancellation_reasons()))
            }
            Err(error) => Err(Rejected::Failed(Fault::from_sdk("TransactWriteItems", error))),
        }
    }
}

/// What the reasons mean together. An existing record outranks everything: the request has its answer.
fn rejection(meanings: &[Meaning], reasons: &[CancellationReason]) -> Rejected {
    if reasons.len() != meanings.len() {
        let (got, want) = (reasons.len(), meanings.len());
        return Rejected::Failed(Fault::damaged(format!("TransactWriteItems: {got} reasons for {want} actions")));
    }
    understood(meanings, reasons).unwrap_or_else(Rejected::Failed)
}

fn understood(meanings: &[Meaning], reasons: &[CancellationReason]) -> Result<Rejected, Fault> {
    let (mut moved, mut conflict, mut settled, mut entry, mut throttled) = (Moved::default(), false, false, None, None);
    for (meaning, reason) in meanings.iter().zip(reasons) {
        let code = reason.code().unwrap_or("None");
        let item = || {
            let missing = || Fault::damaged("TransactWriteItems: no item with the failed condition");
            reason.item().ok_or_else(missing)
        };
        match (code, meaning) {
            ("None", _) => {}
            ("ConditionalCheckFailed", Meaning::Transaction) => {
                return Ok(Rejected::Exists(Box::new(record_from_item(item()?)?)));
            }
            ("ConditionalCheckFailed", Meaning::Bar) => moved.transactions.push(transaction_from_item(item()?)?),
            ("ConditionalCheckFailed", Meaning::Hold) => moved.holds.push(hold_from_item(item()?)?),
            ("ConditionalCheckFailed", Meaning::Mark) => moved.marks.push(mark_from_item(item()?)?),
            ("ConditionalCheckFailed", Meaning::Wallet(id)) => {
                let gone = || Fault::damaged(format!("{id}: the wallet's item is gone"));
                let item = reason.item().ok_or_else(gone)?;
                moved.wallets.push(Found { wallet: wallet_from_item(item)?, lease: lease_of(item)? });
            }
            ("ConditionalCheckFailed", Meaning::Entry(wallet)) => entry = Some(*wallet),
            ("ConditionalCheckFailed", Meaning::Settled) => settled = true,
            ("TransactionConflict", _) => conflict = true,
            ("ThrottlingError" | "ProvisionedThroughputExceeded", _) => throttled = Some(code),
            _ => {
                let message = reason.message().unwrap_or_default();
                return Err(Fault::damaged(format!("TransactWriteItems: {code}: {message}")));
            }
        }
    }
    match (throttled, entry) {
        _ if !moved.is_empty() => Ok(Rejected::Moved(moved)),
        (Some(code), _) => Err(Fault::throttled(format!("TransactWriteItems: {code}"))),
        _ if conflict => Ok(Rejected::Conflict),
        _ if settled => Ok(Rejected::Settled),
        (None, Some(wallet)) => Ok(Rejected::Entry(wallet)),
        (None, None) => Err(Fault::damaged("TransactWriteItems: cancelled for no reason")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet(number: u8) -> WalletId {
        format!("wal_{number:032}").parse().expect("an id")
    }

    /// What the reasons mean for a deposit: record, wallet, entry.
    fn meaning(codes: [&str; 3]) -> String {
        let meanings = [Meaning::Transaction, Meaning::Wallet(wallet(1)), Meaning::Entry(wallet(1))];
        let reasons = codes.map(|code| CancellationReason::builder().code(code).build());
        match rejection(&meanings, &reasons) {
            Rejected::Exists(_) => "exists".to_owned(),
            Rejected::Moved(_) => "moved".to_owned(),
            Rejected::Entry(_) => "entry".to_owned(),
            Rejected::Settled => "settled".to_owned(),
            Rejected::Conflict => "conflict".to_owned(),
            Rejected::Failed(fault) if fault.is_passing() => "throttled".to_owned(),
            Rejected::Failed(fault) => fault.to_string(),
        }
    }

    #[test]
    fn reasons_are_read_by_position() {
        let failed = "ConditionalCheckFailed";
        assert_eq!(meaning(["None", "TransactionConflict", "None"]), "conflict");
        assert_eq!(meaning(["TransactionConflict", "None", "None"]), "conflict");
        assert_eq!(meaning(["None", "ThrottlingError", "None"]), "throttled");
        assert_eq!(meaning(["None", "ProvisionedThroughputExceeded", "None"]), "throttled");
        assert!(meaning([failed, "None", "None"]).contains("no item with the failed condition"));
        assert!(meaning(["None", failed, "None"]).contains("item is gone"));
        assert_eq!(meaning(["None", "None", failed]), "entry");
        assert_eq!(meaning(["None", "TransactionConflict", failed]), "conflict");
        assert!(meaning([failed, "TransactionConflict", failed]).contains("no item"), "its own record comes first");
        assert!(meaning(["None", "None", "None"]).contains("for no reason"));
        assert!(meaning(["None", "ValidationError", "None"]).contains("ValidationError"));
    }
}
