//! What the route is described by.

use wallet_domain::{Command, Metadata, Reverse, reversible_kinds};
use wallet_lambda::openapi::{Described, Operation, Story};
use wallet_lambda::{Code, TransactionView, scope};

use crate::{Body, POST, Reversal};

impl Described for Reversal {
    fn operations() -> Vec<Operation> {
        let mut story = Story::begin();
        let deposit = Command::Deposit(story.deposit("100"));
        let original = story.done(&deposit);
        let reverse = Command::Reverse(Reverse {
            caller: story.caller("root", true),
            key: "undo-1".parse().expect("a key"),
            original: Box::new(original),
            allow_overdraft: false,
            return_fee: true,
            reference: Some("ticket 7".parse().expect("a reference")),
            metadata: Metadata::default(),
        });
        let summary = "Undo a movement, whole and once";
        let route = Operation::new(POST, "Movements", "reverse", summary, scope::WALLETS_ADMIN)
            .about(&format!(
                "Of a posted {}. A deposit's rebate is taken back with it, or never paid.",
                reversible_kinds()
            ))
            .keyed()
            .may_be_dry()
            .takes::<Body>(r#"{"reference": "ticket 7", "allow_overdraft": false}"#)
            .ends::<TransactionView<'_>>(story.done(&reverse), &story.caller("root", true))
            .problems(&[
                Code::TransactionNotFound,
                Code::AlreadyReversed,
                Code::NotReversible,
                Code::InsufficientFunds,
                Code::MaxBalanceExceeded,
                Code::WalletFrozen,
                Code::WalletClosed,
            ]);
        vec![route]
    }
}
