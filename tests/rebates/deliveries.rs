//! However often, in whatever order, however late, and whoever panics beside it.

use std::time::Duration;

use futures::future::join_all;
use wallet_lambda::work;
use wallet_rebate::Rebate;

use tokio::time::advance;

use super::{Earned, RULES, batch_of, check, failed};
use crate::faults::{Treatment, fair};
use crate::ledger::in_turn;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[test]
fn the_same_message_a_hundred_times_is_paid_by_one_commit() {
    check(async |desk, wallet| {
        let earned = desk.deposit(wallet, "100.00").await;
        let (app, before) = (desk.process("optimistic"), desk.writes());
        for _ in 0..10 {
            let report = work::<Rebate>(&app, batch_of(&vec![earned.clone(); 10])).await;
            assert_eq!(failed(&report), Vec::<&str>::new());
        }
        assert_eq!((desk.writes() - before, desk.world.balance(wallet).await), (1, "101.00".to_owned()));
    });
}

#[test]
fn the_same_message_a_hundred_times_at_once_is_paid_once() {
    for strategy in ["optimistic", "pessimistic"] {
        check(async |desk, wallet| {
            let earned = desk.deposit(wallet, "100.00").await;
            let mut delays = fastrand::Rng::with_seed(7);
            desk.world.network.set(Box::new(move |_| {
                let mut delay = || Duration::from_millis(delays.u64(0..20));
                Treatment { there: delay(), work: delay(), back: delay(), ..Treatment::default() }
            }));
            let ten = vec![earned.clone(); 10];
            let delivered = || async { work::<Rebate>(&desk.process(strategy), batch_of(&ten)).await };
            for report in join_all((0..10).map(|_| delivered())).await {
                // Who lost every race may come again; nobody else.
                assert!(report.reasons.values().all(|reason| !reason.starts_with("internal")), "{report:?}");
            }
            desk.world.network.set(fair());
            assert_eq!(desk.paid(&earned).await.as_deref(), Some("1.00"), "{strategy}");
            assert_eq!(desk.world.balance(wallet).await, "101.00", "{strategy}");
            assert_eq!(desk.work_off(&desk.process(strategy), batch_of(&[earned])).await, 0, "it is on record");
        });
    }
}

#[test]
fn out_of_order_each_deposit_is_paid_its_own() {
    check(async |desk, a| {
        let b = desk.world.open("b", "0", None).await;
        let mut messages = vec![];
        for number in 1..=20 {
            let wallet = if number % 3 == 0 { a } else { b };
            let earned = desk.deposit(wallet, &format!("{number}.99")).await;
            messages.push((earned, format!("0.{number:02}")));
        }
        let deposits: Vec<Earned> = messages.iter().map(|(earned, _)| earned.clone()).collect();
        let (mut shuffled, mut order) = ([deposits.clone(), deposits].concat(), fastrand::Rng::with_seed(3));
        order.shuffle(&mut shuffled);
        let app = desk.process("optimistic");
        for part in shuffled.chunks(10) {
            desk.work_off(&app, batch_of(part)).await;
        }
        for (earned, expected) in &messages {
            assert_eq!(desk.paid(earned).await.as_ref(), Some(expected));
        }
        // 3.99 + 6.99 + .. + 18.99 and their hundredths; the rest.
        assert_eq!([desk.world.balance(a).await, desk.world.balance(b).await], ["69.57", "162.33"]);
    });
}

#[test]
fn weeks_late_it_is_paid_by_the_rule_of_its_deposit_and_once() {
    check(async |desk, wallet| {
        let earned = desk.deposit(wallet, "100.00").await;
        // By then the deployment has another rule of the same name.
        let since = r#"[{"id":"standard","basis_points":5000}]"#;
        let mut passed = 0;
        for weeks in [6, 7, 520] {
            advance(WEEK * (weeks - passed)).await;
            passed = weeks;
            let app = desk.process_by("optimistic", if weeks == 7 { RULES } else { since });
            desk.work_off(&app, batch_of(std::slice::from_ref(&earned))).await;
            assert_eq!(desk.paid(&earned).await.as_deref(), Some("1.00"));
            assert_eq!(desk.world.balance(wallet).await, "101.00", "after {weeks} weeks");
        }
        let rebate = desk.found(earned.rebate).await.expect("on record");
        assert!(rebate.created_at.to_string().starts_with("2026-04-12"), "six weeks later: {}", rebate.created_at);
    });
}

#[test]
fn a_panic_on_one_message_harms_no_other_of_its_batch() {
    for place in 0..3 {
        check(async |desk, wallet| {
            let deposits =
                in_turn(["100.00", "200.00", "300.00"], async |amount| desk.deposit(wallet, amount).await).await;
            let rebate = deposits[place].rebate.to_string();
            desk.world.network.set(Box::new(move |call| {
                assert!(!(call.is_commit() && call.body.to_string().contains(&rebate)), "on purpose");
                Treatment::default()
            }));
            let report = work::<Rebate>(&desk.process("optimistic"), batch_of(&deposits)).await;
            let name = place.to_string();
            assert_eq!(failed(&report), [&*name]);
            assert_eq!(report.reasons[&name], "internal: panicked: on purpose");
            for (other, earned) in deposits.iter().enumerate() {
                assert_eq!(desk.paid(earned).await.is_some(), other != place, "of message {other}");
            }
            desk.world.network.set(fair());
            let sent = desk.work_off(&desk.process("optimistic"), batch_of(&deposits)).await;
            assert_eq!(sent, 1, "the others are on record");
            assert_eq!(desk.world.balance(wallet).await, "606.00");
        });
    }
}
