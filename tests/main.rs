//! Whole-system tests: the real handlers, the real SDK, and an embedded DynamoDB, each test on a table of its own.

mod api;
mod architecture;
mod audit;
mod cargo_lambda;
mod faults;
mod followers;
mod history;
mod http;
mod ledger;
mod rebates;
mod security;
mod traps;
