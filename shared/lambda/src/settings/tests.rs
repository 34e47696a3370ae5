//! Settings as a deployment writes them, right and wrong.

use std::collections::BTreeMap;

use wallet_domain::{BasisPoints, Bounds, Currency, Money, Rounding};

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let variables: BTreeMap<_, _> = [("TABLE_NAME", "wallets")].iter().chain(variables).copied().collect();
    Settings::from_vars(|name| variables.get(name).map(|value| (*value).to_owned()))
}

fn currency(code: &str) -> Currency {
    code.parse().expect("a currency")
}

fn money(text: &str, code: &str) -> Money {
    Money::parse(text, currency(code)).expect("an amount")
}

#[test]
fn the_table_is_all_that_is_needed() {
    let settings =
        read(&[("LOCKING_STRATEGY", ""), ("TRANSFER_FEE", ""), ("MAX_ATTEMPTS", ""), ("METRICS_NAMESPACE", "")])
            .expect("good");
    assert_eq!((settings.table.as_str(), settings.strategy), ("wallets", Strategy::Optimistic));
    assert_eq!((settings.policy, settings.transfer_fee), (Policy::default(), None));
    assert_eq!((settings.metrics_namespace, settings.scope_prefix.as_str()), (None, ""));
    let rules = read(&[]).expect("good").rebate_rules;
    let [standard] = &*rules else { panic!("one rule for all: {rules:?}") };
    let share = BasisPoints::new(100).expect("a share");
    assert_eq!(*standard, RebateTerms::new("standard".parse().expect("a name"), share));
}

#[test]
fn everything_can_be_set() {
    let settings = read(&[
        ("LOCKING_STRATEGY", "pessimistic"),
        ("TRANSFER_FEE", r#"{"basis_points":25,"minimum":{"EUR":"0.10"},"maximum":{"EUR":"5.00"}}"#),
        ("MAX_ATTEMPTS", "3"),
        ("LEASE_MS", "1500"),
        ("LOCK_WAIT_MS", "0"),
        ("SCOPE_PREFIX", "https://api.example.com/"),
        ("METRICS_NAMESPACE", "Wallets/europe"),
    ])
    .expect("good");
    assert_eq!(settings.metrics_namespace.as_deref(), Some("Wallets/europe"));
    assert_eq!(settings.strategy, Strategy::Pessimistic);
    assert_eq!(settings.scope_prefix, "https://api.example.com/");
    assert_eq!(settings.transfer_fee.expect("set").fee_on(money("1", "EUR")), money("0.10", "EUR"));
    assert_eq!(settings.policy.max_attempts, 3);
    assert_eq!((settings.policy.lease.as_millis(), settings.policy.lock_wait.as_millis()), (1500, 0));
}

#[test]
fn rules_are_read_in_their_order_with_everything_that_they_say() {
    let rules = r#"[{"id":"spring","basis_points":200,"rounding":"half_up","currencies":["EUR","JPY"],
                     "valid_from":"2027-03-01T00:00:00Z","valid_until":"2027-06-01T00:00:00+02:00",
                     "minimum_deposit":{"EUR":"5"},"minimum":{"EUR":"0.10"},"cap":{"EUR":"20"},"monthly_cap":{"JPY":"900"}},
                    {"id":"rest","basis_points":50}]"#;
    let settings = read(&[("REBATE_RULES", rules)]).expect("good");
    let bound = |text: &str, code: &str| Bounds::new([money(text, code)]).expect("one bound");
    let terms =
        |id: &str, share| RebateTerms::new(id.parse().expect("a name"), BasisPoints::new(share).expect("a share"));
    let spring = RebateTerms {
        rounding: Rounding::HalfUp,
        currencies: Some(vec![currency("EUR"), currency("JPY")]),
        valid_from: Some("2027-03-01T00:00:00Z".parse().expect("a time")),
        valid_until: Some("2027-05-31T22:00:00Z".parse().expect("a time")),
        minimum_deposit: bound("5", "EUR"),
        minimum: bound("0.10", "EUR"),
        cap: bound("20", "EUR"),
        monthly_cap: bound("900", "JPY"),
        ..terms("spring", 200)
    };
    assert_eq!(*settings.rebate_rules, [spring, terms("rest", 50)]);

    for none in ["", "[]"] {
        assert_eq!(*read(&[("REBATE_RULES", none)]).expect("good").rebate_rules, []);
    }
}

