//! What the routes are described by.

use wallet_domain::{Command, Withdraw};
use wallet_lambda::openapi::{Described, Operation, Reference, Story};
use wallet_lambda::{Code, EntryView, List, QueuedView, Reply, TransactionView, scope};

use crate::{ATTEMPTS, ENTRIES, GET, REFERRED, Transactions};

impl Described for Transactions {
    fn operations() -> Vec<Operation> {
        let mut story = Story::begin();
        let alice = story.caller("alice", false);
        let deposit = Command::Deposit(story.deposit("100"));
        let posted = story.done(&deposit);
        let statement: Vec<_> = story.statement().into_iter().map(EntryView::from).collect();
        let beyond = Withdraw { order: story.order("1000"), wallet: story.alice() };
        let refused = story.refused(&Command::Withdraw(beyond));
        let attempts = [TransactionView::new(&refused, &alice)];
        let referred = List::transactions(&alice.subject, posted.reference.as_ref().expect("it has one"));
        let transactions = [TransactionView::new(&posted, &alice)];
        let none = None::<&u64>;
        let read = scope::WALLETS_READ;
        vec![
            Operation::new(ENTRIES, "Wallets", "list_entries", "A wallet's statement", read)
                .about("Newest first. Each entry holds the hash of the one before it.")
                .pages::<EntryView<'_>>("A page of the statement", Reply::page(&List::entries(story.alice()), &statement, none))
                .problems(&[Code::WalletNotFound]),
            Operation::new(ATTEMPTS, "Wallets", "list_attempts", "What a wallet refused", read)
                .about("Newest first: the refusals that are on record, with the reason of each.")
                .pages::<TransactionView<'_>>("A page of refusals", Reply::page(&List::attempts(story.alice()), &attempts, none))
                .problems(&[Code::WalletNotFound]),
            Operation::new(REFERRED, "Movements", "list_transactions", "What one asked for under a reference", read)
                .about("Newest first.")
                .asks::<Reference>("reference", true, "The caller's own name for them")
                .pages::<TransactionView<'_>>("A page of transactions", Reply::page(&referred, &transactions, none)),
            Operation::new(GET, "Movements", "get_transaction", "One transaction", read)
                .about("Of those that moved one of the caller's wallets, that one of them refused, or that he asked for. A deposit's `rebate` has a `status` here.")
                .answers::<TransactionView<'_>>("The transaction", Reply::ok(&TransactionView::new(&posted, &alice).with_rebate(None)))
                .or::<QueuedView<'_>>()
                .problems(&[Code::TransactionNotFound]),
        ]
    }
}
