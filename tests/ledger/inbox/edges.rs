//! Credits that cannot be settled, balances at the ends of what exists, leases, and credits that go past the inbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use wallet_domain::{
    Bounds, Command, Credits, Deposit, Leg, RebateTerms, Refusal, Reverse, Status, Transaction, WalletId,
};
use wallet_dynamodb::{Done, ExecuteError, Settled, Strategy, Usage};

use super::torn::{check_shop, credit, pay_in, settle};
use super::{mode, status};
use crate::faults::{Treatment, World, always};
use crate::ledger::torn::{deposit, lease, leased, rebate, reversal, rule, short_of, withdraw};
use crate::ledger::{BOTH, caller, eur, posted, run};

/// All of an amount that exists.
const LARGEST: &str = "9999999999999999.99";

fn inbox(wallet: WalletId, transaction: &Transaction) -> (String, String) {
    (format!("INBOX#{wallet}"), transaction.id.to_string())
}

async fn debit(world: &World, key: &str, wallet: WalletId, amount: &str) -> Result<Done, ExecuteError> {
    run(&world.ledger(0, 6), &withdraw(key, wallet, amount, None), Strategy::Optimistic).await.0
}

#[test]
fn an_item_that_cannot_be_read_stays_and_stops_nobody() {
    check_shop(async |world, shop| {
        let damaged = pay_in(world, shop, "damaged", "5").await;
        let key = inbox(shop, &damaged);
        let whole = world.table.get(&key).expect("it waits");
        world.table.change(&key, |item| drop(item.insert("seal".to_owned(), json!({ "S": "?" }))));
        let Settled { folded, left, .. } = settle(world, shop).await;
        assert_eq!((folded, left), (3, 1));
        assert_eq!(short_of(debit(world, "too much", shop, "31").await), "30.00");
        posted(debit(world, "all", shop, "30").await);
        let waits = world.plain().unsettled(&damaged, &mut Usage::default()).await.expect("the table answers");
        assert_eq!(waits, [shop], "it is no row of the statement");
        world.table.change(&key, |item| *item = whole);
        posted(debit(world, "the rest", shop, "5").await);
    });
}

/// More than a request reads at once.
#[test]
fn a_thousand_items_that_cannot_be_read_hide_nothing() {
    check_shop(async |world, shop| {
        let damaged = |number: u32| (format!("INBOX#{shop}"), format!("txn_{number:032x}"));
        for number in 0..1_000 {
            world.table.change(&damaged(number), |item| {
                let (pk, sk) = damaged(number);
                item.insert("PK".to_owned(), json!({ "S": pk }));
                item.insert("SK".to_owned(), json!({ "S": sk }));
            });
        }
        let mut usage = Usage::default();
        let too_much = withdraw("too much", shop, "31", None);
        let done = world.ledger(0, 6).execute(&too_much, Strategy::Optimistic, &mut usage).await;
        assert_eq!(short_of(done), "30.00");
        posted(debit(world, "all", shop, "30").await);
        world.table.forget(|key| key.0 == damaged(0).0);
    });
}

#[test]
fn of_two_largest_deposits_the_second_waits_until_there_is_room() {
    check_shop(async |world, shop| {
        posted(debit(world, "first", shop, "30").await);
        for key in ["one", "two"] {
            pay_in(world, shop, key, LARGEST).await;
        }
        let Settled { folded, left, .. } = settle(world, shop).await;
        assert_eq!((folded, left), (1, 1));
        for key in ["out", "out again"] {
            posted(debit(world, key, shop, LARGEST).await);
        }
        assert_eq!(short_of(debit(world, "nothing left", shop, "0.01").await), "0.00");
    });
}

/// What cannot be settled keeps no pass from its end, however much comes meanwhile.
#[test]
fn a_pass_ends_beside_what_stays_and_what_comes() {
    check_shop(async |world, shop| {
        pay_in(world, shop, "too much", LARGEST).await;
        let slow = Treatment { work: Duration::from_millis(4), ..Treatment::default() };
        world.network.set(always(|_| true, slow));
        let (payer, folder) = (world.plain(), world.ledger(0, 6));
        let coming = tokio::spawn(async move {
            for number in 0..500 {
                posted(run(&payer, &credit(&format!("more {number}"), shop, "1"), Strategy::Optimistic).await.0);
                sleep(Duration::from_millis(2)).await;
            }
        });
        sleep(Duration::from_millis(50)).await;
        let mut usage = Usage::default();
        let Settled { folded, left, .. } = folder.settle(shop, &mut usage).await.expect("nobody else is there");
        assert!(folded > 3 && left == 1 && !coming.is_finished(), "{folded} folded, {left} left, {usage:?}");
        coming.await.expect("every credit is posted");
        posted(debit(world, "all", shop, "530").await);
        assert_eq!(settle(world, shop).await.folded, 1, "there is room for it now");
    });
}

