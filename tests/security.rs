//! What callers who mean harm can find out or break, over the whole system. docs/security.md is the account of it.

mod fuzz;
pub(crate) mod lines;
mod logs;
mod scopes;
mod strangers;

/// A route of template.yaml, and the scope that it asks for.
struct Route {
    method: &'static str,
    path: &'static str,
    scope: &'static str,
}

impl Route {
    fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Every route, from the template's text: `Method`, `Path` and `Auth` stand on three lines.
fn routes() -> Vec<Route> {
    let lines: Vec<&'static str> = include_str!("../template.yaml").lines().map(str::trim).collect();
    let of = |lines: &[&'static str]| {
        let scope = lines[2].strip_prefix("Auth: {AuthorizationScopes: [\"")?.strip_suffix("\"]}")?;
        let (method, path) = (lines[0].strip_prefix("Method: ")?, lines[1].strip_prefix("Path: ")?);
        Some(Route { method, path, scope })
    };
    let routes: Vec<_> = lines.windows(3).filter_map(of).collect();
    let paths = lines.iter().filter(|line| line.starts_with("Path: ")).count();
    assert_eq!((routes.len(), routes.is_empty()), (paths, false), "every route names one scope");
    routes
}
