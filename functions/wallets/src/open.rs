//! `POST /v1/wallets` makes a wallet at version 0 with a balance of zero. The domain refuses another owner, a floor and
//! limits to whoever is no admin.

use serde::Deserialize;
use wallet_domain::{Command, Credits, Currency, Limits, Money, Open};
#[cfg(feature = "openapi")]
use wallet_lambda::openapi as types;
use wallet_lambda::{AmountText, App, Call, Count, Object, Problem, Reply, Texts, currency, metadata, optional, scope};

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Opening))]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    #[cfg_attr(feature = "openapi", schema(value_type = types::Currency))]
    currency: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Owner>))]
    owner: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::NotPositive>))]
    floor: Option<AmountText>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::NotNegative>))]
    ceiling: Option<AmountText>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<LimitsBody>))]
    limits: Option<Object<LimitsBody>>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Credits>))]
    credits: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Labels>))]
    metadata: Option<Texts>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OpeningLimits))]
#[serde(deny_unknown_fields)]
struct LimitsBody {
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Amount>))]
    max_movement: Option<AmountText>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Amount>))]
    max_daily_outflow: Option<AmountText>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, format = "int64", maximum = 4_294_967_295_i64))]
    transfers_per_minute: Option<Count>,
}

pub(crate) async fn open(app: &App, call: &mut Call) -> Result<Reply, Problem> {
    call.require(scope::WALLETS_WRITE)?;
    let Body { currency: code, owner, floor, ceiling, limits, credits: mode, metadata: labels } = call.json()?;
    let currency = currency(&code)?;
    let caller = call.caller().clone();
    let command = Command::Open(Open {
        key: call.idempotency_key()?,
        owner: optional("owner", owner)?.unwrap_or_else(|| caller.subject.clone()),
        caller,
        currency,
        floor: floor.map_or_else(|| Ok(Money::zero(currency)), |floor| floor.money("floor", currency))?,
        ceiling: ceiling.map(|ceiling| ceiling.money("ceiling", currency)).transpose()?,
        limits: limits.unwrap_or_default().0.limits(currency)?,
        credits: mode.map_or(Ok(Credits::Immediate), |mode| credits(&mode))?,
        metadata: metadata(labels)?,
    });
    app.execute(call, &command, None).await
}

pub(crate) fn credits(text: &str) -> Result<Credits, Problem> {
    let wrong = || Problem::malformed("`credits` must be \"immediate\" or \"batched\".");
    Credits::from_name(text).ok_or_else(wrong)
}

impl LimitsBody {
    fn limits(self, currency: Currency) -> Result<Limits, Problem> {
        let LimitsBody { max_movement, max_daily_outflow, transfers_per_minute } = self;
        let amount = |field, text: Option<AmountText>| text.map(|text| text.amount(field, currency)).transpose();
        Ok(Limits {
            max_movement: amount("limits.max_movement", max_movement)?,
            max_daily_outflow: amount("limits.max_daily_outflow", max_daily_outflow)?,
            transfers_per_minute: transfers_per_minute.map(|Count(count)| count),
        })
    }
}
