//! Which refusal comes first when several apply: existence and ownership, pinned version, currency, status, limits,
//! funds, room.

use wallet_domain::*;

use crate::world::*;

/// Everything is wrong at first; each step expects a refusal and then mends its cause.
struct Case {
    wallets: Snapshots,
    command: Command,
}

impl Case {
    #[track_caller]
    fn refuses(&mut self, code: &str, mend: impl FnOnce(&mut Case)) {
        let refusal = decided(&self.wallets, &self.command, time(NOW)).expect_err("something is still wrong");
        assert_eq!(refusal.code(), code, "{refusal:?}");
        mend(self);
    }

    #[track_caller]
    fn posts(self) {
        decided(&self.wallets, &self.command, time(NOW)).expect("all is mended");
    }

    fn add(&mut self, wallet: Wallet) {
        self.wallets.wallets.insert(wallet.id, wallet);
    }

    fn wallet(&mut self, name: &str) -> &mut Wallet {
        self.wallets.wallets.get_mut(&id(name)).expect("the wallet was added")
    }

    fn order(&mut self) -> &mut Order {
        order_of(&mut self.command)
    }
}

fn hopeless(name: &str) -> Wallet {
    let limits =
        Limits { max_movement: Some(amount("1")), max_daily_outflow: Some(amount("2")), transfers_per_minute: Some(0) };
    Wallet { ceiling: Some(money("3")), limits, ..with_status(name, "3", Status::Closed) }
}

#[test]
fn of_a_deposit() {
    let command = pinned(deposit("alice", "alice", "50 JPY"), 1);
    let mut case = Case { wallets: snapshots(&[]), command };
    case.refuses("wallet_not_found", |case| case.add(hopeless("alice")));
    case.refuses("version_mismatch", |case| case.order().expected_version = Some(VERSION));
    case.refuses("currency_mismatch", |case| case.order().amount = amount("50"));
    case.refuses("wallet_closed", |case| case.wallet("alice").status = Status::Frozen);
    case.refuses("limit_exceeded", |case| case.wallet("alice").limits.max_movement = None);
    case.refuses("max_balance_exceeded", |case| case.wallet("alice").ceiling = None);
    case.posts();
}

#[test]
fn of_a_withdrawal() {
    let command = pinned(withdraw("alice", "alice", "50 JPY"), 1);
    let mut case = Case { wallets: snapshots(&[]), command };
    case.refuses("wallet_not_found", |case| case.add(Wallet { owner: owner("bob"), ..hopeless("alice") }));
    case.refuses("wallet_not_found", |case| case.wallet("alice").owner = owner("alice"));
    case.refuses("version_mismatch", |case| case.order().expected_version = None);
    case.refuses("currency_mismatch", |case| case.order().amount = amount("50"));
    case.refuses("wallet_closed", |case| case.wallet("alice").status = Status::Frozen);
    case.refuses("wallet_frozen", |case| case.wallet("alice").status = Status::Active);
    case.refuses("limit_exceeded", |case| case.wallet("alice").limits.max_movement = None);
    case.refuses("limit_exceeded", |case| case.wallet("alice").limits.max_daily_outflow = None);
    case.refuses("insufficient_funds", |case| case.wallet("alice").floor = money("-47"));
    case.posts();
}

/// Mends all that `transfer` can find wrong, the same for every outflow.
fn mend_a_transfer(transfer: Command) {
    let mut case = Case { wallets: snapshots(&[]), command: pinned(transfer, 1) };
    case.refuses("same_wallet", |case| {
        let Command::Transfer(transfer) = &mut case.command else { panic!("a transfer") };
        transfer.destination = id("bob");
    });
    case.refuses("wallet_not_found", |case| case.add(Wallet { owner: owner("bob"), ..hopeless("alice") }));
    case.refuses("wallet_not_found", |case| case.wallet("alice").owner = owner("alice"));
    case.refuses("wallet_not_found", |case| {
        case.add(hopeless("bob"));
        case.wallet("bob").balance = money("0 JPY");
    });
    case.refuses("version_mismatch", |case| case.order().expected_version = None);
    case.refuses("currency_mismatch", |case| case.order().amount = amount(&largest_less(0)));
    case.refuses("wallet_closed", |case| case.wallet("alice").status = Status::Frozen);
    case.refuses("currency_mismatch", |case| case.wallet("bob").balance = money("3"));
    case.refuses("wallet_closed", |case| case.wallet("bob").status = Status::Frozen);
    case.refuses("wallet_frozen", |case| case.wallet("alice").status = Status::Active);
    case.refuses("limit_exceeded", |case| case.wallet("alice").limits.max_movement = None);
    case.refuses("limit_exceeded", |case| case.wallet("alice").limits.max_daily_outflow = None);
    case.refuses("rate_limited", |case| case.wallet("alice").limits.transfers_per_minute = None);
    case.refuses("insufficient_funds", |case| {
        case.order().amount = amount("50");
        case.wallet("alice").balance = money("51");
    });
    case.refuses("max_balance_exceeded", |case| case.wallet("bob").ceiling = None);
    case.posts();
}

#[test]
fn of_a_transfer() {
    mend_a_transfer(transfer("alice", "alice", "alice", "50 USD"));
}

#[test]
fn of_a_transfer_whose_fee_takes_it_past_the_largest_value() {
    mend_a_transfer(transfer_at("1", "alice", "alice", "alice", "50 USD"));
}

#[test]
fn of_an_amendment() {
    let change = Change {
        status: Some(Status::Closed),
        floor: Some("much".to_owned()),
        ceiling: Some(Some("2".to_owned())),
        ..Change::default()
    };
    let mut case = Case { wallets: snapshots(&[]), command: amend("alice", 1, change) };
    fn amend_of(case: &mut Case) -> &mut Amend {
        let Command::Amend(amend) = &mut case.command else { panic!("an amendment") };
        amend
    }
    case.refuses("missing_scope", |case| amend_of(case).caller = caller("root"));
    case.refuses("wallet_not_found", |case| case.add(hopeless("alice")));
    case.refuses("version_mismatch", |case| amend_of(case).expected = Expected::Version(VERSION));
    case.refuses("wallet_closed", |case| case.wallet("alice").status = Status::Active);
    case.refuses("invalid_amount", |case| amend_of(case).change.floor = None);
    case.refuses("wallet_not_empty", |case| amend_of(case).change.status = None);
    case.refuses("max_balance_exceeded", |case| amend_of(case).change.ceiling = None);
    case.posts();
}
