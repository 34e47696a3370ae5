//! A movement is undone: `POST /v1/transactions/{transaction_id}/reversals`.
//!
//! All of it is undone, once, in one transaction. A deposit's rebate is taken back in the same transaction, or never paid.

#[cfg(feature = "openapi")]
mod openapi;

use serde::Deserialize;
use wallet_domain::{Command, Reverse};
#[cfg(feature = "openapi")]
use wallet_lambda::openapi as types;
use wallet_lambda::{App, Call, DRY_RUN, Function, Problem, Reply, Routes, Texts, metadata, optional, scope};

/// The `reversal` function.
pub struct Reversal;

const POST: &str = "POST /v1/transactions/{transaction_id}/reversals";

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Reversal))]
#[serde(deny_unknown_fields)]
struct Body {
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Reference>))]
    reference: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::Labels>))]
    metadata: Option<Texts>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<types::LockingStrategy>))]
    locking_strategy: Option<String>,
    #[serde(default)]
    allow_overdraft: bool,
}

impl Function for Reversal {
    const NAME: &'static str = "reversal";
    const ROUTES: Routes = &[(POST, DRY_RUN)];

    async fn handle(app: &App, call: &mut Call) -> Result<Reply, Problem> {
        call.require(scope::WALLETS_ADMIN)?;
        let id = call.transaction_id()?;
        let body = call.json::<Body>()?;
        let key = call.idempotency_key()?;
        let original = app.ledger().transaction(id, call.usage()).await?.ok_or_else(Problem::transaction_not_found)?;
        let reverse = Reverse {
            caller: call.caller().clone(),
            key,
            original: Box::new(original),
            allow_overdraft: body.allow_overdraft,
            return_fee: app.settings().reversal_returns_fee,
            reference: optional("reference", body.reference)?,
            metadata: metadata(body.metadata)?,
        };
        let strategy = optional("locking_strategy", body.locking_strategy)?;
        app.execute(call, &Command::Reverse(reverse), strategy).await
    }
}
