//! What the movements that carry out an order have in common.

use utoipa::ToSchema;
use wallet_domain::Command;

use super::operation::Operation;
use super::story::Story;
use crate::problem::Code;
use crate::view::TransactionView;

/// What may be wrong with a movement of a wallet's money.
pub const MOVEMENT: [Code; 6] = [
    Code::WalletNotFound,
    Code::LimitExceeded,
    Code::WalletClosed,
    Code::CurrencyMismatch,
    Code::InvalidAmount,
    Code::InvalidCurrency,
];
/// What else may be wrong where money leaves the wallet.
pub const DEBIT: [Code; 2] = [Code::InsufficientFunds, Code::WalletFrozen];

impl Operation {
    /// It carries out an order, such as `command` of `story`, asked for by a `T` such as `example`.
    ///
    /// # Panics
    /// When `command` is one that never waits or is refused, or `example` is no JSON.
    #[must_use]
    pub fn moves<T: ToSchema>(self, story: &mut Story, command: &Command, example: &str) -> Operation {
        self.keyed()
            .may_be_dry()
            .may_wait(story, command)
            .pinned()
            .takes::<T>(example)
            .ends::<TransactionView<'_>>(story.done(command), &story.caller("alice", false))
            .problems(&MOVEMENT)
    }
}
