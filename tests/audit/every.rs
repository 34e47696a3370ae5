//! Every change: each attribute of each item that the ledger can write, changed one at a time, and each item removed. The
//! audit names each; docs/auditing.md has the count.
//!
//! A short history for each change, all in one table, which is audited once: what is found must name what was changed, and a
//! history in which nothing was changed must stay sound beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use wallet_audit::Audit;
use wallet_domain::{Change, Credits, SHAPES, Status};

use super::book::{Book, key_of, ledger_at, put, report_at};
use super::clean;
use super::table::{Item, n, s};
use crate::ledger::Bench;

/// What an item becomes; `None` is removed.
type Changed = (String, Option<Item>);

/// Each value that differs a little from `value`, said with where.
fn changes_of(value: &AttributeValue) -> Vec<(String, AttributeValue)> {
    let mut changes = vec![];
    match value {
        AttributeValue::S(text) => {
            // Of an id or a time another one, of a word none.
            let place = text.rfind(|letter: char| letter.is_ascii_digit());
            let place = place.or_else(|| text.rfind(|letter: char| letter.is_ascii_alphabetic()));
            let place = place.unwrap_or_else(|| panic!("{text:?} has a letter or a digit"));
            changes.push((" one letter".to_owned(), s(another_letter(text, place))));
        }
        AttributeValue::N(number) => changes.push((" plus one".to_owned(), n(plus_one(number)))),
        AttributeValue::B(bytes) => {
            let mut flipped = bytes.as_ref().to_vec();
            flipped[0] ^= 1;
            changes.push((" one bit".to_owned(), AttributeValue::B(Blob::new(flipped))));
        }
        AttributeValue::L(list) => {
            for (at, element) in list.iter().enumerate() {
                let mut shorter = list.clone();
                shorter.remove(at);
                changes.push((format!("[{at}] dropped"), AttributeValue::L(shorter)));
                for (what, element) in changes_of(element) {
                    let mut other = list.clone();
                    other[at] = element;
                    changes.push((format!("[{at}]{what}"), AttributeValue::L(other)));
                }
            }
        }
        AttributeValue::M(map) => {
            changes.extend(changes_in(map).into_iter().map(|(what, map)| (what, AttributeValue::M(map))));
        }
        AttributeValue::Bool(yes) => changes.push((" negated".to_owned(), AttributeValue::Bool(!yes))),
        other => panic!("the ledger writes no {other:?}"),
    }
    changes
}

/// Each map that differs a little from `map`: an attribute changed, removed, or added.
fn changes_in(map: &Item) -> Vec<(String, Item)> {
    let with = |name: &str, value: Option<AttributeValue>| {
        let mut other = map.clone();
        match value {
            Some(value) => drop(other.insert(name.to_owned(), value)),
            None => drop(other.remove(name)),
        }
        other
    };
    let mut changes = vec![(".unknown added".to_owned(), with("unknown", Some(n(1))))];
    for (name, value) in map.iter().collect::<BTreeMap<_, _>>() {
        changes.push((format!(".{name} removed"), with(name, None)));
        let values = changes_of(value).into_iter();
        changes.extend(values.map(|(what, value)| (format!(".{name}{what}"), with(name, Some(value)))));
    }
    changes
}

/// Each way to change or remove `item`, without its keys removed, which no table takes.
fn changes(item: &Item) -> Vec<Changed> {
    let keyed = |(_, item): &(String, Item)| item.contains_key("PK") && item.contains_key("SK");
    let changed = changes_in(item).into_iter().filter(keyed).map(|(what, item)| (what, Some(item)));
    changed.chain([(" removed".to_owned(), None)]).collect()
}

fn another_letter(text: &str, place: usize) -> String {
    let letter = text.as_bytes()[place];
    let other = match letter {
        b'0'..=b'8' => letter + 1,
        b'9' => b'0',
        b'a' => b'b',
        _ => b'a',
    };
    format!("{}{}{}", &text[..place], char::from(other), &text[place + 1..])
}

