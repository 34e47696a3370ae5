//! Transfers: both sides at once, and the fee on top.

use wallet_domain::*;

use crate::world::*;

fn pair(alice: &str, bob: &str) -> [Wallet; 2] {
    [wallet("alice", alice), wallet("bob", bob)]
}

#[test]
fn money_moves_across() {
    let both = pair("100", "20");
    let expected = Ok("alice -30.00 = 70.00 v8, bob 30.00 = 50.00 v8");
    check(&both, &transfer("alice", "alice", "bob", "30"), expected.clone());
    check(&both, &transfer("root", "alice", "bob", "30"), expected);
    let expected = Ok("alice -100.00 = 0.00 v8, bob 100.00 = 120.00 v8");
    check(&both, &transfer("alice", "alice", "bob", "100"), expected);
    check(&both, &transfer("alice", "alice", "bob", "100.01"), Err(too_little("alice", "100", "100.01")));
}

#[test]
fn each_statement_names_the_other_wallet() {
    let plan = decided(&snapshots(&pair("9", "9")), &transfer("alice", "alice", "bob", "1"), time(NOW));
    let plan = plan.expect("enough money");
    let counterparties: Vec<_> = plan.postings().iter().map(|posting| posting.rows[0].counterparty).collect();
    assert_eq!(counterparties, [Some(Account::Wallet(id("bob"))), Some(Account::Wallet(id("alice")))]);
}

#[test]
fn one_owner_may_move_between_their_wallets_but_not_to_the_same_one() {
    let wallets = [wallet("alice", "10"), Wallet { owner: owner("alice"), ..wallet("savings", "0") }];
    let expected = Ok("alice -10.00 = 0.00 v8, savings 10.00 = 10.00 v8");
    check(&wallets, &transfer("alice", "alice", "savings", "10"), expected);
    check(&wallets, &transfer("alice", "alice", "alice", "10"), Err(Refusal::SameWallet));
    check(&wallets, &transfer("bob", "alice", "alice", "10"), Err(Refusal::SameWallet));
    check(&[], &transfer("alice", "ghost", "ghost", "10"), Err(Refusal::SameWallet));
}

#[test]
fn only_the_sources_owner_and_administrators_may() {
    let both = pair("100", "20");
    check(&both, &transfer("bob", "alice", "bob", "1"), Err(not_found("alice")));
    check(&both, &transfer("carol", "alice", "bob", "1"), Err(not_found("alice")));
    check(&both, &transfer("alice", "ghost", "bob", "1"), Err(not_found("ghost")));
    check(&both, &transfer("alice", "alice", "ghost", "1"), Err(not_found("ghost")));
    // Who may not debit the source learns nothing about the destination.
    check(&both, &transfer("bob", "alice", "ghost", "1"), Err(not_found("alice")));
}

#[test]
fn the_fee_is_paid_on_top_by_the_source() {
    let both = pair("10.25", "0");
    let paid = Ok("alice -10.25 = 0.00 v8, bob 10.00 = 10.00 v8, fees 0.25");
    check(&both, &transfer_at("0.25", "alice", "alice", "bob", "10.00"), paid);
    let short = too_little("alice", "10.25", "10.26");
    check(&both, &transfer_at("0.25", "alice", "alice", "bob", "10.01"), Err(short));
    let short = too_little("alice", "10.25", "10.26");
    check(&both, &transfer_at("0.26", "alice", "alice", "bob", "10.00"), Err(short));
    let free = Ok("alice -10.00 = 0.25 v8, bob 10.00 = 10.00 v8");
    check(&both, &transfer_at("0", "alice", "alice", "bob", "10.00"), free);
    let overdraft = [floored("alice", "0", "-10.25"), wallet("bob", "0")];
    let paid = Ok("alice -10.25 = -10.25 v8, bob 10.00 = 10.00 v8, fees 0.25");
    check(&overdraft, &transfer_at("0.25", "alice", "alice", "bob", "10.00"), paid);
}

#[test]
fn the_record_shows_the_fee_beside_the_amount() {
    let command = transfer_at("0.25", "alice", "alice", "bob", "10");
    let plan = decided(&snapshots(&pair("50", "0")), &command, time(NOW)).expect("enough money");
    assert_eq!((plan.transaction().amount, plan.transaction().fee), (money("10"), money("0.25")));
    assert_eq!(plan.transaction().wallet, id("alice"));
    let plan = decided(&snapshots(&pair("50", "0")), &transfer("alice", "alice", "bob", "10"), time(NOW));
    assert_eq!(plan.expect("enough money").transaction().fee, money("0"));
}

#[test]
fn a_share_is_rounded_half_even_to_each_scale() {
    #[track_caller]
    fn check_fee(points: u32, moved: &str, fee: &str) {
        let code = moved.split_once(' ').map_or("EUR", |(_, code)| code);
        let wallets = [wallet("alice", &format!("9000 {code}")), wallet("bob", &format!("0 {code}"))];
        let (order, fee) = (order("alice", moved), money(&format!("{fee} {code}")));
        let transfer =
            Transfer { order, source: id("alice"), destination: id("bob"), fee: Some(fee_schedule(points, &[], &[])) };
        let plan = decided(&snapshots(&wallets), &Command::Transfer(transfer), time(NOW)).expect("enough money");
        assert_eq!(plan.transaction().fee, fee);
    }
    check_fee(100, "50 JPY", "0");
    check_fee(100, "150 JPY", "2");
    check_fee(100, "250 JPY", "2");
    check_fee(100, "0.50", "0");
    check_fee(100, "1.50", "0.02");
    check_fee(100, "0.150 KWD", "0.002");
    check_fee(100, "0.0250 CLF", "0.0002");
    check_fee(10_000, "12.34", "12.34");
    check_fee(0, "12.34", "0");
}

