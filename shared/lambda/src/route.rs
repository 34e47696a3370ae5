//! Which of a function's routes a request is for. The gateway has asked the same question of template.yaml; the function
//! asks again, so that it never acts on a request that was routed to it by mistake.

use percent_encoding::percent_decode_str;

/// A route and what its `{parameters}` stand for in one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// As in template.yaml: `GET /v1/wallets/{wallet_id}`.
    pub(crate) key: &'static str,
    parameters: Vec<(&'static str, String)>,
}

impl Route {
    /// The route of `routes` that a request of `method` and `path` is for.
    pub(crate) fn find(routes: &[&'static str], method: &str, path: &str) -> Option<Route> {
        routes.iter().find_map(|key| {
            let (route_method, template) = key.split_once(' ')?;
            let parameters = matched(template, path)?;
            (route_method == method).then_some(Route { key, parameters })
        })
    }

    /// What `{name}` stands for.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

fn matched(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    if template.split('/').count() != path.split('/').count() {
        return None;
    }
    let mut parameters = Vec::new();
    for (expected, found) in template.split('/').zip(path.split('/')) {
        let found = percent_decode_str(found).decode_utf8().ok()?;
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !found.is_empty() => parameters.push((name, found.into_owned())),
            None if expected == found => {}
            _ => return None,
        }
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[&str] =
        &["GET /v1/wallets", "GET /v1/wallets/{wallet_id}", "POST /v1/wallets/{wallet_id}/deposits"];

    #[track_caller]
    fn check(method: &str, path: &str, expected: Option<(&str, Option<&str>)>) {
        let route = Route::find(ROUTES, method, path);
        let found = route.as_ref().map(|route| (route.key, route.parameter("wallet_id")));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_route_is_found_by_method_and_whole_path() {
        check("GET", "/v1/wallets", Some((ROUTES[0], None)));
        check("GET", "/v1/wallets/wal_1", Some((ROUTES[1], Some("wal_1"))));
        check("POST", "/v1/wallets/wal_1/deposits", Some((ROUTES[2], Some("wal_1"))));
        for path in ["/v1/wallets/", "/v1", "/", "", "/v1/wallets/1/", "/v1//wallets", "/V1/wallets", "/v1/wallets/%ff"]
        {
            check("GET", path, None);
        }
        check("POST", "/v1/wallets", None);
        check("get", "/v1/wallets", None);
    }

    #[test]
    fn segments_are_decoded_one_by_one() {
        check("GET", "/v1/wallets/wal%5F1", Some((ROUTES[1], Some("wal_1"))));
        check("GET", "/v1/wallets/a%2Fb", Some((ROUTES[1], Some("a/b"))));
        check("GET", "/v1/%77allets", Some((ROUTES[0], None)));
    }
}
