//! What the route is described by.

use wallet_domain::Command;
use wallet_lambda::openapi::{Described, Operation, Story};
use wallet_lambda::{Code, Function, OrderBody, TransactionView, scope};

use crate::Withdraw;

impl Described for Withdraw {
    fn operations() -> Vec<Operation> {
        let mut story = Story::funded();
        let withdraw = wallet_domain::Withdraw { order: story.order("12.50"), wallet: story.alice() };
        let withdraw = Command::Withdraw(withdraw);
        let body = r#"{"amount": "12.50", "currency": "EUR", "reference": "order 1"}"#;
        let route = Operation::new(
            Self::ROUTES[0],
            "Movements",
            "withdraw",
            "Take money out of a wallet",
            scope::WALLETS_WRITE,
        )
        .about("Out of one of the caller's own wallets; with `wallets:admin`, of any.")
        .keyed()
        .may_be_dry()
        .may_wait(&story, &withdraw)
        .pinned()
        .takes::<OrderBody>(body)
        .ends::<TransactionView<'_>>(story.done(&withdraw), &story.caller("alice", false))
        .problems(&[
            Code::WalletNotFound,
            Code::InsufficientFunds,
            Code::LimitExceeded,
            Code::WalletFrozen,
            Code::WalletClosed,
            Code::CurrencyMismatch,
            Code::InvalidAmount,
            Code::InvalidCurrency,
        ]);
        vec![route]
    }
}