fn plus_one(number: &str) -> String {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = u32::try_from(fraction.len()).expect("few digits");
    let one = 10_i128.pow(scale);
    let sum = format!("{whole}{fraction}").parse::<i128>().expect("a number") + one;
    let sign = if sum < 0 { "-" } else { "" };
    let (whole, rest) = (sum.abs() / one, sum.abs() % one);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0width$}", width = fraction.len()) }
}

/// A change of one item of a book of its own.
struct Case {
    what: String,
    /// What a finding must name, one of: the item's wallet or transaction, of a mark also what made it.
    named: Vec<String>,
    /// The audit is silent: the record of a request that was refused, or waits, is gone, and nothing followed from it.
    silent: bool,
}

impl Case {
    fn new(item: &Item, what: &str, changed: Option<&Item>) -> Case {
        let (pk, sk) = key_of(item);
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
        let mut named = vec![id_of(pk).to_owned()];
        if sk == "REVERSAL" {
            named.push(text("transaction_id").to_owned());
        }
        if pk.starts_with("INBOX#") {
            named.push(sk.to_owned());
        }
        named.extend(changed.map(|item| id_of(key_of(item).0).to_owned()));
        let without = match text("status") {
            "failed" => text("type") != "rebate",
            // How it was to be executed, and not what: that is under its seal.
            "queued" => changed.is_none_or(|changed| !changed.contains_key("locking_strategy")),
            _ => false,
        };
        let silent = without && (changed.is_none() || what.contains("locking_strategy"));
        let sk = if sk.starts_with("ENTRY#") { "ENTRY" } else { sk };
        let sk = if sk.starts_with("HOLD#") { "HOLD" } else { sk };
        let sk = if pk.starts_with("INBOX#") { "INBOX" } else { sk };
        Case { what: format!("{} {} {sk}{what}", text("status"), text("type")), named, silent }
    }
}

fn id_of(pk: &str) -> &str {
    pk.split_once('#').map_or(pk, |(_, id)| id)
}

