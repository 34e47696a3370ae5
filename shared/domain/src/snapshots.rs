//! What was read before deciding.

use std::collections::BTreeMap;

use crate::hold::{Hold, HoldKey};
use crate::id::{TransactionId, WalletId};
use crate::inbox::Incoming;
use crate::mark::MarkName;
use crate::money::Money;
use crate::plan::NoPlan;
use crate::refusal::Refusal;
use crate::transaction::Transaction;
use crate::wallet::Wallet;

/// What has to be read before a command is decided, beside the record of the command itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Every wallet concerned.
    pub wallets: Vec<WalletId>,
    /// Other transactions: the deposit of a rebate, the rebate of a deposit that is reversed.
    pub transactions: Vec<TransactionId>,
    /// Marks: whether these things have happened to these transactions.
    pub marks: Vec<(TransactionId, MarkName)>,
    /// Holds.
    pub holds: Vec<HoldKey>,
}

impl Reads {
    /// True if wallets are all that is read: no other transaction, no mark and no hold.
    #[must_use]
    pub fn are_of_wallets_alone(&self) -> bool {
        self.transactions.is_empty() && self.marks.is_empty() && self.holds.is_empty()
    }
}

/// What was found of all that a command reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshots {
    /// By id.
    pub wallets: BTreeMap<WalletId, Wallet>,
    /// By id.
    pub transactions: BTreeMap<TransactionId, Transaction>,
    /// What has happened to transactions, and the transaction that did it.
    pub marks: BTreeMap<(TransactionId, MarkName), TransactionId>,
    /// What waits for wallets, where that was looked up.
    pub incoming: BTreeMap<WalletId, Incoming>,
    /// By the transaction that made each.
    pub holds: BTreeMap<TransactionId, Hold>,
    /// What holds of wallets keep back although their time is over, where that was looked up.
    pub overdue: BTreeMap<WalletId, Money>,
}

impl Snapshots {
    pub(crate) fn wallet(&self, id: WalletId) -> Result<&Wallet, Refusal> {
        self.wallets.get(&id).ok_or(Refusal::WalletNotFound { wallet: id })
    }

    /// What waits for `wallet`: nothing for one whose credits were always immediate.
    ///
    /// # Errors
    /// [`NoPlan::Unsettled`] where that was not looked up yet.
    pub(crate) fn incoming(&self, wallet: &Wallet) -> Result<Incoming, NoPlan> {
        if !wallet.may_have_incoming() {
            return Ok(Incoming::none(wallet));
        }
        self.incoming.get(&wallet.id).copied().ok_or(NoPlan::Unsettled(wallet.id))
    }

    /// What holds of `wallet` keep back although their time is over: nothing where nothing is held.
    ///
    /// # Errors
    /// [`NoPlan::Unreleased`] where that was not looked up yet.
    pub(crate) fn overdue(&self, wallet: &Wallet) -> Result<Money, NoPlan> {
        if wallet.held.is_zero() {
            return Ok(wallet.held);
        }
        self.overdue.get(&wallet.id).copied().ok_or(NoPlan::Unreleased(wallet.id))
    }
}
