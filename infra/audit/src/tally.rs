//! Sums up what must come in pairs, in constant memory: what one side adds, the other takes away. Rows of statements and
//! credits that wait in inboxes add what the legs of their transactions take away; deposits add what the records of their
//! rebates do.
//!
//! The hashes are keyed at random for each audit, so nobody can make two faults that cancel each other.

use std::hash::{BuildHasher, Hash, RandomState};

use wallet_domain::{Kind, Transaction, TransactionId};

use crate::row::Row;

/// 65,536 buckets of 16 bytes are 1 MiB. More would narrow down what is read again after a mismatch.
const BUCKETS: usize = 1 << 16;

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

    /// A row of a statement, or a credit that will be one.
    pub(crate) fn row(&mut self, row: &Row<'_>) {
        let (bucket, hash) = (self.bucket(row.transaction), self.hash(&row.tallied()));
        self.sums[bucket] = self.sums[bucket].wrapping_add(hash);
    }

    /// The legs of `transaction`; the rebate that it earns, or that it is.
    pub(crate) fn transaction(&mut self, transaction: &Transaction) {
        for row in Row::of_transaction(transaction) {
            let (bucket, hash) = (self.bucket(row.transaction), self.hash(&row.tallied()));
            self.sums[bucket] = self.sums[bucket].wrapping_sub(hash);
        }
        if let Some(rebate) = transaction.rebate() {
            let (bucket, hash) = (self.bucket(rebate), self.hash(&rebate));
            self.sums[bucket] = self.sums[bucket].wrapping_add(hash);
        }
        if transaction.kind == Kind::REBATE {
            let (bucket, hash) = (self.bucket(transaction.id), self.hash(&transaction.id));
            self.sums[bucket] = self.sums[bucket].wrapping_sub(hash);
        }
    }

    /// Takes in what another segment has summed up.
    pub(crate) fn merge(&mut self, other: &Tally) {
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum = sum.wrapping_add(*other);
        }
    }

    /// Whether everything seen had its counterpart.
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

    fn hash(&self, of: &impl Hash) -> u128 {
        let [low, high] = [&self.keys[0], &self.keys[1]].map(|key| u128::from(key.hash_one(of)));
        high << 64 | low
    }
}
