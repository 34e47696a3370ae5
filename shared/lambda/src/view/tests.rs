//! What each caller sees of the same transactions, made by the domain itself.

use serde_json::{Value, json};
use wallet_domain::{
    Amend, Amount, Caller, Change, Command, Credits, Deposit, Expected, Limits, Metadata, Money, NoPlan, Open, Order,
    Plan, RebateTerms, Refusal, Snapshots, Status, Timestamp, Transaction, Transfer, Wallet, WalletId, decide,
};

use super::*;

fn caller(subject: &str, admin: bool) -> Caller {
    Caller { subject: subject.parse().expect("an owner"), admin }
}

fn eur(text: &str) -> Money {
    Money::parse(text, "EUR".parse().expect("a currency")).expect("an amount")
}

fn order(subject: &str, amount: &str) -> Order {
    Order {
        caller: caller(subject, false),
        key: "key-2".parse().expect("a key"),
        amount: Amount::new(eur(amount)).expect("above zero"),
        reference: Some("order 1".parse().expect("a reference")),
        metadata: Metadata::default(),
        expected_version: None,
    }
}

fn run(wallets: &[&Wallet], command: &Command) -> Result<Plan, NoPlan> {
    let wallets = wallets.iter().map(|wallet| (wallet.id, (*wallet).clone())).collect();
    let now = Timestamp::from_millisecond(1_795_230_420_050).expect("in range");
    decide(&Snapshots { wallets, ..Snapshots::default() }, command, now)
}

/// A wallet with 100 EUR, and the deposit that brought them.
fn funded(owner: &str) -> (Wallet, Transaction) {
    let open = Open {
        caller: caller(owner, false),
        key: "key-1".parse().expect("a key"),
        owner: owner.parse().expect("an owner"),
        currency: eur("0").currency(),
        floor: eur("0"),
        ceiling: Some(eur("150")),
        limits: Limits::default(),
        credits: Credits::Immediate,
        metadata: Metadata::default(),
    };
    let opened = run(&[], &Command::Open(open)).expect("opened").postings()[0].after.clone();
    let share = wallet_domain::BasisPoints::new(100).expect("a share");
    let rule = RebateTerms::new("standard".parse().expect("a rule"), share);
    let deposit = Deposit { order: order(owner, "100"), wallet: opened.id, rules: [rule].into() };
    let plan = run(&[&opened], &Command::Deposit(deposit)).expect("credited");
    (plan.postings()[0].after.clone(), plan.transaction().clone())
}

fn transfer(source: WalletId, destination: WalletId, amount: &str) -> Command {
    Command::Transfer(Transfer { order: order("alice", amount), source, destination, fee: None })
}

fn seen(transaction: &Transaction, subject: &str, admin: bool) -> Value {
    serde_json::to_value(TransactionView::new(transaction, &caller(subject, admin))).expect("JSON")
}

#[test]
fn a_leg_shows_its_balance_to_its_owner_and_to_admins() {
    let ((alice, _), (bob, _)) = (funded("alice"), funded("bob"));
    let plan = run(&[&alice, &bob], &transfer(alice.id, bob.id, "25")).expect("moved");
    let legs = |subject, admin| seen(plan.transaction(), subject, admin)["legs"].clone();
    let known = |id: WalletId, amount: &str, balance: &str| json!({"wallet_id": id.to_string(), "amount": amount, "balance_after": balance, "version_after": 2});
    let unknown = |id: WalletId, amount: &str| json!({"wallet_id": id.to_string(), "amount": amount});
    let (from_alice, to_bob) = (known(alice.id, "-25.00", "75.00"), known(bob.id, "25.00", "125.00"));
    assert_eq!(legs("alice", false), json!([from_alice, unknown(bob.id, "25.00")]));
    assert_eq!(legs("bob", false), json!([unknown(alice.id, "-25.00"), to_bob]));
    assert_eq!(legs("root", true), json!([from_alice, to_bob]));
}

#[test]
fn a_deposit_says_where_its_rebate_will_be() {
    let (alice, deposit) = funded("alice");
    let view = seen(&deposit, "alice", false);
    assert_eq!(
        view,
        json!({
            "id": deposit.id.to_string(), "type": "deposit", "status": "posted", "amount": "100.00", "currency": "EUR",
            "fee": "0.00",
            "legs": [
                {"account": "external", "amount": "-100.00"},
                {"wallet_id": alice.id.to_string(), "amount": "100.00", "balance_after": "100.00", "version_after": 1},
            ],
            "rebate": {"rule_id": "standard", "transaction_id": view["rebate"]["transaction_id"]},
            "reference": "order 1", "metadata": {}, "parent_id": null, "created_at": "2026-11-21T03:07:00.050Z",
        })
    );
}

#[test]
fn a_refused_attempt_tells_its_labels_to_who_asked_and_its_figures_to_him_and_to_whose_wallet_refused() {
    let ((alice, _), (bob, _)) = (funded("alice"), funded("bob"));
    let command = transfer(alice.id, bob.id, "75");
    let available = Some(eur("50"));
    let refusal = Refusal::MaxBalanceExceeded { wallet: bob.id, available, requested: eur("75") };
    let snapshots = Snapshots { wallets: [(bob.id, bob)].into(), ..Snapshots::default() };
    let attempt = command.attempt(&snapshots, &refusal, Timestamp::UNIX_EPOCH).expect("recorded");
    let failed = attempt.transaction();
    for (subject, admin, sees, labels) in [
        ("alice", false, true, true),
        ("bob", false, true, false),
        ("root", true, true, true),
        ("eve", false, false, false),
    ] {
        assert_eq!(may_see(&caller(subject, admin), failed), sees, "{subject}");
        let view = seen(failed, subject, admin);
        assert_eq!((&view["status"], &view["legs"]), (&json!("failed"), &json!([])));
        let reference = if labels { json!("order 1") } else { json!(null) };
        let figure = if sees { json!("50.00") } else { json!(null) };
        assert_eq!((&view["reference"], &view["reason"]["available"]), (&reference, &figure), "{subject}");
        assert_eq!(view["reason"]["code"], json!("max_balance_exceeded"));
    }
}

#[test]
fn an_amendment_is_seen_by_the_owner_and_told_in_the_statement() {
    let (alice, _) = funded("alice");
    let change = Change { status: Some(Status::Frozen), ceiling: Some(None), ..Change::default() };
    let amend = Amend { caller: caller("root", true), wallet: alice.id, expected: Expected::Version(1), change };
    let plan = run(&[&alice], &Command::Amend(amend)).expect("amended");
    for (subject, admin, sees) in
        [("alice", false, true), ("root", false, true), ("eve", true, true), ("eve", false, false)]
    {
        assert_eq!(may_see(&caller(subject, admin), plan.transaction()), sees, "{subject}");
    }

    let entry = serde_json::to_value(EntryView::from(&plan.postings()[0].rows[0])).expect("JSON");
    assert_eq!((&entry["changes"], &entry["by"]), (&json!({"status": "frozen", "ceiling": "none"}), &json!("root")));
    assert_eq!((&entry["amount"], &entry["counterparty"]), (&json!("0.00"), &json!(null)));
    let wallet = serde_json::to_value(WalletView::from(&plan.postings()[0].after)).expect("JSON");
    assert_eq!(
        (&wallet["status"], &wallet["ceiling"], &wallet["version"]),
        (&json!("frozen"), &json!(null), &json!(2))
    );
}
