//! Commands that are written in one transaction: each is decided on what the one before it leaves.

use proptest::prelude::*;
use wallet_domain::*;

use crate::stored::holds;
use crate::world::*;

/// The same under a key of its own.
fn keyed(number: usize, command: Command) -> Command {
    with(command, |order| order.key = key(&format!("key {number}")))
}

fn numbered(commands: impl IntoIterator<Item = Command>) -> Vec<Command> {
    commands.into_iter().enumerate().map(|(number, command)| keyed(number, command)).collect()
}

/// Decides `commands` together, and holds the outcome against those that were taken along decided one after the other.
#[track_caller]
fn together(wallets: &[Wallet], commands: &[Command]) -> Together {
    let together = Together::of(snapshots(wallets), commands, time(NOW)).expect("it adds up");
    let (mut apart, mut guards) = (snapshots(wallets), vec![]);
    for plan in together.plans() {
        let command = commands.iter().find(|command| command.transaction() == plan.transaction().id);
        let alone = decided(&apart, command.expect("one of them"), time(NOW)).expect("it is not refused");
        assert_eq!(alone.transaction(), plan.transaction());
        for posting in alone.postings() {
            let before = posting.before.as_ref().expect("none is opened");
            guards.push((posting.after.id, posting.guard, before.balance));
            apart.wallets.insert(posting.after.id, posting.after.clone());
        }
    }
    for posting in together.postings() {
        let before = snapshots(wallets).wallets.remove(&posting.after.id).expect("a wallet");
        assert_eq!(posting.before.as_ref(), Some(&before));
        let mut head = before.head;
        for (version, row) in (before.version + 1..).zip(&posting.rows) {
            assert_eq!((row.version, row.previous, Some(row.hash)), (version, head, row.computed_hash()));
            assert_eq!(row.state, posting.after.state(), "an item of rows says once what the wallet is like");
            head = row.hash;
        }
        let apart = &apart.wallets[&posting.after.id];
        assert_eq!(posting.after, Wallet { head, ..apart.clone() });
        // Whatever the balance is when it is written: each of them would have been let through in its turn.
        for units in -600..600 {
            let balance = Money::from_minor(before.balance.minor_units() + units, before.currency()).expect("money");
            let mut its = guards.iter().filter(|(id, ..)| *id == before.id);
            let each = its.all(|(_, guard, seen)| {
                let then = balance.plus(*seen).and_then(|sum| sum.minus(before.balance)).expect("money");
                holds(*guard, then)
            });
            assert_eq!(holds(posting.guard, balance), each, "at {balance}");
        }
    }
    together
}

/// The places in `commands` of those that were taken along.
#[track_caller]
fn taken(wallets: &[Wallet], commands: &[Command]) -> Vec<usize> {
    let together = together(wallets, commands);
    let ids: Vec<_> = commands.iter().map(Command::transaction).collect();
    let place = |plan: &Plan| ids.iter().position(|id| *id == plan.transaction().id).expect("one of them");
    together.plans().iter().map(place).collect()
}

#[test]
fn each_sees_what_the_one_before_it_leaves() {
    let wallets = [wallet("alice", "10"), wallet("bob", "0"), wallet("carol", "0")];
    let commands = numbered([
        transfer("alice", "alice", "bob", "4"),
        withdraw("alice", "alice", "5"),
        transfer("alice", "alice", "carol", "2"),
        transfer("alice", "alice", "bob", "1"),
    ]);
    // Of 10 are 4, 5 and 1 taken; 2 was one too many when it came.
    assert_eq!(taken(&wallets, &commands), [0, 1, 3]);
    let together = together(&wallets, &commands);
    let steps: Vec<_> = together.postings().iter().map(|step| (step.after.id, step.rows.len())).collect();
    assert_eq!(steps, [(id("alice"), 3), (id("bob"), 2)]);
    let alice = &together.postings()[0];
    assert_eq!((alice.after.balance, alice.after.version, alice.guard), (money("0"), 10, Guard::AtLeast(money("10"))));
    assert_eq!(alice.rows.iter().map(|row| row.amount.to_string()).collect::<Vec<_>>(), ["-4.00", "-5.00", "-1.00"]);
}

#[test]
fn limits_count_those_before() {
    let limits = Limits { transfers_per_minute: Some(2), ..Limits::default() };
    let wallets = [limited("alice", "10", limits), wallet("bob", "0")];
    let commands = numbered([(); 4].map(|()| transfer("alice", "alice", "bob", "1")));
    assert_eq!(taken(&wallets, &commands), [0, 1]);
    let full = [wallet("alice", "10"), capped("bob", "0", "2.50")];
    assert_eq!(taken(&full, &commands), [0, 1]);
}

#[test]
fn what_cannot_be_one_step_is_left_out() {
    let wallets = [wallet("alice", "10"), wallet("bob", "10")];
    let there_and_back = [transfer("alice", "alice", "bob", "1"), transfer("bob", "bob", "alice", "1")];
    assert_eq!(taken(&wallets, &numbered(there_and_back)), [0], "a debit and a credit ask different things");
    let same = keyed(0, withdraw("alice", "alice", "1"));
    assert_eq!(taken(&wallets, &[same.clone(), same]), [0], "a request is one movement");
    let unknown = [transfer("alice", "alice", "ghost", "1"), withdraw("alice", "alice", "1")];
    assert_eq!(taken(&wallets, &numbered(unknown)), [1]);
    let freeze = amend("root", VERSION, to(Status::Frozen));
    let commands = [keyed(0, withdraw("alice", "alice", "1")), freeze, keyed(2, withdraw("alice", "alice", "1"))];
    assert_eq!(taken(&wallets, &commands), [0, 2], "an amendment keeps the wallet as it leaves it");
}

#[test]
fn no_more_than_dynamodb_takes_at_once() {
    let names: Vec<_> = (0..48).map(|number| format!("payee {number}")).collect();
    let wallets: Vec<_> = names.iter().map(|name| wallet(name, "0")).chain([wallet("alice", "100")]).collect();
    let commands = numbered(names.iter().map(|name| transfer("alice", "alice", name, "1")));
    // Each is a record, a payee and his entry, beside the payer and his: 98 of 100.
    assert_eq!(taken(&wallets, &commands).len(), 32);
    let withdrawals = numbered((0..120).map(|_| withdraw("alice", "alice", "0.01")));
    assert_eq!(taken(&wallets, &withdrawals).len(), 98);
}

proptest! {
    #[test]
    fn together_is_as_one_after_the_other(asked in prop::collection::vec((0..3_usize, 0..4_usize, 0..4_usize, 1..400_u32), 1..12)) {
        let names = ["alice", "bob", "carol", "savings"];
        let wallets = [wallet("alice", "5"), floored("bob", "3", "-2"), capped("carol", "1", "9"), wallet("savings", "0")];
        let commands = numbered(asked.into_iter().map(|(verb, from, to, cents)| {
            let amount = format!("{}.{:02}", cents / 100, cents % 100);
            match verb {
                0 => deposit("bank", names[to], &amount),
                1 => withdraw("root", names[from], &amount),
                _ => transfer("root", names[from], names[to], &amount),
            }
        }));
        let together = together(&wallets, &commands);
        let moved: i128 = together.plans().iter().flat_map(|plan| plan.transaction().legs()).map(|leg| leg.amount().minor_units()).sum();
        prop_assert_eq!(moved, 0);
    }
}