/// What one step cannot add, the next one does.
#[test]
fn from_the_smallest_balance_to_the_largest_is_one_pass() {
    check_shop(async |world, _| {
        let debtor = world.open("debtor", &format!("-{LARGEST}"), None).await;
        posted(debit(world, "all", debtor, LARGEST).await);
        world.amend(debtor, 1, mode(Credits::Batched)).await;
        for key in ["one", "two"] {
            pay_in(world, debtor, key, LARGEST).await;
        }
        let Settled { folded, left, .. } = settle(world, debtor).await;
        assert_eq!((folded, left), (2, 0));
        assert_eq!(world.balance(debtor).await, LARGEST);
    });
}

#[test]
fn what_comes_to_an_overdrawn_wallet_fills_that_up_first() {
    check_shop(async |world, shop| {
        let original = pay_in(world, shop, "undone", "50").await;
        posted(debit(world, "spent", shop, "80").await);
        let Command::Reverse(reverse) = reversal(&original) else { unreachable!("a reversal") };
        let overdraft = Command::Reverse(Reverse { allow_overdraft: true, ..reverse });
        world.post(&overdraft).await;
        pay_in(world, shop, "later", "60").await;
        for amount in ["70", "40"] {
            assert_eq!(short_of(debit(world, amount, shop, amount).await), "10.00");
        }
        posted(debit(world, "just enough", shop, "10").await);
        assert_eq!(world.balance(shop).await, "0.00");
    });
}

#[test]
fn a_credit_that_waits_is_reversed_like_any_other() {
    for strategy in BOTH {
        check_shop(async |world, shop| {
            let original = pay_in(world, shop, "undone", "50").await;
            posted(run(&world.ledger(0, 6), &reversal(&original), strategy).await.0);
            assert_eq!(world.balance(shop).await, "30.00", "what waited has become balance");
            let again = run(&world.ledger(0, 6), &withdraw("out", shop, "30.01", None), strategy).await.0;
            assert_eq!(short_of(again), "30.00");
        });
    }
}

/// What is posted to a wallet whose lease another holds waits; what is to be folded waits for the lease.
#[test]
fn a_lease_of_another_stops_folds_and_no_credit() {
    check_shop(async |world, shop| {
        lease(world, shop, Duration::from_secs(30));
        pay_in(world, shop, "meanwhile", "1").await;
        let ended = world.ledger(0, 3).settle(shop, &mut Usage::default()).await;
        assert!(matches!(ended, Err(ExecuteError::Conflict { .. })), "{ended:?}");
        let out = withdraw("out", shop, "31", None);
        let races = run(&world.ledger(0, 3), &out, Strategy::Optimistic).await.0;
        assert!(matches!(races, Err(ExecuteError::Conflict { .. })), "{races:?}");
        let waits = run(&world.ledger(0, 3), &out, Strategy::Pessimistic).await.0;
        assert!(matches!(waits, Err(ExecuteError::LockTimeout { .. })), "{waits:?}");
        sleep(Duration::from_secs(31)).await;
        posted(run(&world.ledger(0, 3), &out, Strategy::Pessimistic).await.0);
    });
}

