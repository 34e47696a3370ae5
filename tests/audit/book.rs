//! A ledger in memory, made of `decide`'s own steps at times of one's choosing, with every kind of item that the ledger can
//! write. Its items are put into a table as they are, or changed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use tokio::task::JoinSet;
use wallet_audit::{Audit, Report};
use wallet_domain::{
    Amend, Amount, Authorise, BasisPoints, Bounds, Caller, Capture, Change, Command, Credit, Credits, Deposit,
    Expected, Expire, FeeSchedule, Fold, Hold, Limits, Metadata, Money, NoPlan, Open, Order, PayRebate, Payment,
    Payout, RebateTerms, Reverse, SignedDuration, Snapshots, Status, Timestamp, Transaction, Transfer, Void, WalletId,
    Withdraw, decide,
};
use wallet_dynamodb::{Ledger, Queued, Strategy, item_of_queued, items_of, items_of_posting};

use super::table::Item;
use crate::ledger::Bench;

pub(crate) struct Book {
    /// Part of every caller's name, so that books can share a table.
    name: String,
    pub(crate) now: Timestamp,
    known: Snapshots,
    /// In the order in which they were put first.
    pub(crate) items: Vec<Item>,
    /// Places of the items that were written since this was cleared.
    pub(crate) written: BTreeSet<usize>,
    /// What waits, or, once it was settled, has waited.
    pub(crate) credits: Vec<Credit>,
    keys: u32,
}

impl Book {
    pub(crate) fn new(name: impl ToString) -> Book {
        let now = "2026-11-21T03:00:00.123Z".parse().expect("a time");
        Book {
            name: name.to_string(),
            now,
            known: Snapshots::default(),
            items: vec![],
            written: BTreeSet::new(),
            credits: vec![],
            keys: 0,
        }
    }

    /// Every kind of transaction, posted and failed, with every attribute that it can have; marks, and a bar.
    pub(crate) fn full(name: impl ToString) -> Book {
        let mut book = Book::new(name);
        let (alice, bob) = (book.open("alice", "-5", "1000"), book.open("bob", "0", "1000"));
        let first = book.deposit(alice, "100");
        book.pay(&first);
        let second = book.deposit(alice, "50.50");
        let transfer = book.transfer(alice, bob, "25");
        book.withdraw(bob, "1.25");
        let carol = book.open("carol", "0", "9");
        let paid = book.payout(alice, &[bob, carol], "4");
        book.payout(alice, &[bob, carol], "6");
        book.reverse(&paid, false);
        // Refused: for funds, for room, for a limit; a rebate below its minimum; the reversal of what was spent.
        book.withdraw(alice, "450");
        book.deposit(bob, "999");
        book.transfer(alice, bob, "501");
        let small = book.deposit(alice, "3");
        book.pay(&small);
        book.reverse(&transfer, false);
        book.withdraw(bob, "20");
        book.reverse(&transfer, true);
        // Reversed with a rebate that was paid, and with one that never will be.
        book.reverse(&first, true);
        book.reverse(&second, true);
        book.amend(bob, Change { status: Some(Status::Frozen), ceiling: Some(None), ..Change::default() });
        book.withdraw(bob, "1");
        // Settled by a fold, and what a wallet that batches spends.
        let shop = book.open_shop("shop");
        book.transfer(alice, shop, "1");
        let third = book.deposit(shop, "100");
        book.settle();
        book.pay(&third);
        book.withdraw(shop, "7");
        // Held, captured in part and whole, given up, released; and one that is active still.
        let (carol, dave) = (book.open("carol", "-5", "1000"), book.open("dave", "0", "1000"));
        let funds = book.deposit(carol, "200");
        book.pay(&funds);
        let parts = book.hold(carol, Some(dave), "30");
        book.capture(&parts, Some("10"), false);
        book.capture(&parts, None, true);
        let (rest, given_up) = (book.hold(carol, None, "20"), book.hold(carol, Some(dave), "5"));
        book.capture(&rest, Some("4"), true);
        book.void(&given_up);
        book.hold(carol, Some(dave), "7");
        book.hold(carol, Some(dave), "8");
        book.now += Duration::from_secs(3 * 3600);
        book.expire(carol);
        book.hold(carol, Some(dave), "9");
        // Refused: for a limit.
        book.hold(carol, Some(dave), "499");
        book
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        self.now += Duration::from_secs(1);
        format!("key {}", self.keys)
    }

