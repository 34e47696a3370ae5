//! What a transaction says of one row of a statement, beside what the row says.

use wallet_domain::{Digest, Entry, Kind, Leg, Money, Outcome, Transaction, TransactionId, WalletId};

/// What an entry and its transaction must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) transaction: TransactionId,
    pub(crate) kind: Kind,
    pub(crate) wallet: WalletId,
    pub(crate) version: u64,
    pub(crate) amount: Money,
    pub(crate) balance_after: Money,
    pub(crate) seal: Digest,
    /// Hash of the entry, and the wallet's state after it: an opening and an amendment keep the wallet as they left it.
    pub(crate) left: Option<(Digest, Digest)>,
}

impl Row {
    pub(crate) fn of_entry(entry: &Entry) -> Row {
        Row {
            transaction: entry.transaction,
            kind: entry.kind,
            wallet: entry.wallet,
            version: entry.version,
            amount: entry.amount,
            balance_after: entry.balance_after,
            seal: entry.seal,
            left: keeps_the_wallet(entry.kind).then_some((entry.hash, entry.state)),
        }
    }

    /// One for each wallet's leg, and one for the wallet that was opened or amended.
    pub(crate) fn of_transaction(of: &Transaction) -> Vec<Row> {
        let Outcome::Posted { legs, wallet } = &of.outcome else { return vec![] };
        let (transaction, kind, seal) = (of.id, of.kind, of.seal);
        let legs = legs.iter().filter_map(|leg| match leg {
            Leg::Wallet { wallet, amount, balance_after, version_after, .. } => Some(Row {
                transaction,
                kind,
                wallet: *wallet,
                version: *version_after,
                amount: *amount,
                balance_after: *balance_after,
                seal,
                left: None,
            }),
            Leg::Credit { .. } | Leg::System { .. } => None,
        });
        let result = wallet.iter().map(|wallet| Row {
            transaction,
            kind,
            wallet: wallet.id,
            version: wallet.version,
            amount: Money::zero(wallet.currency()),
            balance_after: wallet.balance,
            seal,
            left: keeps_the_wallet(kind).then(|| (wallet.head, wallet.state())),
        });
        legs.chain(result).collect()
    }
}

pub(crate) fn keeps_the_wallet(kind: Kind) -> bool {
    matches!(kind, Kind::OPENING | Kind::AMENDMENT)
}
