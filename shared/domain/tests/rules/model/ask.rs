//! What the model understands: who asks for what, in plain whole numbers.

use crate::purse::{Share, Terms};

/// Callers by number. The last one is the administrator.
pub(crate) const CALLERS: [&str; 3] = ["alice", "bob", "root"];
pub(crate) const ADMIN: usize = 2;

/// What is to move, and the version that is pinned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved {
    pub(crate) units: i128,
    pub(crate) code: &'static str,
    pub(crate) pin: Option<u64>,
}

#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Deposit {
        to: usize,
        moved: Moved,
        rule: Option<Share>,
    },
    Withdraw {
        from: usize,
        moved: Moved,
    },
    Transfer {
        from: usize,
        to: usize,
        moved: Moved,
        fee: Option<Share>,
    },
    /// As much to each of two.
    Payout {
        from: usize,
        to: [usize; 2],
        moved: Moved,
        fee: Option<Share>,
    },
    Amend {
        wallet: usize,
        version: u64,
        terms: Terms,
    },
    Rebate {
        deposit: usize,
    },
    Reverse {
        movement: usize,
        overdraft: bool,
        return_fee: bool,
    },
    Hold {
        from: usize,
        to: Option<usize>,
        moved: Moved,
        fee: Option<Share>,
        lives_ms: i64,
    },
    Capture {
        hold: usize,
        units: Option<i128>,
        is_final: bool,
    },
    Void {
        hold: usize,
    },
}
