//! What the route is described by.

use wallet_domain::Command;
use wallet_lambda::openapi::{DEBIT, Described, Operation, Story};
use wallet_lambda::{Code, scope};

use crate::{Body, POST, Transfer};

impl Described for Transfer {
    fn operations() -> Vec<Operation> {
        let mut story = Story::funded();
        let (source, destination) = (story.alice(), story.bob());
        let transfer = wallet_domain::Transfer { order: story.order("25"), source, destination, fee: None };
        let transfer = Command::Transfer(transfer);
        let body = format!(
            r#"{{"source": "{source}", "destination": "{destination}", "amount": "25.00", "currency": "EUR", "reference": "order 1"}}"#
        );
        let route = Operation::new(POST, "Movements", "transfer", "Send money to another wallet", scope::WALLETS_WRITE)
            .about("From one of the caller's own wallets; with `wallets:admin`, from any. A fee, if the deployment has one, comes on top.")
            .moves::<Body>(&mut story, &transfer, &body).problems(&DEBIT).problems(&[Code::SameWallet, Code::MaxBalanceExceeded, Code::RateLimited]);
        vec![route]
    }
}
