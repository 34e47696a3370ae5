//! What the tables share: short ways to write wallets, commands and refusals, and [`check`].
//!
//! A wallet is called like its owner. Money is in euros unless the text names another currency: `"5 JPY"`.

use wallet_domain::*;

use crate::sound::sound;

/// When the tables decide, unless they say otherwise.
pub(crate) const NOW: &str = "2026-03-01T12:00:30.250Z";

/// The version at which the tables find their wallets.
pub(crate) const VERSION: u64 = 7;

const NAMES: [&str; 5] = ["alice", "bob", "carol", "savings", "ghost"];

pub(crate) fn currency(code: &str) -> Currency {
    code.parse().expect("a currency of ISO 4217")
}

pub(crate) fn money(text: &str) -> Money {
    let (value, code) = text.split_once(' ').unwrap_or((text, "EUR"));
    Money::parse(value, currency(code)).expect("money as the tables write it")
}

pub(crate) fn amount(text: &str) -> Amount {
    Amount::new(money(text)).expect("an amount as the tables write it")
}

pub(crate) fn largest() -> Money {
    Money::largest(currency("EUR"))
}

/// All but the last `units` of the largest value, as text.
pub(crate) fn largest_less(units: i128) -> String {
    Money::from_minor(MAX_MINOR_UNITS - units, currency("EUR")).expect("within bounds").to_string()
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time as RFC 3339 writes it")
}

pub(crate) fn owner(name: &str) -> Owner {
    name.parse().expect("a short printable name")
}

/// `root` is the one administrator.
pub(crate) fn caller(name: &str) -> Caller {
    Caller { subject: owner(name), admin: name == "root" }
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    text.parse().expect("a short printable key")
}

pub(crate) fn id(name: &str) -> WalletId {
    WalletId::opened_by(&owner(name), &key(name))
}

fn name(id_: WalletId) -> &'static str {
    NAMES.into_iter().find(|name| id(name) == id_).expect("a wallet of the tables")
}

/// An active wallet without limits, floor zero, in the currency of `balance`.
pub(crate) fn wallet(name: &str, balance: &str) -> Wallet {
    let balance = money(balance);
    Wallet {
        id: id(name),
        owner: owner(name),
        balance,
        held: Money::zero(balance.currency()),
        version: VERSION,
        status: Status::Active,
        credits: Credits::Immediate,
        credits_changed_at: None,
        floor: Money::zero(balance.currency()),
        ceiling: None,
        limits: Limits::default(),
        counters: Counters::new(balance.currency()),
        rebated: Rebated::default(),
        head: Hasher::new("the entry before").field(name).finish(),
        metadata: Metadata::default(),
        created_at: time("2026-01-01T00:00:00Z"),
        updated_at: time("2026-02-01T00:00:00Z"),
    }
}

pub(crate) fn floored(name: &str, balance: &str, floor: &str) -> Wallet {
    Wallet { floor: money(floor), ..wallet(name, balance) }
}

pub(crate) fn capped(name: &str, balance: &str, ceiling: &str) -> Wallet {
    Wallet { ceiling: Some(money(ceiling)), ..wallet(name, balance) }
}

pub(crate) fn with_status(name: &str, balance: &str, status: Status) -> Wallet {
    Wallet { status, ..wallet(name, balance) }
}

pub(crate) fn limited(name: &str, balance: &str, limits: Limits) -> Wallet {
    Wallet { limits, ..wallet(name, balance) }
}

pub(crate) fn max_movement(limit: &str) -> Limits {
    Limits { max_movement: Some(amount(limit)), ..Limits::default() }
}

pub(crate) fn snapshots(wallets: &[Wallet]) -> Snapshots {
    let wallets = wallets.iter().map(|wallet| (wallet.id, wallet.clone())).collect();
    Snapshots { wallets, ..Snapshots::default() }
}

pub(crate) fn order(by: &str, moved: &str) -> Order {
    Order {
        caller: caller(by),
        key: key("key"),
        amount: amount(moved),
        reference: None,
        metadata: Metadata::default(),
        expected_version: None,
    }
}

pub(crate) fn deposit(by: &str, to: &str, moved: &str) -> Command {
    Command::Deposit(Deposit { order: order(by, moved), wallet: id(to), rules: [].into() })
}

/// A deposit of alice into her wallet where `rules` are in force.
pub(crate) fn earning(rules: impl IntoIterator<Item = RebateTerms>, moved: &str) -> Command {
    let rules = rules.into_iter().collect();
    Command::Deposit(Deposit { order: order("alice", moved), wallet: id("alice"), rules })
}

