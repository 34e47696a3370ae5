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
use crate::shape::Shape;
use crate::transaction::{Kind, Transaction};
use crate::verb::{Registered, Verb};

/// Makes of the list the type [`Command`], hands a command to its verb, and finds the shape of a kind.
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

        /// What the records of each kind keep to, in the order of the list.
        pub const SHAPES: &[Shape] = &[$($file::SHAPE),+];

        $(impl Registered for $verb {
            fn kind(&self) -> Kind {
                $file::SHAPE.kind
            }

            fn is_reversible(&self, original: &Transaction) -> bool {
                is_reversible(original)
            }
        })+
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

/// The rules that the records of `kind` keep to; `None` for a kind that only a newer version of this code knows.
#[must_use]
pub fn shape_of(kind: Kind) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.kind == kind)
}

/// The kinds that can be undone, in words: `deposit, withdrawal or transfer`.
#[must_use]
pub fn reversible_kinds() -> String {
    let reversible = SHAPES.iter().filter(|shape| shape.is_reversible);
    let kinds: Vec<&str> = reversible.map(|shape| shape.kind.as_str()).collect();
    let (last, others) = kinds.split_last().expect("a deposit can be undone");
    format!("{} or {last}", others.join(", "))
}

/// Whether it can be undone: a posted transaction of a kind that can be.
#[must_use]
pub fn is_reversible(original: &Transaction) -> bool {
    shape_of(original.kind).is_some_and(|shape| shape.is_reversible) && !original.legs().is_empty()
}
