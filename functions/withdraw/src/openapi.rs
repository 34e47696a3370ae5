//! What the route is described by.

use wallet_domain::Command;
use wallet_lambda::openapi::{DEBIT, Described, Operation, Story};
use wallet_lambda::{OrderBody, scope};

use crate::{POST, Withdraw};

impl Described for Withdraw {
    fn operations() -> Vec<Operation> {
        let mut story = Story::funded();
        let withdraw = wallet_domain::Withdraw { order: story.order("12.50"), wallet: story.alice() };
        let withdraw = Command::Withdraw(withdraw);
        let body = r#"{"amount": "12.50", "currency": "EUR", "reference": "order 1"}"#;
        let route = Operation::new(POST, "Movements", "withdraw", "Take money out of a wallet", scope::WALLETS_WRITE)
            .about("Out of one of the caller's own wallets; with `wallets:admin`, of any.")
            .moves::<OrderBody>(&mut story, &withdraw, body)
            .problems(&DEBIT);
        vec![route]
    }
}
