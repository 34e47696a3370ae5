//! The console: one page on this machine that shows the ledger, over the same API as any caller's.
//!
//! Neither the page nor what is served beside it holds a token: whoever opens it brings one in the fragment of its address, which no
//! browser sends.

mod page;

pub use page::router;
