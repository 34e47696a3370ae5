//! Reads who calls, and what he may, from the claims of the token. The gateway has checked the token; nothing here looks at it.

use std::collections::BTreeSet;

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};
use wallet_domain::{Caller, Owner};

use crate::problem::Problem;

/// The scopes that tokens can have.
pub mod scope {
    /// Read wallets, statements and transactions of one's own.
    pub const WALLETS_READ: &str = "wallets:read";
    /// Open wallets, and move money out of one's own.
    pub const WALLETS_WRITE: &str = "wallets:write";
    /// Set owners, floors, limits and statuses, and reverse; with the other scopes, read and debit every wallet.
    pub const WALLETS_ADMIN: &str = "wallets:admin";
    /// Bring money into any wallet.
    pub const FUNDS_DEPOSIT: &str = "funds:deposit";
}

/// A caller and what the token allows.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) caller: Caller,
    /// As the issuer names them, prefix and all.
    scopes: BTreeSet<String>,
    prefix: String,
}

impl Claims {
    /// From the request's JWT authorizer. `prefix` is what the issuer puts before each of our scopes.
    pub(crate) fn of(request: &Request, prefix: &str) -> Result<Claims, Problem> {
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
            return Err(absent());
        };
        let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref()).ok_or_else(absent)?;
        let subject = jwt.claims.get("sub").ok_or_else(|| invalid("The token has no `sub` claim."))?;
        let subject: Owner = subject.parse().map_err(|error| invalid(&format!("The token's `sub` claim {error}.")))?;
        // Some issuers write `scp`, and some write a list, which the gateway hands on as "[a b]".
        let words = ["scope", "scp"].iter().filter_map(|name| jwt.claims.get(*name));
        let scopes: BTreeSet<String> = words
            .flat_map(|text| text.trim_matches(['[', ']']).split([' ', ',']))
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect();
        let admin = scopes.contains(&format!("{prefix}{}", scope::WALLETS_ADMIN));
        Ok(Claims { caller: Caller { subject, admin }, scopes, prefix: prefix.to_owned() })
    }

    /// Who reads the answer: an administrator reads what is not his with `wallets:read` only, whatever he may do.
    pub(crate) fn reader(&self) -> Caller {
        let admin = self.caller.admin && self.require(scope::WALLETS_READ).is_ok();
        Caller { subject: self.caller.subject.clone(), admin }
    }

    pub(crate) fn require(&self, scope: &str) -> Result<(), Problem> {
        let named = format!("{}{scope}", self.prefix);
        if self.scopes.contains(&named) { Ok(()) } else { Err(Problem::missing_scope(&named)) }
    }
}

pub(crate) fn absent() -> Problem {
    Problem::unauthenticated("The request needs one header `Authorization: Bearer <token>`.", None)
}

fn invalid(detail: &str) -> Problem {
    Problem::unauthenticated(detail, Some("invalid_token"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event;
    use crate::problem::{Code, problem_response};

    fn claims(claims: Value) -> Result<Claims, Problem> {
        claims_of_issuer("", claims)
    }

    fn claims_of_issuer(prefix: &str, claims: Value) -> Result<Claims, Problem> {
        let authorizer = json!({"jwt": {"claims": claims, "scopes": null}});
        Claims::of(&event::get("/v1/wallets").with("/requestContext/authorizer", authorizer).request(), prefix)
    }

    #[test]
    fn an_issuer_may_put_a_prefix_before_its_scopes() {
        // As Amazon Cognito does: a resource server's identifier and a slash.
        let scopes = "openid wallets-api/wallets:read wallets-api/wallets:admin wallets:write";
        let claims = claims_of_issuer("wallets-api/", json!({"sub": "alice", "scope": scopes})).expect("claims");
        assert!(claims.caller.admin);
        claims.require(scope::WALLETS_READ).expect("allowed");
        assert!(claims.reader().admin);
        let other = "wallets-api/wallets:admin wallets:read";
        let other = claims_of_issuer("wallets-api/", json!({"sub": "alice", "scope": other})).expect("claims");
        assert!(!other.reader().admin, "without the prefix it is another scope");
        let problem = claims.require(scope::WALLETS_WRITE).expect_err("without the prefix it is another scope");
        let challenge = problem_response(&problem, "r").headers()["www-authenticate"].clone();
        assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"wallets-api/wallets:write\"");
    }

    #[test]
    fn scopes_come_as_text_or_as_a_list_that_the_gateway_flattened() {
        for (name, value) in [
            ("scope", "wallets:read wallets:admin"),
            ("scp", "[wallets:read wallets:admin]"),
            ("scp", "wallets:admin,wallets:read"),
        ] {
            let claims = claims(json!({"sub": "alice", name: value})).expect("claims");
            assert!(claims.caller.admin, "{value}");
            assert_eq!(claims.caller.subject.as_str(), "alice");
            claims.require(scope::WALLETS_READ).expect("allowed");
            claims.require(scope::WALLETS_WRITE).expect_err("not allowed");
        }
    }

    #[test]
    fn a_scope_is_a_whole_word() {
        let claims = claims(json!({"sub": "alice", "scope": "xwallets:admin wallets:admin:x"})).expect("claims");
        assert!(!claims.caller.admin);
        let problem = claims.require(scope::WALLETS_ADMIN).expect_err("not allowed");
        let response = problem_response(&problem, "r");
        assert_eq!(response.status(), 403);
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer error=\"insufficient_scope\", scope=\"wallets:admin\""
        );
    }

    #[test]
    fn nobody_is_not_let_in() {
        let without = event::get("/v1/wallets").with("/requestContext/authorizer", json!(null)).request();
        let none = Claims::of(&without, "").expect_err("no claims");
        assert_eq!(problem_response(&none, "r").headers()["www-authenticate"], "Bearer");
        for bad in [json!({}), json!({"scope": "wallets:read"}), json!({"sub": ""}), json!({"sub": "x".repeat(129)})] {
            assert_eq!(claims(bad).expect_err("no subject").code(), Code::Unauthenticated);
        }
    }
}
