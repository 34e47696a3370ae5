//! What the routes are described by.

use wallet_domain::{Amend, Change, Command, Expected, Status};
use wallet_lambda::openapi::{AmendedView, Described, Operation, Owner, Story, Time};
use wallet_lambda::{Code, List, PastView, Reply, WalletView, scope};

use crate::{AMEND, GET, LIST, OPEN, Wallets, amend, open};

impl Described for Wallets {
    fn operations() -> Vec<Operation> {
        let mut story = Story::funded();
        let alice = story.caller("alice", false);
        let wallet = story.wallet(story.alice()).clone();
        let amend = Command::Amend(Amend {
            caller: story.caller("root", true),
            wallet: wallet.id,
            expected: Expected::Version(wallet.version),
            change: Change { status: Some(Status::Frozen), ..Change::default() },
        });
        let page = Reply::page(&List::wallets(&wallet.owner), &[WalletView::from(&wallet)], None::<&u64>);
        let open = Command::Open(story.opening("alice"));
        vec![
            Operation::new(OPEN, "Wallets", "open_wallet", "Open a wallet", scope::WALLETS_WRITE)
                .about("For another `owner`, with a `floor` or with `limits`: with `wallets:admin` too.")
                .keyed()
                .takes::<open::Body>(r#"{"currency": "EUR", "ceiling": "1000.00", "metadata": {"shop": "7"}}"#)
                .ends::<WalletView<'_>>(Story::begin().done(&open), &alice)
                .problems(&[Code::InvalidAmount, Code::InvalidCurrency, Code::CeilingWithBatchedCredits]),
            Operation::new(LIST, "Wallets", "list_wallets", "An owner's wallets", scope::WALLETS_READ)
                .about("Oldest first.")
                .asks::<Owner>("owner", false, "Whose; the caller's own without it. Another's for `wallets:admin` alone")
                .pages::<WalletView<'_>>("A page of wallets", page),
            Operation::new(GET, "Wallets", "get_wallet", "One wallet", scope::WALLETS_READ)
                .about("One of the caller's own; with `wallets:admin` too, any.")
                .asks::<Time>("at", false, "Balance, held and version as they were then; not in the future")
                .answers::<WalletView<'_>>("The wallet", Reply::wallet(&wallet, &WalletView::from(&wallet).with_incoming(None)))
                .or::<PastView>()
                .problems(&[Code::WalletNotFound]),
            Operation::new(AMEND, "Wallets", "amend_wallet", "Freeze, close or bound a wallet", scope::WALLETS_ADMIN)
                .about(
                    "At least one field; one that is absent stays as it is, and `null` takes a bound away. To a token without `wallets:read` \
                     it answers with `id`, `version`, `status` and `updated_at` alone, unless the wallet is its subject's own.",
                )
                .versioned()
                .takes::<amend::Body>(r#"{"status": "frozen", "limits": {"max_movement": "500.00"}}"#)
                .ends::<WalletView<'_>>(story.done(&amend), &story.caller("root", true))
                .or::<AmendedView>()
                .problems(&[
                    Code::WalletNotFound,
                    Code::WalletNotEmpty,
                    Code::CreditsInFlight,
                    Code::CeilingWithBatchedCredits,
                    Code::InsufficientFunds,
                    Code::MaxBalanceExceeded,
                    Code::WalletClosed,
                    Code::InvalidAmount,
                ]),
        ]
    }
}
