//! What the routes are described by.

use wallet_domain::{Authorise, Capture, Command, HOLD_LIFETIME, Hold, Void};
use wallet_lambda::openapi::{DEBIT, Described, MOVEMENT, Operation, Story};
use wallet_lambda::{Code, HoldView, List, Reply, TransactionView, scope};

use crate::{AUTHORISE, CAPTURE, CaptureBody, GET, HoldBody, Holds, LIST, VOID, VoidBody};

impl Described for Holds {
    fn operations() -> Vec<Operation> {
        let mut story = Story::funded();
        let (source, destination, bob) = (story.alice(), story.bob(), story.caller("bob", false));
        let order = story.order("25");
        let authorise =
            Authorise { order, source, destination: Some(destination), expires_in: HOLD_LIFETIME, fee: None };
        let made = story.done(&Command::Authorise(authorise));
        let hold = Hold::made_by(&made).expect("it was made");
        let view = || HoldView::new(&hold, hold.created_at);
        let key = || "capture-1".parse().expect("a key");
        let part =
            Capture { caller: bob.clone(), key: key(), hold: Box::new(made.clone()), amount: None, is_final: true };
        let void = Void { caller: bob.clone(), key: key(), hold: Box::new(made.clone()) };
        let captured = story.clone().done(&Command::Capture(part));
        let voided = story.clone().done(&Command::Void(void));
        let body = format!(
            r#"{{"source": "{source}", "destination": "{destination}", "amount": "25.00", "currency": "EUR", "reference": "order 1"}}"#
        );
        let none = None::<&u64>;
        let ending = [Code::HoldNotFound, Code::HoldNotActive, Code::HoldExpired];
        vec![
            Operation::new(AUTHORISE, "Holds", "hold", "Keep money back for a payee", scope::WALLETS_WRITE)
                .about("Of one of the caller's own wallets. Its fee is kept back on top; no balance moves.")
                .keyed()
                .may_be_dry()
                .pinned()
                .takes::<HoldBody>(&body)
                .ends::<HoldView<'_>>(made, &story.caller("alice", false))
                .problems(&MOVEMENT)
                .problems(&DEBIT)
                .problems(&[Code::SameWallet, Code::RateLimited]),
            Operation::new(GET, "Holds", "get_hold", "One hold", scope::WALLETS_READ)
                .about("For the owners of its wallets, and who made it. By the reader's clock it is expired from its end on.")
                .answers::<HoldView<'_>>("The hold", Reply::ok(&view()))
                .problems(&[Code::HoldNotFound]),
            Operation::new(LIST, "Holds", "list_holds", "A wallet's holds", scope::WALLETS_READ)
                .about("Newest first: those that keep its money back, or did.")
                .pages::<HoldView<'_>>("A page of holds", Reply::page(&List::holds(source), &[view()], none))
                .problems(&[Code::WalletNotFound]),
            Operation::new(CAPTURE, "Holds", "capture", "Take what is held, in parts or whole", scope::WALLETS_WRITE)
                .about("For the destination's owner; without a destination for the source's.")
                .keyed()
                .may_be_dry()
                .takes::<CaptureBody>(r#"{"amount": "10.00", "final": false}"#)
                .ends::<TransactionView<'_>>(captured, &bob)
                .problems(&ending)
                .problems(&[
                    Code::CaptureExceedsHold,
                    Code::InsufficientFunds,
                    Code::MaxBalanceExceeded,
                    Code::WalletFrozen,
                    Code::WalletClosed,
                    Code::InvalidAmount,
                ]),
            Operation::new(VOID, "Holds", "void", "Give a hold up", scope::WALLETS_WRITE)
                .about("All that it still keeps back is released. For whom a capture is.")
                .keyed()
                .may_be_dry()
                .takes::<VoidBody>("{}")
                .ends::<TransactionView<'_>>(voided, &bob)
                .problems(&ending),
        ]
    }
}