    fn caller(&self, name: &str) -> Caller {
        let subject = format!("{name}-{}", self.name).parse().expect("printable");
        Caller { subject, admin: true }
    }

    fn order(&mut self, amount: &str) -> Order {
        Order {
            caller: self.caller("bank"),
            key: self.key().parse().expect("printable"),
            amount: Amount::new(eur(amount)).expect("positive"),
            reference: Some("order 7".parse().expect("printable")),
            metadata: labels(),
            expected_version: None,
        }
    }

    pub(crate) fn open(&mut self, owner: &str, floor: &str, ceiling: &str) -> WalletId {
        self.opened(owner, floor, Some(eur(ceiling)), Credits::Immediate)
    }

    /// A wallet whose credits are batched.
    pub(crate) fn open_shop(&mut self, owner: &str) -> WalletId {
        self.opened(owner, "0", None, Credits::Batched)
    }

    fn opened(&mut self, owner: &str, floor: &str, ceiling: Option<Money>, credits: Credits) -> WalletId {
        let caller = self.caller(owner);
        let open = Open {
            owner: caller.subject.clone(),
            caller,
            key: self.key().parse().expect("printable"),
            currency: eur("0").currency(),
            floor: eur(floor),
            ceiling,
            limits: Limits {
                max_movement: Amount::new(eur("1000")).ok(),
                max_daily_outflow: Amount::new(eur("500")).ok(),
                transfers_per_minute: Some(30),
            },
            credits,
            metadata: labels(),
        };
        let wallet = open.wallet();
        self.run(Command::Open(open));
        wallet
    }

    /// With a rebate of a hundredth, from 0.50 to 20 and to 50 in a month.
    pub(crate) fn deposit(&mut self, wallet: WalletId, amount: &str) -> Transaction {
        let bound = |text| Bounds::new([eur(text)]).expect("one bound");
        let (id, share) = ("standard".parse().expect("a name"), BasisPoints::new(100).expect("a share"));
        let rule = RebateTerms {
            minimum: bound("0.50"),
            cap: bound("20"),
            monthly_cap: bound("50"),
            ..RebateTerms::new(id, share)
        };
        let order = self.order(amount);
        self.run(Command::Deposit(Deposit { order, wallet, rules: [rule].into() }))
    }

    pub(crate) fn pay(&mut self, deposit: &Transaction) -> Transaction {
        let rule = deposit.rule.as_ref().expect("it pins a rule").id.clone();
        self.run(Command::PayRebate(PayRebate { deposit: deposit.id, wallet: deposit.wallet, rule }))
    }

    pub(crate) fn withdraw(&mut self, wallet: WalletId, amount: &str) -> Transaction {
        let order = self.order(amount);
        self.run(Command::Withdraw(Withdraw { order, wallet }))
    }

    pub(crate) fn transfer(&mut self, source: WalletId, destination: WalletId, amount: &str) -> Transaction {
        let minimum = Bounds::new([eur("0.50")]).expect("one bound");
        let fee = FeeSchedule::new(BasisPoints::new(0).expect("a share"), minimum, Bounds::default());
        let order = self.order(amount);
        self.run(Command::Transfer(Transfer { order, source, destination, fee: fee.ok() }))
    }

    /// As much to each; the last under a reference of its own.
    pub(crate) fn payout(&mut self, source: WalletId, payees: &[WalletId], amount: &str) -> Transaction {
        let order = self.order(amount);
        let payment = |payee: &WalletId| Payment { destination: *payee, amount: order.amount, reference: None };
        let mut payments: Vec<_> = payees.iter().map(payment).collect();
        payments.last_mut().expect("a payee").reference = Some("salary 4".parse().expect("printable"));
        let order = Order { amount: Payout::total(&payments).expect("an amount"), ..order };
        self.run(Command::Payout(Payout { order, source, payments, fee: None }))
    }