/// Its snapshot was old: it took the lease, and found only then that the balance was gone and that money waits.
#[test]
fn a_fold_under_ones_own_lease_keeps_it() {
    check_shop(async |world, shop| {
        world.amend(shop, 1, mode(Credits::Immediate)).await;
        let holder = world.ledger(0, 6);
        posted(run(&holder, &deposit(world, shop, "10", None), Strategy::Optimistic).await.0);
        world.post(&withdraw("gone", shop, "10", None)).await;
        let (folded, asked) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
        let seen = Arc::clone(&folded);
        world.network.set(Box::new(move |call| {
            asked.fetch_or(call.is_lease(), Ordering::Relaxed);
            let update = &call.body["TransactItems"][0]["Update"];
            let under_lease = update["ConditionExpression"].to_string().contains("#lease_holder =");
            let kept = !update["UpdateExpression"].to_string().contains("#lease_holder");
            seen.fetch_or(call.is_fold() && asked.load(Ordering::Relaxed) && under_lease && kept, Ordering::Relaxed);
            Treatment::default()
        }));
        posted(run(&holder, &withdraw("out", shop, "10", None), Strategy::Pessimistic).await.0);
        assert!(folded.load(Ordering::Relaxed), "under the lease");
        assert!(!leased(world, shop), "the debit gave it back");
        assert_eq!(world.balance(shop).await, "20.00");
    });
}

/// A version can only be pinned where the credit makes the next one.
#[test]
fn a_deposit_with_if_match_makes_the_next_version_at_once() {
    check_shop(async |world, shop| {
        let pinned = |key, version| {
            let Command::Deposit(mut deposit) = credit(key, shop, "1") else { unreachable!("a deposit") };
            deposit.order.caller.admin = true;
            deposit.order.expected_version = Some(version);
            Command::Deposit(Deposit { ..deposit })
        };
        let made = world.post(&pinned("at 1", 1)).await;
        assert!(matches!(made.legs()[1], Leg::Wallet { version_after: 2, .. }), "{made:?}");
        let told = run(&world.plain(), &pinned("at 1 again", 1), Strategy::Optimistic).await.0;
        let mismatch = matches!(told, Err(ExecuteError::Refused(Refusal::VersionMismatch { expected: 1, .. })));
        assert!(mismatch, "{told:?}");
        assert_eq!(settle(world, shop).await.folded, 3);
        assert_eq!(world.balance(shop).await, "31.00");
    });
}

/// What the month's cap counts moves with the wallet's version; what nothing counts waits.
#[test]
fn a_rebate_waits_unless_its_rule_has_a_monthly_cap() {
    check_shop(async |world, shop| {
        let capped = RebateTerms { monthly_cap: Bounds::new([eur("1")]).expect("a bound"), ..rule() };
        for (rule, waits) in [(rule(), true), (capped, false)] {
            let paid_in = deposit(world, shop, "60", Some(rule));
            let original = world.post(&paid_in).await;
            let paid = posted(run(&world.ledger(0, 6), &rebate(&original), Strategy::Optimistic).await.0);
            assert_eq!(paid.credited().next().is_some(), waits, "{paid:?}");
        }
        assert_eq!(settle(world, shop).await.folded, 6);
        assert_eq!(world.balance(shop).await, "151.20");
    });
}

/// It reads the wallet anew, whatever it knew.
#[test]
fn who_wakes_after_an_hour_pays_nothing_into_what_was_closed() {
    for batched in [true, false] {
        check_shop(async |world, wallet| {
            if !batched {
                world.amend(wallet, 1, mode(Credits::Immediate)).await;
            }
            let sleeper = world.ledger(0, 6);
            posted(run(&sleeper, &deposit(world, wallet, "1", None), Strategy::Optimistic).await.0);
            let payer = world.open("payer", "0", None).await;
            posted(run(&sleeper, &deposit(world, payer, "10", None), Strategy::Optimistic).await.0);
            posted(debit(world, "all", wallet, "31").await);
            let version = world.wallet(wallet).await.version;
            world.amend(wallet, version, mode(Credits::Immediate)).await;
            sleep(Duration::from_secs(3_600)).await;
            world.amend(wallet, world.wallet(wallet).await.version, status(Status::Closed)).await;
            let mut order = crate::ledger::order("payer", "late".parse().expect("a printable key"), "5");
            order.caller = caller("payer");
            let transfer = wallet_domain::Transfer { order, source: payer, destination: wallet, fee: None };
            for late in [credit("late", wallet, "5"), Command::Transfer(transfer)] {
                let done = run(&sleeper, &late, Strategy::Optimistic).await.0.expect("a refusal on record");
                assert_eq!(crate::ledger::refusal(&done), Some("wallet_closed"));
            }
            assert_eq!(settle(world, wallet).await, Settled::default());
        });
    }
}
