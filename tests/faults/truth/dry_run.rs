//! What a dry run may be told: what was so, or what would have been so of the request itself.
//!
//! A request that is short of money settles what waits and releases what is overdue, and is decided anew on what it has
//! changed: it covers the debit, and raises the version. A dry run decides as if that was done. Nobody has done it, so the
//! table never was in the state that such a refusal rests on.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use wallet_domain::{
    Authorise, Change, Command, Credits, Expire, Fold, Hold, HoldStatus, Incoming, Money, NoPlan, Outcome, Payment,
    Payout, Refusal, SignedDuration, Snapshots, Timestamp, Transaction, WalletId, decide,
};
use wallet_dynamodb::{Done, ExecuteError, Strategy, Usage};

use super::{Commit, Moments, Window, same};
use crate::faults::World;
use crate::faults::table::Moment;
use crate::ledger::torn::{check, deposit, withdraw};
use crate::ledger::{order, posted, run};

impl Moments<'_> {
    /// Whether a dry run of `command` could be told `refusal` in `window`: it was true, or would have been of the request
    /// itself, which settles and releases what it is short of, and is decided anew then.
    pub(crate) fn would_have(&self, command: &Command, refusal: &Refusal, window: &Window) -> bool {
        let told = |moment, commit| {
            let own = self.transactions.get(&command.transaction());
            let nows = self.nows(&self.at(command, moment, commit), moment, commit, window);
            own.is_none_or(|own| commit.of(own) > moment)
                && nows.into_iter().any(|now| {
                    let told = self.refused_in_the_end(command, moment, commit, now);
                    told.is_some_and(|told| same(&told, refusal))
                })
        };
        self.have(command, refusal, std::slice::from_ref(window))
            || self.moments(window).any(|moment| told(moment, Commit::Decided) || told(moment, Commit::Applied))
    }

    /// Why `command` would have been refused then, after all that it settles and releases; `None` where it would not have been.
    fn refused_in_the_end(&self, command: &Command, moment: Moment, commit: Commit, now: Timestamp) -> Option<Refusal> {
        let mut snapshots = self.with_overdue(&self.at(command, moment, commit), moment, commit, now);
        loop {
            let after = match decide(&snapshots, command, now) {
                Err(NoPlan::Refused(refusal)) => return Some(refusal),
                Err(NoPlan::Unsettled(wallet)) => {
                    let fold = Fold::of(&snapshots.wallets[&wallet], &self.waiting(wallet, moment, commit), now)?;
                    snapshots.incoming.insert(wallet, Incoming::none(&fold.posting().after));
                    fold.posting().after.clone()
                }
                Err(NoPlan::Unreleased(wallet)) => {
                    let active = self.holds_of(wallet, moment, commit).filter(|hold| hold.status == HoldStatus::Active);
                    let holds: BTreeMap<_, _> = active.map(|hold| (hold.id, hold.clone())).collect();
                    let (version, keys) = (snapshots.wallets[&wallet].version, holds.values().map(Hold::key).collect());
                    let expire = Command::Expire(Expire { wallet, version, holds: keys });
                    let plan = decide(&Snapshots { holds, ..snapshots.clone() }, &expire, now).ok()?;
                    snapshots.holds.extend(plan.holds().iter().map(|change| (change.after.id, change.after.clone())));
                    snapshots.overdue.insert(wallet, Money::zero(plan.transaction().amount.currency()));
                    plan.postings()[0].after.clone()
                }
                _ => return None,
            };
            snapshots.wallets.insert(after.id, after);
        }
    }
}

/// A dry run of `command` is refused as the request itself is right after, and that is true of the dry run alone until then.
async fn refused_for_what_it_settles(world: &World, command: &Command, code: &str) {
    // What was before is before the window.
    sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    let told = world.plain().dry_run(command, &mut Usage::default()).await;
    let Err(ExecuteError::Refused(told)) = told else { panic!("{told:?}") };
    let window = Window { begun, ended: Instant::now(), skew_seconds: 0 };
    assert_eq!(told.code(), code);
    let moments = Moments::of(world).await;
    assert!(!moments.have(command, &told, &[window]), "the table was never in that state");
    assert!(moments.would_have(command, &told, &window), "{told:?}");

    let real = match run(&world.plain(), command, Strategy::Optimistic).await.0 {
        Ok(Done::Executed(Transaction { outcome: Outcome::Failed { refusal, .. }, .. })) => refusal,
        Err(ExecuteError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(told, real);
    let untrue = Refusal::WalletFrozen { wallet: command.wallet() };
    assert!(!moments.would_have(command, &untrue, &window));
}

fn payout(source: WalletId, destination: WalletId, amount: &str) -> Command {
    let order = order("a", "pay".parse().expect("a key"), amount);
    let payments = [Payment { destination, amount: order.amount, reference: None }];
    Command::Payout(Payout { order, source, payments: payments.into(), fee: None })
}

#[test]
fn what_comes_of_settling_alone_is_told_to_a_dry_run_and_to_the_request() {
    for is_pinned in [false, true] {
        check(async |world, wallet| {
            let full = world.open("b", "0", Some("0")).await;
            let change = Change { credits: Some(Credits::Batched), ..Change::default() };
            world.amend(wallet, 1, change).await;
            posted(run(&world.plain(), &deposit(world, wallet, "5", None), Strategy::Optimistic).await.0);
            let (command, code) = match is_pinned {
                false => (payout(wallet, full, "105"), "max_balance_exceeded"),
                true => (withdraw("all", wallet, "105", Some(2)), "version_mismatch"),
            };
            refused_for_what_it_settles(world, &command, code).await;
        });
    }
}

#[test]
fn what_comes_of_a_release_alone_is_told_to_a_dry_run_and_to_the_request() {
    check(async |world, wallet| {
        let full = world.open("b", "0", Some("0")).await;
        let order = order("a", "keep".parse().expect("a key"), "60");
        let expires_in = SignedDuration::from_secs(1);
        let hold = Command::Authorise(Authorise { order, source: wallet, destination: None, expires_in, fee: None });
        posted(run(&world.plain(), &hold, Strategy::Optimistic).await.0);
        sleep(Duration::from_secs(2)).await;
        refused_for_what_it_settles(world, &payout(wallet, full, "50"), "max_balance_exceeded").await;
    });
}
