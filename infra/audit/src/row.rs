//! What a row of a statement, the credit that will be the row, and its transaction each say of it, so that they can be
//! compared.

use wallet_domain::{
    Account, Credit, Digest, Entry, Kind, Leg, Legs, Money, Outcome, Owner, Reference, Transaction, TransactionId,
    WalletId, shape_of,
};

/// What an entry, or a credit that waits, and its transaction must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Row<'a> {
    pub(crate) transaction: TransactionId,
    pub(crate) kind: Kind,
    pub(crate) wallet: WalletId,
    pub(crate) amount: Money,
    /// Version and balance after; `None` for a leg that waits, or waited, in an inbox: only its row knows them.
    pub(crate) place: Option<(u64, Money)>,
    /// Where a credit came from.
    pub(crate) from: Option<Account>,
    pub(crate) reference: Option<&'a Reference>,
    pub(crate) caller: &'a Owner,
    pub(crate) seal: Digest,
    /// Hash of the entry, and the wallet's state after it: an opening and an amendment keep the wallet as they left it.
    pub(crate) left: Option<(Digest, Digest)>,
}

impl<'a> Row<'a> {
    pub(crate) fn of_entry(entry: &'a Entry) -> Row<'a> {
        Row {
            transaction: entry.transaction,
            kind: entry.kind,
            wallet: entry.wallet,
            amount: entry.amount,
            place: Some((entry.version, entry.balance_after)),
            from: entry.counterparty.filter(|_| may_wait(entry.kind, entry.amount)),
            reference: entry.reference.as_ref(),
            caller: &entry.caller,
            seal: entry.seal,
            left: keeps_the_wallet(entry.kind).then_some((entry.hash, entry.state)),
        }
    }

    pub(crate) fn of_credit(credit: &'a Credit) -> Row<'a> {
        Row {
            transaction: credit.transaction,
            kind: credit.kind,
            wallet: credit.wallet,
            amount: credit.amount,
            place: None,
            from: Some(credit.counterparty).filter(|_| may_wait(credit.kind, credit.amount)),
            reference: credit.reference.as_ref(),
            caller: &credit.caller,
            seal: credit.seal,
            left: None,
        }
    }

    /// One for each wallet's leg, and one for the wallet that was opened or amended.
    pub(crate) fn of_transaction(of: &'a Transaction) -> Vec<Row<'a>> {
        let Outcome::Posted { legs, wallet } = &of.outcome else { return vec![] };
        let row = |wallet, amount, place, reference: Option<&'a Reference>, left| Row {
            transaction: of.id,
            kind: of.kind,
            wallet,
            amount,
            place,
            from: payer(legs).filter(|_| may_wait(of.kind, amount)),
            reference: reference.or(of.reference.as_ref()),
            caller: &of.caller,
            seal: of.seal,
            left,
        };
        let moved = legs.iter().filter_map(|leg| match leg {
            Leg::Wallet { wallet, amount, balance_after, version_after, .. } => {
                Some(row(*wallet, *amount, Some((*version_after, *balance_after)), leg.reference(), None))
            }
            Leg::Credit { wallet, amount, .. } => Some(row(*wallet, *amount, None, leg.reference(), None)),
            Leg::System { .. } => None,
        });
        let result = wallet.iter().map(|wallet| {
            let left = keeps_the_wallet(of.kind).then(|| (wallet.head, wallet.state()));
            row(wallet.id, Money::zero(wallet.currency()), Some((wallet.version, wallet.balance)), None, left)
        });
        moved.chain(result).collect()
    }

    /// The part that both sides know. A row does not say whether it waited in an inbox, and the leg of one that did has no
    /// place. So the place of what may have waited is left out: the chain checks it, and the seal, which covers the leg.
    pub(crate) fn tallied(&self) -> Row<'a> {
        Row { place: self.place.filter(|_| !may_wait(self.kind, self.amount)), ..*self }
    }
}

/// Whether such a row may be that of a credit that was settled: money comes in, and not by a reversal.
pub(crate) fn may_wait(kind: Kind, amount: Money) -> bool {
    amount.minor_units() > 0 && shape_of(kind).is_none_or(|shape| shape.legs != Legs::Mirrored)
}

pub(crate) fn keeps_the_wallet(kind: Kind) -> bool {
    shape_of(kind).is_some_and(|shape| shape.legs == Legs::KeptWallet)
}

/// Who pays: one account, but for reversals.
fn payer(legs: &[Leg]) -> Option<Account> {
    legs.iter().find(|leg| leg.amount().is_negative()).map(Leg::account)
}
