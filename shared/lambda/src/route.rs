//! Which of a function's routes a request is for, as the gateway says in its event. A function acts on no route but its
//! own, even if a request is handed to it by mistake.

use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};

/// Routes as in template.yaml, `GET /v1/wallets/{wallet_id}`, each with the query parameters that it takes; no other exists.
pub type Routes = &'static [(&'static str, &'static [&'static str])];

/// A route and what its `{parameters}` stand for in one request.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) key: &'static str,
    /// The query parameters that it takes.
    pub(crate) query: &'static [&'static str],
    parameters: QueryMap,
}

impl Route {
    /// The route of `routes` that `request` is for.
    pub(crate) fn of(routes: &[(&'static str, &'static [&'static str])], request: &Request) -> Option<Route> {
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else { return None };
        let (key, query) = *routes.iter().find(|(key, _)| context.route_key.as_deref() == Some(*key))?;
        Some(Route { key, query, parameters: request.path_parameters() })
    }

    /// What `{name}` stands for; nothing, which is no id, if the gateway left it out.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.first(name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event;

    const ROUTES: Routes = &[("GET /v1/wallets", &[]), ("GET /v1/wallets/{wallet_id}", &[])];

    #[track_caller]
    fn check(key: &str, parameters: serde_json::Value, expected: Option<(&str, &str)>) {
        let request = event::get("/v1/wallets/wal_1").routed(key, parameters).request();
        let route = Route::of(ROUTES, &request);
        assert_eq!(route.as_ref().map(|route| (route.key, route.parameter("wallet_id"))), expected);
    }

    #[test]
    fn a_route_is_what_the_gateway_says_and_no_other_function_s() {
        let [list, one] = [ROUTES[0].0, ROUTES[1].0];
        check(one, json!({"wallet_id": "wal_1"}), Some((one, "wal_1")));
        check(list, json!({}), Some((list, "")));
        check(one, json!({"other": "wal_1"}), Some((one, "")));
        for other in ["$default", "", "POST /v1/wallets", "get /v1/wallets", "GET /v1/wallets/{id}"] {
            check(other, json!({"wallet_id": "wal_1"}), None);
        }
    }
}
