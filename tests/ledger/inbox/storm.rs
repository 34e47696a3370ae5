//! A storm: 200 payers, 3 wallets whose credits are batched and who pay out all the time, folders beside; to the cent.
//!
//! ```text
//! WALLET_STORM_CREDITS=20000 cargo test --release -p wallet-tests a_storm_of_credits -- --nocapture   the long form
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use wallet_dynamodb::{ExecuteError, Strategy, Usage};

use crate::ledger::{Bench, in_turn, posted, refusal, until_done};

const CREDITS: &str = "WALLET_STORM_CREDITS";
/// Credits of the short form.
const SHORT: usize = 400;
const MOST_PAYERS: usize = 200;
const SHOPS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_credits_is_settled_and_spent_to_the_cent() {
    let credits = std::env::var(CREDITS).map_or(SHORT, |number| number.parse().expect("a number of credits"));
    let payers = MOST_PAYERS.min(credits / 10);
    let (bench, each) = (Arc::new(Bench::start().await), credits / payers);
    let shops = in_turn(0..SHOPS, async |_| bench.shop().await).await;
    let (begun, over, mut paying, mut others) =
        (Instant::now(), Arc::new(AtomicBool::new(false)), JoinSet::new(), JoinSet::new());
    for number in 0..payers {
        let (bench, shops) = (Arc::clone(&bench), shops.clone());
        paying.spawn(async move {
            let payer = bench.open("alice", &each.to_string()).await;
            let ledger = bench.another();
            for payment in 0..each {
                let shop = shops[(number + payment) % SHOPS];
                posted(until_done(&ledger, &bench.transfer(payer, shop, "1"), Strategy::Optimistic).await.0);
            }
            payer
        });
    }
    for (number, shop) in shops.iter().copied().enumerate() {
        let (spender, over_for_spender) = (Arc::clone(&bench), Arc::clone(&over));
        others.spawn(async move {
            let (ledger, mut out, mut refused) = (spender.another(), 0, 0);
            for amount in 1.. {
                if over_for_spender.load(Ordering::Relaxed) {
                    break;
                }
                let amount = amount % 20 + 1;
                let strategy = if number == 0 { Strategy::Pessimistic } else { Strategy::Optimistic };
                let (done, _) = until_done(&ledger, &spender.withdraw(shop, &amount.to_string()), strategy).await;
                match refusal(&done.expect("an outcome")) {
                    None => out += amount,
                    Some("insufficient_funds") => refused += 1,
                    Some(other) => panic!("{other}"),
                }
            }
            (out, refused)
        });
        for _ in 0..2 {
            let (ledger, over) = (bench.another(), Arc::clone(&over));
            others.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    match ledger.settle(shop, &mut Usage::default()).await {
                        Ok(_) | Err(ExecuteError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                (0, 0)
            });
        }
    }
    let wallets = paying.join_all().await;
    over.store(true, Ordering::Relaxed);
    let ends = others.join_all().await;
    let (out, refused) = ends.iter().fold((0, 0), |(out, refused), end| (out + end.0, refused + end.1));
    println!("{credits} credits in {:.1} s, {out} paid out, {refused} refused", begun.elapsed().as_secs_f32());
    // What is left is all that was paid in and not out, in the inboxes or not.
    let left = i128::try_from(each * payers).expect("few") - out;
    for shop in &shops {
        bench.settle(*shop).await;
        assert_eq!(bench.incoming(*shop).await, (0, 0));
    }
    assert_eq!(bench.recomputed(&shops).await, left * 100);
    assert_eq!(bench.recomputed(&wallets).await, 0);
    assert!(out > 0, "somebody was paid out");
}