#[test]
fn the_destinations_ceiling_is_reached_exactly_and_never_passed() {
    let both = [wallet("alice", "100"), capped("bob", "90", "100")];
    let expected = Ok("alice -10.00 = 90.00 v8, bob 10.00 = 100.00 v8");
    check(&both, &transfer("alice", "alice", "bob", "10"), expected);
    let paid = Ok("alice -11.00 = 89.00 v8, bob 10.00 = 100.00 v8, fees 1.00");
    check(&both, &transfer_at("1", "alice", "alice", "bob", "10"), paid);
    // A stranger's room is not told; one's own is.
    check(&both, &transfer("alice", "alice", "bob", "10.01"), Err(too_full("bob", None, "10.01")));
    check(&both, &transfer("root", "alice", "bob", "10.01"), Err(too_full("bob", Some("10"), "10.01")));
    let own = [wallet("alice", "100"), Wallet { owner: owner("alice"), ..capped("savings", "90", "100") }];
    check(&own, &transfer("alice", "alice", "savings", "10.01"), Err(too_full("savings", Some("10"), "10.01")));
}

#[test]
fn the_largest_values_neither_overflow_nor_mislead() {
    let whole = largest_less(0);
    let both = pair(&whole, "0");
    let expected = format!("alice -{whole} = 0.00 v8, bob {whole} = {whole} v8");
    check(&both, &transfer("alice", "alice", "bob", &whole), Ok(&expected));
    let both = pair(&whole, "0.01");
    check(&both, &transfer("alice", "alice", "bob", &whole), Err(too_full("bob", None, &whole)));
    // The fee takes the outflow past the largest value: no wallet can give that, and the refusal names the largest.
    let both = pair(&whole, "0");
    check(&both, &transfer_at("0.01", "alice", "alice", "bob", &whole), Err(too_little("alice", &whole, &whole)));
    let almost = largest_less(1);
    let expected = format!("alice -{whole} = 0.00 v8, bob {almost} = {almost} v8, fees 0.01");
    check(&both, &transfer_at("0.01", "alice", "alice", "bob", &almost), Ok(&expected));
}

#[test]
fn a_frozen_wallet_takes_and_does_not_give() {
    let frozen_source = [with_status("alice", "5", Status::Frozen), wallet("bob", "0")];
    check(&frozen_source, &transfer("alice", "alice", "bob", "1"), Err(frozen("alice")));
    check(&frozen_source, &transfer("root", "alice", "bob", "1"), Err(frozen("alice")));
    let frozen_destination = [wallet("alice", "5"), with_status("bob", "0", Status::Frozen)];
    let expected = Ok("alice -1.00 = 4.00 v8, bob 1.00 = 1.00 v8");
    check(&frozen_destination, &transfer("alice", "alice", "bob", "1"), expected);
}

#[test]
fn a_closed_wallet_neither_gives_nor_takes() {
    let closed_source = [with_status("alice", "0", Status::Closed), wallet("bob", "0")];
    check(&closed_source, &transfer("alice", "alice", "bob", "1"), Err(closed("alice")));
    let closed_destination = [wallet("alice", "5"), with_status("bob", "0", Status::Closed)];
    check(&closed_destination, &transfer("alice", "alice", "bob", "1"), Err(closed("bob")));
}

#[test]
fn all_three_currencies_must_agree() {
    let mixed = [wallet("alice", "5"), wallet("bob", "5 JPY")];
    check(&mixed, &transfer("alice", "alice", "bob", "1"), Err(wrong_currency("bob", "JPY", "EUR")));
    check(&mixed, &transfer("alice", "alice", "bob", "1 JPY"), Err(wrong_currency("alice", "EUR", "JPY")));
    check(&pair("5", "5"), &transfer("alice", "alice", "bob", "1 JPY"), Err(wrong_currency("alice", "EUR", "JPY")));
}

#[test]
fn the_sources_version_is_the_one_pinned() {
    let both = [wallet("alice", "5"), Wallet { version: 3, ..wallet("bob", "0") }];
    let one = || transfer("alice", "alice", "bob", "1");
    check(&both, &pinned(one(), VERSION), Ok("alice -1.00 = 4.00 v8, bob 1.00 = 1.00 v4"));
    check(&both, &pinned(one(), 3), Err(wrong_version("alice", 3)));
}

#[test]
fn the_largest_movement_of_the_source_counts_without_the_fee() {
    let both = [limited("alice", "100", max_movement("10")), limited("bob", "0", max_movement("0.01"))];
    let paid = Ok("alice -11.00 = 89.00 v8, bob 10.00 = 10.00 v8, fees 1.00");
    check(&both, &transfer_at("1", "alice", "alice", "bob", "10"), paid);
    let passed = limit_passed(Limit::MaxMovement, "alice", Some("10"), "10.01");
    check(&both, &transfer_at("1", "alice", "alice", "bob", "10.01"), Err(passed));
}