/// Short histories: in each, what is written once `written` is cleared is what is changed. Together they have each kind of item
/// with each attribute that it can have.
const HISTORIES: [fn(&mut Book); 17] = [
    |book| {
        book.open("alice", "-5", "1000");
    },
    |book| {
        let alice = book.open("alice", "-5", "1000");
        book.written.clear();
        let deposit = book.deposit(alice, "100");
        book.pay(&deposit);
    },
    |book| {
        let alice = book.open("alice", "-5", "1000");
        book.written.clear();
        book.withdraw(alice, "1.25");
    },
    |book| {
        let alice = book.open("alice", "-5", "1000");
        book.written.clear();
        book.amend(alice, Change { status: Some(Status::Frozen), ceiling: Some(None), ..Change::default() });
    },
    |book| {
        let (alice, bob) = (book.open("alice", "-5", "1000"), book.open("bob", "0", "1000"));
        book.written.clear();
        book.transfer(alice, bob, "3");
    },
    // Refused: for funds, for funds with a destination, for room there, for a limit.
    |book| {
        let (alice, bob) = (book.open("alice", "-5", "1000"), book.open("bob", "0", "1"));
        book.written.clear();
        book.withdraw(alice, "450");
        book.transfer(alice, bob, "400");
        book.transfer(alice, bob, "2");
        book.deposit(alice, "1001");
    },
    // To many, refused by one of them, and undone.
    |book| {
        let (alice, bob) = (book.open("alice", "-5", "1000"), book.open("bob", "0", "1000"));
        let carol = book.open("carol", "0", "9");
        book.deposit(alice, "100");
        book.written.clear();
        book.payout(alice, &[bob, carol], "4");
    },
    |book| {
        let (alice, bob) = (book.open("alice", "-5", "1000"), book.open("bob", "0", "1000"));
        let carol = book.open("carol", "0", "1");
        book.deposit(alice, "100");
        book.written.clear();
        book.payout(alice, &[bob, carol], "4");
    },
    // A rebate below its minimum, and the reversal of what was spent.
    |book| {
        let alice = book.open("alice", "0", "1000");
        let deposit = book.deposit(alice, "3");
        book.written.clear();
        book.pay(&deposit);
        book.withdraw(alice, "2");
        book.reverse(&deposit, false);
    },
    |book| {
        let (alice, bob) = (book.open("alice", "-5", "1000"), book.open("bob", "0", "1000"));
        let transfer = book.transfer(alice, bob, "3");
        book.written.clear();
        book.reverse(&transfer, false);
    },
    // With a rebate that was paid, and with one that never will be.
    |book| {
        let alice = book.open("alice", "-5", "1000");
        let deposit = book.deposit(alice, "100");
        book.pay(&deposit);
        book.written.clear();
        book.reverse(&deposit, false);
    },
    |book| {
        let alice = book.open("alice", "-5", "1000");
        let deposit = book.deposit(alice, "100");
        book.written.clear();
        book.reverse(&deposit, false);
    },
    // Batched from the beginning, and later on.
    |book| {
        book.open_shop("shop");
    },
    |book| {
        let alice = book.open("alice", "-5", "1000");
        book.amend(alice, Change { ceiling: Some(None), ..Change::default() });
        book.written.clear();
        book.amend(alice, Change { credits: Some(Credits::Batched), ..Change::default() });
    },
    // A fold of several credits, and the rebate of one, which goes to the wallet directly.
    |book| {
        let (alice, shop) = (book.open("alice", "-5", "1000"), book.open_shop("shop"));
        let paid_in = book.deposit(alice, "100");
        book.pay(&paid_in);
        book.transfer(alice, shop, "3");
        let deposit = book.deposit(shop, "100");
        book.transfer(alice, shop, "4.25");
        book.settle();
        book.pay(&deposit);
    },
    // A hold, a part of it captured, and the rest.
    |book| {
        let (alice, bob) = (book.open("alice", "-5", "1000"), book.open("bob", "0", "1000"));
        book.deposit(alice, "20");
        book.written.clear();
        let hold = book.hold(alice, Some(bob), "9");
        book.hold(alice, None, "3");
        book.capture(&hold, Some("4"), false);
    },
    // Holds that have ended: captured, given up, released.
    |book| {
        let (alice, bob) = (book.open("alice", "-5", "1000"), book.open("bob", "0", "1000"));
        book.deposit(alice, "50");
        let holds = ["5", "6", "7"].map(|amount| book.hold(alice, Some(bob), amount));
        book.written.clear();
        book.capture(&holds[0], Some("4"), true);
        book.void(&holds[1]);
        book.now += Duration::from_secs(3 * 3600);
        book.expire(alice);
    },
];

/// The same of what waits, which is overdue soon.
const WAITING: [fn(&mut Book); 3] = [
    |book| {
        let shop = book.open_shop("shop");
        book.written.clear();
        book.deposit(shop, "100");
    },
    |book| {
        let (alice, shop) = (book.open("alice", "-5", "1000"), book.open_shop("shop"));
        book.deposit(alice, "50");
        book.deposit(shop, "3");
        book.written.clear();
        book.transfer(alice, shop, "3");
    },
    |book| {
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| book.open(name, "-5", "1000"));
        book.written.clear();
        book.queue(alice, [bob, carol], Some(wallet_dynamodb::Strategy::Pessimistic));
    },
];