#[test]
fn what_is_wrong_is_told_with_what_to_write_instead() {
    let mut told = vec![Settings::from_vars(|_| None).expect_err("no table").to_string()];
    for (variable, value) in [
        ("TABLE_NAME", "arn:aws:dynamodb:eu-central-1:1:table/wallets"),
        ("SCOPE_PREFIX", "wallets api/"),
        ("LOCKING_STRATEGY", "Optimistic"),
        ("MAX_ATTEMPTS", "0"),
        ("LEASE_MS", "3s"),
        ("LOCK_WAIT_MS", "25001"),
        ("METRICS_NAMESPACE", "AWS/Lambda"),
        ("METRICS_NAMESPACE", "wallet functions"),
        ("TRANSFER_FEE", "25"),
        ("TRANSFER_FEE", "{"),
        ("TRANSFER_FEE", r#"{"basis_points":10001}"#),
        ("TRANSFER_FEE", r#"{"basis_points":1,"minimum":{"EUR":"2"},"maximum":{"EUR":"1"}}"#),
        ("TRANSFER_FEE", r#"{"basis_points":1,"minimum":{"EUR":0.1}}"#),
        ("TRANSFER_FEE", r#"{"basis_points":1,"minimum":{"EUR":"-1"}}"#),
        ("TRANSFER_FEE", r#"{"basis_points":1,"basis_points":2}"#),
        ("TRANSFER_FEE", r#"{"basis_points":1,"maximum":{"EUR":"20.00","EUR":"2000.00"}}"#),
        ("TRANSFER_FEE", r#"{"basis_points":1,"maximum":{"EUR":"20.00"},"maximum":{"EUR":"20.00"}}"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"id":"a"}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"cap":{"EUR":"20.00","USD":"20.00","EUR":"2000.00"}}]"#),
        ("TRANSFER_FEE", r#"{"basis_points":1,"minimum":{"EUR":"0.001"}}"#),
        ("TRANSFER_FEE", r#"{"basis_points":1,"min":{"EUR":"1"}}"#),
        ("REBATE_RULES", "none"),
        ("REBATE_RULES", r#"{"id":"standard","basis_points":100}"#),
        ("REBATE_RULES", r#"[{"id":"a b","basis_points":100}]"#),
        ("REBATE_RULES", r#"[{"id":"a"}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1},{"id":"a","basis_points":2}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"currencies":[]}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"currencies":["eur"]}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"currencies":["EUR"],"cap":{"USD":"1"}}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"currencies":["EUR"],"minimum_deposit":{"USD":"1"}}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"minimum":{"EUR":"2"},"cap":{"EUR":"1"}}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"minimum":{"EUR":"2"},"monthly_cap":{"EUR":"1.99"}}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"cap":{"JPY":"0.5"}}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"monthly_cap":{"EUR":"-1"}}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"monthly_cap":{"EURO":"1"}}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":10001}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"rounding":"up"}]"#),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"valid_from":"2027-03-01"}]"#),
        (
            "REBATE_RULES",
            r#"[{"id":"a","basis_points":1,"valid_from":"2027-03-01T00:00:00Z","valid_until":"2027-03-01T00:00:00Z"}]"#,
        ),
        ("REBATE_RULES", r#"[{"id":"a","basis_points":1,"caps":{"EUR":"1"}}]"#),
    ] {
        told.push(read(&[(variable, value)]).expect_err(value).to_string());
    }
    insta::assert_snapshot!(told.join("\n"));
}