    /// Requests that wait: a transfer, and a payout to both.
    pub(crate) fn queue(&mut self, source: WalletId, payees: [WalletId; 2], strategy: Option<Strategy>) {
        let order = self.order("3");
        let (destination, reference) = (payees[0], Some("salary 5".parse().expect("printable")));
        let transfer = Transfer { order: order.clone(), source, destination, fee: None };
        let payments =
            payees.map(|destination| Payment { destination, amount: order.amount, reference: reference.clone() });
        let order = Order { amount: Payout::total(&payments).expect("an amount"), ..self.order("3") };
        let payout = Payout { order, source, payments: payments.into(), fee: None };
        for command in [Command::Transfer(transfer), Command::Payout(payout)] {
            let request = command.request(self.now).expect("it is admissible").expect("it can wait");
            self.write(item_of_queued(&Queued { request, strategy }));
        }
    }

    pub(crate) fn reverse(&mut self, original: &Transaction, allow_overdraft: bool) -> Transaction {
        let reverse = Reverse {
            caller: self.caller("root"),
            key: self.key().parse().expect("printable"),
            original: Box::new(original.clone()),
            allow_overdraft,
            return_fee: true,
            reference: Some("complaint 3".parse().expect("printable")),
            metadata: labels(),
        };
        self.run(Command::Reverse(reverse))
    }

    /// For three hours, at half a euro or a hundredth.
    pub(crate) fn hold(&mut self, source: WalletId, destination: Option<WalletId>, amount: &str) -> Transaction {
        let bound = |text| Bounds::new([eur(text)]).expect("one bound");
        let share = BasisPoints::new(100).expect("a share");
        let fee = FeeSchedule::new(share, bound("0.50"), bound("3")).ok();
        let (order, expires_in) = (self.order(amount), SignedDuration::from_secs(3 * 3600));
        self.run(Command::Authorise(Authorise { order, source, destination, expires_in, fee }))
    }

    pub(crate) fn capture(&mut self, hold: &Transaction, amount: Option<&str>, is_final: bool) -> Transaction {
        let (caller, key) = (self.caller("root"), self.key().parse().expect("printable"));
        let amount = amount.map(|amount| Amount::new(eur(amount)).expect("positive"));
        self.run(Command::Capture(Capture { caller, key, hold: Box::new(hold.clone()), amount, is_final }))
    }

    pub(crate) fn void(&mut self, hold: &Transaction) -> Transaction {
        let (caller, key) = (self.caller("root"), self.key().parse().expect("printable"));
        self.run(Command::Void(Void { caller, key, hold: Box::new(hold.clone()) }))
    }

    /// Releases what is overdue of a wallet.
    pub(crate) fn expire(&mut self, wallet: WalletId) -> Transaction {
        let version = self.known.wallets[&wallet].version;
        let holds = self.known.holds.values().filter(|hold| hold.source == wallet).map(Hold::key).collect();
        self.run(Command::Expire(Expire { wallet, version, holds }))
    }

    pub(crate) fn amend(&mut self, wallet: WalletId, change: Change) -> Transaction {
        self.key();
        let expected_version = self.known.wallets[&wallet].version;
        self.run(Command::Amend(Amend {
            caller: self.caller("root"),
            wallet,
            expected: Expected::Version(expected_version),
            change,
        }))
    }

