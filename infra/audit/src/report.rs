//! What an audit has gone through, summed up and found.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use wallet_domain::{Account, Credit, Currency, Leg, Timestamp, Transaction, Wallet};
use wallet_dynamodb::scan::Unreadable;

use crate::checkpoint::Checkpoint;
use crate::finding::{Finding, decimal};

/// Findings that a report lists. Beyond, they are counted: the table is beyond reading one by one.
const MAX_LISTED: usize = 10_000;

/// The outcome of an audit.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Wallets recomputed.
    pub wallets: u64,
    /// Entries gone through.
    pub entries: u64,
    /// Transactions gone through, failed ones included.
    pub transactions: u64,
    /// Credits that wait in inboxes, those that cannot be read included.
    pub waiting: u64,
    /// Milliseconds that the oldest of them had waited when the audit began.
    pub waiting_ms: u64,
    /// What doesn't add up; at most 10,000.
    pub findings: BTreeSet<Finding>,
    /// Findings beyond those listed.
    pub unlisted: u64,
    /// Read capacity units that the audit has consumed.
    pub read_units: u64,
    /// By currency code.
    pub sums: BTreeMap<&'static str, Sums>,
    /// What this audit has seen, for the next one to go by; `None` where none was asked for, or something was found.
    pub checkpoint: Option<Checkpoint>,
}

/// One currency's money, in minor units, by account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    currency: Currency,
    /// The outside world: negative by what has come in and not gone out again.
    pub external: i128,
    /// What fees have earned.
    pub fees: i128,
    /// What rebates have cost: negative.
    pub rebates: i128,
    /// What the legs of all transactions leave in wallets.
    pub wallets: i128,
    /// What waits in inboxes.
    pub waiting: i128,
    /// What the wallets' items hold. With what waits it is `wallets`, unless money moves while the audit reads.
    pub balances: i128,
}

impl Sums {
    fn new(currency: Currency) -> Sums {
        Sums { currency, external: 0, fees: 0, rebates: 0, wallets: 0, waiting: 0, balances: 0 }
    }

    /// All legs together: zero.
    #[must_use]
    pub fn total(&self) -> i128 {
        self.external + self.fees + self.rebates + self.wallets
    }

    /// Each account's name and sum at the currency's scale, and the total.
    #[must_use]
    pub fn lines(&self) -> [(&'static str, String); 7] {
        [
            ("external", self.external),
            ("fees", self.fees),
            ("rebates", self.rebates),
            ("wallets", self.wallets),
            ("total", self.total()),
            ("waiting", self.waiting),
            ("balances", self.balances),
        ]
        .map(|(name, sum)| (name, decimal(sum, self.currency)))
    }
}

impl Report {
    /// Whether everything adds up.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Findings, listed or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.findings.len() as u64 + self.unlisted
    }

    /// Minor units of all currencies that were made or lost: zero, or money is not where it should be.
    #[must_use]
    pub fn imbalance(&self) -> u128 {
        self.sums.values().map(|sums| sums.total().unsigned_abs()).sum()
    }

    /// One document with everything.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "wallet_id": finding.wallet.map(|id| id.to_string()),
                "version": finding.version,
                "transaction_id": finding.transaction.map(|id| id.to_string()),
                "check": finding.check.as_str(),
                "difference": finding.difference,
            })
        });
        let sums = self.sums.iter().map(|(code, sums)| {
            let lines = sums.lines().into_iter().map(|(name, sum)| (name.to_owned(), Value::String(sum)));
            ((*code).to_owned(), Value::Object(lines.collect()))
        });
        let checkpoint = self.checkpoint.as_ref().map(|checkpoint| {
            let (entries, transactions) = checkpoint.counts();
            let up_to = format!("{:.3}", checkpoint.moment());
            json!({ "up_to": up_to, "entries": entries, "transactions": transactions })
        });
        json!({
            "clean": self.is_clean(),
            "wallets": self.wallets,
            "entries": self.entries,
            "transactions": self.transactions,
            "waiting": { "credits": self.waiting, "oldest_ms": self.waiting_ms },
            "findings": findings.collect::<Vec<_>>(),
            "findings_not_listed": self.unlisted,
            "read_units": self.read_units,
            "sums": Value::Object(sums.collect()),
            "checkpoint": checkpoint,
        })
    }

    pub(crate) fn found(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            if self.findings.len() < MAX_LISTED {
                self.findings.insert(finding);
            } else if !self.findings.contains(&finding) {
                self.unlisted += 1;
            }
        }
    }

    /// An item that cannot be read; a credit, if it is in an inbox.
    pub(crate) fn unreadable(&mut self, item: Unreadable) {
        self.waiting += u64::from(item.wallet.is_some() && item.transaction.is_some());
        self.found([Finding::unreadable(item)]);
    }

    pub(crate) fn balance(&mut self, wallet: &Wallet) {
        self.sums_of(wallet.currency()).balances += wallet.balance.minor_units();
    }

    /// A credit in an inbox, at `now`.
    pub(crate) fn waits(&mut self, credit: &Credit, now: Timestamp) {
        self.waiting += 1;
        let waited = u64::try_from(now.duration_since(credit.created_at).as_millis()).unwrap_or(0);
        self.waiting_ms = self.waiting_ms.max(waited);
        self.sums_of(credit.amount.currency()).waiting += credit.amount.minor_units();
    }

    pub(crate) fn legs(&mut self, transaction: &Transaction) {
        for leg in transaction.legs() {
            let (amount, sums) = (leg.amount().minor_units(), self.sums_of(leg.amount().currency()));
            match leg {
                Leg::Wallet { .. } | Leg::Credit { .. } => sums.wallets += amount,
                Leg::System { account: Account::Fees, .. } => sums.fees += amount,
                Leg::System { account: Account::Rebates, .. } => sums.rebates += amount,
                Leg::System { account: Account::External | Account::Wallet(_), .. } => sums.external += amount,
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Report) {
        self.wallets += other.wallets;
        self.entries += other.entries;
        self.transactions += other.transactions;
        self.waiting += other.waiting;
        self.waiting_ms = self.waiting_ms.max(other.waiting_ms);
        self.unlisted += other.unlisted;
        self.found(other.findings);
        for sums in other.sums.into_values() {
            let mine = self.sums_of(sums.currency);
            mine.external += sums.external;
            mine.fees += sums.fees;
            mine.rebates += sums.rebates;
            mine.wallets += sums.wallets;
            mine.waiting += sums.waiting;
            mine.balances += sums.balances;
        }
    }

    fn sums_of(&mut self, currency: Currency) -> &mut Sums {
        self.sums.entry(currency.code()).or_insert_with(|| Sums::new(currency))
    }
}
