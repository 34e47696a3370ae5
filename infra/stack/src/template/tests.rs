//! The embedded template is read whole, and what is missing is named.

use super::*;

#[test]
fn the_embedded_template_has_all_that_the_stack_needs() {
    let template = Template::embedded().expect("the template is complete");
    let transfer =
        template.routes.iter().find(|route| route.key() == "POST /v1/transfers").expect("the route is there");
    assert_eq!(transfer.function, "transfer");
    assert_eq!(transfer.scopes, ["wallets:write"]);
    let consumers: Vec<_> = template.consumers.iter().map(|consumer| consumer.function.as_str()).collect();
    assert_eq!(consumers, ["publish", "rebate", "requests", "settle", "dispatch"]);
    for consumer in &template.consumers {
        assert!(consumer.queue.visibility_timeout >= consumer.timeout, "{consumer:?}");
        assert_eq!(consumer.queue.of_dead_letters, consumer.function == "dispatch", "{consumer:?}");
    }
    assert_eq!((template.consumers[1].batch_size, template.consumers[1].concurrency), (10, 2));
    assert_eq!((template.reader.function.as_str(), template.reader.patterns.len()), ("dispatch", 2));
    assert_eq!(template.environment["SETTLE_QUEUE_URL"], "SettleQueue");
    assert_eq!(template.table["StreamSpecification"]["StreamViewType"], "NEW_IMAGE");
    assert_eq!(template.environment["LOCKING_STRATEGY"], "optimistic");
    assert!(template.environment["REBATE_RULES"].contains("basis_points"));
    assert_eq!(template.environment["SCOPE_PREFIX"], "");
    assert_eq!(template.environment.get("METRICS_NAMESPACE"), None, "only with full monitoring");
}

/// The embedded template with one text replaced fails and says `expected`.
#[track_caller]
fn check_fails(from: &str, to: &str, expected: &str) {
    assert!(EMBEDDED.contains(from), "`{from}` is in the template");
    let error = Template::parse(&EMBEDDED.replace(from, to)).expect_err("the template lacks something");
    assert!(format!("{error:#}").contains(expected), "{error:#}");
}

#[test]
fn what_is_missing_is_named() {
    check_fails(
        "maxReceiveCount",
        "other",
        "Resources.PublishQueue.Properties.RedrivePolicy.maxReceiveCount is missing",
    );
    check_fails(
        "          Type: DynamoDB",
        "          Type: Kinesis",
        "has an event of type Kinesis, which the local stack lacks",
    );
    check_fails("FilterCriteria:", "Other:", "Events.Stream.Properties.FilterCriteria is missing");
    check_fails("DEAD_LETTERS_URL:", "OTHER:", "no DEAD_LETTERS_URL");
    check_fails(
        "StreamViewType: NEW_IMAGE",
        "Other: 1",
        "Resources.Table.Properties.StreamSpecification.StreamViewType",
    );
    check_fails(
        "MaximumConcurrency:",
        "Other:",
        "Events.PublishQueue.Properties.ScalingConfig.MaximumConcurrency is missing",
    );
    check_fails("[ReportBatchItemFailures]", "[Other]", "must hold ReportBatchItemFailures");
    check_fails(r#"Path: "/v1/transfers""#, r#"Path: "/v1/{all+}""#, "cannot");
    check_fails("WatchedInFull: !Equals", "WatchedInFull: !Or", "Conditions.WatchedInFull must be made of !Equals");
    check_fails(
        "[WatchedInFull, WalletFunctions,",
        "[WatchedInFull,",
        "METRICS_NAMESPACE.Fn::If must have three parts",
    );
    check_fails("!Sub ${Settings.VersionNumber}", "!Sub ${Nothing}", "Parameters.Nothing is missing");
    check_fails("{Binary: transfer}", "{}", "Resources.TransferFunction.Metadata.BuildProperties.Binary is missing");
}

#[test]
fn parameters_and_conditions_are_taken_at_their_defaults() {
    let full = EMBEDDED.replace("Default: essential", "Default: full");
    let environment = Template::parse(&full).expect("the template is complete").environment;
    assert_eq!(environment["METRICS_NAMESPACE"], "WalletFunctions");
    let prefix = r#"ConstraintDescription: must be the beginning of a scope, without spaces, quotes, commas, brackets and backslashes
    Default: ""#;
    assert!(EMBEDDED.contains(prefix), "the parameter ScopePrefix is there");
    let template = Template::parse(&EMBEDDED.replace(prefix, &format!("{prefix}api/"))).expect("complete");
    assert_eq!(template.environment["SCOPE_PREFIX"], "api/");
    let transfer = template.routes.iter().find(|route| route.key() == "POST /v1/transfers").expect("there");
    assert_eq!(transfer.scopes, ["api/wallets:write"]);
}

#[test]
fn no_yaml_is_said_to_be_none() {
    let error = Template::parse("a: [").expect_err("no YAML");
    assert!(error.to_string().contains("no valid YAML"));
}
