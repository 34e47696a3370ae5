//! The domain's rules through its public API: tables of cases, each through one `check`, and random sequences of commands
//! held against a small model. No I/O, no clock, no floating point.

mod amend;
mod chain;
mod deposit;
mod fingerprint;
mod guard;
mod held;
mod hold;
mod holding;
mod inbox;
mod ledger;
mod limits;
mod model;
mod monthly_cap;
mod open;
mod order;
mod payout;
mod purse;
mod rebate;
mod refusal;
mod replay;
mod reverse;
mod seal;
mod sequences;
mod sound;
mod state;
mod stored;
mod tamper;
mod times;
mod together;
mod transfer;
mod values;
mod withdraw;
mod world;
