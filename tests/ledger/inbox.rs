//! Batched credits: they meet on no item, are settled once whoever settles and however often, and are spent by the next
//! request; what each costs.

mod edges;
mod storm;
mod terms;
mod torn;

use wallet_domain::{Change, Command, Credits, Expected, Leg, Refusal, Status, WalletId};
use wallet_dynamodb::{DryRun, ExecuteError, Settled, Strategy, Usage};

use crate::ledger::{BOTH, Bench, all_at_once, amendment, posted, refusal, run};

impl Bench {
    /// With a wallet of alice's whose credits are batched.
    pub(super) async fn with_shop() -> (Bench, WalletId) {
        let bench = Bench::start().await;
        let shop = bench.shop().await;
        (bench, shop)
    }

    /// A wallet whose credits are batched.
    pub(crate) async fn shop(&self) -> WalletId {
        let shop = self.open("alice", "0").await;
        self.amend(shop, mode(Credits::Batched)).await;
        shop
    }

    /// So many deposits of `amount`.
    pub(super) async fn pay_in(&self, wallet: WalletId, times: usize, amount: &str) {
        for _ in 0..times {
            self.post(&self.deposit(wallet, amount)).await;
        }
    }

    pub(crate) async fn settle(&self, wallet: WalletId) -> (Settled, Usage) {
        let mut usage = Usage::default();
        let settled = self.another().settle(wallet, &mut usage).await.expect("nobody else is there");
        (settled, usage)
    }

    /// What waits for a wallet: minor units and items, and it is all where one moment can show that.
    pub(crate) async fn incoming(&self, wallet: WalletId) -> (i128, usize) {
        let wallet = self.wallet(wallet).await;
        let (_, incoming, all) =
            self.another().incoming(&wallet, &mut Usage::default()).await.expect("the table answers");
        assert_eq!(all, incoming.count < 100);
        (incoming.amount.minor_units(), incoming.count)
    }
}

pub(crate) fn mode(credits: Credits) -> Change {
    Change { credits: Some(credits), ..Change::default() }
}

fn any(key: &str, wallet: WalletId, change: Change) -> Command {
    amendment(wallet, Expected::Any(key.parse().expect("a printable key")), change)
}

fn status(status: Status) -> Change {
    Change { status: Some(status), ..Change::default() }
}

