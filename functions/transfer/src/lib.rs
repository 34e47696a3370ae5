//! Money moves across: `POST /v1/transfers`, from one of the caller's own wallets to any other.

use serde::Deserialize;
use wallet_domain::{Command, WalletId};
use wallet_lambda::{AmountText, App, Call, Function, OrderBody, Problem, Reply, Texts, scope};

/// The `transfer` function.
pub struct Transfer;

impl Function for Transfer {
    const NAME: &'static str = "transfer";
    const ROUTES: &'static [&'static str] = &["POST /v1/transfers"];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        call.require(scope::WALLETS_WRITE)?;
        let body: Body = call.json()?;
        let (source, destination) = (wallet("source", &body.source)?, wallet("destination", &body.destination)?);
        let (order, strategy) = body.order().order(call)?;
        let fee = app.settings().transfer_fee.clone();
        let command = Command::Transfer(wallet_domain::Transfer { order, source, destination, fee });
        app.execute(call, &command, strategy).await
    }
}

/// An [`OrderBody`] and two wallets. Written out: a flattened one could not refuse unknown fields.
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

impl Body {
    fn order(self) -> OrderBody {
        let Body { amount, currency, reference, metadata, locking_strategy, .. } = self;
        OrderBody { amount, currency, reference, metadata, locking_strategy }
    }
}

fn wallet(field: &str, text: &str) -> Result<WalletId, Problem> {
    text.parse().map_err(|error| Problem::malformed(format!("`{field}` {error}.")))
}