/// The payment of the rebate on a deposit of alice that the rule of spring was in force for.
pub(crate) fn rebate_of(deposit: TransactionId) -> PayRebate {
    PayRebate { deposit, wallet: id("alice"), rule: rule_id("spring") }
}

pub(crate) fn withdraw(by: &str, from: &str, moved: &str) -> Command {
    Command::Withdraw(Withdraw { order: order(by, moved), wallet: id(from) })
}

pub(crate) fn transfer(by: &str, from: &str, to: &str, moved: &str) -> Command {
    Command::Transfer(Transfer { order: order(by, moved), source: id(from), destination: id(to), fee: None })
}

/// A transfer that costs a flat `fee` in its currency.
pub(crate) fn transfer_at(fee: &str, by: &str, from: &str, to: &str, moved: &str) -> Command {
    let fee = Some(fee_schedule(0, &[fee], &[fee]));
    Command::Transfer(Transfer { order: order(by, moved), source: id(from), destination: id(to), fee })
}

/// A payout of `payments`, each an amount to a wallet, of which each costs a flat `fee` in its currency.
pub(crate) fn payout_at(fee: &str, by: &str, from: &str, payments: &[(&str, &str)]) -> Command {
    let payments =
        payments.iter().map(|(to, moved)| Payment { destination: id(to), amount: amount(moved), reference: None });
    let payments: Vec<_> = payments.collect();
    let amount = Payout::total(&payments).expect("payments within bounds");
    let Command::Transfer(Transfer { fee, .. }) = transfer_at(fee, by, from, from, "1") else { panic!("a transfer") };
    Command::Payout(Payout { order: Order { amount, ..order(by, "1") }, source: id(from), payments, fee })
}

pub(crate) fn payout(by: &str, from: &str, payments: &[(&str, &str)]) -> Command {
    payout_at("0", by, from, payments)
}

/// The refusal of a payout for that of one payment.
pub(crate) fn in_payment(payment: u32, amount: &str, refusal: Refusal) -> Refusal {
    Refusal::Payment { payment, amount: money(amount), refusal: Box::new(refusal) }
}

/// Opens a wallet in euros without limits for whoever asks, between zero and the largest value.
pub(crate) fn open(by: &str) -> Open {
    let caller = caller(by);
    Open {
        owner: caller.subject.clone(),
        caller,
        key: key("key"),
        currency: currency("EUR"),
        floor: money("0"),
        ceiling: None,
        limits: Limits::default(),
        credits: Credits::Immediate,
        metadata: Metadata::default(),
    }
}

/// Amends the wallet of alice.
pub(crate) fn amend(by: &str, version: u64, change: Change) -> Command {
    Command::Amend(Amend { caller: caller(by), wallet: id("alice"), expected: Expected::Version(version), change })
}

pub(crate) fn to(status: Status) -> Change {
    Change { status: Some(status), ..Change::default() }
}

/// A reversal by the administrator that respects floors and gives the fee back.
pub(crate) fn reversal(original: &Transaction) -> Reverse {
    Reverse {
        caller: caller("root"),
        key: key("undo"),
        original: Box::new(original.clone()),
        allow_overdraft: false,
        return_fee: true,
        reference: None,
        metadata: Metadata::default(),
    }
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().expect("a reference")
}

pub(crate) fn labels(labels: &[(&str, &str)]) -> Metadata {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Metadata::new(labels.collect()).expect("small")
}

pub(crate) fn rule_id(text: &str) -> RuleId {
    text.parse().expect("a rule's name")
}

/// A rebate of so many basis points on every deposit.
pub(crate) fn share(rule: &str, points: u32) -> RebateTerms {
    RebateTerms::new(rule_id(rule), basis_points(points))
}

pub(crate) fn basis_points(points: u32) -> BasisPoints {
    BasisPoints::new(points).expect("a share")
}

/// So many basis points, from a minimum to a maximum in each currency that has them.
pub(crate) fn fee_schedule(points: u32, minimum: &[&str], maximum: &[&str]) -> FeeSchedule {
    FeeSchedule::new(basis_points(points), bounds(minimum), bounds(maximum)).expect("minimum up to maximum")
}

/// At most one bound per currency.
pub(crate) fn bounds(texts: &[&str]) -> Bounds {
    Bounds::new(texts.iter().map(|text| money(text))).expect("one of each, not negative")
}

/// The order of a movement.
pub(crate) fn order_of(command: &mut Command) -> &mut Order {
    match command {
        Command::Deposit(Deposit { order, .. })
        | Command::Withdraw(Withdraw { order, .. })
        | Command::Transfer(Transfer { order, .. })
        | Command::Payout(Payout { order, .. }) => order,
        other => panic!("{other:?} has no order"),
    }
}

