//! What a batch costs the function, in calls that went over the network, and how it tries again what lost its races.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use wallet_domain::WalletId;
use wallet_lambda::work_until;
use wallet_rebate::Rebate;

use super::{Desk, Earned, batch_of, check, failed};
use crate::faults::{Fault, Treatment, fair};
use crate::ledger::in_turn;

/// Works a batch of `earned` off by a new process, and counts what it sent by operation.
async fn sent(desk: &Desk, earned: &[Earned]) -> BTreeMap<String, u32> {
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let counting = Arc::clone(&counts);
    desk.world.network.set(Box::new(move |call| {
        *counting.lock().expect("nobody panics with it").entry(call.operation.clone()).or_default() += 1;
        Treatment::default()
    }));
    desk.work_off(&desk.process("optimistic"), batch_of(earned)).await;
    desk.world.network.set(fair());
    counts.lock().expect("nobody panics with it").clone()
}

fn calls(reads: u32, writes: u32) -> BTreeMap<String, u32> {
    let calls = [("BatchGetItem", reads), ("TransactWriteItems", writes)];
    calls.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}

async fn deposits(desk: &Desk, wallets: &[WalletId]) -> Vec<Earned> {
    in_turn(wallets, async |wallet| desk.deposit(*wallet, "100.00").await).await
}

#[test]
fn a_message_is_one_read_and_a_commit_unless_its_rebate_was_paid_before() {
    check(async |desk, _| {
        let wallets = in_turn(0..10, async |number| desk.world.open(&format!("w{number}"), "0", None).await).await;
        let alone = deposits(desk, &wallets[..1]).await;
        assert_eq!(sent(desk, &alone).await, calls(1, 1));
        assert_eq!(sent(desk, &alone).await, calls(1, 0), "paid before");
        let apart = deposits(desk, &wallets).await;
        assert_eq!(sent(desk, &apart).await, calls(10, 10));
        assert_eq!(sent(desk, &apart).await, calls(10, 0), "paid before");
        let together = deposits(desk, &[wallets[0]; 10]).await;
        assert_eq!(sent(desk, &together).await, calls(1, 1), "all of one wallet in one transaction");
        assert_eq!(sent(desk, &together).await, calls(1, 0), "paid before");
        assert_eq!(desk.world.balance(wallets[0]).await, "1212.00");
        // Some were paid before; one comes twice, and is worked on once.
        let new = deposits(desk, &wallets[..3]).await;
        let mixed = [&apart[..4], &new[..], &new[..1]].concat();
        assert_eq!(sent(desk, &mixed).await, calls(7, 3));
    });
}

/// Makes the first `conflicts` commits of the rebate of `of` lose to another request, and answers the list of all commits,
/// as they are sent: how long after now, and for which of `earned`.
fn losing(desk: &Desk, earned: &[Earned], of: usize, conflicts: usize) -> Arc<Mutex<Vec<(Duration, usize)>>> {
    let (commits, started) = (Arc::new(Mutex::new(vec![])), Instant::now());
    let (seen, rebates) =
        (Arc::clone(&commits), earned.iter().map(|earned| earned.rebate.to_string()).collect::<Vec<_>>());
    desk.world.network.set(Box::new(move |call| {
        let body = call.body.to_string();
        let which = rebates.iter().position(|rebate| call.is_commit() && body.contains(rebate));
        let Some(which) = which else { return Treatment::default() };
        let mut seen = seen.lock().expect("nobody panics with it");
        seen.push((started.elapsed(), which));
        let lost = which == of && seen.iter().filter(|(_, which)| *which == of).count() <= conflicts;
        if lost { Treatment::with(Fault::Conflict) } else { Treatment::default() }
    }));
    commits
}

#[test]
fn who_lost_his_races_is_tried_again_after_the_others_and_within_seconds() {
    check(async |desk, wallet| {
        let earned = deposits(desk, &[wallet; 3]).await;
        // Three commits of all of them are lost, and then each is paid by itself. A request gives up after ten commits: the
        // first is lost twice over.
        let commits = losing(desk, &earned, 0, 25);
        let started = Instant::now();
        desk.work_off(&desk.process("optimistic"), batch_of(&earned)).await;
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        let order: Vec<_> = commits.lock().expect("nobody panics with it").iter().map(|(_, which)| *which).collect();
        assert_eq!(order, [vec![0; 3 + 10], vec![1, 2], vec![0; 13]].concat());
        desk.world.network.set(fair());
        for earned in &earned {
            assert_eq!(desk.paid(earned).await.as_deref(), Some("1.00"));
        }
    });
}

#[test]
fn who_loses_for_as_long_as_there_is_time_is_reported_and_no_loop_runs_hot() {
    check(async |desk, wallet| {
        let earned = deposits(desk, &[wallet; 2]).await;
        let commits = losing(desk, &earned, 0, usize::MAX);
        let (started, time) = (Instant::now(), Duration::from_secs(20));
        let app = desk.process("optimistic");
        let report = work_until::<Rebate>(&app, batch_of(&earned), started + time).await;
        assert_eq!(failed(&report), ["0"]);
        assert!(!report.reasons["0"].starts_with("internal"), "the ledger ends in time: {:?}", report.reasons);
        let took = started.elapsed();
        assert!(took > time / 2 && took < time + Duration::from_millis(500), "{took:?}");
        let commits = commits.lock().expect("nobody panics with it").clone();
        assert_eq!(commits.iter().filter(|(_, which)| *which == 1).count(), 1, "the other is paid");
        // Ten commits a round; the rounds wait 0.1 s, 0.2 s, 0.4 s, 0.8 s and then 1 s at least.
        assert!((40..=250).contains(&commits.len()), "{}", commits.len());

        // What nobody had time for is not begun.
        desk.world.network.set(Box::new(|call| panic!("{} is sent", call.operation)));
        let report = work_until::<Rebate>(&app, batch_of(&earned), Instant::now()).await;
        assert_eq!(failed(&report), ["0", "1"]);
        assert!(report.reasons.values().all(|reason| reason.starts_with("throttled: ")), "{:?}", report.reasons);

        desk.world.network.set(fair());
        desk.work_off(&app, batch_of(&earned)).await;
    });
}
