//! Recomputes everything from the table, with the faults off: what design section 2 promises, and what callers were told.

mod holds;

use std::collections::{BTreeMap, BTreeSet};

use wallet_domain::{
    Account, Amount, Counters, Credit, Digest, Entry, GENESIS, Kind, Leg, Money, Outcome, Owner, Reference, Request,
    Status, Transaction, TransactionId, Wallet, WalletId,
};
use wallet_dynamodb::scan::{Key, Scanned};
use wallet_dynamodb::{Ledger, Record, Usage};

use super::table::Table;
use holds::Holds;

/// What a table held that adds up.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) transactions: BTreeMap<TransactionId, Transaction>,
    /// Requests that wait still.
    pub(crate) requests: Vec<Request>,
    pub(crate) wallets: usize,
    pub(crate) entries: usize,
}

macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition { return Err(format!($($message)+)); }
    };
}

/// # Errors
/// What doesn't add up.
pub(crate) async fn audit(table: &Table, ledger: &Ledger) -> Result<Books, String> {
    audit_by(table, ledger, Clocks::Right).await
}

/// What the clocks were that wrote a table. Limits count by what is recorded, unless a wrong clock has recorded it: then
/// the entries do not say by which time they were counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// Within five minutes of each other.
    Right,
    /// One was farther ahead.
    Wrong,
}

/// Does what [`audit`] does, but for limits where a clock was wrong.
pub(crate) async fn audit_by(table: &Table, ledger: &Ledger, clocks: Clocks) -> Result<Books, String> {
    let keys = table.keys();
    let mut usage = Usage::default();
    let mut books = Books::default();
    let mut wallets = BTreeMap::new();
    let (mut places, mut rows, mut holders) = (vec![], BTreeMap::<WalletId, usize>::new(), BTreeSet::new());
    for (pk, sk) in &keys {
        if let Some(id) = pk.strip_prefix("TXN#") {
            let id: TransactionId = id.parse().map_err(|_| format!("{pk}: no id"))?;
            let found = ledger.record(id, &mut usage).await.map_err(|error| error.to_string())?;
            match found.ok_or_else(|| format!("{id} is gone"))? {
                Record::Transaction(transaction) => {
                    ensure!(transaction.id == id, "{id} says it is {}", transaction.id);
                    books.transactions.insert(id, *transaction);
                }
                Record::Queued(queued) => {
                    ensure!(queued.request.id == id, "{id} says it is {}", queued.request.id);
                    books.requests.push(queued.request);
                }
            }
            continue;
        }
        let inbox = pk.strip_prefix("INBOX#");
        let id = pk.strip_prefix("WALLET#").or(inbox).and_then(|id| id.parse().ok());
        let id: WalletId = id.ok_or(format!("{pk}: whose?"))?;
        if inbox.is_some() {
            places.push(Key::Credit(id, sk.parse().map_err(|_| format!("{pk} {sk}: no transaction"))?));
        } else if sk == "WALLET" {
            let found = ledger.wallet(id, &mut usage).await.map_err(|error| error.to_string())?;
            wallets.insert(id, found.ok_or_else(|| format!("{id} is gone"))?);
        } else if sk.starts_with("HOLD#") {
            holders.insert(id);
        } else {
            let version = sk.strip_prefix("ENTRY#").and_then(|version| version.parse().ok());
            places.push(Key::Entries(id, version.ok_or(format!("{pk} {sk}: no version"))?));
        }
    }
    let mut legs = Legs::of(&books.transactions)?;
    for item in ledger.look_up(&places, &mut usage).await.map_err(|error| error.to_string())? {
        match item {
            Scanned::Entries(run) => *rows.entry(run[0].wallet).or_default() += run.len(),
            Scanned::Credit(credit) => {
                ensure!(wallets.contains_key(&credit.wallet), "{credit:?} waits for a wallet that doesn't exist");
                legs.waits(&credit)?;
            }
            other => return Err(format!("{other:?}")),
        }
    }
    for (id, wallet) in &wallets {
        let entries = statement(ledger, *id).await?;
        ensure!(rows.get(id) == Some(&entries.len()), "{id}: rows that no page of the statement shows");
        chain(wallet, &entries)?;
        let holds = Holds::of(ledger, *id, holders.remove(id)).await?;
        holds.check(wallet, &entries, &books.transactions)?;
        terms(wallet, &entries, &books.transactions, &holds, clocks)?;
        for entry in &entries {
            legs.matched(entry)?;
        }
        books.entries += entries.len();
    }
    ensure!(holders.is_empty(), "holds of wallets that don't exist: {holders:?}");
    ensure!(rows.keys().all(|id| wallets.contains_key(id)), "entries of a wallet that doesn't exist");
    ensure!(legs.by_version.is_empty(), "legs without an entry: {:?}", legs.by_version);
    ensure!(legs.credits.is_empty(), "credits neither in an inbox nor on a statement: {:?}", legs.credits);
    let balances: i128 = wallets.values().map(|wallet| wallet.balance.minor_units()).sum();
    let held = balances + legs.waiting;
    ensure!(held == -legs.system, "wallets and inboxes hold {held}, the system accounts {}", legs.system);
    books.wallets = wallets.len();
    Ok(books)
}

