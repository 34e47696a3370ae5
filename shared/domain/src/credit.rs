//! Credits that wait in a wallet's inbox: what each says, and what it is before its transaction is sealed.

use jiff::Timestamp;

use crate::hash::Digest;
use crate::id::{TransactionId, WalletId};
use crate::money::Money;
use crate::text::{Owner, Reference};
use crate::transaction::{Account, Kind, Leg, Transaction};
use crate::wallet::Wallet;

/// Money that has come for a wallet and is not in its balance yet. It says all that its row of the statement will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// For which wallet.
    pub wallet: WalletId,
    /// The transaction that it is of. A transaction has one credit for each wallet at most.
    pub transaction: TransactionId,
    /// The kind of that transaction.
    pub kind: Kind,
    /// Positive.
    pub amount: Money,
    /// Where it came from.
    pub counterparty: Account,
    /// The caller's reference.
    pub reference: Option<Reference>,
    /// Who asked for it.
    pub caller: Owner,
    /// When it was posted.
    pub created_at: Timestamp,
    /// The seal of its transaction.
    pub seal: Digest,
}

/// What will be a [`Credit`] once the transaction that it is of is sealed.
pub(crate) struct Arrival {
    pub(crate) wallet: WalletId,
    owner: Owner,
    pub(crate) amount: Money,
    counterparty: Account,
    pub(crate) reference: Option<Reference>,
}

impl Arrival {
    pub(crate) fn new(wallet: &Wallet, amount: Money, counterparty: Account) -> Arrival {
        Arrival { wallet: wallet.id, owner: wallet.owner.clone(), amount, counterparty, reference: None }
    }

    /// The wallet's side of the transaction.
    pub(crate) fn leg(&self) -> Leg {
        let (wallet, owner, reference) = (self.wallet, self.owner.clone(), self.reference.clone());
        Leg::Credit { wallet, owner, amount: self.amount, reference }
    }

    pub(crate) fn credit(self, transaction: &Transaction) -> Credit {
        Credit {
            wallet: self.wallet,
            transaction: transaction.id,
            kind: transaction.kind,
            amount: self.amount,
            counterparty: self.counterparty,
            reference: self.reference.or_else(|| transaction.reference.clone()),
            caller: transaction.caller.clone(),
            created_at: transaction.created_at,
            seal: transaction.seal,
        }
    }
}
