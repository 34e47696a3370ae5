//! The API's description: kept in docs/openapi.json, held to template.yaml, and with examples that its own schemas allow.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use serde_json::Value;
use wallet_lambda::Code;
use wallet_stack::api;
use wallet_stack::template::Template;

fn document() -> Value {
    serde_json::to_value(api::document()).expect("JSON")
}

#[test]
fn the_page_in_docs_is_what_the_command_prints() {
    // UPDATE_EXPECT=1 writes it anew.
    expect_file!["../docs/openapi.json"].assert_eq(&api::text());
}

/// The routes of the document, each with the scopes that it asks for.
fn described(document: &Value) -> BTreeMap<String, Vec<String>> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().expect("a path item").iter();
        operations.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    let scopes = |operation: &Value| {
        let security = operation["security"].as_array().expect("security");
        let named = security.iter().flat_map(|one| one["token"].as_array().expect("the one scheme"));
        named.map(|scope| scope.as_str().expect("a scope").to_owned()).collect()
    };
    operations.map(|(key, operation)| (key, scopes(operation))).collect()
}

#[test]
fn routes_and_scopes_are_those_of_the_template() {
    let template = Template::embedded().expect("the template");
    let routed: BTreeMap<_, _> = template.routes.iter().map(|route| (route.key(), route.scopes.clone())).collect();
    assert!(routed.len() >= 11);
    assert_eq!(described(&document()), routed);
}

#[test]
fn every_code_has_an_example_that_is_a_problem() {
    let document = document();
    let by_name = document["components"]["examples"].as_object().expect("examples");
    let elsewhere = document["components"]["schemas"]["Problem"]["examples"].as_array().expect("examples");
    let met: Vec<_> = by_name.values().map(|example| &example["value"]).collect();
    for problem in met.iter().copied().chain(elsewhere) {
        let code = Code::named(problem["code"].as_str().expect("a code")).expect("one of the table");
        assert_eq!((&problem["status"], &problem["title"]), (&code.status().as_u16().into(), &code.title().into()));
    }
    assert!(by_name.iter().all(|(name, example)| example["value"]["code"] == **name));
    let codes = |problems: Vec<&Value>| {
        problems.into_iter().map(|problem| problem["code"].to_string()).collect::<BTreeSet<_>>()
    };
    // What no route answers with: the gateway's own, a newer version's, and the reasons of rebates that are not paid.
    let others = [
        "route_not_found",
        "refused",
        "rebate_below_minimum",
        "rebate_cap_reached",
        "rebate_too_late",
        "deposit_reversed",
    ];
    let quoted = |names: &[&str]| names.iter().map(|name| format!("\"{name}\"")).collect::<BTreeSet<_>>();
    assert_eq!(codes(elsewhere.iter().collect()), quoted(&others));
    let all: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).filter(|name| !others.contains(name)).collect();
    assert_eq!(codes(met), quoted(&all));
}
