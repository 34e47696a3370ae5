//! Wallets and holds as they are stored, and the commands that make, capture, void and release holds.

use wallet_domain::*;

use crate::stored::write;
use crate::world::*;

/// What is stored, and what is written to it.
pub(super) struct Book {
    pub(super) stored: Snapshots,
    keys: usize,
}

impl Book {
    pub(super) fn of(wallets: &[Wallet]) -> Book {
        Book { stored: snapshots(wallets), keys: 0 }
    }

    /// Decides on all that is stored, and writes the plan.
    #[track_caller]
    pub(super) fn run(&mut self, command: &Command, now: &str) -> Result<Transaction, Refusal> {
        let reads = command.reads();
        let mut read = self.stored.clone();
        read.wallets.retain(|id, _| reads.wallets.contains(id));
        read.holds.retain(|id, _| reads.holds.iter().any(|key| key.id == *id));
        read.transactions.clear();
        let plan = decided(&read, command, time(now))?;
        write(&mut self.stored, &plan);
        Ok(plan.transaction().clone())
    }

    #[track_caller]
    pub(super) fn hold(&mut self, moved: &str, fee: Option<FeeSchedule>) -> Transaction {
        let command = authorise(&format!("hold {}", self.keys), moved, fee);
        self.keys += 1;
        self.run(&command, NOW).expect("enough money")
    }

    #[track_caller]
    pub(super) fn capture(
        &mut self,
        hold: &Transaction,
        part: Option<&str>,
        is_final: bool,
    ) -> Result<Transaction, Refusal> {
        self.keys += 1;
        self.run(&capture("bob", &format!("capture {}", self.keys), hold, part, is_final), NOW)
    }

    pub(super) fn wallet(&self, name: &str) -> &Wallet {
        &self.stored.wallets[&id(name)]
    }

    /// Balance and held of alice, and the balance of bob.
    #[track_caller]
    pub(super) fn stands(&self, balance: &str, held: &str, bob: &str) {
        let alice = self.wallet("alice");
        let found = (alice.balance, alice.held, self.wallet("bob").balance);
        assert_eq!(found, (money(balance), money(held), money(bob)));
    }

    pub(super) fn status(&self, hold: &Transaction) -> HoldStatus {
        self.stored.holds[&hold.id].status
    }
}

pub(super) fn alice_and_bob(balance: &str) -> Book {
    Book::of(&[wallet("alice", balance), wallet("bob", "0")])
}

pub(super) fn authorise(key_: &str, moved: &str, fee: Option<FeeSchedule>) -> Command {
    let order = Order { key: key(key_), ..order("alice", moved) };
    let (source, destination) = (id("alice"), Some(id("bob")));
    Command::Authorise(Authorise { order, source, destination, expires_in: HOLD_LIFETIME, fee })
}

pub(super) fn capture(by: &str, key_: &str, hold: &Transaction, part: Option<&str>, is_final: bool) -> Command {
    let hold = Box::new(hold.clone());
    Command::Capture(Capture { caller: caller(by), key: key(key_), hold, amount: part.map(amount), is_final })
}

pub(super) fn void(by: &str, key_: &str, hold: &Transaction) -> Command {
    Command::Void(Void { caller: caller(by), key: key(key_), hold: Box::new(hold.clone()) })
}

pub(super) fn expire(book: &Book) -> Command {
    let holds = book.stored.holds.values().map(Hold::key).collect();
    Command::Expire(Expire { wallet: id("alice"), version: book.wallet("alice").version, holds })
}

/// Basis points, at least `minimum`.
pub(super) fn fee(points: u32, minimum: &str) -> Option<FeeSchedule> {
    Some(fee_schedule(points, &[minimum, "7 USD"], &[]))
}
