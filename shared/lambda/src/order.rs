//! The part of the request that deposits, withdrawals, transfers and payouts share.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use wallet_domain::{Amount, Order};
use wallet_dynamodb::Strategy;

use crate::amount::{self, AmountText};
use crate::call::Call;
use crate::json::Texts;
use crate::problem::Problem;
#[cfg(feature = "openapi")]
use crate::schema;

/// The body of a deposit or withdrawal; a transfer's has these fields too.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Order))]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    /// In the currency's major unit, such as `"12.50"`.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Amount))]
    pub amount: AmountText,
    /// By its ISO 4217 code.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Currency))]
    pub currency: String,
    /// The caller's own name for it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Reference>))]
    pub reference: Option<String>,
    /// The caller's labels.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Labels>))]
    pub metadata: Option<Texts>,
    /// `optimistic` or `pessimistic`; the deployment's choice without it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::LockingStrategy>))]
    pub locking_strategy: Option<String>,
}

impl OrderBody {
    /// The order that `call` places with this body, and the strategy that it asks for.
    ///
    /// # Errors
    /// The problem of the first field or header that is wrong.
    pub fn order(self, call: &Call) -> Result<(Order, Option<Strategy>), Problem> {
        let amount = self.amount.amount("amount", amount::currency(&self.currency)?)?;
        let order = order(call, amount, self.reference, self.metadata)?;
        Ok((order, optional("locking_strategy", self.locking_strategy)?))
    }
}

/// The order that `call` places over `amount`, with these fields of its body.
///
/// # Errors
/// The problem of the first field or header that is wrong.
pub fn order(
    call: &Call,
    amount: Amount,
    reference: Option<String>,
    metadata: Option<Texts>,
) -> Result<Order, Problem> {
    Ok(Order {
        caller: call.caller().clone(),
        key: call.idempotency_key()?,
        amount,
        reference: optional("reference", reference)?,
        metadata: amount::metadata(metadata)?,
        expected_version: call.if_match()?,
    })
}

/// A field's text as the value that it stands for.
///
/// # Errors
/// `malformed_request` naming the field.
pub fn parsed<T: FromStr<Err: Display>>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error| Problem::malformed(format!("`{field}` {error}.")))
}

/// The same of a field that may be left out.
///
/// # Errors
/// As [`parsed`].
pub fn optional<T: FromStr<Err: Display>>(field: &str, text: Option<String>) -> Result<Option<T>, Problem> {
    text.map(|text| parsed(field, &text)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event;
    use crate::problem::Code;

    fn order(body: &Value) -> Result<(Order, Option<Strategy>), Problem> {
        let call = event::post("/v1/transfers", body).call("POST /v1/transfers");
        call.json::<OrderBody>()?.order(&call)
    }

    /// A good body with one field changed.
    fn with(field: &str, value: Value) -> Value {
        let mut body = json!({"amount": "12.50", "currency": "EUR"});
        body[field] = value;
        body
    }

    #[track_caller]
    fn check(field: &str, value: Value, code: Code, told: &str) {
        let problem = order(&with(field, value)).expect_err("refused");
        assert_eq!(problem.code(), code);
        assert_eq!(problem.detail(), told);
    }

    #[test]
    fn a_whole_body_makes_an_order() {
        let body = json!({
            "amount": "12.5", "currency": "EUR", "reference": "order 1", "metadata": {"shop": "7"},
            "locking_strategy": "pessimistic",
        });
        let (order, strategy) = order(&body).expect("an order");
        assert_eq!(format!("{:?}", order.amount.money()), "12.50 EUR");
        assert_eq!(order.reference.expect("there").as_str(), "order 1");
        assert_eq!(order.metadata.labels()["shop"], "7");
        assert_eq!((order.expected_version, strategy), (None, Some(Strategy::Pessimistic)));
    }

    #[test]
    fn amounts_are_text_at_their_currency_s_scale() {
        let number = "`amount`: write the amount as a string, \"12.5\" instead of 12.5: numbers lose digits.";
        check("amount", json!(12.5), Code::InvalidAmount, number);
        check("amount", json!("0"), Code::InvalidAmount, "`amount`: must be greater than zero.");
        check("amount", json!("1.005"), Code::InvalidAmount, "`amount`: EUR has 2 decimals; more cannot be moved.");
        for bad in ["-1", "1e3", "", "1,5", "+1", " 1", "01", ".5", "1000000000000000000", "NaN"] {
            assert_eq!(order(&with("amount", json!(bad))).expect_err(bad).code(), Code::InvalidAmount);
        }
        for bad in [json!(null), json!(true), json!([]), json!({})] {
            let told = "`amount`: invalid type, expected an amount in a string, such as \"12.50\".";
            check("amount", bad, Code::MalformedRequest, told);
        }
    }

    #[test]
    fn a_currency_has_minor_units_and_capital_letters() {
        for bad in ["eur", "EURO", "", "XAU", "XXX"] {
            let problem = order(&with("currency", json!(bad))).expect_err(bad);
            assert_eq!(problem.code(), Code::InvalidCurrency);
            assert!(problem.detail().starts_with("`currency`: "));
        }
    }

    #[test]
    fn the_rest_is_named_when_it_is_wrong() {
        let long = json!("x".repeat(129));
        check("reference", long, Code::MalformedRequest, "`reference` must be 1 to 128 printable UTF-8 characters.");
        let told = "`locking_strategy` must be \"optimistic\" or \"pessimistic\".";
        check("locking_strategy", json!("hopeful"), Code::MalformedRequest, told);
        check("metadata", json!({"": "x"}), Code::MalformedRequest, "`metadata`: a label needs a name.");
        let twice = r#"{"amount": "1", "currency": "EUR", "metadata": {"a": "1", "b": "2", "a": "1"}}"#;
        let call = event::post("/v1/transfers", &json!({})).with("/body", json!(twice)).call("POST /v1/transfers");
        let told = call.json::<OrderBody>().expect_err("a label is there twice").detail().to_owned();
        assert_eq!(told, "`metadata`: `a` is there twice.");
        let deep = format!("{{\"amount\": {}", "[".repeat(16_000));
        let call = event::post("/v1/transfers", &json!({})).with("/body", json!(deep)).call("POST /v1/transfers");
        let told = call.json::<OrderBody>().expect_err("too deep").detail().to_owned();
        assert_eq!(told, "The body is nested too deeply; no request needs more than two levels.");
        let told = "`metadata.shop`: invalid type: integer `7`, expected a string.";
        check("metadata", json!({"shop": 7}), Code::MalformedRequest, told);
        let told = "The body: unknown field `amuont`, expected one of `amount`, `currency`, `reference`, `metadata`, \
                    `locking_strategy`.";
        check("amuont", json!("1"), Code::MalformedRequest, told);
    }
}
