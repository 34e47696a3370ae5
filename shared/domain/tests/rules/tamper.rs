//! Every way to tamper with an entry.

use wallet_domain::*;

use crate::world::*;

/// Every way to change one entry.
pub(crate) const TAMPERINGS: [fn(&mut Entry); 19] = [
    |entry| entry.wallet = id("ghost"),
    |entry| entry.version += 1,
    |entry| entry.transaction = TransactionId::amendment_of(entry.wallet, entry.version),
    |entry| entry.kind = if entry.kind == Kind::DEPOSIT { Kind::REBATE } else { Kind::DEPOSIT },
    |entry| entry.amount = nudged(entry.amount),
    |entry| entry.balance_after = nudged(entry.balance_after),
    |entry| entry.held_after = nudged(entry.held_after),
    |entry| {
        let counterparties = [Some(Account::External), Some(Account::Wallet(id("ghost")))];
        entry.counterparty = counterparties.into_iter().find(|other| *other != entry.counterparty).flatten();
    },
    |entry| entry.counterparty = if entry.counterparty.is_some() { None } else { Some(Account::Fees) },
    |entry| entry.reference = Some(reference("never said")),
    |entry| drop(entry.changes.insert("floor".to_owned(), "never said".to_owned())),
    |entry| entry.caller = owner("somebody else"),
    |entry| entry.created_at = time("2020-02-02T02:02:02.002Z"),
    |entry| entry.seal = Hasher::new("another").finish(),
    |entry| entry.state = Hasher::new("another").finish(),
    |entry| entry.format += 1,
    |entry| entry.previous = Hasher::new("another").finish(),
    |entry| entry.hash = Hasher::new("another").finish(),
    |entry| entry.hash = GENESIS,
];

fn nudged(money: Money) -> Money {
    let by = if money.is_negative() { 1 } else { -1 };
    Money::from_minor(money.minor_units() + by, money.currency()).expect("one unit toward zero")
}