/// All of a wallet's entries, oldest first.
async fn statement(ledger: &Ledger, id: WalletId) -> Result<Vec<Entry>, String> {
    let (mut entries, mut before) = (vec![], None);
    loop {
        let page = ledger.entries(id, before, 100, &mut Usage::default()).await.map_err(|error| error.to_string())?;
        entries.extend(page.items);
        before = page.next;
        if before.is_none() {
            entries.reverse();
            return Ok(entries);
        }
    }
}

/// Versions without a gap, hashes that follow one another, amounts that add up to the balance.
fn chain(wallet: &Wallet, entries: &[Entry]) -> Result<(), String> {
    let id = wallet.id;
    let (mut head, mut balance) = (GENESIS, Money::zero(wallet.currency()));
    for (version, entry) in (0..).zip(entries) {
        ensure!(entry.version == version, "{id}: version {version} is missing");
        ensure!(entry.previous == head, "{id} version {version}: does not follow the one before");
        ensure!(entry.computed_hash() == Some(entry.hash), "{id} version {version}: not as it was written");
        balance = balance.plus(entry.amount).map_err(|error| error.to_string())?;
        ensure!(entry.balance_after == balance, "{id} version {version}: {} is not {balance}", entry.balance_after);
        head = entry.hash;
    }
    ensure!(wallet.version + 1 == entries.len() as u64, "{id}: at version {} of {}", wallet.version, entries.len());
    ensure!(wallet.balance == balance, "{id}: holds {}, its entries come to {balance}", wallet.balance);
    ensure!(wallet.head == head, "{id}: its head is not its newest entry");
    Ok(())
}

/// No version passes the terms that were in force: floor, ceiling, status and limits.
fn terms(
    wallet: &Wallet,
    entries: &[Entry],
    transactions: &BTreeMap<TransactionId, Transaction>,
    holds: &Holds,
    clocks: Clocks,
) -> Result<(), String> {
    let mut terms: Option<Wallet> = None;
    let mut counters = Counters::new(wallet.currency());
    let mut held = Money::zero(wallet.currency());
    for entry in entries {
        let what = format!("{} version {}", wallet.id, entry.version);
        let transaction = transactions.get(&entry.transaction).ok_or_else(|| format!("{what}: no transaction"))?;
        if let Outcome::Posted { wallet: Some(as_left), .. } = &transaction.outcome {
            ensure!((as_left.version, as_left.head) == (entry.version, entry.hash), "{what}: amended otherwise");
            terms = Some((**as_left).clone());
            ensure!(entry.amount.is_zero(), "{what}: an amendment moved money");
        }
        let terms = terms.as_ref().ok_or_else(|| format!("{what}: before it was opened"))?;
        let less = |a: Money, b: Money| a.is_less_than(b).expect("one wallet, one currency");
        // An administrator may lift the floor for a reversal, and nothing but credits follows it below.
        let reversal = entry.kind == Kind::REVERSAL;
        let lifted = reversal || !entry.amount.is_negative();
        ensure!(lifted || !less(entry.balance_after, terms.floor), "{what}: below the floor");
        ensure!(!less(terms.highest_balance(), entry.balance_after), "{what}: above the ceiling");
        // What was posted before is settled after.
        let settled = transaction.credited().any(|credited| credited == wallet.id);
        ensure!(entry.amount.is_zero() || settled || terms.status != Status::Closed, "{what}: closed, and money moved");
        let authorised = entry.kind == Kind::HOLD;
        if entry.amount.is_negative() || authorised {
            ensure!(terms.status == Status::Active, "{what}: a debit while {}", terms.status.as_str());
        }
        let free = entry.balance_after.minus(entry.held_after).map_err(|error| error.to_string())?;
        let covered = lifted && !authorised || entry.kind == Kind::CAPTURE || !less(free, terms.floor);
        ensure!(covered, "{what}: held money is spent");
        // What was held is counted already, and what is released of that day is not counted any more.
        if entry.kind == Kind::CAPTURE || !less(held, entry.held_after) {
            for (unspent, day) in holds.released(entry, transaction, held)? {
                if counters.day == day {
                    let left = counters.outflow.minus(unspent).map_err(|error| error.to_string())?;
                    counters.outflow = left.at_least(Money::zero(wallet.currency())).expect("one currency");
                }
            }
        }
        let added = entry.held_after.minus(held).map_err(|error| error.to_string())?;
        held = entry.held_after;
        // Limits bound what owners ask for.
        let counts = entry.amount.is_negative() && entry.kind != Kind::CAPTURE || authorised;
        if counts && !reversal && clocks == Clocks::Right {
            counters = counters.at(entry.created_at);
            // It stops at the largest value.
            let largest = Money::largest(wallet.currency());
            let left = if authorised { added.negated() } else { entry.amount };
            counters.outflow = counters.outflow.minus(left).unwrap_or(largest);
            let transfer = matches!(entry.kind, Kind::TRANSFER | Kind::PAYOUT | Kind::HOLD);
            counters.transfers += u32::from(transfer);
            let largest = terms.limits.max_movement.map(Amount::money);
            ensure!(largest.is_none_or(|limit| !less(limit, transaction.amount)), "{what}: too much at once");
            let daily = terms.limits.max_daily_outflow.map(Amount::money);
            ensure!(daily.is_none_or(|limit| !less(limit, counters.outflow)), "{what}: too much in one day");
            let rate = terms.limits.transfers_per_minute;
            ensure!(!transfer || rate.is_none_or(|rate| counters.transfers <= rate), "{what}: too many transfers");
        }
    }
    let terms = terms.ok_or_else(|| format!("{}: never opened", wallet.id))?;
    let of = |wallet: &Wallet| {
        (wallet.floor, wallet.ceiling, wallet.limits, wallet.status, wallet.credits, wallet.credits_changed_at)
    };
    ensure!(of(wallet) == of(&terms), "{}: its terms are not those of its newest amendment", wallet.id);
    ensure!(
        clocks == Clocks::Wrong || wallet.counters == counters,
        "{}: counted {:?}, not {counters:?}",
        wallet.id,
        wallet.counters
    );
    Ok(())
}

