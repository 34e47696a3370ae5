//! Trap: a rebate is paid whenever its message arrives.
//!
//! Queues deliver at least once: a worker that paid and died before it deleted the message pays again. Remembering
//! message ids doesn't help, since a producer's retry makes a new message. The payment itself has to be named after what
//! it is for, and that name has to be part of the same write.

use wallet_domain::{BasisPoints, Command, Deposit, PayRebate, RebateTerms};
use wallet_dynamodb::{Done, Strategy};

use super::{Raw, balance};
use crate::ledger::{Bench, order, posted, run};

#[tokio::test]
async fn a_message_that_is_delivered_twice() {
    let bench = Bench::start().await;

    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 100)]).await;
    let deliver = || raw.update("alice", "SET balance = balance + :rebate", None, &[("rebate", 5)]);
    deliver().await;
    deliver().await;
    assert_eq!(raw.get("alice", "balance").await, 110, "of 105: paid twice");

    for strategy in [Strategy::Optimistic, Strategy::Pessimistic] {
        let wallet = bench.open("alice", "0").await;
        let share = BasisPoints::new(500).expect("a share");
        let rule = RebateTerms::new("welcome".parse().expect("a rule's name"), share);
        let deposit = Deposit { order: order("bank", bench.key(), "100"), wallet, rules: [rule.clone()].into() };
        let deposit = Command::Deposit(deposit);
        posted(run(&bench.another(), &deposit, strategy).await.0);
        let rebate = Command::PayRebate(PayRebate { deposit: deposit.transaction(), wallet, rule: rule.id });
        // Delivered to two workers at once, and once more later.
        let (first, second) = (bench.another(), bench.another());
        let (first, second) = tokio::join!(run(&first, &rebate, strategy), run(&second, &rebate, strategy));
        let outcomes = [first.0.expect("on record"), second.0.expect("on record")];
        let paid = outcomes.iter().filter(|done| matches!(done, Done::Executed(_))).count();
        assert_eq!((paid, balance(&bench, wallet).await), (1, "105.00".to_owned()));
        let later = run(&bench.another(), &rebate, strategy).await.0.expect("on record");
        assert!(matches!(later, Done::Replayed(_)));
        assert_eq!(balance(&bench, wallet).await, "105.00");
    }
}
