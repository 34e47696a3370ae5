//! A wallet recomputed from its entries, oldest first, one at a time.
//!
//! After a fault it goes on from what the entry itself says, so that one fault is told once.

use wallet_domain::{Digest, Entry, GENESIS, Timestamp, Wallet, WalletId};
use wallet_dynamodb::scan::Unreadable;

use crate::finding::{Check, Finding, decimal};
use crate::holds::has_holds;

/// A wallet under recomputation.
pub(crate) struct Chain {
    pub(crate) id: WalletId,
    pub(crate) findings: Vec<Finding>,
    /// Whether it has, or had, holds.
    pub(crate) has_holds: bool,
    next: u64,
    before: Before,
}

/// What the wallet must follow.
enum Before {
    /// Its opening.
    Nothing,
    /// The entry that was read last.
    Entry { hash: Digest, balance: i128, state: Digest, created_at: Timestamp },
    /// An entry that is missing or could not be read.
    Unknown,
}

/// Findings of one wallet; more would say no more.
const MAX_FINDINGS: usize = 100;

impl Chain {
    pub(crate) fn new(id: WalletId) -> Chain {
        Chain { id, findings: vec![], has_holds: false, next: 0, before: Before::Nothing }
    }

    /// The next entry of the wallet.
    pub(crate) fn entry(&mut self, entry: &Entry) {
        let version = entry.version;
        self.reach(version);
        match entry.computed_hash() {
            None => {
                let difference = format!("format {} of the entry's hash is not known to this audit", entry.format);
                self.found(version, Check::Hash, difference);
            }
            Some(computed) if entry.hash != computed => {
                let difference = format!("the entry hashes to {computed}, but stores {}", entry.hash);
                self.found(version, Check::Hash, difference);
            }
            Some(_) => {}
        }
        let after = entry.balance_after.minor_units();
        let follows = match self.before {
            Before::Nothing => Some((GENESIS, 0, Timestamp::MIN)),
            Before::Entry { hash, balance, created_at, .. } => Some((hash, balance, created_at)),
            Before::Unknown => None,
        };
        if let Some((previous, balance, time)) = follows {
            if entry.previous != previous {
                let difference = format!("the entry follows {}, but the one before it is {previous}", entry.previous);
                self.found(version, Check::Chain, difference);
            }
            let sum = balance + entry.amount.minor_units();
            if sum != after {
                let currency = entry.amount.currency();
                let (sum, off) = (decimal(sum, currency), decimal(after - sum, currency));
                let difference = format!("balance after is {}, recomputed {sum}: off by {off}", entry.balance_after);
                self.found(version, Check::RunningBalance, difference);
            }
            if entry.created_at < time {
                let difference = format!("the entry is of {:.3}, the one before it of {time:.3}", entry.created_at);
                self.found(version, Check::Times, difference);
            }
        }
        self.has_holds |= has_holds(entry);
        let Entry { hash, state, created_at, .. } = *entry;
        self.before = Before::Entry { hash, balance: after, state, created_at };
    }

    /// An entry that cannot be read.
    pub(crate) fn unreadable(&mut self, item: &Unreadable) {
        let version = item.version.unwrap_or(self.next);
        self.reach(version);
        self.found(version, Check::Readable, item.reason.clone());
        self.before = Before::Unknown;
    }

    /// The wallet itself, after the last of its entries.
    pub(crate) fn close(&mut self, wallet: &Wallet) {
        let version = wallet.version;
        if self.next <= version {
            self.missing(self.next, version);
            self.before = Before::Unknown;
        } else if self.next > version + 1 {
            let difference = format!("there are entries up to version {}", self.next - 1);
            self.found(version, Check::Wallet, difference);
        }
        if let Before::Entry { hash: head, balance, state, created_at } = self.before {
            let stored = wallet.balance.minor_units();
            if stored != balance {
                let (sum, off) = (decimal(balance, wallet.currency()), decimal(stored - balance, wallet.currency()));
                let difference =
                    format!("the wallet's balance is {}, its entries say {sum}: off by {off}", wallet.balance);
                self.found(version, Check::Wallet, difference);
            }
            if wallet.head != head {
                let difference = format!("the wallet's head is {}, its newest entry is {head}", wallet.head);
                self.found(version, Check::Wallet, difference);
            }
            if wallet.updated_at != created_at {
                let difference =
                    format!("the wallet is as of {:.3}, its newest entry of {created_at:.3}", wallet.updated_at);
                self.found(version, Check::Wallet, difference);
            }
            let computed = wallet.state();
            if computed != state {
                let difference = format!(
                    "the wallet's owner, terms, counters, metadata or opening time have changed since its newest entry: \
                     they hash to {computed}, the entry holds {state}"
                );
                self.found(version, Check::Wallet, difference);
            }
        }
        let highest = wallet.highest_balance();
        let beyond = wallet.balance.minor_units() - highest.minor_units();
        if beyond > 0 {
            let beyond = decimal(beyond, wallet.currency());
            let difference = format!("balance {} passes the ceiling {highest} by {beyond}", wallet.balance);
            self.found(version, Check::Bounds, difference);
        }
    }

    fn reach(&mut self, version: u64) {
        if version > self.next {
            self.missing(self.next, version - 1);
        }
        if version < self.next {
            self.found(version, Check::Versions, "the entry is out of order");
        }
        self.next = version.saturating_add(1);
    }

    fn missing(&mut self, first: u64, last: u64) {
        let difference = match last - first {
            0 => "the entry is missing".to_owned(),
            more => format!("{} entries are missing, up to version {last}", more + 1),
        };
        self.found(first, Check::Versions, difference);
    }

    fn found(&mut self, version: u64, check: Check, difference: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding::wallet(self.id, version, check, difference));
        }
    }
}
