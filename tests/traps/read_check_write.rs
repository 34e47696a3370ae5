//! Trap: read the balance, check it in the program, write the new one.
//!
//! Between the read and the write another request does the same on the same balance; both checks pass, both write, and
//! one write is lost although both were paid out. The check has to be part of the write: a condition on what was read.

use wallet_dynamodb::Strategy;

use super::{Raw, balance, refused};
use crate::ledger::{Bench, posted, run};

#[tokio::test]
async fn two_withdrawals_that_read_the_same_balance() {
    let bench = Bench::start().await;

    // The wrong way: 100 in the wallet, 160 paid out.
    let raw = Raw::of(&bench);
    raw.put("alice", &[("balance", 100)]).await;
    let (first, second) = (raw.get("alice", "balance").await, raw.get("alice", "balance").await);
    let mut paid_out = 0;
    for read in [first, second] {
        assert!(read >= 80);
        raw.update("alice", "SET balance = :left", None, &[("left", read - 80)]).await;
        paid_out += 80;
    }
    assert_eq!((raw.get("alice", "balance").await, paid_out), (20, 160));

    // This ledger: two processes that both hold a snapshot with 100 in it. The second commit finds another version.
    for strategy in [Strategy::Optimistic, Strategy::Pessimistic] {
        let wallet = bench.open("alice", "0").await;
        let (first, second) = (bench.another(), bench.another());
        posted(run(&second, &bench.deposit(wallet, "100"), strategy).await.0);
        posted(run(&first, &bench.withdraw(wallet, "80"), strategy).await.0);
        let (code, _) = refused(run(&second, &bench.withdraw(wallet, "80"), strategy).await.0);
        assert_eq!(code, "insufficient_funds");
        assert_eq!(balance(&bench, wallet).await, "20.00");
    }
}
