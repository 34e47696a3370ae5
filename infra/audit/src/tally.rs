//! Entries against legs in constant memory: what an entry adds, its transaction's leg takes away.
//!
//! The hashes are keyed at random for each audit, so nobody can make two faults that cancel each other.

use std::hash::{BuildHasher, RandomState};

use wallet_domain::{Entry, Kind, Leg, Money, Outcome, Transaction, TransactionId, WalletId};

/// 65,536 buckets of 16 bytes are 1 MiB. More would narrow down what is read again after a mismatch.
const BUCKETS: usize = 1 << 16;

/// What an entry and a leg must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Posting {
    pub(crate) transaction: TransactionId,
    pub(crate) kind: Kind,
    pub(crate) wallet: WalletId,
    pub(crate) version: u64,
    pub(crate) amount: Money,
    pub(crate) balance_after: Money,
}

impl Posting {
    pub(crate) fn of_entry(entry: &Entry) -> Posting {
        Posting {
            transaction: entry.transaction,
            kind: entry.kind,
            wallet: entry.wallet,
            version: entry.version,
            amount: entry.amount,
            balance_after: entry.balance_after,
        }
    }

    /// One for each wallet's leg, and one for the wallet that was opened or amended.
    pub(crate) fn of_transaction(of: &Transaction) -> Vec<Posting> {
        let Outcome::Posted { legs, wallet } = &of.outcome else { return vec![] };
        let (transaction, kind) = (of.id, of.kind);
        let legs = legs.iter().filter_map(|leg| match leg {
            Leg::Wallet { wallet, amount, balance_after, version_after, .. } => Some(Posting {
                transaction,
                kind,
                wallet: *wallet,
                version: *version_after,
                amount: *amount,
                balance_after: *balance_after,
            }),
            Leg::System { .. } => None,
        });
        let result = wallet.iter().map(|wallet| Posting {
            transaction,
            kind,
            wallet: wallet.id,
            version: wallet.version,
            amount: Money::zero(wallet.currency()),
            balance_after: wallet.balance,
        });
        legs.chain(result).collect()
    }
}

/// Sums of hashes, by transaction.
#[derive(Clone)]
pub(crate) struct Tally {
    keys: [RandomState; 2],
    sums: Vec<u128>,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally { keys: [RandomState::new(), RandomState::new()], sums: vec![0; BUCKETS] }
    }

    pub(crate) fn entry(&mut self, posting: &Posting) {
        let (bucket, hash) = (self.bucket(posting.transaction), self.hash(posting));
        self.sums[bucket] = self.sums[bucket].wrapping_add(hash);
    }

    pub(crate) fn leg(&mut self, posting: &Posting) {
        let (bucket, hash) = (self.bucket(posting.transaction), self.hash(posting));
        self.sums[bucket] = self.sums[bucket].wrapping_sub(hash);
    }

    /// Takes in what another segment has summed up.
    pub(crate) fn merge(&mut self, other: &Tally) {
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum = sum.wrapping_add(*other);
        }
    }

    /// Whether every entry seen had its leg, and every leg its entry.
    pub(crate) fn is_even(&self) -> bool {
        self.sums.iter().all(|sum| *sum == 0)
    }

    /// Whether something about this transaction, or one that shares its bucket, is uneven.
    pub(crate) fn suspects(&self, transaction: TransactionId) -> bool {
        self.sums[self.bucket(transaction)] != 0
    }

    fn bucket(&self, transaction: TransactionId) -> usize {
        usize::try_from(self.keys[0].hash_one(transaction) % BUCKETS as u64).expect("a bucket's number is small")
    }

    fn hash(&self, posting: &Posting) -> u128 {
        let [low, high] = [&self.keys[0], &self.keys[1]].map(|key| u128::from(key.hash_one(posting)));
        high << 64 | low
    }
}
