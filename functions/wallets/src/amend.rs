//! `PATCH /v1/wallets/{wallet_id}`: freeze, close, bounds, limits. A field that is absent stays as it is; `null` takes a
//! bound away. The same `If-Match` with the same body is the same request, as an idempotency key would be; with `If-Match: *`,
//! for a wallet that moves too fast to be met at a version, it is the idempotency key.

use crate::open::credits;
use serde::{Deserialize, Deserializer};
use wallet_domain::{Amend, Change, Command, Status};
#[cfg(feature = "openapi")]
use wallet_lambda::openapi as types;
use wallet_lambda::{AmountText, App, Call, Count, Object, Problem, Reply, scope};

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Amendment, min_properties = 1))]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(required = false, nullable = false, value_type = types::Status))]
    status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(required = false, nullable = false, value_type = types::Credits))]
    credits: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(required = false, nullable = false, value_type = types::NotPositive))]
    floor: Option<AmountText>,
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::NotNegative>))]
    ceiling: Option<Option<AmountText>>,
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(required = false, nullable = false, value_type = LimitsBody))]
    limits: Option<Object<LimitsBody>>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AmendedLimits, min_properties = 1))]
#[serde(deny_unknown_fields)]
struct LimitsBody {
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Amount>))]
    max_movement: Option<Option<AmountText>>,
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Amount>))]
    max_daily_outflow: Option<Option<AmountText>>,
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, format = "int64", maximum = 4_294_967_295_i64))]
    transfers_per_minute: Option<Option<Count>>,
}

/// Tells `null` from an absent field.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

pub(crate) async fn amend(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_ADMIN)?;
    let wallet = call.wallet_id()?;
    let expected = call.expected()?;
    let change = call.json::<Body>()?.change()?;
    let caller = call.caller().clone();
    let command = Command::Amend(Amend { caller, wallet, expected, change });
    app.execute(call, &command, None).await
}

impl Body {
    fn change(self) -> Result<Change, Problem> {
        if matches!(
            self.limits,
            Some(Object(LimitsBody { max_movement: None, max_daily_outflow: None, transfers_per_minute: None }))
        ) {
            return Err(Problem::malformed("`limits` changes nothing: it needs a limit, or `null` for one."));
        }
        let limits = self.limits.unwrap_or_default().0;
        let change = Change {
            status: self.status.map(|text| status(&text)).transpose()?,
            credits: self.credits.map(|text| credits(&text)).transpose()?,
            floor: self.floor.map(|floor| floor.text("floor")).transpose()?,
            ceiling: term("ceiling", self.ceiling)?,
            max_movement: term("limits.max_movement", limits.max_movement)?,
            max_daily_outflow: term("limits.max_daily_outflow", limits.max_daily_outflow)?,
            transfers_per_minute: limits.transfers_per_minute.map(|term| term.map(|Count(count)| count)),
        };
        if change == Change::default() {
            let detail = "The body changes nothing: it needs `status`, `credits`, `floor`, `ceiling` or `limits`.";
            return Err(Problem::malformed(detail));
        }
        Ok(change)
    }
}

fn status(text: &str) -> Result<Status, Problem> {
    Status::from_name(text).ok_or_else(|| Problem::malformed("`status` must be \"active\", \"frozen\" or \"closed\"."))
}

fn term(field: &str, value: Option<Option<AmountText>>) -> Result<Option<Option<String>>, Problem> {
    value.map(|amount| amount.map(|amount| amount.text(field)).transpose()).transpose()
}

#[cfg(test)]
mod tests {
    use wallet_lambda::Code;

    use super::*;

    fn change(body: &str) -> Result<Change, Problem> {
        let Object(body): Object<Body> = serde_json::from_str(body).expect("a body");
        body.change()
    }

    #[test]
    fn an_absent_field_stays_and_null_takes_away() {
        let set = change(
            r#"{"status": "frozen", "ceiling": "9", "limits": {"max_movement": "5", "transfers_per_minute": 2}}"#,
        );
        let expected = Change {
            status: Some(Status::Frozen),
            ceiling: Some(Some("9".to_owned())),
            max_movement: Some(Some("5".to_owned())),
            transfers_per_minute: Some(Some(2)),
            ..Change::default()
        };
        assert_eq!(set.expect("a change"), expected);

        let taken = change(r#"{"ceiling": null, "limits": {"max_daily_outflow": null, "transfers_per_minute": null}}"#);
        let expected = Change {
            ceiling: Some(None),
            max_daily_outflow: Some(None),
            transfers_per_minute: Some(None),
            ..Change::default()
        };
        assert_eq!(taken.expect("a change"), expected);
    }

    #[test]
    fn what_changes_nothing_or_cannot_be_is_refused() {
        for (body, code) in [
            ("{}", Code::MalformedRequest),
            (r#"{"limits": {}}"#, Code::MalformedRequest),
            (r#"{"status": "frozen", "limits": {}}"#, Code::MalformedRequest),
            (r#"{"status": "open"}"#, Code::MalformedRequest),
            (r#"{"floor": -5}"#, Code::InvalidAmount),
            (r#"{"limits": {"max_movement": 5}}"#, Code::InvalidAmount),
        ] {
            assert_eq!(change(body).expect_err(body).code(), code);
        }
        for body in
            [r#"{"status": null}"#, r#"{"floor": null}"#, r#"{"limits": null}"#, r#"{"limits": ["5"]}"#, r#"{"x": 1}"#]
        {
            serde_json::from_str::<Object<Body>>(body).err().expect(body);
        }
    }
}
