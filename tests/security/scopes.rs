//! Every route of the template without a token, and with one that may do everything but that.

use reqwest::Method;
use wallet_stack::token::SCOPES;

use super::routes;
use crate::http::{TestApp, send};

const WALLET: &str = "wal_00000000000000000000000000000000";
const TRANSACTION: &str = "txn_00000000000000000000000000000000";

#[tokio::test]
async fn no_route_is_open_and_none_does_more_than_its_scope_allows() {
    let (app, wire) = TestApp::wired(&[]).await;
    for route in routes() {
        let path = route.path.replace("{wallet_id}", WALLET).replace("{transaction_id}", TRANSACTION);
        let ask = || app.bare(Method::from_bytes(route.method.as_bytes()).expect("a method"), &path);
        let key = route.key();
        let [scope] = &route.scopes[..] else { panic!("{key} asks for {:?}", route.scopes) };

        let unknown = send(ask()).await.check_problem(401, "unauthenticated");
        assert_eq!(unknown.header("www-authenticate"), Some("Bearer"), "{key}");
        send(ask().bearer_auth("a.b.c")).await.check_problem(401, "unauthenticated");

        // Neither key nor body nor id is looked at first.
        let others: Vec<_> = SCOPES.into_iter().filter(|other| other != scope).collect();
        for scopes in [others.join(" "), String::new(), format!("x{scope} {scope}x {}", scope.to_uppercase())] {
            let refused = send(ask().bearer_auth(app.stack.token("alice", &scopes))).await;
            let refused = refused.check_problem(403, "missing_scope");
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
            assert_eq!(refused.header("www-authenticate"), Some(challenge.as_str()), "{key}");
        }
        assert_eq!(wire.take(), [], "{key} asks the database nothing");
    }
}
