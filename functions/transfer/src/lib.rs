//! Money moves across: `POST /v1/transfers`, from one of the caller's own wallets to any other.

#[cfg(feature = "openapi")]
mod openapi;

use serde::Deserialize;
use wallet_domain::Command;
#[cfg(feature = "openapi")]
use wallet_lambda::openapi as types;
use wallet_lambda::{
    AmountText, App, Call, DRY_RUN, Function, OrderBody, Problem, Reply, Routes, Texts, parsed, scope,
};

/// The `transfer` function.
pub struct Transfer;

const POST: &str = "POST /v1/transfers";

impl Function for Transfer {
    const NAME: &'static str = "transfer";
    const ROUTES: Routes = &[(POST, DRY_RUN)];

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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Transfer))]
#[serde(deny_unknown_fields)]
struct Body {
    #[cfg_attr(feature = "openapi", schema(value_type = types::WalletId))]
    source: String,
    #[cfg_attr(feature = "openapi", schema(value_type = types::WalletId))]
    destination: String,
    #[cfg_attr(feature = "openapi", schema(value_type = types::Amount))]
    amount: AmountText,
    #[cfg_attr(feature = "openapi", schema(value_type = types::Currency))]
    currency: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Reference>))]
    reference: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Labels>))]
    metadata: Option<Texts>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::LockingStrategy>))]
    locking_strategy: Option<String>,
}
