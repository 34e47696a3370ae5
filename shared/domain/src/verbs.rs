//! The registry of verbs: a verb is one file, and its lines here.

pub(crate) mod amend;
pub(crate) mod capture;
pub(crate) mod deposit;
pub(crate) mod expiry;
pub(crate) mod hold;
pub(crate) mod open;
pub(crate) mod payout;
pub(crate) mod rebate;
pub(crate) mod reversal;
pub(crate) mod transfer;
pub(crate) mod void;
pub(crate) mod withdraw;

use crate::request::{Request, Terms};
use crate::verb::Verb;

/// Makes of the list the type [`Command`], and hands a command to its verb.
macro_rules! verbs {
    ($($(#[$doc:meta])* $file:ident::$verb:ident,)+) => {
        $(pub use $file::$verb;)+

        /// Anything that can be asked for, already parsed: only valid values get this far.
        #[derive(Debug, Clone)]
        pub enum Command {
            $($(#[$doc])* $verb($verb),)+
        }

        impl Command {
            pub(crate) fn verb(&self) -> &dyn Verb {
                match self {
                    $(Command::$verb(verb) => verb,)+
                }
            }

            pub(crate) fn requested(request: &Request, terms: &Terms) -> Option<Command> {
                $(
                    if let Some(verb) = $verb::requested(request, terms) {
                        return Some(Command::$verb(verb));
                    }
                )+
                None
            }
        }
    };
}

verbs! {
    /// Open a wallet.
    open::Open,
    /// Change a wallet's terms.
    amend::Amend,
    /// Money in.
    deposit::Deposit,
    /// Money out.
    withdraw::Withdraw,
    /// Money across.
    transfer::Transfer,
    /// Money to many.
    payout::Payout,
    /// A share back.
    rebate::PayRebate,
    /// Undone.
    reversal::Reverse,
    /// Kept back for a payee.
    hold::Authorise,
    /// Taken out of what was kept back.
    capture::Capture,
    /// Given up.
    void::Void,
    /// Released after their time.
    expiry::Expire,
}

pub use amend::{Change, Expected};
pub use payout::MAX_PAYMENTS;
pub use reversal::is_reversible;