/// The command with its order changed.
pub(crate) fn with(mut command: Command, change: impl FnOnce(&mut Order)) -> Command {
    change(order_of(&mut command));
    command
}

/// The command with `If-Match`.
pub(crate) fn pinned(command: Command, version: u64) -> Command {
    with(command, |order| order.expected_version = Some(version))
}

pub(crate) fn not_found(name: &str) -> Refusal {
    Refusal::WalletNotFound { wallet: id(name) }
}

pub(crate) fn too_little(name: &str, available: &str, requested: &str) -> Refusal {
    let (available, requested) = (Some(money(available)), money(requested));
    Refusal::InsufficientFunds { wallet: id(name), available, requested }
}

pub(crate) fn too_full(name: &str, available: Option<&str>, requested: &str) -> Refusal {
    Refusal::MaxBalanceExceeded { wallet: id(name), available: available.map(money), requested: money(requested) }
}

pub(crate) fn limit_passed(limit: Limit, name: &str, available: Option<&str>, requested: &str) -> Refusal {
    Refusal::LimitExceeded { wallet: id(name), limit, available: available.map(money), requested: money(requested) }
}

pub(crate) fn frozen(name: &str) -> Refusal {
    Refusal::WalletFrozen { wallet: id(name) }
}

pub(crate) fn closed(name: &str) -> Refusal {
    Refusal::WalletClosed { wallet: id(name) }
}

pub(crate) fn wrong_version(name: &str, expected: u64) -> Refusal {
    Refusal::VersionMismatch { wallet: id(name), expected }
}

pub(crate) fn version_not_yours(name: &str) -> Refusal {
    Refusal::VersionNotYours { wallet: id(name) }
}

pub(crate) fn wrong_currency(name: &str, holds: &str, requested: &str) -> Refusal {
    Refusal::CurrencyMismatch { wallet: id(name), holds: currency(holds), requested: currency(requested) }
}

/// Decides twice, expects the same, and holds every plan to the invariants.
#[track_caller]
pub(crate) fn decided(snapshots: &Snapshots, command: &Command, now: Timestamp) -> Result<Plan, Refusal> {
    let outcome = decide(snapshots, command, now);
    assert_eq!(outcome, decide(snapshots, command, now), "the same input, the same decision");
    if let Ok(plan) = &outcome {
        sound(snapshots, command, plan, now);
    }
    outcome.map_err(|none| match none {
        NoPlan::Refused(refusal) => refusal,
        NoPlan::Unsettled(_) | NoPlan::Unreleased(_) | NoPlan::Unsound(_) => panic!("{none}"),
    })
}

/// The record of `command` refused, as the domain keeps it: sealed, and nothing moves besides.
#[track_caller]
pub(crate) fn attempted(
    snapshots: &Snapshots,
    command: &Command,
    refusal: &Refusal,
    now: Timestamp,
) -> Option<Transaction> {
    let plan = command.attempt(snapshots, refusal, now)?;
    assert_eq!((plan.postings(), plan.bars(), plan.marks()), (&[][..], &[][..], &[][..]));
    let failed = plan.transaction();
    assert_eq!(failed.computed_seal(), Some(failed.seal));
    Some(failed.clone())
}

/// A refusal kept on record, on behalf of the wallet of `whose` that refused.
pub(crate) fn failed(refusal: Refusal, whose: &str) -> Outcome {
    Outcome::Failed { refusal, owner: owner(whose) }
}

/// The legs of a plan: `external -5.00, alice 5.00 = 105.00 v8`.
pub(crate) fn legs(plan: &Plan) -> String {
    let shown = |leg: &Leg| match leg {
        Leg::System { account, amount } => format!("{account} {amount}"),
        Leg::Wallet { wallet, amount, balance_after, version_after, .. } => {
            format!("{} {amount} = {balance_after} v{version_after}", name(*wallet))
        }
        Leg::Credit { wallet, amount, .. } => format!("{} {amount} incoming", name(*wallet)),
    };
    plan.transaction().legs().iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// What becomes of `command` when it finds `wallets`: its legs, or why not.
#[track_caller]
pub(crate) fn check(wallets: &[Wallet], command: &Command, expected: Result<&str, Refusal>) {
    let outcome = decided(&snapshots(wallets), command, time(NOW));
    assert_eq!(outcome.map(|plan| legs(&plan)), expected.map(str::to_owned));
}