/// The legs of all transactions: each wallet's has one row, or waits, and all sum to zero.
struct Legs {
    by_version: BTreeMap<(WalletId, u64), (TransactionId, Money, Money)>,
    /// Those that say no version.
    credits: BTreeMap<(WalletId, TransactionId), Said>,
    system: i128,
    waiting: i128,
}

/// What a transaction, and the row or the item of its credit, must say alike.
type Said = (Kind, Money, Option<Account>, Option<Reference>, Owner, Digest);

impl Legs {
    fn of(transactions: &BTreeMap<TransactionId, Transaction>) -> Result<Legs, String> {
        let mut legs = Legs { by_version: BTreeMap::new(), credits: BTreeMap::new(), system: 0, waiting: 0 };
        for (id, transaction) in transactions {
            let sum: i128 = transaction.legs().iter().map(|leg| leg.amount().minor_units()).sum();
            ensure!(sum == 0, "{id}: its legs sum to {sum}");
            for leg in transaction.legs() {
                match leg {
                    Leg::System { account, amount } => {
                        ensure!(!matches!(account, Account::Wallet(_)), "{id}: a wallet as a system account");
                        legs.system += amount.minor_units();
                    }
                    Leg::Credit { wallet, amount, .. } => {
                        ensure!(amount.minor_units() > 0, "{id}: {amount} into an inbox");
                        let payer = transaction.legs().iter().find(|leg| leg.amount().is_negative()).map(Leg::account);
                        let Transaction { kind, reference, caller, seal, .. } = transaction;
                        let said = (*kind, *amount, payer, reference.clone(), caller.clone(), *seal);
                        let twin = legs.credits.insert((*wallet, *id), said);
                        ensure!(twin.is_none(), "{id}: two credits of {wallet}");
                    }
                    Leg::Wallet { wallet, amount, balance_after, version_after, .. } => {
                        let leg = (*id, *amount, *balance_after);
                        let twin = legs.by_version.insert((*wallet, *version_after), leg);
                        ensure!(twin.is_none(), "{wallet}: two movements to version {version_after}");
                    }
                }
            }
        }
        Ok(legs)
    }

    /// Strikes out the leg of `entry`.
    fn matched(&mut self, entry: &Entry) -> Result<(), String> {
        let what = format!("{} version {}", entry.wallet, entry.version);
        let leg = self.by_version.remove(&(entry.wallet, entry.version));
        if leg.is_none() && !entry.amount.is_zero() {
            let Entry { wallet, transaction, kind, amount, counterparty, reference, caller, seal, .. } = entry.clone();
            let said = (kind, amount, counterparty, reference, caller, seal);
            let credit = self.credits.remove(&(wallet, transaction));
            ensure!(credit.as_ref() == Some(&said), "{what}: its credit is {credit:?}, and it says {said:?}");
            return Ok(());
        }
        // An amendment has no leg, a step of a hold has one of zero.
        let wanted = (entry.transaction, entry.amount, entry.balance_after);
        ensure!(leg.is_none_or(|leg| leg == wanted), "{what}: its leg is {leg:?}");
        Ok(())
    }

    /// Strikes out the leg of a credit that is in an inbox: it must be on no statement then.
    fn waits(&mut self, credit: &Credit) -> Result<(), String> {
        let Credit { wallet, transaction, kind, amount, counterparty, reference, caller, seal, .. } = credit.clone();
        let said = (kind, amount, Some(counterparty), reference, caller, seal);
        let leg = self.credits.remove(&(wallet, transaction));
        ensure!(leg.as_ref() == Some(&said), "{credit:?} waits, and its leg is {leg:?}");
        self.waiting += amount.minor_units();
        Ok(())
    }
}
