//! Money moves across: `POST /v1/transfers`, from one of the caller's own wallets to any other.

use serde::Deserialize;
use wallet_domain::Command;
use wallet_lambda::{AmountText, App, Call, DRY_RUN, Function, OrderBody, Problem, Reply, Texts, parsed, scope};

/// The `transfer` function.
pub struct Transfer;

const POST: &str = "POST /v1/transfers";

impl Function for Transfer {
    const NAME: &'static str = "transfer";
    const ROUTES: &'static [&'static str] = &[POST];
    const QUERIES: &'static [(&'static str, &'static [&'static str])] = &[(POST, DRY_RUN)];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        call.require(scope::WALLETS_WRITE)?;
        let Body { source, destination, amount, currency, reference, metadata, locking_strategy } = call.json()?;
        let (source, destination) = (parsed("source", &source)?, parsed("destination", &destination)?);
        let order = OrderBody { amount, currency, reference, metadata, locking_strategy };
        let (order, strategy) = order.order(call)?;
        let fee = app.settings().transfer_fee.clone();
        let command = Command::Transfer(wallet_domain::Transfer { order, source, destination, fee });
        app.execute(call, &command, strategy).await
    }
}

/// The fields of an [`OrderBody`] and two wallets. serde cannot refuse unknown fields of a struct that is flattened into
/// another, so they are written out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    source: String,
    destination: String,
    amount: AmountText,
    currency: String,
    reference: Option<String>,
    metadata: Option<Texts>,
    locking_strategy: Option<String>,
}
