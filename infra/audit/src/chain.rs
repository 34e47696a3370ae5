//! A wallet recomputed from its entries, oldest first, one at a time.
//!
//! After a fault it goes on from what the entry itself says, so that one fault is told once.

use wallet_domain::{Digest, Entry, GENESIS, Wallet, WalletId};
use wallet_dynamodb::scan::Unreadable;

use crate::finding::{Check, Finding, decimal};

/// A wallet under recomputation.
pub(crate) struct Chain {
    pub(crate) id: WalletId,
    pub(crate) findings: Vec<Finding>,
    next: u64,
    /// Unknown after an entry that could not be read.
    before: Option<(Digest, i128)>,
}

/// Of one wallet; the rest says no more.
const MAX_FINDINGS: usize = 100;

impl Chain {
    pub(crate) fn new(id: WalletId) -> Chain {
        Chain { id, findings: vec![], next: 0, before: Some((GENESIS, 0)) }
    }

    /// The next entry of the wallet.
    pub(crate) fn entry(&mut self, entry: &Entry) {
        self.reach(entry.version);
        let computed = entry.computed_hash();
        if entry.hash != computed {
            let difference = format!("the entry hashes to {computed}, but stores {}", entry.hash);
            self.found(entry.version, Check::Hash, difference);
        }
        let after = entry.balance_after.minor_units();
        if let Some((previous, balance)) = self.before {
            if entry.previous != previous {
                let difference = format!("the entry follows {}, but the one before it is {previous}", entry.previous);
                self.found(entry.version, Check::Chain, difference);
            }
            let sum = balance + entry.amount.minor_units();
            if sum != after {
                let currency = entry.amount.currency();
                let (sum, off) = (decimal(sum, currency), decimal(after - sum, currency));
                let difference = format!("balance after is {}, recomputed {sum}: off by {off}", entry.balance_after);
                self.found(entry.version, Check::RunningBalance, difference);
            }
        }
        self.before = Some((entry.hash, after));
    }

    /// An entry that cannot be read.
    pub(crate) fn unreadable(&mut self, item: &Unreadable) {
        let version = item.version.unwrap_or(self.next);
        self.reach(version);
        self.found(version, Check::Readable, item.reason.clone());
        self.before = None;
    }

    /// The wallet itself, after the last of its entries.
    pub(crate) fn close(&mut self, wallet: &Wallet) {
        let version = wallet.version;
        if self.next <= version {
            self.missing(self.next, version);
            self.before = None;
        } else if self.next > version + 1 {
            let difference = format!("there are entries up to version {}", self.next - 1);
            self.found(version, Check::Wallet, difference);
        }
        if let Some((head, balance)) = self.before {
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
        }
        self.bounds(wallet);
    }

    fn bounds(&mut self, wallet: &Wallet) {
        let (balance, currency) = (wallet.balance.minor_units(), wallet.currency());
        let bounds = [
            ("floor", wallet.floor, wallet.floor.minor_units() - balance),
            ("ceiling", wallet.highest_balance(), balance - wallet.highest_balance().minor_units()),
        ];
        for (name, bound, beyond) in bounds {
            if beyond > 0 {
                let beyond = decimal(beyond, currency);
                let difference = format!("balance {} passes the {name} {bound} by {beyond}", wallet.balance);
                self.found(wallet.version, Check::Bounds, difference);
            }
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
