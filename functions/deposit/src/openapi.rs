//! What the route is described by.

use wallet_domain::Command;
use wallet_lambda::openapi::{Described, Operation, Story};
use wallet_lambda::{Code, OrderBody, scope};

use crate::{Deposit, POST};

impl Described for Deposit {
    fn operations() -> Vec<Operation> {
        let mut story = Story::begin();
        let deposit = Command::Deposit(story.deposit("100"));
        let body = r#"{"amount": "100.00", "currency": "EUR", "reference": "order 1"}"#;
        let route = Operation::new(POST, "Movements", "deposit", "Bring money into a wallet", scope::FUNDS_DEPOSIT)
            .about("Into any wallet. If a rebate rule is for it, `rebate` says where its rebate will be found.")
            .moves::<OrderBody>(&mut story, &deposit, body)
            .problems(&[Code::MaxBalanceExceeded]);
        vec![route]
    }
}
