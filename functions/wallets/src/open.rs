//! `POST /v1/wallets` makes a wallet at version 0 with a balance of zero. The domain refuses another owner, a floor and
//! limits to whoever is no admin.

use serde::Deserialize;
use wallet_domain::{Command, Credits, Currency, Limits, Money, Open};
use wallet_lambda::{AmountText, App, Call, Object, Problem, Reply, Texts, currency, metadata, optional, scope};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    currency: String,
    owner: Option<String>,
    floor: Option<AmountText>,
    ceiling: Option<AmountText>,
    limits: Option<Object<LimitsBody>>,
    credits: Option<String>,
    metadata: Option<Texts>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsBody {
    max_movement: Option<AmountText>,
    max_daily_outflow: Option<AmountText>,
    transfers_per_minute: Option<u32>,
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
            transfers_per_minute,
        })
    }
}
