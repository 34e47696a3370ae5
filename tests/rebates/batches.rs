//! What a batch costs the function, in calls that went over the network.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use wallet_domain::WalletId;

use super::{Desk, Earned, batch_of, check, failed};
use crate::faults::{Treatment, fair};

/// Works a batch of `earned` off by a new process, and counts what it sent by operation.
async fn sent(desk: &Desk, earned: &[Earned]) -> BTreeMap<String, u32> {
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let counting = Arc::clone(&counts);
    desk.world.network.set(Box::new(move |call| {
        *counting.lock().expect("nobody panics with it").entry(call.operation.clone()).or_default() += 1;
        Treatment::default()
    }));
    let report = wallet_rebate::report(&desk.process("optimistic"), batch_of(earned)).await;
    assert_eq!(failed(&report), Vec::<&str>::new());
    desk.world.network.set(fair());
    counts.lock().expect("nobody panics with it").clone()
}

fn calls(reads: u32, writes: u32) -> BTreeMap<String, u32> {
    let calls = [("BatchGetItem", reads), ("TransactWriteItems", writes)];
    calls.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}

async fn deposits(desk: &Desk, wallets: &[WalletId]) -> Vec<Earned> {
    let mut earned = vec![];
    for wallet in wallets {
        earned.push(desk.deposit(*wallet, "100.00").await);
    }
    earned
}

#[test]
fn a_batch_is_one_read_and_a_commit_for_each_rebate_that_was_not_paid_before() {
    check(async |desk| {
        let mut wallets = vec![];
        for number in 0..10 {
            wallets.push(desk.world.open(&format!("w{number}"), "0", None).await);
        }
        let alone = deposits(desk, &wallets[..1]).await;
        assert_eq!(sent(desk, &alone).await, calls(1, 1));
        assert_eq!(sent(desk, &alone).await, calls(1, 0), "paid before");
        let apart = deposits(desk, &wallets).await;
        assert_eq!(sent(desk, &apart).await, calls(1, 10));
        assert_eq!(sent(desk, &apart).await, calls(1, 0), "paid before");
        let together = deposits(desk, &[wallets[0]; 10]).await;
        assert_eq!(sent(desk, &together).await, calls(1, 10));
        assert_eq!(desk.balance(wallets[0]).await, "1212.00");
        // Some were paid before, one comes twice.
        let new = deposits(desk, &wallets[..3]).await;
        let mixed = [&apart[..4], &new[..], &new[..1]].concat();
        assert_eq!(sent(desk, &mixed).await, calls(1, 3));
    });
}
