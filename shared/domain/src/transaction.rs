//! Transactions: what a request did, or why it was refused, with legs that sum to zero.

use std::fmt;

use jiff::Timestamp;

use crate::hash::{Digest, Hasher};
use crate::hold_terms::{HoldTerms, Release};
use crate::id::{TransactionId, WalletId};
use crate::money::Money;
use crate::rebate::RebateRule;
use crate::refusal::Refusal;
use crate::text::{Metadata, Owner, Reference, Word};
use crate::wallet::Wallet;

/// The format of the seals that this code writes; see [`Transaction::format`].
pub(crate) const FORMAT: u32 = 1;

/// The record of one request, written once in the same transaction as what it moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Derived from the caller and the idempotency key, or from what it stands for.
    pub id: TransactionId,
    /// What was asked.
    pub kind: Kind,
    /// The wallet that the request was about: the one credited or debited, the source of a transfer.
    pub wallet: WalletId,
    /// Where the money of a transfer or hold goes, or would have gone: a failed one has no legs that tell.
    pub destination: Option<WalletId>,
    /// What was asked to move; zero for openings and amendments.
    pub amount: Money,
    /// What was paid for it on top.
    pub fee: Money,
    /// What came of it.
    pub outcome: Outcome,
    /// On whose behalf; with the owners of the legs' wallets and of the wallet that refused, who may read it.
    pub caller: Owner,
    /// The caller's reference.
    pub reference: Option<Reference>,
    /// The caller's labels.
    pub metadata: Metadata,
    /// The deposit of a rebate, the original of a reversal, the hold of a capture or void.
    pub parent: Option<TransactionId>,
    /// The rebate rule in force when a deposit was made.
    pub rule: Option<RebateRule>,
    /// What a hold pins, of the transaction that makes one.
    pub hold: Option<HoldTerms>,
    /// The holds that an expiry has released.
    pub released: Vec<Release>,
    /// Digest of the request: the same key with another request is refused.
    pub fingerprint: Digest,
    /// When it was decided.
    pub created_at: Timestamp,
    /// What `seal` covers: the number of its format.
    pub format: u32,
    /// [`Transaction::computed_seal`] at the time of writing.
    pub seal: Digest,
}

impl Transaction {
    /// SHA-256 over every other field, the head of a wallet that it opened or amended excepted: that is the hash of the
    /// entry, which covers this seal. `None` for a format that a newer version of this code wrote.
    #[must_use]
    pub fn computed_seal(&self) -> Option<Digest> {
        if self.format != FORMAT {
            return None;
        }
        let hasher = Hasher::new("transaction:1")
            .shown(self.id)
            .field(self.kind.as_str())
            .shown(self.wallet)
            .maybe(self.destination)
            .field(self.amount.currency().code())
            .shown(self.amount)
            .shown(self.fee)
            .field(self.caller.as_str())
            .maybe(self.reference.as_ref())
            .texts(self.metadata.labels())
            .maybe(self.parent)
            .shown(self.fingerprint)
            .shown(self.created_at.as_millisecond());
        let hasher = match &self.rule {
            Some(rule) => rule.hashed(hasher.field("rule")),
            None => hasher.field("no rule"),
        };
        let hasher = match &self.outcome {
            Outcome::Posted { legs, wallet } => {
                let hasher = hasher.field("posted").shown(legs.len());
                let hasher = legs.iter().fold(hasher, |hasher, leg| leg.hashed(hasher));
                match wallet {
                    Some(wallet) => hasher
                        .field("wallet")
                        .shown(wallet.id)
                        .shown(wallet.version)
                        .shown(wallet.balance)
                        .shown(wallet.updated_at.as_millisecond())
                        .shown(wallet.state()),
                    None => hasher.field("no wallet"),
                }
            }
            Outcome::Failed { refusal, owner } => {
                let said = refusal.facts();
                let hasher = match said.payment {
                    Some(payment) => hasher.field("payment").shown(payment),
                    None => hasher,
                };
                hasher
                    .field("failed")
                    .field(said.code)
                    .field(owner.as_str())
                    .maybe(said.wallet)
                    .maybe(said.limit.map(|limit| limit.as_str()))
                    .maybe(said.holds)
                    .maybe(said.available)
                    .maybe(said.requested)
            }
        };
        let hasher = match &self.hold {
            Some(terms) => terms.hashed(hasher.field("hold"), self.amount.currency()),
            None => hasher,
        };
        let hasher = match self.released.len() {
            0 => hasher,
            count => self.released.iter().fold(hasher.field("released").shown(count), |hasher, release| {
                hasher.shown(release.hold).shown(release.amount)
            }),
        };
        Some(hasher.finish())
    }

    /// The same transaction with its seal filled in.
    #[must_use]
    pub(crate) fn sealed(mut self) -> Transaction {
        self.seal = self.computed_seal().expect("a transaction is made in the format that this code writes");
        self
    }

    /// The legs of a posted transaction; a failed one has none.
    #[must_use]
    pub fn legs(&self) -> &[Leg] {
        match &self.outcome {
            Outcome::Posted { legs, .. } => legs,
            Outcome::Failed { .. } => &[],
        }
    }

    /// The one account on the other side of `wallet`'s leg; `None` in a movement between more than two wallets.
    #[must_use]
    pub fn counterparty_of(&self, wallet: WalletId) -> Option<Account> {
        let others = || self.legs().iter().map(Leg::account).filter(move |other| *other != Account::Wallet(wallet));
        let mut wallets = others().filter(|other| matches!(other, Account::Wallet(_)));
        match (wallets.next(), wallets.next()) {
            (None, _) => others().next(),
            (Some(other), None) => Some(other),
            // Whoever is paid, is paid by the wallet that the request was about.
            (Some(_), Some(_)) => Some(Account::Wallet(self.wallet)).filter(|payer| *payer != Account::Wallet(wallet)),
        }
    }

