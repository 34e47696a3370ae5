//! What callers who mean harm can find out or break, over the whole system. docs/security.md is the account of it.

mod fuzz;
pub(crate) mod lines;
mod logs;
mod scopes;
mod strangers;

use wallet_stack::template::Template;

/// A route of template.yaml, and the scope that it asks for.
struct Route {
    method: String,
    path: String,
    scope: String,
}

impl Route {
    fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Every route of template.yaml.
fn routes() -> Vec<Route> {
    let routes = Template::embedded().expect("the template is whole").routes.into_iter();
    let routes: Vec<_> = routes
        .map(|route| {
            let key = route.key();
            let [scope] = <[String; 1]>::try_from(route.scopes).unwrap_or_else(|all| panic!("{key} asks for {all:?}"));
            Route { method: route.method, path: route.path, scope }
        })
        .collect();
    assert!(!routes.is_empty(), "the template has routes");
    routes
}
