//! A little ledger in memory, with which examples are made: the domain decides, and the edge answers, as in earnest.

use wallet_domain::{
    Amount, BasisPoints, Caller, Command, Credits, Deposit, Entry, Limits, Metadata, Money, NoPlan, Open, Order,
    RebateTerms, Snapshots, Timestamp, Transaction, Wallet, WalletId, decide,
};

/// Alice and bob with a wallet each, and what they did. The wallets have the ids of those of the demo, so that what is shown can be tried.
#[derive(Debug, Clone)]
pub struct Story {
    snapshots: Snapshots,
    entries: Vec<Entry>,
    wallets: Vec<WalletId>,
    now: Timestamp,
}

impl Story {
    /// Two wallets, empty.
    #[must_use]
    pub fn begin() -> Story {
        let now = "2026-11-21T03:07:00.050Z".parse().expect("a time");
        let mut story = Story { snapshots: Snapshots::default(), entries: vec![], wallets: vec![], now };
        for owner in ["alice", "bob"] {
            let open = story.opening(owner);
            story.wallets.push(open.wallet());
            let _ = story.done(&Command::Open(open));
        }
        story
    }

    /// The same with 100.00 of alice's, and one per cent of it to come back.
    #[must_use]
    pub fn funded() -> Story {
        let mut story = Story::begin();
        let deposit = story.deposit("100");
        let _ = story.done(&Command::Deposit(deposit));
        story
    }

    /// When it all happens.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Alice's wallet.
    #[must_use]
    pub fn alice(&self) -> WalletId {
        self.wallets[0]
    }

    /// Bob's wallet.
    #[must_use]
    pub fn bob(&self) -> WalletId {
        self.wallets[1]
    }

    /// Somebody.
    #[must_use]
    pub fn caller(&self, subject: &str, admin: bool) -> Caller {
        Caller { subject: subject.parse().expect("an owner"), admin }
    }

    /// What a wallet is opened with.
    #[must_use]
    pub fn opening(&self, owner: &str) -> Open {
        let eur = "EUR".parse().expect("a currency");
        Open {
            caller: self.caller(owner, false),
            key: "demo-open".parse().expect("a key"),
            owner: owner.parse().expect("an owner"),
            currency: eur,
            floor: Money::zero(eur),
            ceiling: Some(Money::parse("1000", eur).expect("an amount")),
            limits: Limits::default(),
            credits: Credits::Immediate,
            metadata: Metadata::new([("shop".to_owned(), "7".to_owned())].into()).expect("a label"),
        }
    }

    /// What alice orders next.
    #[must_use]
    pub fn order(&self, amount: &str) -> Order {
        Order {
            caller: self.caller("alice", false),
            key: format!("order-{}", self.entries.len()).parse().expect("a key"),
            amount: Amount::parse(amount, "EUR".parse().expect("a currency")).expect("an amount"),
            reference: Some("order 1".parse().expect("a reference")),
            metadata: Metadata::default(),
            expected_version: None,
        }
    }

    /// A deposit of alice's, under a rule that gives one per cent back.
    #[must_use]
    pub fn deposit(&self, amount: &str) -> Deposit {
        let share = BasisPoints::new(100).expect("a share");
        let rule = RebateTerms::new("standard".parse().expect("a rule"), share);
        Deposit { order: self.order(amount), wallet: self.alice(), rules: [rule].into() }
    }

    /// What comes of `command`.
    pub fn done(&mut self, command: &Command) -> Transaction {
        let plan = decide(&self.snapshots, command, self.now).expect("nothing in a story is refused");
        for posting in plan.postings() {
            self.entries.extend(posting.rows.iter().cloned());
            self.snapshots.wallets.insert(posting.after.id, posting.after.clone());
        }
        let holds = plan.holds().iter().map(|change| (change.after.id, change.after.clone()));
        self.snapshots.holds.extend(holds);
        plan.transaction().clone()
    }

    /// The record of `command`, which is refused.
    ///
    /// # Panics
    /// When it isn't, or when its refusal is not recorded.
    #[must_use]
    pub fn refused(&self, command: &Command) -> Transaction {
        let Err(NoPlan::Refused(refusal)) = decide(&self.snapshots, command, self.now) else {
            unreachable!("it is refused")
        };
        let attempt = command.attempt(&self.snapshots, &refusal, self.now).expect("it is recorded");
        attempt.transaction().clone()
    }

    /// A wallet as it stands.
    #[must_use]
    pub fn wallet(&self, id: WalletId) -> &Wallet {
        &self.snapshots.wallets[&id]
    }

    /// Alice's statement, newest first.
    #[must_use]
    pub fn statement(&self) -> Vec<&Entry> {
        self.entries.iter().rev().filter(|entry| entry.wallet == self.alice()).collect()
    }
}
