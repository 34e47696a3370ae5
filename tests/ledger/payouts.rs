//! Payouts on a table: what one of 48 costs beside 48 transfers, that it is all or nothing among others on its wallets, and
//! that it is undone whole.

use wallet_domain::{Command, MAX_PAYMENTS, Order, Payment, Payout, Terms, WalletId};
use wallet_dynamodb::{Done, Strategy, Usage};

use super::inbox::mode;
use super::{BOTH, Bench, all_at_once, in_turn, order, posted, refusal, run};

/// As long as the subject of a token is, as a rule.
const PAYER: &str = "6d1b1c0e-9a58-4a3e-8b57-2f0c5e7d9a41";

impl Bench {
    /// One for each, each under a reference of its own.
    fn payout(&self, payer: &str, source: WalletId, payees: &[WalletId], each: &str) -> Command {
        let order = order(payer, self.key(), each);
        let payment = |(number, destination): (usize, &WalletId)| Payment {
            destination: *destination,
            amount: order.amount,
            reference: Some(format!("invoice-2026-{number:03}").parse().expect("printable")),
        };
        let payments: Vec<_> = payees.iter().enumerate().map(payment).collect();
        let order = Order { amount: Payout::total(&payments).expect("an amount"), ..order };
        Command::Payout(Payout { order, source, payments, fee: None })
    }