    /// Decides, and keeps what the ledger would write: the plan, or the record of a refusal.
    fn run(&mut self, command: Command) -> Transaction {
        let reads = command.reads();
        let mut snapshots = self.known.clone();
        snapshots.wallets.retain(|id, _| reads.wallets.contains(id));
        let zero = |wallet: &WalletId| (*wallet, eur("0"));
        snapshots.overdue = snapshots.wallets.keys().map(zero).collect();
        let plan = match decide(&snapshots, &command, self.now) {
            Ok(plan) => plan,
            Err(NoPlan::Refused(refusal)) => {
                let attempt = command.attempt(&snapshots, &refusal, self.now);
                attempt.unwrap_or_else(|| panic!("{refusal} is not recorded"))
            }
            Err(unsound) => panic!("{unsound}"),
        };
        let wallets = plan.postings().iter().map(|posting| (posting.after.id, posting.after.clone()));
        self.known.wallets.extend(wallets);
        let transactions = [plan.transaction()].into_iter().chain(plan.bars());
        self.known.transactions.extend(transactions.map(|transaction| (transaction.id, transaction.clone())));
        self.known.holds.extend(plan.holds().iter().map(|change| (change.after.id, change.after.clone())));
        self.known.marks.extend(plan.marks().iter().map(|mark| ((mark.of, mark.name), mark.by)));
        self.credits.extend(plan.credits().iter().cloned());
        items_of(&plan).into_iter().for_each(|item| self.write(item));
        plan.transaction().clone()
    }

    fn write(&mut self, item: Item) {
        let place = self.items.iter().position(|old| key_of(old) == key_of(&item));
        match place {
            Some(place) => self.items[place] = item,
            None => self.items.push(item),
        }
        self.written.insert(place.unwrap_or(self.items.len() - 1));
    }

    /// Settles all that waits, as a fold for each wallet, and clears what was written before: places are others afterwards.
    pub(crate) fn settle(&mut self) {
        self.items.retain(|item| !key_of(item).0.starts_with("INBOX#"));
        self.written.clear();
        self.fold();
        self.credits.clear();
    }

    /// A fold of all credits that there have been.
    pub(crate) fn fold(&mut self) {
        self.key();
        let wallets: BTreeSet<WalletId> = self.credits.iter().map(|credit| credit.wallet).collect();
        for wallet in wallets {
            let fold = Fold::of(&self.known.wallets[&wallet], &self.credits, self.now).expect("the wallet can hold it");
            items_of_posting(fold.posting()).into_iter().for_each(|item| self.write(item));
            self.known.wallets.insert(wallet, fold.posting().after.clone());
        }
    }

    pub(crate) async fn table(&self) -> Bench {
        let bench = Bench::start().await;
        put(&bench, self.items.clone()).await;
        bench
    }
}

pub(crate) fn key_of(item: &Item) -> (&str, &str) {
    let text = |name| item[name].as_s().expect("keys are texts").as_str();
    (text("PK"), text("SK"))
}

/// Puts items past the ledger.
pub(crate) async fn put(bench: &Bench, items: Vec<Item>) {
    let put = |item: &Item| {
        let put = PutRequest::builder().set_item(Some(item.clone())).build().expect("an item is set");
        WriteRequest::builder().put_request(put).build()
    };
    let writes = items.chunks(25).map(|items| items.iter().map(put).collect::<Vec<_>>()).collect::<Vec<_>>();
    let (client, mut writers) = (bench.database.client(), JoinSet::new());
    for part in writes.chunks(writes.len().div_ceil(4).max(1)) {
        let (client, table, part) = (client.clone(), bench.database.table().to_owned(), part.to_vec());
        writers.spawn(async move {
            for writes in part {
                let done = client.batch_write_item().request_items(&table, writes).send().await;
                let left = done.expect("the table takes it").unprocessed_items;
                assert!(left.is_none_or(|left| left.is_empty()), "nothing is throttled");
            }
        });
    }
    writers.join_all().await;
}

pub(crate) fn eur(text: &str) -> Money {
    Money::parse(text, "EUR".parse().expect("a currency")).expect("an amount")
}

fn labels() -> Metadata {
    Metadata::new([("shop".to_owned(), "7".to_owned()), ("for".to_owned(), "rent".to_owned())].into()).expect("small")
}

/// An audit by a clock that stands still.
pub(crate) fn audit_at(bench: &Bench, now: Timestamp) -> Audit {
    Audit::new(ledger_at(bench, now), 3)
}

pub(crate) fn ledger_at(bench: &Bench, now: Timestamp) -> Ledger {
    bench.another().with_clock(Arc::new(move || now))
}

pub(crate) async fn report_at(bench: &Bench, now: Timestamp) -> Report {
    audit_at(bench, now).table().await.expect("the table answers")
}
