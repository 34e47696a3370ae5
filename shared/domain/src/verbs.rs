//! The verbs, one file each.

pub(crate) mod amend;
pub(crate) mod deposit;
pub(crate) mod open;
pub(crate) mod rebate;
pub(crate) mod reversal;
pub(crate) mod transfer;
pub(crate) mod withdraw;
