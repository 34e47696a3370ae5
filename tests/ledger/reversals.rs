//! Reversals against the embedded DynamoDB: once among many callers, and one winner against the rebate.

use tokio::task::JoinSet;
use wallet_domain::{Command, Deposit, Outcome, Refusal, Transaction, WalletId};
use wallet_dynamodb::{Done, ExecuteError, Ledger, Strategy};

use super::torn::{rebate, rule};
use super::{BOTH, Bench, all_at_once, order, posted, run, until_done};

impl Bench {
    pub(crate) fn reversal(&self, original: &Transaction) -> Command {
        super::reversal(self.key(), original)
    }

    /// A deposit that earns a rebate of one hundredth.
    async fn deposited(&self, wallet: WalletId, amount: &str) -> Transaction {
        let deposit = Deposit { order: order("bank", self.key(), amount), wallet, rules: [rule()].into() };
        self.post(&Command::Deposit(deposit)).await
    }
}

/// Runs `command` until it has an end, as its caller would with the same key.
async fn ended(ledger: &Ledger, command: &Command, strategy: Strategy) -> Result<Done, Refusal> {
    match until_done(ledger, command, strategy).await.0 {
        Err(ExecuteError::Refused(refusal)) => Err(refusal),
        done => Ok(done.expect("an end")),
    }
}

#[tokio::test]
async fn a_reversal_is_two_calls_and_a_second_one_is_refused() {
    let (bench, a, b) = Bench::with_two("100").await;
    let (done, _) = run(&bench.another(), &bench.transfer(a, b, "40"), Strategy::Optimistic).await;
    let original = posted(done);
    let reverse = bench.reversal(&original);
    let (done, usage) = run(&bench.another(), &reverse, Strategy::Optimistic).await;
    let reversal = posted(done);
    // Ten for the transfer back, two for the mark that keeps it to once.
    assert_eq!((usage.calls, usage.write_half_units()), (2, 24));
    let again = run(&bench.another(), &reverse, Strategy::Optimistic).await.0;
    assert_eq!(again.expect("on record"), Done::Replayed(reversal));
    let second = ended(&bench.another(), &bench.reversal(&original), Strategy::Pessimistic).await;
    assert_eq!(second, Err(Refusal::AlreadyReversed { transaction: original.id }));
    assert_eq!(bench.wallet(a).await.balance.to_string(), "100.00");
    assert_eq!(bench.wallet(b).await.balance.to_string(), "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_reversals_of_one_deposit_undo_it_once() {
    let (bench, a) = Bench::with_one("0").await;
    let original = bench.deposited(a, "100").await;
    let ends = all_at_once(&bench, None, (0..16).map(|number| (bench.reversal(&original), BOTH[number % 2]))).await;
    let late = Refusal::AlreadyReversed { transaction: original.id };
    let (refused, mut made): (Vec<_>, Vec<_>) =
        ends.into_iter().partition(|end| matches!(end, Err(ExecuteError::Refused(refusal)) if *refusal == late));
    assert_eq!((refused.len(), made.len()), (15, 1), "{made:?}");
    posted(made.remove(0));
    assert_eq!(bench.wallet(a).await.balance.to_string(), "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn rebate_and_reversal_race_a_hundred_times_and_one_wins() {
    let (bench, a) = Bench::with_one("50").await;
    let ledgers: Vec<Ledger> = (0..16).map(|_| bench.another()).collect();
    let (mut paid, mut barred) = (0, 0);
    for _ in 0..100 {
        let original = bench.deposited(a, "100").await;
        let (pay, reverse) = (rebate(&original), bench.reversal(&original));
        let mut callers = JoinSet::new();
        for (number, ledger) in ledgers.iter().cloned().enumerate() {
            // Eight deliveries of one message against eight repeats of one request.
            let command = if number < 8 { pay.clone() } else { reverse.clone() };
            callers.spawn(async move { ended(&ledger, &command, BOTH[number % 2]).await });
        }
        for end in callers.join_all().await {
            assert!(end.is_ok(), "both have an end on record: {end:?}");
        }
        let wallet = bench.wallet(a).await;
        assert_eq!(wallet.balance.to_string(), "50.00", "no trace of the deposit is left, nor of its rebate");
        let (done, _) = run(&bench.another(), &pay, Strategy::Optimistic).await;
        let Ok(Done::Replayed(rebate)) = done else { panic!("{done:?}") };
        match rebate.outcome {
            Outcome::Posted { .. } => paid += 1,
            Outcome::Failed { refusal, .. } => {
                assert_eq!(refusal, Refusal::DepositReversed { wallet: a });
                barred += 1;
            }
        }
    }
    assert_eq!(paid + barred, 100);
}
