//! The domain's rules through its public API: tables of cases, each through one `check`. No I/O, no clock, no floating
//! point.

mod amend;
mod chain;
mod deposit;
mod fingerprint;
mod limits;
mod open;
mod order;
mod rebate;
mod replay;
mod sound;
mod transfer;
mod values;
mod withdraw;
mod world;