fn ceiling() -> Change {
    Change { ceiling: Some(Some("100".to_owned())), ..Change::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_wait_until_they_are_settled_and_are_rows_then() {
    let (bench, shop) = Bench::with_shop().await;
    let version = bench.wallet(shop).await.version;
    bench.pay_in(shop, 100, "1.25").await;
    assert_eq!((bench.wallet(shop).await.version, bench.incoming(shop).await), (version, (12_500, 100)));

    let (Settled { folded, left, .. }, usage) = bench.settle(shop).await;
    assert_eq!((folded, left), (100, 0));
    // A page and its fold, twice, and the wallet once.
    assert_eq!(usage.calls, 5);
    assert_eq!((bench.wallet(shop).await.version, bench.incoming(shop).await), (version + 100, (0, 0)));
    assert_eq!(bench.recomputed(&[shop]).await, 12_500);
    assert_eq!(bench.settle(shop).await.0, Settled::default(), "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_spent_by_the_next_request() {
    let (bench, shop) = Bench::with_shop().await;
    bench.pay_in(shop, 250, "1").await;
    for strategy in BOTH {
        posted(run(&bench.another(), &bench.withdraw(shop, "100"), strategy).await.0);
    }
    let (done, usage) = run(&bench.another(), &bench.withdraw(shop, "50.01"), Strategy::Optimistic).await;
    assert_eq!(refusal(&done.expect("an outcome")), Some("insufficient_funds"));
    assert!(usage.calls <= 5, "read, look, read again, record: {usage:?}");
    bench.post(&bench.withdraw(shop, "50")).await;
    bench.settle(shop).await;
    assert_eq!(bench.recomputed(&[shop]).await, 0);
}

/// What waits counts as it would for the request itself, and stays where it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_takes_what_waits_for_settled_and_settles_nothing() {
    let (bench, shop) = Bench::with_shop().await;
    bench.pay_in(shop, 150, "1").await;
    let (version, waits) = (bench.wallet(shop).await.version, bench.incoming(shop).await);
    let tried = async |amount: &str| {
        let mut usage = Usage::default();
        let told = bench.another().dry_run(&bench.withdraw(shop, amount), &mut usage).await;
        assert_eq!(usage.write_half_units(), 0);
        (told, usage.calls)
    };
    for (amount, folds) in [("98", 1), ("99", 2), ("150", 2)] {
        let (told, calls) = tried(amount).await;
        let Ok(DryRun::Decided(transaction)) = told else { panic!("{told:?}") };
        assert_eq!(calls, 4, "all at one moment, the inbox, and all with its credits, 98 at a time");
        let settled = [98, 150][folds - 1];
        let Leg::Wallet { version_after, balance_after, .. } = &transaction.legs()[0] else {
            panic!("{transaction:?}")
        };
        let left = settled - amount.parse::<i128>().expect("a number");
        let expected = (version + u64::try_from(settled).expect("small") + 1, left * 100);
        assert_eq!((*version_after, balance_after.minor_units()), expected);
    }
    let (told, calls) = tried("150.01").await;
    assert!(matches!(told, Err(ExecuteError::Refused(Refusal::InsufficientFunds { .. }))), "{told:?}");
    assert_eq!(calls, 4);
    assert_eq!((bench.wallet(shop).await.version, bench.incoming(shop).await), (version, waits));

    // And it is what the request itself comes to.
    let command = bench.withdraw(shop, "99");
    let told = bench.another().dry_run(&command, &mut Usage::default()).await;
    let Ok(DryRun::Decided(told)) = told else { panic!("{told:?}") };
    let real = bench.post(&command).await;
    assert_eq!((told.id, told.legs()), (real.id, real.legs()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_credit_costs_what_a_cold_one_costs() {
    let bench = Bench::start().await;
    let (alice, shop) = (bench.open("alice", "1000").await, bench.shop().await);
    let mut written = 0;
    for _ in 0..98 {
        let (done, usage) = run(&bench.another(), &bench.transfer(alice, shop, "1"), Strategy::Optimistic).await;
        posted(done);
        written += usage.write_half_units();
    }
    let (settled, usage) = bench.settle(shop).await;
    assert_eq!(settled.folded, 98);
    written += usage.write_half_units();
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let units = written as f64 / 2.0 / 98.0;
    assert!(units <= 10.5, "{units} write units for each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ceiling_and_closing_wait_until_no_credit_can_be_on_its_way() {
    let (bench, shop) = Bench::with_shop().await;
    let refused =
        async |change: Change| match run(&bench.another(), &any("k", shop, change), Strategy::Optimistic).await.0 {
            Err(ExecuteError::Refused(refusal)) => refusal.code().to_owned(),
            other => panic!("{other:?}"),
        };
    assert_eq!(refused(ceiling()).await, "ceiling_with_batched_credits");
    assert_eq!(refused(status(Status::Closed)).await, "credits_in_flight");
    bench.amend(shop, mode(Credits::Immediate)).await;
    assert_eq!(refused(ceiling()).await, "credits_in_flight");
    assert_eq!(refused(status(Status::Closed)).await, "credits_in_flight");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_meet_nobody() {
    let (bench, shop) = Bench::with_shop().await;
    let commands = (0..100).map(|_| (bench.deposit(shop, "1"), Strategy::Optimistic));
    all_at_once(&bench, None, commands).await.into_iter().for_each(|done| drop(posted(done)));
    bench.settle(shop).await;
    assert_eq!(bench.recomputed(&[shop]).await, 10_000);
}