    async fn payees(&self, count: usize) -> Vec<WalletId> {
        in_turn(0..count, async |number| self.open(&format!("payee-{number:02}-4a3e-8b57-2f0c5e7d9a41abcd"), "0").await)
            .await
    }
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn units_a_payment(usage: Usage) -> f64 {
    usage.write_half_units() as f64 / 2.0 / MAX_PAYMENTS as f64
}

#[tokio::test]
async fn forty_eight_payments_cost_less_than_half_of_forty_eight_transfers() {
    let bench = Bench::start().await;
    let (payer, payees) = (bench.open(PAYER, "1000").await, bench.payees(MAX_PAYMENTS).await);
    let (mut calls, mut half_units) = (0, 0);
    for payee in &payees {
        let Command::Transfer(transfer) = bench.transfer(payer, *payee, "1") else { panic!("a transfer") };
        let order = order(PAYER, bench.key(), "1");
        let transfer = Command::Transfer(wallet_domain::Transfer { order, ..transfer });
        let (done, usage) = run(&bench.another(), &transfer, Strategy::Optimistic).await;
        posted(done);
        (calls, half_units) = (calls + usage.calls, half_units + usage.write_half_units());
    }
    assert_eq!((calls, half_units), (2 * 48, 2 * 10 * 48));

    let pay = || bench.payout(PAYER, payer, &payees, "1");
    let (done, usage) = run(&bench.another(), &pay(), Strategy::Optimistic).await;
    posted(done);
    println!("optimistic: {} calls, {:.2} write units a payment", usage.calls, units_a_payment(usage));
    assert_eq!(usage.calls, 2);
    assert!(units_a_payment(usage) <= 4.5, "{usage:?}");
    // The leases of 49 wallets are two units each.
    let (done, pessimistic) = run(&bench.another(), &pay(), Strategy::Pessimistic).await;
    posted(done);
    println!("pessimistic: {} calls, {:.2} write units a payment", pessimistic.calls, units_a_payment(pessimistic));
    assert_eq!(pessimistic.calls, 3);
    assert_eq!(pessimistic.write_half_units(), usage.write_half_units() + 2 * 2 * 49);

    // To wallets whose credits are batched it is one item each, and no lease.
    for payee in &payees {
        bench.amend(*payee, mode(wallet_domain::Credits::Batched)).await;
    }
    let (done, batched) = run(&bench.another(), &pay(), Strategy::Pessimistic).await;
    posted(done);
    println!("batched: {} calls, {:.2} write units a payment", batched.calls, units_a_payment(batched));
    assert_eq!(batched.calls, 3);
    assert!(units_a_payment(batched) <= 2.6, "{batched:?}");
    assert_eq!(bench.incoming(payees[0]).await, (100, 1));
}

#[tokio::test]
async fn a_refused_payout_moves_nothing_and_is_refused_again() {
    let bench = Bench::start().await;
    let (payer, payees) = (bench.open("alice", "10").await, bench.payees(3).await);
    let capped = wallet_domain::Change { ceiling: Some(Some("1".to_owned())), ..Default::default() };
    bench.amend(payees[1], capped).await;
    for strategy in BOTH {
        let pay = bench.payout("alice", payer, &payees, "2");
        let (done, usage) = run(&bench.another(), &pay, strategy).await;
        assert_eq!(refusal(&done.expect("on record")), Some("max_balance_exceeded"));
        assert!(usage.calls <= 3, "{usage:?}");
        let again = run(&bench.another(), &pay, strategy).await.0.expect("on record");
        assert!(matches!(&again, Done::Replayed(_)) && refusal(&again) == Some("max_balance_exceeded"));
    }
    assert_eq!(bench.recomputed(&[payer]).await, 1_000);
    assert_eq!(bench.recomputed(&payees).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn payouts_that_cross_each_other_and_transfers_are_all_or_nothing() {
    let bench = Bench::start().await;
    let wallets = in_turn(0..6, async |_| bench.open("alice", "100").await).await;
    let commands = (0..12).map(|number| {
        // Each pays all others, and they meet on every wallet.
        let (from, strategy) = (number % wallets.len(), BOTH[number % 2]);
        let payees: Vec<_> = wallets.iter().copied().filter(|wallet| *wallet != wallets[from]).collect();
        match number % 3 {
            0 => (bench.transfer(wallets[from], payees[0], "1"), strategy),
            _ => (bench.payout("alice", wallets[from], &payees, "1"), strategy),
        }
    });
    for done in all_at_once(&bench, None, commands.collect::<Vec<_>>()).await {
        posted(done);
    }
    assert_eq!(bench.recomputed(&wallets).await, 60_000);
}

#[tokio::test]
async fn a_payout_may_wait_and_is_then_what_was_asked() {
    let bench = Bench::start().await;
    let (payer, payees) = (bench.open("alice", "100").await, bench.payees(3).await);
    let ledger = bench.another();
    let missing = [payees[0], format!("wal_{:032}", 7).parse().expect("an id")];
    for (payees, code) in [(&payees[..], None), (&missing[..], Some("wallet_not_found"))] {
        let pay = bench.payout("alice", payer, payees, "2");
        let request = pay.request(ledger.now()).expect("admissible").expect("it can wait");
        ledger.accept(&request, None, &mut Usage::default()).await.expect("accepted");
        let terms = Terms { rules: [].into(), fee: None };
        let done = bench.another().resume(request.id, &terms, Strategy::Pessimistic, &mut Usage::default()).await;
        assert_eq!(refusal(&done.expect("executed").expect("it waited")), code);
    }
    assert_eq!((bench.recomputed(&[payer]).await, bench.recomputed(&payees).await), (9_400, 600));
}

#[tokio::test]
async fn a_payout_of_forty_eight_is_undone_whole() {
    let bench = Bench::start().await;
    let (payer, payees) = (bench.open("alice", "48").await, bench.payees(MAX_PAYMENTS).await);
    let paid = bench.post(&bench.payout("alice", payer, &payees, "1")).await;
    assert_eq!((bench.recomputed(&[payer]).await, bench.recomputed(&payees).await), (0, 4_800));
    for strategy in BOTH {
        let (done, _) = run(&bench.another(), &bench.reversal(&paid), strategy).await;
        match strategy {
            Strategy::Optimistic => drop(posted(done)),
            Strategy::Pessimistic => assert!(done.is_err(), "once: {done:?}"),
        }
    }
    assert_eq!((bench.recomputed(&[payer]).await, bench.recomputed(&payees).await), (4_800, 0));
}
