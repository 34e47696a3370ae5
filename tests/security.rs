//! What callers who mean harm can find out or break, over the whole system. docs/security.md is the account of it.

mod fuzz;
pub(crate) mod lines;
mod logs;
mod scopes;
mod strangers;

use wallet_stack::template::{Route, Template};

/// Every route of template.yaml.
fn routes() -> Vec<Route> {
    let routes = Template::embedded().expect("the template is whole").routes;
    assert!(!routes.is_empty(), "the template has routes");
    routes
}