fn history(history: fn(&mut Book), name: impl ToString) -> Book {
    let mut book = Book::new(name);
    history(&mut book);
    book
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_named() {
    let loud = changed_and_audited(&HISTORIES, &Book::full("untouched"), Duration::from_secs(2 * 60 * 60)).await;
    assert!(loud > 1_000, "{loud} changes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_what_waits_is_named() {
    let loud = changed_and_audited(&WAITING, &history(WAITING[1], "untouched"), Duration::from_secs(60)).await;
    assert!(loud > 100, "{loud} changes");
}

/// Makes each change in `histories` and audits all of them `after` the end of one that was left alone. Answers how many had to
/// be named.
async fn changed_and_audited(histories: &[fn(&mut Book)], untouched: &Book, after: Duration) -> usize {
    let bench = Bench::start().await;
    let (mut items, mut cases, mut kinds) = (untouched.items.clone(), vec![], BTreeSet::new());
    for make in histories {
        let shape = history(*make, "shape");
        for place in &shape.written {
            // One item of each kind is enough: of its type, its status, and the attributes that it has.
            let item = &shape.items[*place];
            let whats: Vec<_> = changes(item).into_iter().map(|(what, _)| Case::new(item, &what, None).what).collect();
            if !kinds.insert(whats.clone()) {
                continue;
            }
            for change in 0..whats.len() {
                // The same in other names: the items are in the same order, and so are the changes of each.
                let mut book = history(*make, cases.len()).items;
                let item = book.remove(*place);
                let (what, changed) = changes(&item).swap_remove(change);
                cases.push(Case::new(&item, &what, changed.as_ref()));
                // With another key it takes the place of what is there.
                let moved_to = changed.as_ref().map(key_of);
                items.extend(book.iter().filter(|other| Some(key_of(other)) != moved_to).cloned());
                items.extend(changed);
            }
        }
    }
    put(&bench, items).await;
    let report = Audit::new(ledger_at(&bench, untouched.now + after), 16).table().await.expect("the table answers");
    assert_eq!(report.unlisted, 0, "all findings are listed");
    let mut words = BTreeSet::new();
    for finding in &report.findings {
        let said = finding.to_string();
        words.extend(said.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').map(str::to_owned));
    }
    let (silent, loud): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.silent);
    let is_named = |case: &&Case| case.named.iter().any(|name| words.contains(name));
    println!("{} of {} changes are named", loud.iter().filter(|case| is_named(case)).count(), loud.len());
    println!("{} changes are not, on purpose", silent.len());
    let wrong: Vec<_> = cases.iter().filter(|case| is_named(case) == case.silent).map(|case| &case.what).collect();
    assert!(wrong.is_empty(), "{} of {} not as they should be: {wrong:#?}", wrong.len(), cases.len());
    let untouched = untouched.items.iter().map(|item| id_of(key_of(item).0)).find(|id| words.contains(*id));
    assert_eq!(untouched, None, "where nothing was changed nothing is found");
    loud.len()
}

/// Every name of an attribute that the ledger writes, but those that callers and months give.
fn names(map: &Item, into: &mut BTreeSet<String>) {
    for (name, value) in map {
        into.insert(name.clone());
        match value {
            AttributeValue::M(map) if !matches!(name.as_str(), "metadata" | "changes" | "rebated") => names(map, into),
            AttributeValue::L(list) => list.iter().filter_map(|map| map.as_m().ok()).for_each(|map| names(map, into)),
            _ => {}
        }
    }
}

/// The untouched book shows that a kind's shape is what its verb makes; a history, that no attribute of its record can change.
#[test]
fn every_kind_is_in_the_full_book_and_in_a_history() {
    let written = |book: Book| book.written.iter().map(|place| book.items[*place].clone()).collect::<Vec<_>>();
    let histories = HISTORIES.iter().flat_map(|make| written(history(*make, "kinds"))).collect();
    for (place, items) in [("Book::full", Book::full("kinds").items), ("HISTORIES", histories)] {
        let has = |item: &Item, name: &str, value: &str| item.get(name) == Some(&s(value));
        let posted = |kind| items.iter().any(|item| has(item, "type", kind) && has(item, "status", "posted"));
        let missing: Vec<_> = SHAPES.iter().map(|shape| shape.kind.as_str()).filter(|kind| !posted(kind)).collect();
        assert!(missing.is_empty(), "{place} has no posted {missing:?}: make one there");
    }
}

#[test]
fn the_page_of_the_table_names_every_attribute() {
    let (page, mut written) = (include_str!("../../docs/table.md"), BTreeSet::new());
    Book::full("page").items.iter().for_each(|item| names(item, &mut written));
    let untold: Vec<_> = written.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(untold.is_empty() && written.len() > 50, "docs/table.md lacks {untold:?}");
}

#[tokio::test]
async fn a_lease_is_no_change() {
    let mut book = Book::full("leased");
    for wallet in book.items.iter_mut().filter(|item| key_of(item).1 == "WALLET") {
        wallet.extend([("lease_holder".to_owned(), s("lease_1")), ("lease_until".to_owned(), n(1))]);
    }
    let report = report_at(&book.table().await, book.now + Duration::from_secs(2 * 60 * 60)).await;
    clean(&report);
}
