//! What the route is described by.

use wallet_domain::{Command, Payment};
use wallet_lambda::openapi::{DEBIT, Described, Operation, Story};
use wallet_lambda::{Code, scope};

use crate::{Body, POST, Payout};

impl Described for Payout {
    fn operations() -> Vec<Operation> {
        let mut story = Story::funded();
        let (source, destination) = (story.alice(), story.bob());
        let order = story.order("25");
        let payments = vec![Payment { destination, amount: order.amount, reference: None }];
        let payout = Command::Payout(wallet_domain::Payout { order, source, payments, fee: None });
        let body = format!(
            r#"{{"source": "{source}", "currency": "EUR", "payments": [{{"destination": "{destination}", "amount": "25.00"}}], "reference": "order 1"}}"#
        );
        let route = Operation::new(POST, "Movements", "payout", "Pay many wallets at once, all or nothing", scope::WALLETS_WRITE)
            .about("From one of the caller's own wallets to up to 48 others. The first payment that is refused, in their order, refuses the payout; `detail` names it by its place.")
            .moves::<Body>(&mut story, &payout, &body).problems(&DEBIT).problems(&[Code::SameWallet, Code::DuplicateDestination, Code::MaxBalanceExceeded, Code::RateLimited]);
        vec![route]
    }
}