    /// The wallets whose inboxes it put a credit into.
    pub fn credited(&self) -> impl Iterator<Item = WalletId> {
        self.legs().iter().filter_map(|leg| match leg {
            Leg::Credit { wallet, .. } => Some(*wallet),
            Leg::Wallet { .. } | Leg::System { .. } => None,
        })
    }

    /// The id of the rebate that it earns: of a posted deposit that pinned a rule.
    #[must_use]
    pub fn rebate(&self) -> Option<TransactionId> {
        let rule = self.rule.as_ref().filter(|_| !self.legs().is_empty())?;
        Some(TransactionId::rebate_of(self.id, &rule.id))
    }

    /// Whether `owner` may see it: who asked for it, whose wallet it moved, or whose wallet refused it.
    #[must_use]
    pub fn concerns(&self, owner: &Owner) -> bool {
        let refused = matches!(&self.outcome, Outcome::Failed { owner: whose, .. } if whose == owner);
        refused || self.caller == *owner || self.legs().iter().any(|leg| leg.owner() == Some(owner))
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Written.
    Posted {
        /// What moved, summing to zero.
        legs: Vec<Leg>,
        /// The wallet as an opening or amendment left it, so that a repeated request gets the first answer.
        wallet: Option<Box<Wallet>>,
    },
    /// Refused, and kept on record.
    Failed {
        /// Why it was refused.
        refusal: Refusal,
        /// Whose the wallet is that refused; he may see it.
        owner: Owner,
    },
}

/// What a transaction does, as callers and the table spell it: `deposit`. Each verb names its own. One that a newer version
/// of this code wrote is shown by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(Word);

impl Kind {
    pub(crate) const fn new(name: &'static str) -> Kind {
        Kind(Word::new(name))
    }

    /// As callers and the table spell it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The kind spelled `text`, known here or not: 1 to 16 lower-case ASCII letters or underscores.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Kind> {
        let allowed = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        Word::from_text(text).filter(|_| allowed).map(Kind)
    }
}

/// Where money can be: in a wallet, or in one of the system accounts that exist only as legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Account {
    /// A wallet.
    Wallet(WalletId),
    /// The outside world: deposits come from it, withdrawals go to it.
    External,
    /// What fees have earned.
    Fees,
    /// What rebates have cost.
    Rebates,
}

impl Account {
    /// The account spelled `text`, if any.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Account> {
        Account::system(text).or_else(|| text.parse().ok().map(Account::Wallet))
    }

    /// The system account spelled `text`, if any.
    #[must_use]
    pub fn system(text: &str) -> Option<Account> {
        match text {
            "external" => Some(Account::External),
            "fees" => Some(Account::Fees),
            "rebates" => Some(Account::Rebates),
            _ => None,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::Wallet(id) => id.fmt(f),
            Account::External => f.write_str("external"),
            Account::Fees => f.write_str("fees"),
            Account::Rebates => f.write_str("rebates"),
        }
    }
}

/// One side of a movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leg {
    /// What a wallet gained (positive) or gave (negative).
    Wallet {
        /// The wallet's id.
        wallet: WalletId,
        /// Whose, so that others can be kept from reading its balance.
        owner: Owner,
        /// Signed.
        amount: Money,
        /// Its balance after.
        balance_after: Money,
        /// Its version after.
        version_after: u64,
        /// The payment's own, where it has one.
        reference: Option<Reference>,
    },
    /// What waits for a wallet in its inbox: its balance and version after are known once it is settled.
    Credit {
        /// The wallet's id.
        wallet: WalletId,
        /// Whose.
        owner: Owner,
        /// Positive.
        amount: Money,
        /// The payment's own, where it has one.
        reference: Option<Reference>,
    },
    /// What a system account gained or gave.
    System {
        /// Which; never [`Account::Wallet`].
        account: Account,
        /// Signed.
        amount: Money,
    },
}

impl Leg {
    fn hashed(&self, hasher: Hasher) -> Hasher {
        let hasher = hasher.shown(self.account()).shown(self.amount());
        let hasher = match self {
            Leg::Wallet { owner, balance_after, version_after, .. } => {
                hasher.field(owner.as_str()).shown(balance_after).shown(version_after)
            }
            Leg::Credit { owner, .. } => hasher.field(owner.as_str()).field("credit"),
            Leg::System { .. } => hasher,
        };
        match self.reference() {
            Some(reference) => hasher.field("reference").field(reference.as_str()),
            None => hasher,
        }
    }

    /// The payment's own reference, where it has one.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Leg::Wallet { reference, .. } | Leg::Credit { reference, .. } => reference.as_ref(),
            Leg::System { .. } => None,
        }
    }

    /// Whose side it is.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Leg::Wallet { wallet, .. } | Leg::Credit { wallet, .. } => Account::Wallet(*wallet),
            Leg::System { account, .. } => *account,
        }
    }

    /// What this side gained (positive) or gave (negative).
    #[must_use]
    pub fn amount(&self) -> Money {
        match self {
            Leg::Wallet { amount, .. } | Leg::Credit { amount, .. } | Leg::System { amount, .. } => *amount,
        }
    }

    /// The wallet, for a wallet's leg.
    #[must_use]
    pub fn wallet(&self) -> Option<WalletId> {
        match self {
            Leg::Wallet { wallet, .. } | Leg::Credit { wallet, .. } => Some(*wallet),
            Leg::System { .. } => None,
        }
    }

    /// The owner of the wallet, for a wallet's leg.
    #[must_use]
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Leg::Wallet { owner, .. } | Leg::Credit { owner, .. } => Some(owner),
            Leg::System { .. } => None,
        }
    }
}
